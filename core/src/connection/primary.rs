//! Who is the primary: what the sentinels say, and what the server itself says.
//!
//! The sentinel that has seen the latest election is believed first; the server must say that it
//! is a primary before it is used.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::dedicated::Dedicated;
use super::stream::{Connector, Stage};
use crate::config::{Address, Config, Endpoint, Sentinels, Told};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, FromReply, Packed, Value};

/// How long the other sentinels are waited for once one has answered.
const REST: Duration = Duration::from_millis(30);

/// What one sentinel says.
pub(crate) struct Word {
    pub(crate) told: Told,
    /// How many elections it has seen.
    epoch: u64,
}

/// A connection to the server that the sentinels name and that says it is the primary.
///
/// # Errors
/// `Connect`, with what each sentinel and server said.
pub(super) async fn log_in(
    config: &Config,
    connector: &Connector,
    sentinels: &Sentinels,
) -> Result<Dedicated> {
    let mut reasons = Vec::new();
    let words = look(config, connector, sentinels, &mut reasons).await;
    let answers = words.len();
    let mut tried: Vec<&Address> = Vec::new();
    for (primary, epoch) in words.iter().map(|word| (&word.told.primary, word.epoch)) {
        if tried.contains(&primary) {
            continue;
        }
        let votes = words.iter().filter(|other| other.told.primary == *primary).count();
        if !tried.is_empty() && votes.saturating_mul(2) <= answers {
            // Older news, of a minority: its server may have been deposed without knowing it.
            continue;
        }
        tried.push(primary);
        let mut own = config.clone();
        let Address { host, port } = config.reach(primary);
        own.endpoint = Endpoint::Tcp { host, port };
        match Box::pin(connect(&own, connector)).await {
            Ok(connection) => {
                sentinels.confirm(primary, epoch);
                return Ok(connection);
            }
            Err(error) if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Tls) => {
                return Err(error);
            }
            Err(error) => reasons.push(format!("{primary}: {}", error.message())),
        }
    }
    let text = format!("no primary `{}` can be used: {}", sentinels.name, reasons.join("; "));
    Err(Error::new(ErrorKind::Connect, text))
}

/// Connects, and asks the server for its role.
async fn connect(config: &Config, connector: &Connector) -> Result<Dedicated> {
    let mut connection = Dedicated::staged(config, connector, &Stage::default()).await?;
    connection.send(b"*1\r\n$4\r\nROLE\r\n").await?;
    let reply = connection.reply(1).await?;
    let role = <Vec<Value>>::from_reply(&mut reply.reader())?;
    match role.first().and_then(Value::as_str) {
        Some("master") => Ok(connection),
        role => {
            let role = role.unwrap_or("something else");
            Err(Error::new(ErrorKind::Connect, format!("it is no primary but a {role}")))
        }
    }
}

/// What the sentinels say, the one first that has seen the latest election; what that one says of
/// the servers is noted.
pub(crate) async fn look(
    config: &Config,
    connector: &Connector,
    sentinels: &Sentinels,
    reasons: &mut Vec<String>,
) -> Vec<Word> {
    let mut words = ask_all(config, connector, sentinels, reasons).await;
    words.sort_by_key(|word| std::cmp::Reverse(word.epoch));
    if let Some(word) = words.first() {
        sentinels.note(word.told.clone());
    }
    words
}

/// Asks all sentinels at once; those that have not answered soon after the first are not waited
/// for.
async fn ask_all(
    config: &Config,
    connector: &Connector,
    sentinels: &Sentinels,
    reasons: &mut Vec<String>,
) -> Vec<Word> {
    let known = sentinels.known();
    let blocking = matches!(connector, Connector::Blocking);
    let mut asked: Vec<_> = known
        .iter()
        .map(|address| {
            let config = config.of_sentinel(sentinels, address);
            Some(Box::pin(async move {
                match blocking {
                    true => ask(&config, connector, sentinels).await,
                    false => tokio::time::timeout(
                        config.connect_timeout,
                        ask(&config, connector, sentinels),
                    )
                    .await
                    .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer in time"))),
                }
            }))
        })
        .collect();
    let mut words = Vec::new();
    let mut rest: Option<Pin<Box<tokio::time::Sleep>>> = None;
    std::future::poll_fn(|cx| {
        for (address, slot) in known.iter().zip(&mut asked) {
            let Some(one) = slot else { continue };
            let Poll::Ready(outcome) = one.as_mut().poll(cx) else { continue };
            *slot = None;
            match outcome {
                Ok((word, others)) => {
                    sentinels.learn(address, others);
                    words.push(word);
                }
                Err(error) => reasons.push(format!("sentinel {address}: {}", error.message())),
            }
        }
        if asked.iter().all(Option::is_none) {
            return Poll::Ready(());
        }
        if !words.is_empty() && !blocking {
            let rest = rest.get_or_insert_with(|| Box::pin(tokio::time::sleep(REST)));
            return rest.as_mut().poll(cx);
        }
        Poll::Pending
    })
    .await;
    words
}

/// Asks one sentinel who the primary is, and which other sentinels there are.
async fn ask(
    config: &Config,
    connector: &Connector,
    sentinels: &Sentinels,
) -> Result<(Word, Vec<Address>)> {
    let stage = Stage::default();
    let mut connection = Box::pin(Dedicated::staged(config, connector, &stage)).await?;
    let mut wire = Vec::new();
    for subcommand in ["GET-MASTER-ADDR-BY-NAME", "MASTER", "SENTINELS", "REPLICAS"] {
        let mut packed = Packed::new();
        for word in ["SENTINEL", subcommand, &sentinels.name] {
            packed.push(word.as_bytes());
        }
        packed.write_to(&mut wire);
    }
    connection.send(&*wire).await?;
    let address = connection.reply(1).await?;
    let known = connection.reply(1).await?;
    let others = connection.reply(1).await?;
    let replicas = connection.reply(1).await?;
    let mut reader = address.reader();
    if let Frame::Null = reader.peek()? {
        let text = format!("it knows no primary named `{}`", sentinels.name);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    let (host, port) = <(String, u16)>::from_reply(&mut reader)?;
    let current = Address { host, port };
    let known = Facts::from_reply(&mut known.reader())?;
    let number = |name: &str| known.get(name).and_then(|text| text.parse::<u64>().ok());
    if number("num-other-sentinels").unwrap_or(0) < u64::from(sentinels.others) {
        return Err(Error::new(ErrorKind::Connect, "it knows of too few other sentinels"));
    }
    let before = address_of(&known);
    // While it carries out an election, its word is that of the next one.
    let ahead = u64::from(before.as_ref() != Some(&current));
    let epoch = number("config-epoch").unwrap_or(0).saturating_add(ahead);
    let down = known.get("flags").is_some_and(|flags| flags.contains("o_down"));
    if down && ahead == 0 {
        return Err(Error::new(ErrorKind::Connect, format!("it says that {current} is down")));
    }
    let others = <Vec<Facts>>::from_reply(&mut others.reader()).unwrap_or_default();
    let others = others.iter().filter_map(address_of).collect();
    // A sentinel older than Redis 5 does not know the word; nothing is read from replicas then.
    let all = <Vec<Facts>>::from_reply(&mut replicas.reader()).unwrap_or_default();
    let fine: Vec<Address> =
        all.iter().filter(|facts| is_in_order(facts)).filter_map(address_of).collect();
    let settled = fine.len() == all.len();
    Ok((Word { told: Told { primary: current, replicas: fine, settled }, epoch }, others))
}

/// Whether a replica follows its primary, as far as the sentinel knows.
fn is_in_order(replica: &Facts) -> bool {
    let flags = replica.get("flags").map_or("", String::as_str);
    let down = flags.split(',').any(|flag| matches!(flag, "s_down" | "o_down" | "disconnected"));
    !down && replica.get("master-link-status").is_none_or(|status| status == "ok")
}

type Facts = HashMap<String, String>;

fn address_of(facts: &Facts) -> Option<Address> {
    let port = facts.get("port")?.parse().ok().filter(|port| *port != 0)?;
    Some(Address { host: facts.get("ip")?.clone(), port })
}
