//! Our own forms, which are exact.

use super::{Decimals, Forms, Lists, Paths, Unit};

pub(super) const FORMS: Forms = Forms {
    name: "alizarin",
    booleans: ["false", "true"],
    point_zero: false,
    doubles: false,
    times: Unit::Own,
    dates: Unit::Own,
    base64: false,
    decimals: Decimals::Own,
    nulls: false,
    lists: Lists::Joined,
    paths: Paths::Dots,
    bare_names: false,
    colon: true,
    separator: '\u{1f}',
    boolean_separator: '\u{1f}',
    // All of them, which nobody asks for here.
    hash: &[],
    json: &[],
    nested_in_hash: true,
};
