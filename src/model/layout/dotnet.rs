//! What Redis OM .NET stores.

use super::ValueKind::{
    Boolean, Bytes, Decimal, Float, Integer, Json, Map, OffsetTime, Other, Place, Reference, Text,
    Time, Vector,
};
use super::{Decimals, Forms, Lists, Paths, Unit};

pub(super) const FORMS: Forms = Forms {
    name: "redis-om-dotnet",
    booleans: ["False", "True"],
    point_zero: false,
    doubles: false,
    // A `DateTime`; a `DateTimeOffset` is text.
    times: Unit::Milliseconds,
    dates: Unit::Own,
    base64: true,
    decimals: Decimals::Number,
    nulls: false,
    // Each item is a field of its own.
    lists: Lists::None,
    paths: Paths::Dots,
    bare_names: false,
    colon: true,
    separator: '|',
    boolean_separator: '|',
    hash: &[
        Boolean, Decimal, Float, Integer, OffsetTime, Other, Place, Reference, Text, Time, Vector,
    ],
    json: &[
        Boolean, Bytes, Decimal, Float, Integer, Json, Map, OffsetTime, Other, Place, Reference,
        Text, Time, Vector,
    ],
    nested_in_hash: true,
};
