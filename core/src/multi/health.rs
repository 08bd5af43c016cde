//! Whether a database is healthy: what is asked, how often, and how many answers count.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};

/// How many of several must be well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quorum {
    /// Every one.
    All,
    /// More than half.
    Majority,
    /// One is enough.
    Any,
}

impl Quorum {
    /// Whether so many of so many are enough.
    pub(super) fn is_met(self, good: usize, all: usize) -> bool {
        match self {
            Quorum::All => good >= all,
            Quorum::Majority => good > all / 2,
            Quorum::Any => good > 0,
        }
    }

    /// What is known already, before all have spoken.
    pub(super) fn decided(self, good: usize, bad: usize, all: usize) -> Option<bool> {
        if self.is_met(good, all) {
            Some(true)
        } else if !self.is_met(all.saturating_sub(bad), all) {
            Some(false)
        } else {
            None
        }
    }
}

/// Says whether a database is healthy. Called again and again in the background, with a client of
/// its own that no other request uses.
///
/// Closures that take a [`Client`] are checks; a type that implements the trait may keep something
/// from one to the next. [`Replication`](super::Replication) looks at what servers say of their
/// replicas.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let a = alizarin_testkit::Server::start()?;
/// # let east = a.url();
/// use alizarin_core::multi::Multi;
/// use alizarin_core::{Client, Error, ErrorKind};
///
/// /// Somebody may have closed it.
/// async fn is_open(client: Client) -> alizarin_core::Result<()> {
///     match client.get::<Option<String>>("closed").await? {
///         None => Ok(()),
///         Some(why) => Err(Error::new(ErrorKind::Connect, why)),
///     }
/// }
///
/// let builder = Multi::builder().database("east", east.as_str(), 1.0);
/// let client = builder.health_check(is_open).connect().await?;
/// # drop(client);
/// # Ok(()) }
/// ```
///
/// What only others know is asked there, as how far the regions of a Redis Software database are
/// apart, by its REST API. One check asks all databases: it is told by the client which one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let a = alizarin_testkit::Server::start()?;
/// # let east = a.url();
/// use alizarin_core::multi::Multi;
/// use alizarin_core::{Client, Error, ErrorKind};
/// use std::collections::HashMap;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::TcpStream;
///
/// /// 200 while the database is there and not more than five seconds behind. The API wants HTTPS
/// /// and a login: a program takes its HTTP client for this.
/// async fn keeps_up(api: String) -> alizarin_core::Result<()> {
///     const PATH: &str = "/v1/bdbs/1/availability?extend_check=lag&availability_lag_tolerance_ms=5000";
///     let failed = |error: std::io::Error| Error::new(ErrorKind::Connect, error.to_string());
///     let mut stream = TcpStream::connect(&api).await.map_err(failed)?;
///     let request = format!("GET {PATH} HTTP/1.0\r\nHost: {api}\r\n\r\n");
///     stream.write_all(request.as_bytes()).await.map_err(failed)?;
///     let mut answer = String::new();
///     stream.read_to_string(&mut answer).await.map_err(failed)?;
///     match answer.split(' ').nth(1) {
///         Some("200") => Ok(()),
///         _ => Err(Error::new(ErrorKind::Connect, "it is too far behind")),
///     }
/// }
///
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let api = listener.local_addr()?.to_string();
/// # tokio::spawn(async move {
/// #     let after = std::iter::repeat("200 OK");
/// #     for status in std::iter::once("503 Service Unavailable").chain(after) {
/// #         let Ok((mut stream, _)) = listener.accept().await else { return };
/// #         let mut room = [0; 512];
/// #         let _ = stream.read(&mut room).await;
/// #         let _ = stream.write_all(format!("HTTP/1.0 {status}\r\n\r\n").as_bytes()).await;
/// #     }
/// # });
/// # assert!(keeps_up(api.clone()).await.is_err());
/// // Which API tells of which server.
/// let address = east.trim_start_matches("redis://").to_owned();
/// let apis = HashMap::from([(address, api)]);
/// let client = Multi::builder()
///     .database("east", east.as_str(), 1.0)
///     .health_check(move |client: Client| {
///         keeps_up(apis.get(&client.config().address()).cloned().unwrap_or_default())
///     })
///     .connect()
///     .await?;
/// # drop(client);
/// # Ok(()) }
/// ```
pub trait HealthCheck: Send + Sync + 'static {
    /// Fails if the database is not healthy, and says why. Is given up after the
    /// [`health_timeout`](super::MultiBuilder::health_timeout), where it waits for longer; on a
    /// blocking client the client's own calls are, and it has to keep the time of others itself. A
    /// check that panics has failed.
    fn check<'c>(
        &'c self,
        client: &'c Client,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>;
}

impl<F, A> HealthCheck for F
where
    F: Fn(Client) -> A + Send + Sync + 'static,
    A: Future<Output = Result<()>> + Send + 'static,
{
    fn check<'c>(
        &'c self,
        client: &'c Client,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>> {
        Box::pin(self(client.clone()))
    }
}

/// Asks with `PING`: the server, or every primary of a cluster. The check there is unless another
/// one is set.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Ping;

impl Ping {
    /// The check.
    pub const fn new() -> Ping {
        Ping
    }
}

impl HealthCheck for Ping {
    fn check<'c>(
        &'c self,
        client: &'c Client,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>> {
        Box::pin(ping(client))
    }
}

/// What a check says; one that panics says that the database is not healthy.
pub(super) async fn ask(check: &dyn HealthCheck, client: &Client) -> Result<()> {
    let panicked = |_| Error::new(ErrorKind::Usage, "the health check panicked");
    let begun = catch_unwind(AssertUnwindSafe(|| check.check(client)));
    let mut checking = begun.map_err(panicked)?;
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| checking.as_mut().poll(cx)));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic))))
    })
    .await
}

/// Asks the server, or every primary of the cluster.
pub(super) async fn ping(client: &Client) -> Result<()> {
    match client.cluster() {
        Some(cluster) => cluster.ping().await,
        None => client.command("PING").exec().await,
    }
}

/// What is set of the health checks.
pub(super) struct Health {
    pub(super) checks: Vec<Box<dyn HealthCheck>>,
    pub(super) interval: Duration,
    pub(super) probes: u32,
    pub(super) probe_delay: Duration,
    pub(super) timeout: Duration,
    pub(super) quorum: Quorum,
}

impl Health {
    pub(super) fn new() -> Health {
        Health {
            checks: Vec::new(),
            interval: Duration::from_secs(1),
            probes: 3,
            probe_delay: Duration::from_millis(100),
            timeout: Duration::from_secs(1),
            quorum: Quorum::Majority,
        }
    }

    /// # Errors
    /// `Usage` for a number that makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = if self.interval.is_zero() {
            "`health_interval` must not be zero"
        } else if self.timeout.is_zero() {
            "`health_timeout` must not be zero"
        } else if self.probes == 0 {
            "`health_probes` must be at least 1"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Usage, wrong))
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Health { checks, interval, probes, probe_delay, timeout, quorum } = self;
        f.debug_struct("Health")
            .field("checks", &checks.len())
            .field("interval", interval)
            .field("probes", probes)
            .field("probe_delay", probe_delay)
            .field("timeout", timeout)
            .field("quorum", quorum)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_decided_as_soon_as_it_can_be() {
        for (quorum, good, bad, decided) in [
            (Quorum::All, 0, 0, None),
            (Quorum::All, 2, 0, None),
            (Quorum::All, 3, 0, Some(true)),
            (Quorum::All, 0, 1, Some(false)),
            (Quorum::Majority, 1, 1, None),
            (Quorum::Majority, 2, 0, Some(true)),
            (Quorum::Majority, 0, 2, Some(false)),
            (Quorum::Any, 0, 2, None),
            (Quorum::Any, 1, 0, Some(true)),
            (Quorum::Any, 0, 3, Some(false)),
        ] {
            assert_eq!(quorum.decided(good, bad, 3), decided, "{quorum:?} {good} {bad}");
        }
        assert!(!Quorum::Majority.is_met(1, 2), "half is not more than half");
    }
}
