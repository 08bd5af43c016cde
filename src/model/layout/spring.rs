//! What Redis OM Spring stores: `@Document` and `@RedisHash`.

use super::ValueKind::{Boolean, Decimal, Float, Integer, Json, Other, Place, Text, Time, Vector};
use super::{Decimals, Forms, Lists, Paths, Unit};

pub(super) const FORMS: Forms = Forms {
    name: "redis-om-spring",
    booleans: ["false", "true"],
    // As `Double.toString` prints them.
    point_zero: true,
    doubles: false,
    // `Date` and `Instant` count milliseconds.
    times: Unit::Milliseconds,
    dates: Unit::Own,
    base64: false,
    decimals: Decimals::Number,
    nulls: false,
    lists: Lists::Escaped,
    paths: Paths::Dots,
    bare_names: false,
    colon: true,
    separator: '|',
    boolean_separator: '|',
    // A `LocalDate` is a time in whatever zone the virtual machine is in, and a reference names the
    // other document's key.
    hash: &[Boolean, Float, Integer, Other, Place, Text, Time, Vector],
    json: &[Boolean, Decimal, Float, Integer, Json, Other, Place, Text, Time, Vector],
    nested_in_hash: true,
};
