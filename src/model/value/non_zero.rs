//! Integers that are not zero, stored as what they are.

use std::num::NonZero;

use super::{
    super::{FieldSchema, ValueKind},
    ListItem, NumericValue, RedisValue, TagValue,
};
use crate::{Error, Result};

macro_rules! non_zero {
    ($($type:ident)+) => {$(
        impl RedisValue for NonZero<$type> {
            type Item = NonZero<$type>;
            const KIND: ValueKind = $type::KIND;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                self.get().to_hash(field, out)
            }

            fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Self> {
                not_zero(NonZero::new($type::from_hash(bytes, field)?))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                self.get().to_json(field, out)
            }

            fn from_json(json: &str, field: &FieldSchema) -> Result<Self> {
                not_zero(NonZero::new($type::from_json(json, field)?))
            }
        }

        impl ListItem for NonZero<$type> {}
        impl NumericValue for NonZero<$type> {}
        impl TagValue for NonZero<$type> {}
        impl super::UniqueValue for NonZero<$type> {}
    )+};
}

non_zero!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

fn not_zero<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::decode("an integer that is not zero", "zero"))
}

#[cfg(test)]
mod tests {
    use super::super::check::{NUMERIC, PLAIN, TAG, no, round_trip};
    use super::*;

    #[test]
    fn zero_is_none() {
        round_trip(&NonZero::<u64>::MAX, &TAG);
        round_trip(&NonZero::<i8>::MIN, &NUMERIC);
        no::<NonZero<u32>>("0", &PLAIN);
    }
}
