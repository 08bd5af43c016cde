//! What concerns the connections that are used by one caller at a time.

use std::time::Duration;

use super::Config;
use crate::error::{Error, ErrorKind, Result};

/// The limits of a client's pool: its connections for one caller at a time.
///
/// An async client sends ordinary commands over one shared connection; its pool is for what needs
/// a connection of its own: commands that wait on the server (`BLPOP`),
/// [`Client::exclusive`](crate::Client::exclusive) and what is built on that. A blocking client
/// takes a connection of the pool for every call. On a cluster each node has a pool of this size.
///
/// In a URL the options are `pool_max`, `pool_min_idle`, `pool_wait`, `pool_idle_timeout`,
/// `pool_lifetime` and `pool_check_after`.
///
/// ```
/// use std::time::Duration;
/// use alizarin_core::{Config, PoolConfig};
///
/// let pool = PoolConfig::new().max(64).wait(Duration::from_secs(1)).lifetime(None);
/// let config = Config::new().pool(pool);
/// let same: Config = "redis://localhost?pool_max=64&pool_wait=1s&pool_lifetime=off".parse()?;
/// # let _ = (config, same);
/// # Ok::<(), alizarin_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    pub(crate) max: usize,
    pub(crate) min_idle: usize,
    pub(crate) wait: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) check_after: Duration,
}

impl PoolConfig {
    /// 64 connections at most, none made before it is needed.
    #[must_use]
    pub const fn new() -> PoolConfig {
        PoolConfig {
            max: 64,
            min_idle: 0,
            wait: Duration::from_secs(5),
            idle_timeout: Some(Duration::from_secs(300)),
            lifetime: Some(Duration::from_secs(1_800)),
            check_after: Duration::from_secs(10),
        }
    }

    /// How many connections there may be at once; 64 unless set, at least 1. Each command that
    /// waits on the server holds one meanwhile.
    #[must_use]
    pub const fn max(mut self, connections: usize) -> PoolConfig {
        self.max = connections;
        self
    }

    /// How many idle connections are kept ready; none unless set, at most [`PoolConfig::max`]. An
    /// async client makes them in the background; a blocking one when it connects, to each node that
    /// it uses, and then keeps that many of those that were used.
    #[must_use]
    pub const fn min_idle(mut self, connections: usize) -> PoolConfig {
        self.min_idle = connections;
        self
    }

    /// How long a caller waits for a connection while all are in use, before it gets a `Timeout`;
    /// 5 seconds unless set. Those who wait are served in the order in which they came.
    #[must_use]
    pub const fn wait(mut self, longest: Duration) -> PoolConfig {
        self.wait = longest;
        self
    }

    /// After how long without use a connection is closed; 5 minutes unless set, `None` for never. A
    /// blocking client, which does nothing while nobody calls, closes it when one is next used.
    #[must_use]
    pub const fn idle_timeout(mut self, time: Option<Duration>) -> PoolConfig {
        self.idle_timeout = time;
        self
    }

    /// After how long a connection is replaced, used or not; 30 minutes unless set, `None` for
    /// never. It is never cut while it is in use.
    #[must_use]
    pub const fn lifetime(mut self, time: Option<Duration>) -> PoolConfig {
        self.lifetime = time;
        self
    }

    /// After how long without use the server is asked for a sign of life (`PING`) before a
    /// connection is used; 10 seconds unless set. Whether the server closed it is looked at in any
    /// case, which costs no round trip.
    #[must_use]
    pub const fn check_after(mut self, time: Duration) -> PoolConfig {
        self.check_after = time;
        self
    }

    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// `Usage`, with the option's name.
    pub(crate) fn check(&self) -> Result<()> {
        let text = if self.max == 0 {
            "option `pool_max` is 1 or more"
        } else if self.min_idle > self.max {
            "option `pool_min_idle` is more than `pool_max`"
        } else if self.idle_timeout.is_some_and(|time| time.is_zero()) {
            "option `pool_idle_timeout` is no time"
        } else if self.lifetime.is_some_and(|time| time.is_zero()) {
            "option `pool_lifetime` is no time"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Usage, text))
    }
}

impl Default for PoolConfig {
    fn default() -> PoolConfig {
        PoolConfig::new()
    }
}

impl Config {
    /// The limits of the connections for one caller at a time; see [`PoolConfig`].
    #[must_use]
    pub fn pool(mut self, pool: PoolConfig) -> Config {
        self.pool = pool;
        self
    }
}
