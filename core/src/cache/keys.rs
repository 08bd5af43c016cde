//! Which keys a command reads, and whether its answer changes only when they do.

use crate::command::{Flags, pack, slot};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::Packed;

/// The keys of a command: at least one.
#[derive(Debug, PartialEq)]
pub(super) struct Keys<'a> {
    pub(super) first: &'a [u8],
    pub(super) rest: Vec<&'a [u8]>,
}

impl<'a> Keys<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// The slot that all of them are in; `None` where they are in several.
    pub(super) fn slot(&self) -> Option<u16> {
        let first = slot(self.first);
        self.rest.iter().all(|key| slot(key) == first).then_some(first)
    }

    /// The only key, where there is but one.
    pub(super) fn only(&self) -> Option<&'a [u8]> {
        self.rest.is_empty().then_some(self.first)
    }
}

/// Where a command has its keys.
#[derive(Clone, Copy)]
enum At {
    /// The first argument.
    First,
    /// The first two.
    Two,
    /// All arguments.
    All,
    /// All but the last.
    Front,
    /// As many as the first argument says, behind it.
    Counted,
}

/// The keys of a command whose reply may be kept.
///
/// # Errors
/// `Usage` for a command that writes, has no keys, or is answered differently though no key of it
/// has changed.
pub(super) fn keys(packed: &Packed, flags: Flags) -> Result<Keys<'_>> {
    let mut arguments = packed.arguments();
    let name = arguments.next().unwrap_or_default();
    if name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"TS."))
        && packed.arguments().skip(2).any(|word| word.eq_ignore_ascii_case(b"LATEST"))
    {
        return Err(refused(
            packed,
            "with LATEST is answered differently when another key changes: it cannot be kept",
        ));
    }
    let found = match known(name) {
        Some(At::First) => arguments.next().map(|first| Keys { first, rest: Vec::new() }),
        Some(At::Two) => collect(arguments.take(2)),
        Some(At::All) => collect(arguments),
        Some(At::Front) => {
            let count = packed.argc().saturating_sub(2);
            collect(arguments.take(count))
        }
        Some(At::Counted) => {
            let count = arguments.next().and_then(|count| std::str::from_utf8(count).ok());
            let count = count.and_then(|count| count.parse().ok()).unwrap_or(0);
            collect(arguments.take(count))
        }
        None => return unknown(packed, flags),
    };
    found.ok_or_else(|| refused(packed, "has no keys, so nobody tells when its answer changes"))
}

/// A command that the caller says only reads, with one key.
fn unknown(packed: &Packed, flags: Flags) -> Result<Keys<'_>> {
    let name = packed.arguments().next().unwrap_or_default();
    let searches = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"FT."));
    if searches || VARYING.iter().any(|varying| name.eq_ignore_ascii_case(varying.as_bytes())) {
        return Err(refused(
            packed,
            "may be answered differently though no key has changed: it cannot be kept",
        ));
    }
    if !flags.contains(Flags::READ) {
        return Err(refused(packed, "is not known to only read: it cannot be kept"));
    }
    match (packed.first_key(), packed.keys()) {
        (Some(first), 1) => Ok(Keys { first, rest: Vec::new() }),
        (None, _) => Err(refused(packed, "has no keys, so nobody tells when its answer changes")),
        _ => Err(refused(packed, "has several keys, and is not known: it cannot be kept")),
    }
}

fn collect<'a>(mut keys: impl Iterator<Item = &'a [u8]>) -> Option<Keys<'a>> {
    let first = keys.next()?;
    Some(Keys { first, rest: keys.collect() })
}

fn refused(packed: &Packed, text: &'static str) -> Error {
    Error::new(ErrorKind::Usage, text).with_command(packed.name())
}

fn known(name: &[u8]) -> Option<At> {
    let at = PACKED.binary_search(&pack(name)).ok()?;
    KNOWN.get(at).map(|(_, at)| *at)
}

/// The names of [`KNOWN`] as numbers.
static PACKED: [u128; KNOWN.len()] = {
    let mut packed = [0; KNOWN.len()];
    let mut at = 0;
    while at < KNOWN.len() {
        packed[at] = pack(KNOWN[at].0.as_bytes());
        assert!(packed[at] != u128::MAX, "no name is longer than a number is");
        assert!(at == 0 || packed[at - 1] < packed[at], "the names are sorted");
        at += 1;
    }
    packed
};

/// Commands that read the keys they name and are answered alike as long as these stay, sorted.
const KNOWN: [(&str, At); 82] = [
    ("BITCOUNT", At::First),
    ("BITFIELD_RO", At::First),
    ("BITPOS", At::First),
    ("DUMP", At::First),
    ("EXISTS", At::All),
    ("EXPIRETIME", At::First),
    ("GEODIST", At::First),
    ("GEOHASH", At::First),
    ("GEOPOS", At::First),
    ("GEORADIUS_RO", At::First),
    ("GEOSEARCH", At::First),
    ("GET", At::First),
    ("GETBIT", At::First),
    ("GETRANGE", At::First),
    ("HEXISTS", At::First),
    ("HEXPIRETIME", At::First),
    ("HGET", At::First),
    ("HGETALL", At::First),
    ("HKEYS", At::First),
    ("HLEN", At::First),
    ("HMGET", At::First),
    ("HPEXPIRETIME", At::First),
    ("HSTRLEN", At::First),
    ("HVALS", At::First),
    ("JSON.ARRINDEX", At::First),
    ("JSON.ARRLEN", At::First),
    ("JSON.GET", At::First),
    ("JSON.MGET", At::Front),
    ("JSON.OBJKEYS", At::First),
    ("JSON.OBJLEN", At::First),
    ("JSON.RESP", At::First),
    ("JSON.STRLEN", At::First),
    ("JSON.TYPE", At::First),
    ("LCS", At::Two),
    ("LINDEX", At::First),
    ("LLEN", At::First),
    ("LPOS", At::First),
    ("LRANGE", At::First),
    ("MGET", At::All),
    ("PEXPIRETIME", At::First),
    ("SCARD", At::First),
    ("SDIFF", At::All),
    ("SINTER", At::All),
    ("SINTERCARD", At::Counted),
    ("SISMEMBER", At::First),
    ("SMEMBERS", At::First),
    ("SMISMEMBER", At::First),
    ("STRLEN", At::First),
    ("SUBSTR", At::First),
    ("SUNION", At::All),
    ("TS.GET", At::First),
    ("TS.RANGE", At::First),
    ("TS.REVRANGE", At::First),
    ("TYPE", At::First),
    ("VCARD", At::First),
    ("VDIM", At::First),
    ("VEMB", At::First),
    ("VGETATTR", At::First),
    ("VISMEMBER", At::First),
    ("VLINKS", At::First),
    ("VRANGE", At::First),
    ("VSIM", At::First),
    ("XLEN", At::First),
    ("XRANGE", At::First),
    ("XREVRANGE", At::First),
    ("ZCARD", At::First),
    ("ZCOUNT", At::First),
    ("ZDIFF", At::Counted),
    ("ZINTER", At::Counted),
    ("ZINTERCARD", At::Counted),
    ("ZLEXCOUNT", At::First),
    ("ZMSCORE", At::First),
    ("ZRANGE", At::First),
    ("ZRANGEBYLEX", At::First),
    ("ZRANGEBYSCORE", At::First),
    ("ZRANK", At::First),
    ("ZREVRANGE", At::First),
    ("ZREVRANGEBYLEX", At::First),
    ("ZREVRANGEBYSCORE", At::First),
    ("ZREVRANK", At::First),
    ("ZSCORE", At::First),
    ("ZUNION", At::Counted),
];

/// Commands that read, and are answered differently though no key of theirs has changed, or read
/// keys that they do not name.
static VARYING: [&str; 37] = [
    "DBSIZE",
    "ECHO",
    "EVALSHA_RO",
    "EVAL_RO",
    "FCALL_RO",
    "HPTTL",
    "HRANDFIELD",
    "HSCAN",
    "HTTL",
    "INFO",
    "KEYS",
    "MEMORY",
    "OBJECT",
    "PFCOUNT",
    "PING",
    "PTTL",
    "RANDOMKEY",
    "SCAN",
    "SORT_RO",
    "SRANDMEMBER",
    "SSCAN",
    "TIME",
    "TOUCH",
    "TS.INFO",
    "TS.MGET",
    "TS.MRANGE",
    "TS.MREVRANGE",
    "TS.QUERYINDEX",
    "TTL",
    "VINFO",
    "VRANDMEMBER",
    "XINFO",
    "XPENDING",
    "XREAD",
    "XREADGROUP",
    "ZRANDMEMBER",
    "ZSCAN",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    fn of(words: &str) -> Result<Vec<String>> {
        let mut words = words.split(' ');
        let mut command: Command<()> = Command::new(words.next().unwrap());
        for word in words {
            command = match word.strip_prefix('@') {
                Some(key) => command.key(key),
                None => command.arg(word),
            };
        }
        let flags = command.known_flags();
        let keys = keys(command.packed(), flags)?;
        Ok(keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect())
    }

    #[test]
    fn keys_are_found_wherever_they_stand() {
        for (words, expected) in [
            ("get a", "a"),
            ("HGET a f", "a"),
            ("mget a b c", "a b c"),
            ("JSON.MGET a b $.x", "a b"),
            ("LCS a b LEN", "a b"),
            ("ZUNION 2 a b WEIGHTS 1 2", "a b"),
            ("SINTERCARD 1 a LIMIT 3", "a"),
            ("TS.RANGE LATEST - +", "LATEST"),
        ] {
            assert_eq!(of(words).unwrap().join(" "), expected, "{words}");
        }
    }

    #[test]
    fn what_cannot_be_kept_says_why() {
        for (words, reason) in [
            ("SET a b", "only read"),
            ("TTL a", "differently"),
            ("FT.SEARCH i q", "differently"),
            ("SRANDMEMBER @a", "differently"),
            ("TS.GET a latest", "another key"),
            ("TS.RANGE a - + LATEST", "another key"),
            ("MGET", "no keys"),
            ("ZUNION 0 a", "no keys"),
            ("BF.EXISTS @a x", "only read"),
            ("PING", "differently"),
        ] {
            let error = of(words).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(reason), "{words}: {error}");
        }
    }

    #[test]
    fn a_commands_caller_may_know_better() {
        let command = Command::<bool>::new("BF.EXISTS").key("a").arg("x").flags(Flags::READ);
        let found = keys(command.packed(), command.known_flags()).unwrap();
        assert_eq!(found.only(), Some(&b"a"[..]));
        let command = Command::<bool>::new("MY.READ").key(["a", "b"]).flags(Flags::READ);
        let error = keys(command.packed(), command.known_flags()).unwrap_err();
        assert!(error.to_string().contains("several keys"), "{error}");
    }
}
