//! What `CLUSTER SHARDS` says of a cluster (Redis 7 and later): unlike `CLUSTER SLOTS`, also whether
//! a node is well.

use super::map::{ShardView, View};
use crate::command::SLOTS;
use crate::config::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, FromReply, Reader};

/// A node of a shard.
#[derive(Default)]
struct Member {
    /// `None` when nobody knows where it is.
    address: Option<Address>,
    is_primary: bool,
    is_well: bool,
}

/// Reads the reply. A node that does not know its own address is the one that was `asked`; with
/// `encrypted` the ports are those for TLS. `None` when it does not say who serves each slot: some
/// are served by nobody, or two primaries of one shard are well, as during a failover.
///
/// # Errors
/// `Protocol`, `Server`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    asked: &Address,
    encrypted: bool,
) -> Result<Option<View>> {
    let mut view = View::default();
    let mut served = 0_usize;
    for _ in 0..array(reader)? {
        let (mut slots, mut members) = (Vec::new(), Vec::new());
        for _ in 0..pairs(reader)? {
            match String::from_reply(reader)?.as_str() {
                "slots" => slots = ranges(reader)?,
                "nodes" => {
                    for _ in 0..array(reader)? {
                        members.push(member(reader, asked, encrypted)?);
                    }
                }
                _ => reader.skip()?,
            }
        }
        if slots.is_empty() {
            continue;
        }
        served = served.saturating_add(slots.iter().map(count).sum());
        let Some(primary) = primary(&members) else { return Ok(None) };
        let others = members.iter().filter(|member| !member.is_primary && member.is_well);
        let mut replicas: Vec<_> = others.filter_map(|member| member.address.clone()).collect();
        // Each node names them in an order of its own.
        replicas.sort();
        view.shards.push(ShardView { primary: primary.clone(), replicas, slots });
    }
    view.shards.sort_by(|a, b| a.slots.cmp(&b.slots));
    Ok((served == usize::from(SLOTS)).then_some(view))
}

/// The one who serves: the only primary that is well, or the only one.
fn primary(members: &[Member]) -> Option<&Address> {
    let all = || members.iter().filter(|member| member.is_primary);
    let mut well = all().filter(|member| member.is_well);
    let first = well.next().or_else(|| all().next().filter(|_| all().nth(1).is_none()))?;
    match well.next() {
        Some(_) => None,
        None => first.address.as_ref(),
    }
}

fn member(reader: &mut Reader<'_>, asked: &Address, encrypted: bool) -> Result<Member> {
    let mut member = Member::default();
    let (mut plain, mut tls, mut host) = (None, None, None);
    for _ in 0..pairs(reader)? {
        match String::from_reply(reader)?.as_str() {
            "port" => plain = Some(u16::from_reply(reader)?),
            "tls-port" => tls = Some(u16::from_reply(reader)?),
            "endpoint" => host = <Option<String>>::from_reply(reader)?,
            "role" => {
                let role = String::from_reply(reader)?;
                member.is_primary = matches!(role.as_str(), "master" | "primary");
            }
            "health" => member.is_well = String::from_reply(reader)? == "online",
            _ => reader.skip()?,
        }
    }
    let port = if encrypted { tls.or(plain) } else { plain.or(tls) };
    let host = match host.as_deref() {
        Some("?") => None,
        Some("") | None => Some(asked.host.clone()),
        Some(host) => Some(host.to_owned()),
    };
    member.address = match (host, port) {
        (Some(host), Some(port @ 1..)) => Some(Address { host, port }),
        _ => None,
    };
    Ok(member)
}

/// First and last slots, in pairs.
fn ranges(reader: &mut Reader<'_>) -> Result<Vec<(u16, u16)>> {
    let mut ranges = Vec::new();
    for _ in 0..array(reader)? / 2 {
        let (first, last) = (u16::from_reply(reader)?, u16::from_reply(reader)?);
        if first > last || last >= SLOTS {
            return Err(malformed("a range of slots that is none"));
        }
        ranges.push((first, last));
    }
    Ok(ranges)
}

fn count((first, last): &(u16, u16)) -> usize {
    usize::from(last.saturating_sub(*first)).saturating_add(1)
}

fn array(reader: &mut Reader<'_>) -> Result<usize> {
    match reader.next()? {
        Frame::Array(elements) => Ok(elements),
        Frame::Error(line) => Err(Error::server(line)),
        frame => Err(malformed(&frame.describe())),
    }
}

/// The pairs of a map, which RESP2 sends as a flat array.
fn pairs(reader: &mut Reader<'_>) -> Result<usize> {
    match reader.next()? {
        Frame::Map(pairs) => Ok(pairs),
        Frame::Array(elements) => Ok(elements / 2),
        frame => Err(malformed(&frame.describe())),
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("CLUSTER SHARDS cannot be read: it has {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, encrypted: bool) -> Result<Option<View>> {
        let asked = Address { host: "seed".into(), port: 1 };
        read(&mut Reader::new(text.replace('|', "\r\n").as_bytes()), &asked, encrypted)
    }

    /// A node in RESP3.
    fn node(port: u16, endpoint: &str, role: &str, health: &str) -> String {
        format!(
            "%6|$2|id|$1|x|$4|port|:{port}|$8|tls-port|:{}|$8|endpoint|{endpoint}$4|role|+{role}|$6|health|+{health}|",
            port + 1_000
        )
    }

    fn shard(slots: &str, nodes: &[String]) -> String {
        format!("%2|$5|slots|{slots}|$5|nodes|*{}|{}", nodes.len(), nodes.concat())
    }

    fn addresses(view: &View) -> Vec<(String, Vec<String>)> {
        let name = |address: &Address| format!("{}:{}", address.host, address.port);
        let names = |shard: &ShardView| {
            (name(&shard.primary), shard.replicas.iter().map(name).collect::<Vec<_>>())
        };
        view.shards.iter().map(names).collect()
    }

    #[test]
    fn who_is_well_serves() {
        let first = shard(
            "*4|:0|:9|:20|:16383",
            &[
                node(1, "$1|a|", "replica", "online"),
                node(2, "$1|b|", "replica", "failed"),
                node(3, "$1|c|", "master", "fail"),
                node(4, "_|", "master", "online"),
                node(5, "$1|?|", "replica", "online"),
                node(6, "$1|f|", "replica", "loading"),
            ],
        );
        // Its only primary is lost, and nobody elected yet.
        let second = shard("*2|:10|:19", &[node(7, "$1|g|", "master", "fail")]);
        let empty = shard("*0", &[node(8, "$1|h|", "master", "online")]);
        let text = format!("*3|{first}{empty}{second}");
        let view = read_text(&text, false).unwrap().unwrap();
        let expected = [("seed:4".to_owned(), vec!["a:1".to_owned()]), ("g:7".to_owned(), vec![])];
        assert_eq!(addresses(&view), expected);
        assert_eq!(view.shards[0].slots, [(0, 9), (20, 16383)]);
        let view = read_text(&text, true).unwrap().unwrap();
        assert_eq!(addresses(&view)[0].0, "seed:1004");
    }

    #[test]
    fn a_flat_array_is_a_map() {
        let node = "*8|$4|port|:7|$8|endpoint|$1|a|$4|role|$6|master|$6|health|$6|online|";
        let text = format!("*1|*4|$5|slots|*2|:0|:16383|$5|nodes|*1|{node}");
        let view = read_text(&text, false).unwrap().unwrap();
        assert_eq!(addresses(&view), [("a:7".to_owned(), vec![])]);
    }

    #[test]
    fn what_is_not_clear_says_nothing() {
        let one = node(1, "$1|a|", "master", "online");
        let other = node(2, "$1|b|", "master", "online");
        let dead = node(3, "$1|c|", "master", "fail");
        let all = "*2|:0|:16383";
        for text in [
            format!("*1|{}", shard(all, &[one.clone(), other])),
            format!("*1|{}", shard(all, &[dead.clone(), dead])),
            format!("*1|{}", shard("*2|:0|:16382", &[one])),
            format!("*1|{}", shard(all, &[])),
            "*0|".to_owned(),
        ] {
            assert_eq!(read_text(&text, false).unwrap(), None, "{text}");
        }
        for text in ["-ERR unknown subcommand|", "+OK|", "*1|*2|$5|slots|*2|:9|:5|"] {
            assert!(read_text(text, false).is_err(), "{text}");
        }
    }
}
