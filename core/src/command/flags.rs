//! What is known of a command beside its arguments.

use std::fmt;

/// A set of facts about a command, by which it is routed and retried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
    /// Nothing is known: treated as a write that must not be repeated.
    pub const NONE: Flags = Flags(0);
    /// Changes nothing: may be repeated, and answered by a replica.
    pub const READ: Flags = Flags(1);
    /// Writes, but twice is the same as once: may be repeated.
    pub const IDEMPOTENT: Flags = Flags(2);
    /// Waits on the server (`BLPOP`): needs a connection of its own, is never repeated.
    pub const BLOCKING: Flags = Flags(4);
    /// Changes what the connection is for those after it (`SELECT`, `SUBSCRIBE`, `MULTI`), or asks
    /// about what was sent on it (`WAIT`): refused on a shared connection.
    pub const SESSION: Flags = Flags(8);

    /// Whether all of `other`'s facts hold.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets' facts.
    #[must_use]
    pub const fn union(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether the command may be sent again after its answer was lost.
    pub const fn is_repeatable(self) -> bool {
        (self.contains(Flags::READ) || self.contains(Flags::IDEMPOTENT))
            && !self.contains(Flags::BLOCKING)
    }

    /// What is known of a command by its name alone.
    ///
    /// ```
    /// use alizarin_core::command::Flags;
    /// assert!(Flags::of("get").contains(Flags::READ));
    /// assert!(Flags::of("BLPOP").contains(Flags::BLOCKING));
    /// assert_eq!(Flags::of("INCR"), Flags::NONE);
    /// ```
    pub fn of(name: &str) -> Flags {
        let mut upper = [0u8; 24];
        let Some(upper) = upper.get_mut(..name.len()) else { return Flags::NONE };
        upper.copy_from_slice(name.as_bytes());
        upper.make_ascii_uppercase();
        let name = std::str::from_utf8(upper).unwrap_or("");
        if READS.binary_search(&name).is_ok() {
            Flags::READ
        } else if BLOCKING.binary_search(&name).is_ok() {
            Flags::BLOCKING
        } else if SESSION.binary_search(&name).is_ok() {
            Flags::SESSION
        } else {
            Flags::NONE
        }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Flags::READ, "READ"),
            (Flags::IDEMPOTENT, "IDEMPOTENT"),
            (Flags::BLOCKING, "BLOCKING"),
            (Flags::SESSION, "SESSION"),
        ];
        let mut list = f.debug_set();
        for (flag, name) in names {
            if self.contains(flag) {
                list.entry(&format_args!("{name}"));
            }
        }
        list.finish()
    }
}

/// Commands without side effects, sorted.
const READS: &[&str] = &[
    "BITCOUNT",
    "BITPOS",
    "DBSIZE",
    "DUMP",
    "ECHO",
    "EVALSHA_RO",
    "EVAL_RO",
    "EXISTS",
    "EXPIRETIME",
    "FCALL_RO",
    "FT.EXPLAIN",
    "FT.INFO",
    "FT.SEARCH",
    "FT.SPELLCHECK",
    "FT.SUGGET",
    "FT.SUGLEN",
    "FT.SYNDUMP",
    "FT.TAGVALS",
    "FT._LIST",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HPTTL",
    "HRANDFIELD",
    "HSCAN",
    "HSTRLEN",
    "HTTL",
    "HVALS",
    "INFO",
    "JSON.GET",
    "JSON.MGET",
    "JSON.OBJKEYS",
    "JSON.STRLEN",
    "JSON.TYPE",
    "KEYS",
    "LINDEX",
    "LLEN",
    "LPOS",
    "LRANGE",
    "MEMORY",
    "MGET",
    "OBJECT",
    "PEXPIRETIME",
    "PING",
    "PTTL",
    "RANDOMKEY",
    "SCAN",
    "SCARD",
    "SINTER",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SSCAN",
    "STRLEN",
    "SUNION",
    "TIME",
    "TS.GET",
    "TS.INFO",
    "TS.MGET",
    "TS.MRANGE",
    "TS.QUERYINDEX",
    "TS.RANGE",
    "TS.REVRANGE",
    "TTL",
    "TYPE",
    "VCARD",
    "VDIM",
    "VEMB",
    "VGETATTR",
    "VINFO",
    "VISMEMBER",
    "VSIM",
    "XLEN",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZSCAN",
    "ZSCORE",
];

/// Commands that may wait on the server, sorted.
const BLOCKING: &[&str] =
    &["BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN"];

/// Commands that change the connection itself, or speak of what was sent on it (`WAIT`), sorted.
/// `XREAD` is no member: it waits only with `BLOCK`.
const SESSION: &[&str] = &[
    "ASKING",
    "AUTH",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WAITAOF",
    "WATCH",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_fit() {
        for table in [READS, BLOCKING, SESSION] {
            assert!(table.is_sorted());
            assert!(table.iter().all(|name| name.len() <= 24));
        }
    }
}
