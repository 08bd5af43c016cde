//! What a client needs to know before it connects.

mod tcp;
mod tls;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::resp::Limits;
use crate::secret::Secret;

pub(crate) use tcp::Tcp;
#[cfg(feature = "tls")]
pub(crate) use tls::Source;
pub use tls::{Tls, TlsVersion};

/// Where the server is, who logs in, and the client's limits.
///
/// Made from a URL, or step by step:
///
/// ```
/// use std::time::Duration;
/// use alizarin_core::Config;
///
/// let config: Config = "redis://app:hunter2@db.local:6380/2?client_name=billing".parse()?;
/// assert_eq!(config.address(), "db.local:6380");
///
/// let same = Config::new()
///     .tcp("db.local", 6380)
///     .login("app", "hunter2")
///     .database(2)
///     .client_name("billing")
///     .response_timeout(Duration::from_secs(3));
/// assert!(!format!("{same:?}").contains("hunter2"));
/// # Ok::<(), alizarin_core::Error>(())
/// ```
///
/// In a URL, options are named as the methods are: `client_name`, `connect_timeout`, `db`,
/// `heartbeat`, `keepalive`, `keepalive_count`, `keepalive_interval`, `nodelay`, `password`,
/// `protocol` (`2`, `3`), `response_timeout`, `user`, `user_timeout`; those of [`Tls`] begin with
/// `tls_` and want `rediss://`. Times are `250ms`, `5s` or `2m`; `off` stands for `None`.
#[derive(Clone)]
pub struct Config {
    pub(crate) endpoint: Endpoint,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: u32,
    pub(crate) client_name: Option<String>,
    pub(crate) protocol: Protocol,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) tcp: Tcp,
    pub(crate) tls: Option<Tls>,
    pub(crate) max_in_flight: usize,
    pub(crate) max_pending_bytes: usize,
    pub(crate) limits: Limits,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

/// A version of the protocol that client and server speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// The old protocol: no maps, no pushes. For servers before 6.0 and proxies that know no
    /// `HELLO`.
    Resp2,
    /// The default; a server that refuses it is spoken to in RESP2.
    Resp3,
}

impl Config {
    /// A server at `127.0.0.1:6379`, without login, database 0, RESP3.
    pub fn new() -> Config {
        Config {
            endpoint: Endpoint::Tcp { host: "127.0.0.1".into(), port: 6379 },
            user: None,
            password: None,
            database: 0,
            client_name: None,
            protocol: Protocol::Resp3,
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_millis(1500),
            heartbeat: Some(Duration::from_secs(5)),
            tcp: Tcp::default(),
            tls: None,
            max_in_flight: 65_536,
            max_pending_bytes: 64 << 20,
            limits: Limits::default(),
        }
    }

    /// The server's host name or address, and port.
    #[must_use]
    pub fn tcp(mut self, host: impl Into<String>, port: u16) -> Config {
        self.endpoint = Endpoint::Tcp { host: host.into(), port };
        self
    }

    /// The path of the server's Unix socket, instead of host and port.
    #[must_use]
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Config {
        self.endpoint = Endpoint::Unix(path.into());
        self
    }

    /// A user of the server's access control list, with the password.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Config {
        self.user = Some(user.into());
        self.password = Some(Secret::new(password));
        self
    }

    /// The password of the default user (`requirepass`).
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Config {
        self.password = Some(Secret::new(password));
        self
    }

    /// The number of the database; 0 unless set.
    #[must_use]
    pub fn database(mut self, database: u32) -> Config {
        self.database = database;
        self
    }

    /// The name under which `CLIENT LIST` shows the connection.
    #[must_use]
    pub fn client_name(mut self, name: impl Into<String>) -> Config {
        self.client_name = Some(name.into());
        self
    }

    /// The protocol to speak: [`Protocol::Resp3`] with a fallback unless set.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Config {
        self.protocol = protocol;
        self
    }

    /// How long finding the host's addresses, connecting (to all of them, racing) and logging in
    /// may take together, and how long a command waits for a
    /// lost connection to come back; 5 seconds unless set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Config {
        self.connect_timeout = timeout;
        self
    }

    /// How long commands may wait while the server gives no sign of progress (it neither answers
    /// one nor takes in more) before the connection counts as dead; 1.5 seconds unless set.
    ///
    /// A server that works on one slow command answers nobody meanwhile: where scripts or searches
    /// take longer, set more. Blocking commands (`BLPOP`) have no such limit.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Config {
        self.response_timeout = timeout;
        self
    }

    /// Encrypts the connection, as `rediss://` does; see [`Tls`] for the options.
    ///
    /// A Unix socket cannot be encrypted: connecting fails with `Usage`. Without the crate's
    /// feature `tls` connecting fails with `Unsupported`.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Config {
        self.tls = Some(tls);
        self
    }

    /// How many commands may wait for their answer at once before further ones wait their turn;
    /// 65 536 unless set. A pipeline or transaction counts as one.
    #[must_use]
    pub fn max_in_flight(mut self, commands: usize) -> Config {
        self.max_in_flight = commands.max(1);
        self
    }

    /// How many bytes may wait to be written before further commands wait their turn; 64 MiB
    /// unless set. One command alone may be larger.
    #[must_use]
    pub fn max_pending_bytes(mut self, bytes: usize) -> Config {
        self.max_pending_bytes = bytes;
        self
    }

    /// How large and deep a reply may be.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Config {
        self.limits = limits;
        self
    }

    /// `host:port` or the socket's path, for messages.
    pub fn address(&self) -> String {
        self.endpoint.to_string()
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart completely, so that a new field forces a decision about its secrecy.
        let Config {
            endpoint,
            user,
            password,
            database,
            client_name,
            protocol,
            connect_timeout,
            response_timeout,
            heartbeat,
            tcp,
            tls,
            max_in_flight,
            max_pending_bytes,
            limits,
        } = self;
        f.debug_struct("Config")
            .field("endpoint", endpoint)
            .field("user", user)
            .field("password", password)
            .field("database", database)
            .field("client_name", client_name)
            .field("protocol", protocol)
            .field("connect_timeout", connect_timeout)
            .field("response_timeout", response_timeout)
            .field("heartbeat", heartbeat)
            .field("tcp", tcp)
            .field("tls", tls)
            .field("max_in_flight", max_in_flight)
            .field("max_pending_bytes", max_pending_bytes)
            .field("limits", limits)
            .finish()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl FromStr for Config {
    type Err = Error;

    fn from_str(url: &str) -> Result<Config> {
        url::parse(url)
    }
}

impl TryFrom<&str> for Config {
    type Error = Error;

    fn try_from(url: &str) -> Result<Config> {
        url::parse(url)
    }
}

impl TryFrom<String> for Config {
    type Error = Error;

    fn try_from(url: String) -> Result<Config> {
        url::parse(&url)
    }
}

impl TryFrom<&String> for Config {
    type Error = Error;

    fn try_from(url: &String) -> Result<Config> {
        url::parse(url)
    }
}

impl From<&Config> for Config {
    fn from(config: &Config) -> Config {
        config.clone()
    }
}
