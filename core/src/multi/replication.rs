//! A health check that looks at replication.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::health::{HealthCheck, ping};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::FromReply;

/// Asks with `PING`, as [`Ping`](super::Ping) does, and with `INFO replication` how far replicas are
/// behind: the server, or every primary of a cluster.
///
/// - A server that is a replica is healthy while it has a link to its primary, is not being copied
///   to anew, and heard from it within [`Replication::max_lag`].
/// - A primary is healthy while at least [`Replication::min_replicas`] of its replicas are online,
///   acknowledged something within [`Replication::max_lag`], and lack at most
///   [`Replication::max_bytes_behind`].
///
/// It says nothing of replication that the servers themselves do not report, as that between the
/// regions of an Active-Active database: [`HealthCheck`] shows how to ask others.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (a, b) = (alizarin_testkit::Server::start()?, alizarin_testkit::Server::start()?);
/// # let (east, west) = (a.url(), b.url());
/// use alizarin_core::multi::{Multi, Quorum, Replication};
///
/// let client = Multi::builder()
///     .database("east", east.as_str(), 1.0)
///     .database("west", west.as_str(), 0.5)
///     .health_check(Replication::new().min_replicas(1))
///     .initial(Quorum::Any)
///     .connect()
///     .await;
/// // Neither has a replica.
/// assert!(client.unwrap_err().message().contains("east: 0 of 1 replicas"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replication {
    max_lag: Duration,
    min_replicas: u32,
    max_bytes_behind: Option<u64>,
}

impl Replication {
    /// At most five seconds behind; a primary may be without replicas.
    pub const fn new() -> Replication {
        Replication { max_lag: Duration::from_secs(5), min_replicas: 0, max_bytes_behind: None }
    }

    /// How long the other side may have been silent; five seconds unless set. Servers count whole
    /// seconds, and replicas acknowledge once in each: less than two seconds fails now and then.
    #[must_use]
    pub const fn max_lag(mut self, lag: Duration) -> Replication {
        self.max_lag = lag;
        self
    }

    /// How many replicas a primary must have that keep up; none unless set.
    #[must_use]
    pub const fn min_replicas(mut self, replicas: u32) -> Replication {
        self.min_replicas = replicas;
        self
    }

    /// How many bytes of what the primary has sent a replica may not have acknowledged and still
    /// keeps up; any number unless set.
    #[must_use]
    pub const fn max_bytes_behind(mut self, bytes: u64) -> Replication {
        self.max_bytes_behind = Some(bytes);
        self
    }

    async fn look(self, client: &Client) -> Result<()> {
        ping(client).await?;
        let Some(cluster) = client.cluster() else {
            let info: String = client.command("INFO").arg("replication").await?;
            return self.judge(&info).map_err(unhealthy);
        };
        let ask = b"*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n";
        for (address, reply) in cluster.ask_primaries(ask).await? {
            let info = String::from_reply(&mut reply.reader())?;
            self.judge(&info).map_err(|why| unhealthy(format!("{address}: {why}")))?;
        }
        Ok(())
    }

    /// Says why a server is not healthy.
    fn judge(self, info: &str) -> std::result::Result<(), String> {
        let value = |name: &str| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        if value("role") == Some("slave") {
            return self.judge_replica(value);
        }
        let sent = value("master_repl_offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
        let replicas = info.lines().filter_map(|line| {
            let (name, about) = line.split_once(':')?;
            let number = name.strip_prefix("slave")?;
            number.parse::<u32>().is_ok().then_some(about.trim())
        });
        let current = replicas.filter(|about| self.keeps_up(about, sent)).count();
        let wanted = self.min_replicas as usize;
        match current >= wanted {
            true => Ok(()),
            false => Err(format!("{current} of {wanted} replicas keep up")),
        }
    }

    fn judge_replica<'i>(
        self,
        value: impl Fn(&str) -> Option<&'i str>,
    ) -> std::result::Result<(), String> {
        if value("master_link_status") != Some("up") {
            return Err("it is a replica without a link to its primary".to_owned());
        }
        if value("master_sync_in_progress") == Some("1") {
            return Err("it is a replica that is being copied to".to_owned());
        }
        let silence = value("master_last_io_seconds_ago").and_then(|ago| ago.parse::<u64>().ok());
        match silence.map(Duration::from_secs) {
            Some(silence) if silence <= self.max_lag => Ok(()),
            Some(silence) => Err(format!("it is a replica that heard nothing for {silence:?}")),
            None => Err("it is a replica that does not say when it heard something".to_owned()),
        }
    }

    /// Whether a replica does, by what its primary says of it.
    fn keeps_up(self, about: &str, sent: u64) -> bool {
        let value = |name: &str| {
            let mut parts = about.split(',');
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let number = |name| value(name).and_then(|text| text.parse::<u64>().ok());
        let (Some("online"), Some(lag)) = (value("state"), number("lag")) else { return false };
        let near = self.max_bytes_behind.is_none_or(|most| {
            number("offset").is_some_and(|offset| sent.saturating_sub(offset) <= most)
        });
        near && Duration::from_secs(lag) <= self.max_lag
    }
}

fn unhealthy(why: String) -> Error {
    Error::new(ErrorKind::Connect, why)
}

impl Default for Replication {
    fn default() -> Replication {
        Replication::new()
    }
}

impl HealthCheck for Replication {
    fn check<'c>(
        &'c self,
        client: &'c Client,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>> {
        Box::pin(self.look(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_is_judged() {
        let new = Replication::new;
        let primary = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
            slave0:ip=::1,port=1,state=online,offset=900,lag=1\r\n\
            slave1:ip=::1,port=2,state=wait_bgsave,offset=0,lag=0\r\n\
            slaves_waiting_psync:0\r\nmaster_repl_offset:1000\r\n";
        let replica = |link: &str, sync: u32, ago: i64| {
            format!(
                "role:slave\r\nmaster_host:h\r\nmaster_link_status:{link}\r\n\
                 master_last_io_seconds_ago:{ago}\r\nmaster_sync_in_progress:{sync}\r\n"
            )
        };
        for (check, info, why) in [
            (new(), primary, None),
            (new().min_replicas(1), primary, None),
            (new().min_replicas(2), primary, Some("1 of 2 replicas")),
            (new().min_replicas(1).max_bytes_behind(100), primary, None),
            (new().min_replicas(1).max_bytes_behind(99), primary, Some("0 of 1")),
            (new().min_replicas(1).max_lag(Duration::ZERO), primary, Some("0 of 1")),
            (new(), "role:master\r\n", None),
            (new(), &replica("up", 0, 5), None),
            (new(), &replica("up", 0, 6), Some("heard nothing for 6s")),
            (new().max_lag(Duration::from_secs(60)), &replica("up", 0, 6), None),
            (new(), &replica("up", 1, 0), Some("copied")),
            (new(), &replica("up", 0, -1), Some("does not say")),
            (new(), &replica("down", 0, -1), Some("without a link")),
        ] {
            let outcome = check.judge(info);
            match why {
                None => assert_eq!(outcome, Ok(()), "{check:?} {info}"),
                Some(why) => assert!(outcome.unwrap_err().contains(why), "{check:?} {info}"),
            }
        }
    }
}
