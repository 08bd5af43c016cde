//! What Redis OM for Node.js stores.

use super::ValueKind::{Boolean, Float, Integer, Json, Map, Other, Place, Reference, Text, Time};
use super::{Decimals, Forms, Lists, Paths, Unit};

pub(super) const FORMS: Forms = Forms {
    name: "redis-om-node",
    booleans: ["0", "1"],
    point_zero: false,
    doubles: true,
    // A `Date` counts milliseconds.
    times: Unit::Seconds(3),
    dates: Unit::Seconds(0),
    base64: true,
    decimals: Decimals::Float,
    nulls: true,
    lists: Lists::Joined,
    paths: Paths::Brackets,
    bare_names: true,
    colon: true,
    separator: '|',
    boolean_separator: '\0',
    hash: &[Boolean, Float, Integer, Other, Place, Reference, Text, Time],
    json: &[Boolean, Float, Integer, Json, Map, Other, Place, Reference, Text, Time],
    nested_in_hash: false,
};
