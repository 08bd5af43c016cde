//! Whether a database is healthy: what is asked, how often, and how many answers count.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
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
/// Closures that take a [`Client`] are checks:
///
/// ```
/// use alizarin_core::multi::{HealthCheck, Multi};
/// use alizarin_core::{Client, Error, ErrorKind};
///
/// /// Replication must not have been interrupted.
/// async fn replicates(client: Client) -> alizarin_core::Result<()> {
///     let info: String = client.command("INFO").arg("replication").await?;
///     match info.contains("master_link_status:down") {
///         true => Err(Error::new(ErrorKind::Connect, "it is cut off from its primary")),
///         false => Ok(()),
///     }
/// }
///
/// let builder = Multi::builder().health_check(replicates);
/// # let _ = builder;
/// ```
pub trait HealthCheck: Send + Sync + 'static {
    /// Fails if the database is not healthy, and says why. Is given up after the
    /// [`health_timeout`](super::MultiBuilder::health_timeout).
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
