//! `rust_decimal::Decimal`: text, or a number where it has a NUMERIC index.

use ::rust_decimal::Decimal;

use super::{
    super::layout::Decimals,
    super::{FieldSchema, ValueKind, stored::read_json_string},
    ListItem, NumericValue, RedisValue, TagValue,
    number::is_numeric,
    refused,
    text::{write_json_text, write_text},
    utf8,
};
use crate::{Error, Result};

impl RedisValue for Decimal {
    type Item = Decimal;
    const KIND: ValueKind = ValueKind::Decimal;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        check_exact(self, field, field.layout.forms().decimals == Decimals::Float)?;
        write_text(&text(self, field), field, out)
    }

    fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<Decimal> {
        parse(utf8(bytes, "a decimal number")?)
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        if is_numeric(field) || !field.layout.is_native() {
            // The server makes a double of it.
            check_exact(self, field, true)?;
            return self.to_hash(field, out);
        }
        write_json_text(&self.to_string(), field, out)
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<Decimal> {
        let json = json.trim();
        if json.starts_with('"') { parse(&read_json_string(json)?) } else { parse(json) }
    }
}

impl ListItem for Decimal {}
impl NumericValue for Decimal {}
impl TagValue for Decimal {}

/// Refuses a number that a double rounds: the index would find it as another one, and RedisJSON
/// would give back another one.
fn check_exact(value: &Decimal, field: &FieldSchema, float: bool) -> Result<()> {
    let exact = || {
        let double: f64 = value.to_string().parse().ok()?;
        // The shortest text that means this double.
        Some(parse(&double.to_string()).ok()? == *value)
    };
    let doubles = is_numeric(field) || (float && !field.layout.is_native());
    if doubles && exact() != Some(true) {
        if !field.layout.is_native() {
            return Err(refused("the layout stores a float, which has 15 digits for sure"));
        }
        return Err(refused(
            "a decimal number of more than 15 digits is rounded by a NUMERIC index; use `tag` for \
             exact matches, or leave it without an index",
        ));
    }
    Ok(())
}

/// Its digits, or those of the float it is to a layout.
fn text(value: &Decimal, field: &FieldSchema) -> String {
    if field.layout.forms().decimals != Decimals::Float || value.scale() == 0 {
        return value.to_string();
    }
    let text = value.normalize().to_string();
    if text.contains('.') { text } else { text + ".0" }
}

fn parse(text: &str) -> Result<Decimal> {
    let parsed = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text),
        false => Decimal::from_str_exact(text),
    };
    parsed.map_err(|error| Error::decode("a decimal number", "something else").with_source(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, TAG, hash, json, no, refused, round_trip};
    use super::*;

    #[test]
    fn decimals_keep_their_zeros_outside_of_a_numeric_index() {
        let price: Decimal = "1.10".parse().unwrap();
        assert_eq!((hash(&price, &PLAIN), hash(&price, &TAG)), (b"1.10".into(), b"1.10".into()));
        assert_eq!(json(&price, &PLAIN), r#""1.10""#);
        assert_eq!(json(&price, &NUMERIC), "1.10");
        assert_eq!(Decimal::from_json("1.1", &NUMERIC).unwrap(), price);
        assert_eq!(Decimal::from_json("1.1e1", &NUMERIC).unwrap(), Decimal::from(11));
        for value in [Decimal::MAX, Decimal::MIN] {
            round_trip(&value, &PLAIN);
            refused(&value, &NUMERIC);
        }
        refused(&"0.12345678901234567".parse::<Decimal>().unwrap(), &NUMERIC);
        no::<Decimal>("one", &PLAIN);
    }

    proptest! {
        #[test]
        fn any(mantissa: i64, scale in 0..28_u32, cents in -100_000_000_000_000..100_000_000_000_000_i64) {
            round_trip(&Decimal::new(mantissa, scale), &PLAIN);
            round_trip(&Decimal::new(cents, 2), &NUMERIC);
        }
    }
}
