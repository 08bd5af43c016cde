//! Integers and floats.

use alizarin_core::resp::{short_decimal, short_integer};

use super::{
    super::{FieldSchema, IndexKind, ValueKind, stored::read_json_string},
    ListItem, NumericValue, RedisValue, TagValue, decimal, refused,
    text::check_tag,
    utf8,
};
use crate::{Error, Result};

/// The integers that a double, hence a NUMERIC index, holds exactly: up to this one and down to
/// its negative.
const EXACT: i128 = 1 << 53;

/// Whether the field has a NUMERIC index.
pub(super) fn is_numeric(field: &FieldSchema) -> bool {
    matches!(field.kind(), Some(IndexKind::Numeric))
}

/// Refuses an integer that its NUMERIC index would round to another one.
fn check_exact(value: Option<i128>, field: &FieldSchema) -> Result<()> {
    let doubles = is_numeric(field) || field.layout.forms().doubles;
    if doubles && value.is_none_or(|value| !(-EXACT..=EXACT).contains(&value)) {
        if !is_numeric(field) {
            let name = field.layout.name();
            return Err(refused(format!("{name} reads numbers as doubles, which end at 2^53")));
        }
        return Err(refused(
            "an integer beyond 2^53 is rounded by a NUMERIC index, so it would be found as another \
             one; use `tag` for exact matches, or a float",
        ));
    }
    Ok(())
}

/// Reads an integer from JSON: a number, or the digits in a string.
pub(super) fn read_json_integer<T: std::str::FromStr>(json: &str, name: &str) -> Result<T> {
    let json = json.trim();
    let parsed = if json.starts_with('"') {
        read_json_string(json)?.parse().ok()
    } else {
        decimal::whole_number(json).and_then(|digits| digits.parse().ok())
    };
    parsed.ok_or_else(|| not_a(name, json))
}

/// Reads an integer from a hash.
#[inline]
pub(super) fn read_hash_integer<T>(bytes: &[u8], name: &str) -> Result<T>
where
    T: std::str::FromStr + TryFrom<i64>,
{
    if let Some(value) = short_integer(bytes).and_then(|value| T::try_from(value).ok()) {
        return Ok(value);
    }
    long_integer(bytes, name)
}

/// An integer of any length, or the reason why it is none.
#[inline(never)]
fn long_integer<T: std::str::FromStr>(bytes: &[u8], name: &str) -> Result<T> {
    let text = utf8(bytes, name)?;
    text.parse().map_err(|_| not_a(name, text))
}

fn not_a(name: &str, text: &str) -> Error {
    // The text itself stays out of the message: it may be anybody's data.
    let came = if text.is_empty() {
        "an empty value"
    } else if decimal::is_number(text) {
        "a number that is none or out of its range"
    } else {
        "something else"
    };
    Error::decode(name, came)
}

macro_rules! integers {
    ($($type:ident $wide:literal;)+) => {$(
        impl RedisValue for $type {
            type Item = $type;
            const KIND: ValueKind =
                if $wide { ValueKind::WideInteger } else { ValueKind::Integer };
            const EXACT_IN_INDEX: bool = true;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                check_exact(i128::try_from(*self).ok(), field)?;
                let mut buffer = itoa::Buffer::new();
                let digits = buffer.format(*self);
                check_tag(digits, field)?;
                out.extend_from_slice(digits.as_bytes());
                Ok(())
            }

            #[inline]
            fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<$type> {
                read_hash_integer(bytes, stringify!($type))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                // A TAG index takes no JSON numbers, and the server makes floats of integers
                // that need more than 64 bits.
                let quoted = field.tag_separator().is_some() || ($wide && !is_numeric(field));
                if quoted {
                    out.push(b'"');
                }
                self.to_hash(field, out)?;
                if quoted {
                    out.push(b'"');
                }
                Ok(())
            }

            fn from_json(json: &str, _field: &FieldSchema) -> Result<$type> {
                read_json_integer(json, stringify!($type))
            }
        }

        impl NumericValue for $type {}
        impl TagValue for $type {}
        impl super::UniqueValue for $type {}
    )+};
}

integers! {
    i8 false; i16 false; i32 false; i64 false; i128 true; isize false;
    u8 false; u16 false; u32 false; u64 false; u128 true; usize false;
}

// All but `u8`: lists of that are bytes.
macro_rules! items {
    ($($type:ident)+) => { $(impl ListItem for $type {})+ };
}

items!(i8 i16 i32 i64 i128 isize u16 u32 u64 u128 usize f32 f64);

macro_rules! floats {
    ($($type:ident $json:expr, $short:expr;)+) => {$(
        impl RedisValue for $type {
            type Item = $type;
            const KIND: ValueKind = ValueKind::Float;
            // Nine digits of an `f32` tell it from all others, 17 those of an `f64`.
            const EXACT_IN_INDEX: bool = size_of::<$type>() == 4;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                if self.is_nan() {
                    return Err(nan());
                }
                let mut buffer = ryu::Buffer::new();
                let text = match *self {
                    $type::INFINITY => "inf",
                    $type::NEG_INFINITY => "-inf",
                    value => buffer.format_finite(value),
                };
                let short = match field.layout.forms().point_zero {
                    true => text,
                    false => text.strip_suffix(".0").unwrap_or(text),
                };
                out.extend_from_slice(short.as_bytes());
                Ok(())
            }

            fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<$type> {
                if let Some(value) = $short(bytes) {
                    return Ok(value);
                }
                let text = utf8(bytes, stringify!($type))?;
                let value = text.parse().ok().filter(|value: &$type| !value.is_nan());
                value.ok_or_else(|| not_a(stringify!($type), text))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                if self.is_nan() {
                    return Err(nan());
                }
                if self.is_infinite() {
                    return Err(refused(
                        "JSON has no infinity; use an `Option`, or store the model as a hash",
                    ));
                }
                $json(*self, out);
                // Where all numbers are doubles, whole ones look like integers.
                if field.layout.forms().doubles && out.ends_with(b".0") {
                    out.truncate(out.len() - 2);
                }
                Ok(())
            }

            fn from_json(json: &str, _field: &FieldSchema) -> Result<$type> {
                let json = json.trim();
                // Read as the type it is: an `f32` by way of an `f64` may round twice.
                let value = decimal::is_number(json).then(|| json.parse().ok()).flatten();
                value
                    .filter(|value: &$type| value.is_finite())
                    .ok_or_else(|| not_a(stringify!($type), json))
            }
        }

        impl NumericValue for $type {}
    )+};
}

floats! {
    // An `f32` by way of an `f64` might round twice.
    f32 decimal::write_f32, |_: &[u8]| None;
    f64 decimal::write_f64, short_decimal;
}

fn nan() -> Error {
    refused("NaN equals nothing, so it could not be read back or found; use an `Option`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, TAG, hash, json, no, refused, round_trip};
    use super::*;
    use crate::ErrorKind;

    macro_rules! extremes {
        ($($type:ident)+) => {$(
            for value in [$type::MIN, 0, 1, $type::MAX] {
                round_trip(&value, &PLAIN);
                round_trip(&value, &TAG);
            }
            no::<$type>("1.5", &PLAIN);
            no::<$type>("", &PLAIN);
            no::<$type>("1e400", &PLAIN);
            no::<$type>("one", &PLAIN);
        )+};
    }

    #[test]
    fn integers_at_their_ends() {
        extremes!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
        no::<u8>("256", &PLAIN);
        no::<u8>("-1", &PLAIN);
    }

    #[test]
    fn integers_take_the_form_their_index_needs() {
        assert_eq!(json(&7_u64, &PLAIN), "7");
        assert_eq!(json(&7_u64, &TAG), "\"7\"");
        assert_eq!(json(&7_u128, &PLAIN), "\"7\"");
        assert_eq!(json(&7_u128, &NUMERIC), "7");
        assert_eq!(hash(&-7_i8, &TAG), b"-7");
    }

    #[test]
    fn a_numeric_index_takes_exact_integers_only() {
        round_trip(&(1_i64 << 53), &NUMERIC);
        round_trip(&-(1_i64 << 53), &NUMERIC);
        assert!(refused(&((1_i64 << 53) + 1), &NUMERIC).message().contains("`tag`"));
        refused(&(-(1_i64 << 53) - 1), &NUMERIC);
        refused(&u64::MAX, &NUMERIC);
        refused(&u128::MAX, &NUMERIC);
    }

    #[test]
    fn integers_that_the_server_printed_as_floats() {
        assert_eq!(u64::from_json("3.0", &PLAIN).unwrap(), 3);
        assert_eq!(u64::from_json("1e3", &PLAIN).unwrap(), 1000);
        assert_eq!(i64::from_json(" -1.5e1 ", &PLAIN).unwrap(), -15);
        assert!(u64::from_json("+1", &PLAIN).is_err());
        assert!(u64::from_json("1e20", &PLAIN).is_err());
        assert!(u64::from_json("null", &PLAIN).is_err());
    }

    #[test]
    fn floats_that_json_does_not_have() {
        refused(&f32::NAN, &PLAIN);
        refused(&f64::NAN, &PLAIN);
        assert_eq!(hash(&f64::INFINITY, &PLAIN), b"inf");
        assert_eq!(hash(&f32::NEG_INFINITY, &PLAIN), b"-inf");
        assert_eq!(f64::from_hash(b"-inf", &PLAIN).unwrap(), f64::NEG_INFINITY);
        let error = f64::INFINITY.to_json(&PLAIN, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        for text in ["nan", "NaN", "", "one", "1,5"] {
            no::<f32>(text, &PLAIN);
            no::<f64>(text, &PLAIN);
        }
        for text in ["+1", ".5", "inf", "1.", "1e400", "\"1\""] {
            assert!(f64::from_json(text, &PLAIN).is_err(), "{text}");
        }
    }

    #[test]
    fn floats_are_short_and_signed() {
        assert_eq!(hash(&3.0_f64, &PLAIN), b"3");
        assert_eq!(json(&3.0_f64, &PLAIN), "3.0");
        assert_eq!(json(&0.1_f32, &PLAIN), "0.1");
        assert!(f64::from_hash(&hash(&-0.0, &PLAIN), &PLAIN).unwrap().is_sign_negative());
        assert!(f32::from_json(&json(&-0.0_f32, &PLAIN), &PLAIN).unwrap().is_sign_negative());
    }

    proptest! {
        #[test]
        fn integers(a: i64, b: u64, c: i128, d: u128) {
            round_trip(&a, &PLAIN);
            round_trip(&b, &PLAIN);
            round_trip(&c, &PLAIN);
            round_trip(&d, &TAG);
            round_trip(&(a >> 11), &NUMERIC);
        }

        #[test]
        fn floats_bit_by_bit(single: u32, double: u64) {
            let single = f32::from_bits(single);
            if single.is_finite() {
                let back = f32::from_hash(&hash(&single, &PLAIN), &PLAIN).unwrap();
                prop_assert_eq!(back.to_bits(), single.to_bits());
                let back = f32::from_json(&json(&single, &PLAIN), &PLAIN).unwrap();
                prop_assert_eq!(back.to_bits(), single.to_bits());
            }
            let double = f64::from_bits(double);
            if double.is_finite() {
                let back = f64::from_hash(&hash(&double, &PLAIN), &PLAIN).unwrap();
                prop_assert_eq!(back.to_bits(), double.to_bits());
                let back = f64::from_json(&json(&double, &NUMERIC), &NUMERIC).unwrap();
                prop_assert_eq!(back.to_bits(), double.to_bits());
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = i32::from_json(&text, &PLAIN);
            let _ = u128::from_hash(text.as_bytes(), &PLAIN);
            let _ = f64::from_json(&text, &PLAIN);
        }
    }
}
