//! What a client needs to know before it connects.

mod address;
mod backoff;
mod check;
mod cluster;
mod pool;
mod sentinel;
mod tcp;
mod time;
mod tls;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use address::Address;
pub use backoff::Backoff;
pub(crate) use check::FOREVER;
pub use cluster::ReadFrom;
pub(crate) use cluster::Remap;
pub use pool::PoolConfig;
pub(crate) use sentinel::{Sentinels, Told};

use crate::cache::Tracking;
use crate::connection::Witness;
use crate::credentials::Keyring;
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
/// In a URL, options are named as the methods are: `client_name`, `connect_timeout`, `connections`, `db`,
/// `fail_fast`, `heartbeat`, `keepalive`, `keepalive_count`, `keepalive_interval`, `maintenance`,
/// `max_in_flight`, `max_pending_bytes`, `max_redirects`, `nodelay`, `password`, `protocol` (`2`,
/// `3`), `read_from` (`primary`, `replica`, `random`, `any`, `nearest`, `zone:name`), `relaxed_timeout`,
/// `response_timeout`, `retries`, `topology_interval`, `total_timeout`, `user`, `user_timeout`;
/// those of [`PoolConfig`] begin with `pool_`, those of [`Tls`] with `tls_`, which want `rediss://`.
/// Times are `250ms`, `5s` or `2m`; `off` stands for `None`.
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
    pub(crate) total_timeout: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) retries: u32,
    pub(crate) fail_fast: bool,
    /// How many connections all commands share.
    pub(crate) connections: usize,
    pub(crate) maintenance: bool,
    pub(crate) relaxed_timeout: Duration,
    pub(crate) read_from: ReadFrom,
    pub(crate) max_redirects: u32,
    pub(crate) topology_interval: Duration,
    pub(crate) remap: Option<Remap>,
    /// Whether the connections may read from replicas (`READONLY`).
    pub(crate) readonly: bool,
    pub(crate) pool: PoolConfig,
    pub(crate) credentials: Option<Keyring>,
    /// For connections that are told of changes, to whom they tell them.
    pub(crate) tracking: Option<Tracking>,
    /// What silent servers have said to all that were made from this.
    pub(crate) witness: Witness,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
    /// Some of a cluster's nodes.
    Cluster(Vec<Address>),
    /// The server that sentinels name.
    Sentinel(Box<Sentinels>),
}

impl Endpoint {
    /// Which of its addresses a server shall name when it moves; `None` where it cannot move.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        let Endpoint::Tcp { host, .. } = self else { return None };
        Some(match host.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(ip)) if ip.is_private() || ip.is_loopback() => "internal-ip",
            Ok(std::net::IpAddr::V6(ip)) if ip.is_unique_local() || ip.is_loopback() => {
                "internal-ip"
            }
            Ok(_) => "external-ip",
            Err(_) if host == "localhost" || host.ends_with(".local") => "internal-fqdn",
            Err(_) => "external-fqdn",
        })
    }
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
            total_timeout: Duration::from_secs(10),
            backoff: Backoff::default(),
            retries: 2,
            fail_fast: false,
            connections: 1,
            maintenance: true,
            relaxed_timeout: Duration::from_secs(10),
            read_from: ReadFrom::Primary,
            max_redirects: 5,
            topology_interval: Duration::from_secs(60),
            remap: None,
            readonly: false,
            pool: PoolConfig::new(),
            credentials: None,
            tracking: None,
            witness: Witness::default(),
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

    /// The pauses between attempts to connect; full jitter unless set.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Config {
        self.backoff = backoff;
        self
    }

    /// How often a command whose answer was lost is sent again, where that changes nothing: it only
    /// reads, or is marked as [`IDEMPOTENT`](crate::command::Flags::IDEMPOTENT); 2 unless set.
    /// What was certainly not sent, or certainly not executed, is sent again until the time is up
    /// ([`Config::total_timeout`]), which ends these repetitions too.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Config {
        self.retries = retries;
        self
    }

    /// Whether commands fail at once while no connection can be made; unless set, they wait for one
    /// up to the [`Config::connect_timeout`], on a cluster for whoever is elected up to the
    /// [`Config::total_timeout`]. The client goes on trying to connect by itself.
    #[must_use]
    pub fn fail_fast(mut self, fail_fast: bool) -> Config {
        self.fail_fast = fail_fast;
        self
    }

    /// How many connections to each server the commands of an async client share, in turn; 1 unless
    /// set, at most 64. Large requests (64 KiB or more, or 64 commands or more in one pipeline), and
    /// commands for a key whose last reply was as large, go by the last of them, and small ones by
    /// those where nothing large is under way: so they need not wait behind it. Several also spread
    /// the work over the server's I/O threads; they cost what connections cost,
    /// and make fewer commands travel together. Commands of which each is awaited before the next
    /// keep their order; those that are under way at once may be executed in any order. A blocking
    /// client has its pool.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Config {
        self.connections = connections.clamp(1, 64);
        self
    }

    /// Whether the server is asked to announce maintenance (`CLIENT MAINT_NOTIFICATIONS`, Redis
    /// Software and Redis Cloud, RESP3); it is unless set to `false`. A server that knows no such
    /// thing may refuse. When a server announces that it moves, the client connects to the new
    /// place and goes over to it between two requests, before the old connection is cut.
    #[must_use]
    pub fn maintenance(mut self, announced: bool) -> Config {
        self.maintenance = announced;
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
            total_timeout,
            backoff,
            retries,
            fail_fast,
            connections,
            maintenance,
            relaxed_timeout,
            read_from,
            max_redirects,
            topology_interval,
            remap,
            readonly,
            pool,
            credentials,
            tracking,
            witness: _,
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
            .field("total_timeout", total_timeout)
            .field("backoff", backoff)
            .field("retries", retries)
            .field("fail_fast", fail_fast)
            .field("connections", connections)
            .field("maintenance", maintenance)
            .field("relaxed_timeout", relaxed_timeout)
            .field("read_from", read_from)
            .field("max_redirects", max_redirects)
            .field("topology_interval", topology_interval)
            .field("remap", remap)
            .field("readonly", readonly)
            .field("pool", pool)
            .field("credentials", credentials)
            .field("tracking", tracking)
            .finish()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "{}", path.display()),
            Endpoint::Cluster(nodes) => {
                let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                f.write_str(&nodes.join(","))
            }
            Endpoint::Sentinel(sentinels) => {
                let seeds: Vec<String> =
                    sentinels.seeds().iter().map(ToString::to_string).collect();
                write!(f, "{} by sentinels {}", sentinels.name, seeds.join(","))
            }
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
