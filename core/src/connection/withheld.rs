//! A server that lives and keeps an answer back: it has paused its clients (`CLIENT PAUSE`, a planned
//! failover), or works on the request beside others (a search). What it was sent it will answer.

use std::pin::Pin;
use std::time::Duration;

use super::dedicated::Dedicated;
use super::link::Link;
use super::stream::Connector;
use crate::config::{Config, Endpoint};
use crate::resp::{FromReply, Packed};

/// Whether the server at `peer` says within `limit`, on another connection, that it has taken a
/// request of the client with this number and holds it up. `CLIENT LIST` shows such a client as
/// blocked. A server that may not be asked, or does not know the question, is not believed to.
pub(crate) async fn withholds(
    config: &Config,
    connector: &Connector,
    peer: Endpoint,
    client: i64,
    limit: Duration,
) -> bool {
    let mut config = config.clone();
    config.endpoint = peer;
    config.connect_timeout = limit;
    config.response_timeout = limit;
    config.tracking = None;
    config.maintenance = false;
    let asking = ask(&config, connector, client);
    match connector {
        Connector::Blocking => asking.await,
        _ => tokio::time::timeout(limit, asking).await.ok().flatten(),
    }
    .unwrap_or(false)
}

impl Link {
    /// The question whether the server withholds its answers, when it has been silent for half of the
    /// time in which it must give one.
    pub(super) fn question(&self) -> Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>> {
        let limit = self.ticks(self.config.response_timeout);
        let (peer, client) = {
            let state = self.state();
            let known = state.maintenance.withheld.map_or(0, |until| {
                u32::try_from(until.wrapping_sub(state.tick).cast_signed()).unwrap_or(0)
            });
            if state.silence()? <= limit / 2 || known > limit / 2 {
                return None;
            }
            (state.peer.clone()?, state.id?)
        };
        tracing::debug!(address = %self.config.address(), "no answer yet: asks whether it is held up");
        let limit = self.config.response_timeout;
        Some(Box::pin(withholds(&self.config, &self.connector, peer, client, limit)))
    }

    /// Takes the answer to that question.
    pub(super) fn learn(&self, withheld: bool) {
        let mut state = self.state();
        let until = state.tick.wrapping_add(self.ticks(self.config.response_timeout));
        state.maintenance.withheld = withheld.then_some(until);
    }
}

/// `None` where there is no answer.
async fn ask(config: &Config, connector: &Connector, client: i64) -> Option<bool> {
    let mut packed = Packed::new();
    for word in ["CLIENT", "LIST", "ID"] {
        packed.push(word.as_bytes());
    }
    packed.push_int(client);
    let mut wire = Vec::new();
    packed.write_to(&mut wire);
    let mut connection = Box::pin(Dedicated::log_in(config, connector)).await.ok()?;
    connection.stream.limit(Some(config.response_timeout));
    connection.send(&*wire).await.ok()?;
    let reply = connection.reply(1).await.ok()?;
    let line = String::from_reply(&mut reply.reader()).ok()?;
    Some(is_blocked(&line))
}

/// Whether a line of `CLIENT LIST` is that of a blocked client.
fn is_blocked(line: &str) -> bool {
    let flags = line.split(' ').find_map(|field| field.strip_prefix("flags="));
    flags.is_some_and(|flags| flags.contains('b'))
}

#[cfg(test)]
mod tests {
    use super::is_blocked;

    #[test]
    fn a_blocked_client_is_told_by_its_flags() {
        assert!(is_blocked("id=7 addr=127.0.0.1:1 name=b flags=b db=0\n"));
        assert!(is_blocked("id=7 flags=tb db=0"));
        assert!(!is_blocked("id=7 name=flags=b flags=N db=0 cmd=blpop"));
        assert!(!is_blocked(""));
    }
}
