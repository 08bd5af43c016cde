//! Types that are stored as text of their own: addresses, and what other crates bring.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    super::{FieldSchema, stored::read_json_string},
    ListItem, RedisValue, TagValue,
    text::{write_json_text, write_text},
    utf8,
};
use crate::{Error, Result};

/// A type that is stored as text: `$write` gives it, `$read` takes it.
macro_rules! stored_as_text {
    ($type:ty, $name:literal, $write:expr, $read:expr) => {
        impl RedisValue for $type {
            type Item = $type;
            const KIND: $crate::model::ValueKind = $crate::model::ValueKind::Text;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_text(&$write(self)?, field, out)
            }

            fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<$type> {
                let text = utf8(bytes, $name)?;
                $read(text).map_err(|error| Error::decode($name, "other text").with_source(error))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_json_text(&$write(self)?, field, out)
            }

            fn from_json(json: &str, _field: &FieldSchema) -> Result<$type> {
                let text = read_json_string(json)?;
                $read(&text).map_err(|error| Error::decode($name, "other text").with_source(error))
            }
        }

        impl ListItem for $type {}
        impl TagValue for $type {}
        impl super::UniqueValue for $type {}
    };
}
#[cfg(any(feature = "jiff", feature = "url"))]
pub(super) use stored_as_text;

#[expect(clippy::unnecessary_wraps, reason = "the macro takes functions that may fail")]
pub(super) fn shown(value: &impl ToString) -> Result<String> {
    Ok(value.to_string())
}

stored_as_text!(IpAddr, "an IP address", shown, str::parse::<IpAddr>);
stored_as_text!(Ipv4Addr, "an IPv4 address", shown, str::parse::<Ipv4Addr>);
stored_as_text!(Ipv6Addr, "an IPv6 address", shown, str::parse::<Ipv6Addr>);

#[cfg(test)]
mod tests {
    use super::super::check::{PLAIN, TAG, hash, json, no, round_trip};
    use super::*;

    #[test]
    fn addresses() {
        for text in ["127.0.0.1", "::1", "2001:db8::ff00:42:8329"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(hash(&address, &TAG), text.as_bytes());
            assert_eq!(json(&address, &PLAIN), format!("{text:?}"));
            round_trip(&address, &TAG);
        }
        no::<IpAddr>("127.0.0.1:80", &PLAIN);
    }
}
