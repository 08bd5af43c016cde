//! Names that no other test uses.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// A name that no other call gives, in this process or another: `prefix`, a dash, 16 characters.
///
/// The characters are `0-9` and `a-z`, so the name can stand in a key or an index's name.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::unique;
///
/// let (first, second) = (unique("film"), unique("film"));
/// assert!(first.starts_with("film-"));
/// assert_ne!(first, second);
/// ```
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", token(16))
}

/// `length` characters of `0-9a-z`, at most 18: random ones, and a counter past the twelfth.
pub(crate) fn token(length: usize) -> String {
    let (call, hash) = draw();
    let mut value = (u128::from(call) << 64) | u128::from(hash);
    (0..length.min(18))
        .map(|_| {
            let digit = u32::try_from(value % 36).unwrap_or_default();
            value /= 36;
            char::from_digit(digit, 36).unwrap_or('0')
        })
        .collect()
}

/// A random number.
pub(crate) fn random() -> u16 {
    u16::try_from(draw().1 >> 48).unwrap_or_default()
}

/// The number of this call in this process, and 64 random bits.
fn draw() -> (u32, u64) {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    // RandomState is seeded by the system: the only randomness that std has
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(process::id());
    hasher.write_u32(call);
    (call, hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn never_repeats() {
        let names: HashSet<String> = (0..10_000).map(|_| unique("a")).collect();
        assert_eq!(names.len(), 10_000);
    }

    #[test]
    fn has_the_length_asked_for() {
        assert_eq!(token(8).len(), 8);
        assert_eq!(unique("film").len(), "film-".len() + 16);
    }
}
