//! What `RedisVL` stores: dictionaries, as their owner gives them.

use super::ValueKind::{
    Boolean, Bytes, Float, Integer, Json, Map, Other, Place, Reference, Text, Vector,
};
use super::{Decimals, Forms, Lists, Paths, Unit};

pub(super) const FORMS: Forms = Forms {
    name: "redisvl",
    // Its client refuses booleans in hashes.
    booleans: ["0", "1"],
    point_zero: true,
    doubles: false,
    times: Unit::Seconds(6),
    dates: Unit::Seconds(0),
    base64: false,
    decimals: Decimals::Float,
    nulls: true,
    lists: Lists::Joined,
    paths: Paths::Whole,
    bare_names: false,
    colon: false,
    separator: ',',
    boolean_separator: ',',
    hash: &[Bytes, Float, Integer, Other, Place, Reference, Text, Vector],
    json: &[Boolean, Float, Integer, Json, Map, Other, Place, Reference, Text, Vector],
    nested_in_hash: false,
};
