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
    /// Writes, but twice is the same as once, whoever else writes: may be repeated. Only a caller
    /// knows that; no command has it by itself.
    pub const IDEMPOTENT: Flags = Flags(2);
    /// Waits on the server (`BLPOP`): needs a connection of its own, is never repeated.
    pub const BLOCKING: Flags = Flags(4);
    /// Changes what the connection is for those after it (`SELECT`, `SUBSCRIBE`, `MULTI`), or asks
    /// about what was sent on it (`WAIT`): refused on a shared connection.
    pub const SESSION: Flags = Flags(8);
    /// Its arguments decide whether it is one of the two above.
    const ARGUMENTS: Flags = Flags(16);
    /// On a cluster it may concern several nodes, whatever its first key.
    const ROUTED: Flags = Flags(32);
    /// One of the search module's.
    const SEARCH: Flags = Flags(64 | 32);
    /// What one server answered means nothing to another.
    const CURSOR: Flags = Flags(128);
    /// What callers cannot know better.
    const BY_NAME: Flags = Flags(16 | 8 | 64 | 32 | 128);

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
    pub const fn of(name: &str) -> Flags {
        let packed = pack(name.as_bytes());
        let routed = if is_search(name.as_bytes()) {
            Flags::SEARCH
        } else if has(&ROUTED, packed) {
            Flags::ROUTED
        } else {
            Flags::NONE
        };
        Flags::of_kind(packed).union(routed)
    }

    const fn of_kind(name: u128) -> Flags {
        if has(&READS, name) {
            Flags::READ
        } else if has(&CURSORS, name) {
            Flags::READ.union(Flags::CURSOR)
        } else if has(&BLOCKING, name) {
            Flags::BLOCKING
        } else if has(&SESSION, name) {
            Flags::SESSION
        } else if has(&ARGUMENTS, name) {
            Flags::ARGUMENTS
        } else {
            Flags::NONE
        }
    }

    /// What a command needs no second look for: it neither waits nor touches the connection.
    #[inline]
    pub(crate) const fn is_plain(self) -> bool {
        self.0 & (Flags::BLOCKING.0 | Flags::SESSION.0 | Flags::ARGUMENTS.0) == 0
    }

    /// Whether a cluster has to look at the command's name to know where it goes.
    #[inline]
    pub(crate) const fn is_routed(self) -> bool {
        self.contains(Flags::ROUTED)
    }

    /// Whether it goes to any node, and that asks the others.
    #[inline]
    pub(crate) const fn is_search(self) -> bool {
        self.contains(Flags::SEARCH)
    }

    /// Whether a replica may answer it.
    #[inline]
    pub(crate) const fn is_for_replicas(self) -> bool {
        self.0 & (Flags::READ.0 | Flags::CURSOR.0) == Flags::READ.0
    }

    /// These, where the caller knows better, with what only the name can say.
    #[inline]
    pub(crate) const fn corrected(self, by: Flags) -> Flags {
        Flags(by.0 | self.0 & Flags::BY_NAME.0)
    }
}

/// A name as one number, folded to upper case: quick to compare, and sorted as text is.
pub(crate) const fn pack(name: &[u8]) -> u128 {
    if name.len() > 16 {
        return u128::MAX;
    }
    let mut packed = 0;
    let mut at = 0;
    while at < 16 {
        packed <<= 8;
        if at < name.len() {
            packed |= name[at].to_ascii_uppercase() as u128;
        }
        at += 1;
    }
    packed
}

const fn is_search(name: &[u8]) -> bool {
    name.len() > 3
        && name[0].eq_ignore_ascii_case(&b'F')
        && name[1].eq_ignore_ascii_case(&b'T')
        && name[2] == b'.'
}

const fn pack_all<const N: usize>(names: [&str; N]) -> [u128; N] {
    let mut packed = [0; N];
    let mut at = 0;
    while at < N {
        packed[at] = pack(names[at].as_bytes());
        assert!(at == 0 || packed[at - 1] < packed[at], "the names are sorted");
        at += 1;
    }
    packed
}

const fn has(table: &[u128], name: u128) -> bool {
    let (mut low, mut high) = (0, table.len());
    while low < high {
        let middle = (low + high) / 2;
        if table[middle] == name {
            return true;
        }
        if table[middle] < name {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    false
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
static READS: [u128; 119] = pack_all([
    "BITCOUNT",
    "BITFIELD_RO",
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
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HEXPIRETIME",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HPEXPIRETIME",
    "HPTTL",
    "HRANDFIELD",
    "HSTRLEN",
    "HTTL",
    "HVALS",
    "INFO",
    "JSON.ARRINDEX",
    "JSON.ARRLEN",
    "JSON.GET",
    "JSON.MGET",
    "JSON.OBJKEYS",
    "JSON.OBJLEN",
    "JSON.RESP",
    "JSON.STRLEN",
    "JSON.TYPE",
    "KEYS",
    "LCS",
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
    "SCARD",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SORT_RO",
    "SRANDMEMBER",
    "STRLEN",
    "SUBSTR",
    "SUNION",
    "TIME",
    "TS.GET",
    "TS.INFO",
    "TS.MGET",
    "TS.MRANGE",
    "TS.MREVRANGE",
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
    "VLINKS",
    "VRANDMEMBER",
    "VSIM",
    "XINFO",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCORE",
    "ZUNION",
]);

/// Reads with a cursor that means something to one server alone, sorted.
static CURSORS: [u128; 4] = pack_all(["HSCAN", "SCAN", "SSCAN", "ZSCAN"]);

/// Commands that may wait on the server, sorted.
static BLOCKING: [u128; 8] = pack_all([
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
]);

/// Commands that change the connection itself, or speak of what was sent on it (`WAIT`), sorted.
static SESSION: [u128; 25] = pack_all([
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
]);

/// Commands that may concern several nodes of a cluster, sorted; those of the search module too.
static ROUTED: [u128; 18] = pack_all([
    "CONFIG",
    "DBSIZE",
    "DEL",
    "EXISTS",
    "FLUSHALL",
    "FLUSHDB",
    "FUNCTION",
    "JSON.MGET",
    "JSON.MSET",
    "KEYS",
    "MGET",
    "MSET",
    "PUBSUB",
    "RANDOMKEY",
    "SCAN",
    "SCRIPT",
    "TOUCH",
    "UNLINK",
]);

/// Commands that wait or touch the connection when an argument says so (`XREAD BLOCK`, `CLIENT
/// REPLY`), and a command without a name, which is none.
static ARGUMENTS: [u128; 4] = pack_all(["", "CLIENT", "XREAD", "XREADGROUP"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_others_are_not() {
        for (name, flags) in [
            ("zscore", Flags::READ),
            ("BitCount", Flags::READ),
            ("BLMOVE", Flags::BLOCKING),
            ("watch", Flags::SESSION),
            ("", Flags::ARGUMENTS),
            ("XREADGROUP", Flags::ARGUMENTS),
            ("GE", Flags::NONE),
            ("GETS", Flags::NONE),
            ("A.NAME.LONGER.THAN.ANY", Flags::NONE),
        ] {
            assert_eq!(Flags::of(name), flags, "{name}");
        }
    }
}
