//! What a silent server says of itself, asked on another connection: whether it lives, and whether it
//! keeps an answer back.
//!
//! It may have paused its clients (`CLIENT PAUSE`, a planned failover), or work on a request beside
//! others (a search): what it was sent it will answer. One question is about all clients that are
//! silent, and no server is asked more often because they are many.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::dedicated::Dedicated;
use super::link::Link;
use super::stream::Connector;
use crate::config::{Config, Endpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{FromReply, Packed};

/// A server is asked at most so often in a [`Config::response_timeout`].
const OFTEN: u32 = 8;

/// Of a server that nobody asked for so long nothing is known any more.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// What a silent server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It lets nobody log in, or does not say.
    Silent,
    /// It lets others log in, or refuses them.
    Lives,
    /// It has taken the client's request, and keeps the answer back.
    Withholds,
}

/// What servers have said of themselves, to whoever it concerns.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Vec<Known>>>);

/// What is known of one server.
struct Known {
    server: Endpoint,
    /// When somebody last began to ask, and whether he does so still.
    asked: Option<Instant>,
    asking: bool,
    /// Of whom the next question is to be.
    clients: Vec<i64>,
    last: Option<Answer>,
}

struct Answer {
    ended: Instant,
    /// Of whom the question was.
    clients: Vec<i64>,
    /// Whom of them the server holds up; `None` when it was silent.
    held: Option<Vec<i64>>,
}

/// What somebody does who wants to know.
enum Step {
    Told(Verdict),
    /// He asks, for all these clients.
    Ask(Vec<i64>),
    /// Somebody else asks, or has just asked.
    Wait,
}

/// What the server says within `limit`: whether it keeps back what it was to answer to this
/// `client`, without one only whether it lives. `CLIENT LIST` shows a client that is held up as
/// blocked; a server that may not be asked for that, or does not know the question, only lives.
#[expect(clippy::arithmetic_side_effects, reason = "Durations divided by more than nothing")]
pub(crate) async fn ask(
    config: &Config,
    connector: &Connector,
    server: Endpoint,
    client: Option<i64>,
    limit: Duration,
) -> Verdict {
    let since = Instant::now();
    let rest = config.response_timeout / OFTEN;
    // What it said to those who wait on it holds for all of them for so long.
    let lately = config.heartbeat.unwrap_or_default() / 2;
    loop {
        let left = limit.saturating_sub(since.elapsed());
        match config.witness.step(&server, client, since, rest, lately) {
            Step::Told(verdict) => return verdict,
            _ if left.is_zero() => return Verdict::Silent,
            Step::Wait => pause(connector, left.min(rest / 4)).await,
            Step::Ask(clients) => {
                let mut turn = Turn { witness: &config.witness, server: &server, answer: None };
                let held = question(config, connector, &server, &clients, left).await;
                let verdict = verdict(held.as_deref(), client);
                // That there was no answer in a shorter time tells others nothing.
                if held.is_some() || left >= config.response_timeout {
                    turn.answer = Some(Answer { ended: Instant::now(), clients, held });
                }
                return verdict;
            }
        }
    }
}

fn verdict(held: Option<&[i64]>, client: Option<i64>) -> Verdict {
    match (held, client) {
        (None, _) => Verdict::Silent,
        (Some(held), Some(client)) if held.contains(&client) => Verdict::Withholds,
        (Some(_), _) => Verdict::Lives,
    }
}

impl Witness {
    /// What somebody does who has waited to know since then.
    fn step(
        &self,
        server: &Endpoint,
        client: Option<i64>,
        since: Instant,
        rest: Duration,
        lately: Duration,
    ) -> Step {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.iter().any(|known| known.server == *server) {
            let lately = |at: Instant| at.elapsed() < FORGOTTEN;
            all.retain(|known| known.asking || known.asked.is_some_and(lately));
            all.push(Known::new(server.clone()));
        }
        let Some(known) = all.iter_mut().find(|known| known.server == *server) else {
            return Step::Wait;
        };
        let rests = known.asked.is_some_and(|at| at.elapsed() < rest);
        if let Some(last) = &known.last {
            let fresh = last.ended >= since;
            let holds = match (&last.held, client) {
                (None, _) => fresh,
                (Some(_), Some(client)) => last.clients.contains(&client) && (fresh || rests),
                (Some(_), None) => fresh || last.ended.elapsed() < lately,
            };
            if holds {
                return Step::Told(verdict(last.held.as_deref(), client));
            }
        }
        known.clients.extend(client.filter(|client| !known.clients.contains(client)));
        if known.asking || rests {
            return Step::Wait;
        }
        known.asking = true;
        known.asked = Some(Instant::now());
        let mut clients = std::mem::take(&mut known.clients);
        // Who was held up has hardly got his answer yet, and will ask again.
        let held = known.last.as_ref().and_then(|last| last.held.as_ref());
        clients.extend(held.into_iter().flatten());
        clients.sort_unstable();
        clients.dedup();
        Step::Ask(clients)
    }
}

impl Known {
    fn new(server: Endpoint) -> Known {
        Known { server, asked: None, asking: false, clients: Vec::new(), last: None }
    }
}

/// Who asks; dropping it makes way for the next.
struct Turn<'w> {
    witness: &'w Witness,
    server: &'w Endpoint,
    answer: Option<Answer>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut all = self.witness.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter_mut().find(|known| known.server == *self.server) {
            known.asking = false;
            known.last = self.answer.take().or(known.last.take());
        }
    }
}

async fn pause(connector: &Connector, time: Duration) {
    match connector {
        Connector::Blocking => std::thread::sleep(time),
        _ => tokio::time::sleep(time).await,
    }
}

/// Whom of these clients the server holds up; `None` where it is silent.
async fn question(
    config: &Config,
    connector: &Connector,
    server: &Endpoint,
    clients: &[i64],
    limit: Duration,
) -> Option<Vec<i64>> {
    let mut config = config.clone();
    config.endpoint = server.clone();
    config.connect_timeout = limit;
    config.response_timeout = limit;
    config.tracking = None;
    config.maintenance = false;
    let asking = async {
        match Box::pin(Dedicated::log_in(&config, connector)).await {
            Ok(connection) if !clients.is_empty() => {
                Some(list(connection, clients, limit).await.unwrap_or_default())
            }
            Err(error) if is_silence(&error) => None,
            // Whoever refuses a login lives.
            _ => Some(Vec::new()),
        }
    };
    match connector {
        Connector::Blocking => asking.await,
        _ => tokio::time::timeout(limit, asking).await.ok().flatten(),
    }
}

fn is_silence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected | ErrorKind::Timeout)
}

/// Those of the clients that `CLIENT LIST` shows as blocked.
async fn list(mut connection: Dedicated, clients: &[i64], limit: Duration) -> Result<Vec<i64>> {
    let mut packed = Packed::new();
    for word in ["CLIENT", "LIST", "ID"] {
        packed.push(word.as_bytes());
    }
    clients.iter().for_each(|client| packed.push_int(*client));
    let mut wire = Vec::new();
    packed.write_to(&mut wire);
    connection.stream.limit(Some(limit));
    connection.send(&*wire).await?;
    let reply = connection.reply(1).await?;
    let lines = String::from_reply(&mut reply.reader())?;
    Ok(lines.lines().filter_map(blocked).collect())
}

/// The number of the client that a line of `CLIENT LIST` is about, if it is blocked.
fn blocked(line: &str) -> Option<i64> {
    let field = |name| line.split(' ').find_map(|field| field.strip_prefix(name));
    field("flags=").filter(|flags| flags.contains('b')).and_then(|_| field("id="))?.parse().ok()
}

impl Link {
    /// The question whether the server withholds its answers, when it has been silent for half of the
    /// time in which it must give one.
    #[expect(clippy::arithmetic_side_effects, reason = "a Duration divided by two")]
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
            (state.peer.clone()?, state.id)
        };
        let client = Some(client?);
        tracing::debug!(address = %self.config.address(), "no answer yet: asks whether it is held up");
        Some(Box::pin(async move {
            let limit = self.config.response_timeout / 2;
            ask(&self.config, &self.connector, peer, client, limit).await == Verdict::Withholds
        }))
    }

    /// Takes the answer to that question.
    pub(super) fn learn(&self, withheld: bool) {
        let mut state = self.state();
        let until = state.tick.wrapping_add(self.ticks(self.config.response_timeout));
        state.maintenance.withheld = withheld.then_some(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_client_is_told_by_its_flags() {
        assert_eq!(blocked("id=7 addr=127.0.0.1:1 name=b flags=b db=0"), Some(7));
        assert_eq!(blocked("id=7 flags=tb db=0"), Some(7));
        assert_eq!(blocked("id=7 name=flags=b flags=N db=0 cmd=blpop"), None);
        assert_eq!(blocked("flags=b"), None);
        assert_eq!(blocked(""), None);
    }

    /// Whom a question would be about; `None` when there is none.
    fn clients(step: Step) -> Option<Vec<i64>> {
        match step {
            Step::Ask(clients) => Some(clients),
            Step::Told(_) | Step::Wait => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_for_all_and_nobody_too_often() {
        let (witness, server) = (Witness::default(), Endpoint::Unix("s".into()));
        let (rest, lately) = (Duration::from_millis(100), Duration::from_secs(1));
        let step = |client, since| witness.step(&server, client, since, rest, lately);
        let answer = |clients: &[i64], held| {
            let answer = Some(Answer { ended: Instant::now(), clients: clients.to_vec(), held });
            drop(Turn { witness: &witness, server: &server, answer });
        };
        let first = Instant::now();
        assert_eq!(clients(step(Some(1), first)), Some(vec![1]));
        // Whoever comes meanwhile waits, and is one of those of the next question.
        tokio::time::advance(rest * 2).await;
        let second = Instant::now();
        for client in [2, 3, 2] {
            assert!(matches!(step(Some(client), second), Step::Wait));
        }
        assert!(matches!(step(None, second), Step::Wait));
        answer(&[1], Some(vec![1]));
        assert!(matches!(step(Some(1), first), Step::Told(Verdict::Withholds)));
        assert!(matches!(step(None, second), Step::Told(Verdict::Lives)));
        // He who was held up is asked about again, since he will ask.
        assert_eq!(clients(step(Some(2), second)), Some(vec![1, 2, 3]));
        // One who gives up makes way, but not at once for another question.
        drop(Turn { witness: &witness, server: &server, answer: None });
        assert!(matches!(step(Some(3), second), Step::Wait));
        tokio::time::advance(rest).await;
        let begun = Instant::now();
        assert_eq!(clients(step(Some(3), second)), Some(vec![1, 3]));
        answer(&[1, 3], Some(vec![1]));
        tokio::time::advance(rest / 2).await;
        assert!(matches!(step(Some(3), Instant::now()), Step::Told(Verdict::Lives)));
        assert!(matches!(step(Some(1), Instant::now()), Step::Told(Verdict::Withholds)));
        assert!(matches!(step(Some(2), Instant::now()), Step::Wait));
        // That it lived lately is enough for those who ask no more; its silence then is no news.
        tokio::time::advance(lately / 2).await;
        assert!(matches!(step(None, Instant::now()), Step::Told(Verdict::Lives)));
        answer(&[], None);
        assert!(matches!(step(None, begun), Step::Told(Verdict::Silent)));
        tokio::time::advance(rest).await;
        assert_eq!(clients(step(None, Instant::now())), Some(vec![2]));
    }
}
