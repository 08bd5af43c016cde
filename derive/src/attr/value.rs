//! Literals out of attributes.

use std::fmt::Display;
use std::str::FromStr;

use syn::{Expr, Lit, UnOp};

use super::{Item, Value};
use crate::ctxt::Ctxt;

/// The string of `name = "…"`.
pub(crate) fn string(cx: &Ctxt, item: &Item) -> Option<String> {
    if let Value::Is(Expr::Lit(literal)) = &item.value {
        match &literal.lit {
            Lit::Str(text) => return Some(text.value()),
            Lit::Char(text) => return Some(text.value().to_string()),
            _ => {}
        }
    }
    cx.error(item, format!("`{}` takes a string: `{} = \"…\"`", item.name, item.name));
    None
}

/// The string of `name = "…"`, or of `name(serialize = "…", deserialize = "…")` where both are the
/// same: what is stored has one name for writing and reading.
pub(crate) fn agreed(cx: &Ctxt, item: &Item) -> Option<String> {
    let Value::List(both) = &item.value else { return string(cx, item) };
    let names: Vec<_> = both.iter().filter_map(|item| string(cx, item)).collect();
    if names.len() != 2 || names.first() != names.last() {
        let message = "what is stored has one name: make `serialize` and `deserialize` the same";
        cx.error(item, message);
    }
    names.into_iter().next()
}

/// The path of `name = path` or `name = "path"`.
pub(crate) fn path(cx: &Ctxt, item: &Item, example: &str) -> Option<syn::Path> {
    match &item.value {
        Value::Is(Expr::Path(path)) => return Some(path.path.clone()),
        Value::Is(Expr::Lit(_)) => {
            let path = string(cx, item).map(|text| syn::parse_str(&text));
            if let Some(Ok(path)) = path {
                return Some(path);
            }
        }
        _ => {}
    }
    cx.error(item, format!("`{0}` names {example}: `{0} = \"path::to\"`", item.name));
    None
}

/// The number of `name = 1`.
pub(crate) fn parsed<T: FromStr>(cx: &Ctxt, item: &Item, example: impl Display) -> Option<T> {
    let text = match &item.value {
        Value::Is(Expr::Lit(literal)) => match &literal.lit {
            Lit::Int(number) => number.base10_digits().to_owned(),
            Lit::Float(number) => number.base10_digits().to_owned(),
            _ => String::new(),
        },
        Value::Is(Expr::Unary(unary)) if matches!(unary.op, UnOp::Neg(_)) => "-".to_owned(),
        _ => String::new(),
    };
    let number = text.parse().ok();
    if number.is_none() {
        cx.error(item, format!("`{0}` takes a number: `{0} = {example}`", item.name));
    }
    number
}

/// The milliseconds of `name = "24h"`.
pub(crate) fn duration(cx: &Ctxt, item: &Item) -> Option<u64> {
    let text = string(cx, item)?;
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: Option<u64> = match text.get(digits.len()..).unwrap_or_default().trim() {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let time =
        digits.parse().ok().zip(unit).and_then(|(count, unit): (u64, u64)| count.checked_mul(unit));
    match time {
        Some(time @ 1..) => Some(time),
        _ => {
            let name = &item.name;
            cx.error(item, format!("`{name}` takes a whole number with `ms`, `s`, `m`, `h` or `d`: `{name} = \"24h\"`"));
            None
        }
    }
}
