//! What a cache may hold, and how the server is to tell of changes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::sink::Sink;
use super::store::Store;
use crate::connection::PushSink;
use crate::error::{Error, ErrorKind, Result};

/// How much a [`Cache`](super::Cache) keeps, for how long, and how the server tells it of changes.
///
/// ```
/// # alizarin_core::__example!(client => {
/// use std::time::Duration;
/// use alizarin_core::CacheConfig;
///
/// let config = CacheConfig::new().max_bytes(16 << 20).ttl(Duration::from_secs(60));
/// let cache = client.cache(config).await?;
/// # assert_eq!(cache.metrics().entries, 0);
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct CacheConfig {
    pub(super) max_bytes: usize,
    pub(super) max_entries: usize,
    pub(super) ttl: Duration,
    pub(super) key_expiry: bool,
    pub(super) broadcast: Option<Vec<String>>,
    pub(super) opt_in: bool,
    pub(super) no_loop: bool,
}

impl CacheConfig {
    /// 64 MiB, 100,000 entries, ten minutes, and a server that remembers which keys were read.
    pub fn new() -> CacheConfig {
        CacheConfig {
            max_bytes: 64 << 20,
            max_entries: 100_000,
            ttl: Duration::from_secs(600),
            key_expiry: true,
            broadcast: None,
            opt_in: false,
            no_loop: false,
        }
    }

    /// How many bytes the entries may take together: their commands, their replies, and what it
    /// takes to find them, about 250 bytes each and 130 for each further key; 64 MiB unless set. A
    /// decoded value counts as its struct and the bytes it came from.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> CacheConfig {
        self.max_bytes = bytes;
        self
    }

    /// How many entries there may be; 100,000 unless set. Those that nobody has asked for lately
    /// make room for new ones.
    #[must_use]
    pub fn max_entries(mut self, entries: usize) -> CacheConfig {
        self.max_entries = entries;
        self
    }

    /// How long an entry is used at most, even if the server tells of no change; ten minutes unless
    /// set.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> CacheConfig {
        self.ttl = ttl;
        self
    }

    /// Whether an entry ends when its key does: each read of the server asks for the key's time to
    /// live too (`PTTL`, in the same write); so unless set to `false`. Without it an expired key is
    /// answered from the cache until the server removes it, which may take seconds.
    #[must_use]
    pub fn key_expiry(mut self, follow: bool) -> CacheConfig {
        self.key_expiry = follow;
        self
    }

    /// Has the server tell of every write to a key that begins with one of these (`BCAST`,
    /// `PREFIX`), read or not: it remembers no keys, but more messages travel. Without a prefix it
    /// tells of all keys. Reads of other keys are refused.
    #[must_use]
    pub fn broadcast<P: Into<String>>(
        mut self,
        prefixes: impl IntoIterator<Item = P>,
    ) -> CacheConfig {
        self.broadcast = Some(prefixes.into_iter().map(Into::into).collect());
        self
    }

    /// Has the server remember only the keys that the cache reads, not those that
    /// [`Cache::client`](super::Cache::client) reads (`OPTIN`, with `CLIENT CACHING YES` before each
    /// read, in the same write).
    #[must_use]
    pub fn opt_in(mut self) -> CacheConfig {
        self.opt_in = true;
        self
    }

    /// Has the server not tell of writes over the cache's own connection, those of
    /// [`Cache::client`](super::Cache::client) (`NOLOOP`): whoever writes so calls
    /// [`Cache::forget`](super::Cache::forget) after it. Without that, the cache gives what was
    /// there before, and unless it is told by [`CacheConfig::broadcast`], it does not hear of later
    /// writes of others either: with the first write the server forgets that the key was read.
    #[must_use]
    pub fn no_loop(mut self) -> CacheConfig {
        self.no_loop = true;
        self
    }

    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// `Usage`, naming the option.
    pub(super) fn check(&self) -> Result<()> {
        let usage = |text: String| Err(Error::new(ErrorKind::Usage, text));
        if self.max_bytes == 0 || self.max_entries == 0 {
            return usage("`max_bytes` and `max_entries` must be more than 0".to_owned());
        }
        if self.ttl.is_zero() {
            return usage("`ttl` must be more than 0".to_owned());
        }
        let Some(prefixes) = &self.broadcast else { return Ok(()) };
        if self.opt_in {
            return usage(
                "`broadcast` and `opt_in` exclude each other: the server tells of all keys, or of \
                 those that were read"
                    .to_owned(),
            );
        }
        for (at, one) in prefixes.iter().enumerate() {
            for other in prefixes.iter().skip(at + 1) {
                if one.starts_with(other.as_str()) || other.starts_with(one.as_str()) {
                    return usage(format!(
                        "the prefixes `{one}` and `{other}` of `broadcast` overlap"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether the server tells of changes to this key.
    pub(super) fn covers(&self, key: &[u8]) -> bool {
        match self.broadcast.as_deref() {
            None | Some([]) => true,
            Some(prefixes) => prefixes.iter().any(|prefix| key.starts_with(prefix.as_bytes())),
        }
    }

    /// The command that has the server tell of changes.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["CLIENT", "TRACKING", "ON"];
        if let Some(prefixes) = &self.broadcast {
            words.push("BCAST");
            for prefix in prefixes {
                words.extend(["PREFIX", prefix]);
            }
        }
        if self.opt_in {
            words.push("OPTIN");
        }
        if self.no_loop {
            words.push("NOLOOP");
        }
        words.into_iter().map(str::to_owned).collect()
    }
}

impl Default for CacheConfig {
    fn default() -> CacheConfig {
        CacheConfig::new()
    }
}

/// What makes a connection one that is told of changes.
#[derive(Clone)]
pub(crate) struct Tracking {
    words: Arc<[String]>,
    store: Arc<Store>,
}

impl Tracking {
    pub(super) fn new(store: Arc<Store>) -> Tracking {
        Tracking { words: store.config.words().into(), store }
    }

    /// What the handshake sends.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// Takes what one connection is told.
    pub(crate) fn sink(&self) -> Arc<dyn PushSink> {
        Arc::new(Sink::new(Arc::clone(&self.store)))
    }
}

impl fmt::Debug for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracking").field(&self.words.join(" ")).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        let new = CacheConfig::new;
        for (config, name) in [
            (new().max_bytes(0), "max_bytes"),
            (new().max_entries(0), "max_entries"),
            (new().ttl(Duration::ZERO), "ttl"),
            (new().broadcast(["a:"]).opt_in(), "opt_in"),
            (new().broadcast(["a:", "b:", "a:b"]), "`a:` and `a:b`"),
        ] {
            let error = config.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(new().broadcast(["a:", "b:"]).no_loop().check().is_ok());
    }

    #[test]
    fn the_words_are_the_servers() {
        let words = |config: CacheConfig| config.words().join(" ");
        assert_eq!(words(CacheConfig::new()), "CLIENT TRACKING ON");
        assert_eq!(words(CacheConfig::new().opt_in().no_loop()), "CLIENT TRACKING ON OPTIN NOLOOP");
        let broadcast = CacheConfig::new().broadcast(["a:", "b:"]);
        assert_eq!(broadcast.words().join(" "), "CLIENT TRACKING ON BCAST PREFIX a: PREFIX b:");
        assert!(broadcast.covers(b"b:1") && !broadcast.covers(b"c:1"));
        assert!(CacheConfig::new().broadcast([""; 0]).covers(b"c:1"));
    }
}
