//! How TCP connections behave, and how their silent end is noticed.

use std::time::Duration;

use super::Config;

/// The options of TCP sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub(crate) nodelay: bool,
    /// After so long without a byte the first probe is sent.
    pub(crate) keepalive: Option<Duration>,
    pub(crate) keepalive_interval: Duration,
    pub(crate) keepalive_count: u32,
    pub(crate) user_timeout: Option<Duration>,
}

impl Default for Tcp {
    fn default() -> Tcp {
        Tcp {
            nodelay: true,
            keepalive: Some(Duration::from_secs(30)),
            keepalive_interval: Duration::from_secs(5),
            keepalive_count: 3,
            user_timeout: Some(Duration::from_secs(45)),
        }
    }
}

impl Config {
    /// After how long without traffic the system asks whether the peer's system is still there
    /// (`SO_KEEPALIVE`), in whole seconds; 30 seconds unless set, never with `None`.
    ///
    /// This finds a dead peer for those that wait without a limit: blocking commands and
    /// subscriptions. Shared connections notice it earlier, by [`Config::heartbeat`].
    #[must_use]
    pub fn keepalive(mut self, idle: impl Into<Option<Duration>>) -> Config {
        self.tcp.keepalive = idle.into();
        self
    }

    /// The time between two such questions when no answer comes; 5 seconds unless set.
    #[must_use]
    pub fn keepalive_interval(mut self, interval: Duration) -> Config {
        self.tcp.keepalive_interval = interval;
        self
    }

    /// How many such questions without an answer end the connection; 3 unless set.
    #[must_use]
    pub fn keepalive_count(mut self, count: u32) -> Config {
        self.tcp.keepalive_count = count;
        self
    }

    /// How long sent bytes may stay without the acknowledgement of the peer's system before the
    /// connection counts as dead (`TCP_USER_TIMEOUT`); 45 seconds unless set, the system's own
    /// time (about 15 minutes) with `None`. On systems other than Linux it changes nothing.
    #[must_use]
    pub fn user_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Config {
        self.tcp.user_timeout = timeout.into();
        self
    }

    /// Whether small requests are sent at once instead of waiting for the acknowledgement of
    /// earlier ones (`TCP_NODELAY`); they are unless this is set to `false`.
    #[must_use]
    pub fn nodelay(mut self, at_once: bool) -> Config {
        self.tcp.nodelay = at_once;
        self
    }

    /// A connection on which nothing happened for so long is asked for a sign of life (`PING`),
    /// and counts as dead when none comes within [`Config::response_timeout`]; 5 seconds unless
    /// set, never with `None`. A blocking client's idle connections are not asked: its time limit finds
    /// the loss.
    ///
    /// While a command waits on the server (`BLPOP`), which has no time limit, the server is asked as
    /// often, once for all that wait: it must let another connection log in, or refuse it, within
    /// [`Config::response_timeout`], or the command fails with `Timeout`, its outcome unknown.
    #[must_use]
    pub fn heartbeat(mut self, idle: impl Into<Option<Duration>>) -> Config {
        self.heartbeat = idle.into();
        self
    }
}
