//! Which of a cluster's slots a key belongs to.

/// The number of slots of every cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// The slot of a key: CRC16 of the key, or of what stands between its first `{` and the next `}`
/// where that is not empty.
///
/// ```
/// use alizarin_core::command::slot;
///
/// assert_eq!(slot(b"user:{7}:name"), slot(b"user:{7}:mail"));
/// ```
pub fn slot(key: &[u8]) -> u16 {
    crc16::State::<crc16::XMODEM>::calculate(tagged(key)) % SLOTS
}

fn tagged(key: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'{', key) else { return key };
    let after = key.get(open + 1..).unwrap_or_default();
    match memchr::memchr(b'}', after) {
        Some(0) | None => key,
        Some(close) => after.get(..close).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_that_the_server_computes() {
        // As CLUSTER KEYSLOT says.
        for (key, expected) in [("foo", 12182), ("bar", 5061), ("", 0), ("123456789", 12739)] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn hash_tags_decide() {
        let of = |key: &str| slot(key.as_bytes());
        assert_eq!(of("{user}:1"), of("user"));
        assert_eq!(of("a{user}b{other}"), of("user"));
        assert_eq!(of("a{{user}}"), of("{user"));
        assert_ne!(of("{}user"), of(""));
        assert_ne!(of("{user"), of("user"));
    }
}
