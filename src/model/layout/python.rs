//! What Redis OM Python stores: `JsonModel` and `HashModel`.

use super::ValueKind::{
    Boolean, Bytes, Date, Decimal, Float, Integer, Json, Map, Other, Place, Reference, Text, Time,
    Vector,
};
use super::{Decimals, Forms, Lists, Paths, Unit};

pub(super) const FORMS: Forms = Forms {
    name: "redis-om-python",
    booleans: ["0", "1"],
    // As `repr` prints them.
    point_zero: true,
    doubles: false,
    // `datetime` counts microseconds; a `date` is the midnight of UTC.
    times: Unit::Seconds(6),
    dates: Unit::Seconds(0),
    base64: true,
    decimals: Decimals::Float,
    nulls: true,
    lists: Lists::None,
    paths: Paths::Dots,
    bare_names: false,
    colon: true,
    separator: '|',
    // It names none for booleans.
    boolean_separator: '\0',
    // Its vectors in hashes are base64, which no index reads.
    hash: &[Boolean, Bytes, Date, Decimal, Float, Integer, Other, Place, Reference, Text, Time],
    json: &[
        Boolean, Bytes, Date, Decimal, Float, Integer, Json, Map, Other, Place, Reference, Text,
        Time, Vector,
    ],
    nested_in_hash: false,
};
