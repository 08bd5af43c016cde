//! Which node serves which slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use super::choice::choose;
use super::node::Node;
use super::tour::Tour;
use crate::command::SLOTS;
use crate::config::{Address, ReadFrom};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, FromReply, Reader};

/// What a node says of the cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) shards: Vec<ShardView>,
}

/// A primary, its replicas, and what they serve.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShardView {
    pub(super) primary: Address,
    pub(super) replicas: Vec<Address>,
    pub(super) slots: Vec<(u16, u16)>,
}

impl View {
    /// Reads the reply to `CLUSTER SLOTS`. A node that does not know its own address is the one
    /// that was `asked`.
    ///
    /// # Errors
    /// `Protocol`, `Server`.
    pub(super) fn read(reader: &mut Reader<'_>, asked: &Address) -> Result<View> {
        let mut view = View::default();
        for _ in 0..array(reader)? {
            let elements = array(reader)?;
            let (first, last) = (u16::from_reply(reader)?, u16::from_reply(reader)?);
            if first > last || last >= SLOTS {
                return Err(malformed("a range of slots that is none"));
            }
            let mut nodes = Vec::new();
            for _ in 2..elements {
                nodes.extend(node(reader, asked)?);
            }
            let mut nodes = nodes.into_iter();
            let Some(primary) = nodes.next() else { continue };
            let shard = match view.shards.iter_mut().find(|shard| shard.primary == primary) {
                Some(shard) => shard,
                None => {
                    view.shards.push(ShardView {
                        primary,
                        replicas: Vec::new(),
                        slots: Vec::new(),
                    });
                    // It was pushed on the line before.
                    view.shards.last_mut().ok_or_else(|| malformed("no shard"))?
                }
            };
            shard.slots.push((first, last));
            for replica in nodes {
                if !shard.replicas.contains(&replica) {
                    shard.replicas.push(replica);
                }
            }
        }
        view.shards.sort_by(|a, b| a.slots.cmp(&b.slots));
        // Each node names them in an order of its own.
        view.shards.iter_mut().for_each(|shard| shard.replicas.sort());
        Ok(view)
    }
}

fn array(reader: &mut Reader<'_>) -> Result<usize> {
    match reader.next()? {
        Frame::Array(elements) => Ok(elements),
        Frame::Error(line) => Err(Error::server(line)),
        frame => Err(malformed(&frame.describe())),
    }
}

/// One node; `None` when nobody knows where it is.
fn node(reader: &mut Reader<'_>, asked: &Address) -> Result<Option<Address>> {
    let elements = array(reader)?;
    let host = match reader.next()? {
        Frame::Bulk(host) => Some(String::from_utf8_lossy(host).into_owned()),
        Frame::Simple(host) => Some(host.to_owned()),
        Frame::Null => None,
        frame => return Err(malformed(&frame.describe())),
    };
    let port = u16::from_reply(reader)?;
    // The node's id, and more in later versions.
    reader.skip_many(elements.saturating_sub(2))?;
    Ok(match host.as_deref() {
        Some("?") => None,
        Some("") | None => Some(Address { host: asked.host.clone(), port }),
        Some(host) => Some(Address { host: host.to_owned(), port }),
    })
    .map(|node| node.filter(|node| node.port != 0))
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("CLUSTER SLOTS cannot be read: it has {what}"))
}

/// A shard that nobody serves.
const NOBODY: u16 = u16::MAX;

/// The cluster as it was last seen. Slots move within it without a lock; a new view is a new map.
pub(crate) struct Map {
    slots: Box<[AtomicU16]>,
    /// What it was made from, and whether slots have moved since.
    view: View,
    touched: AtomicBool,
    pub(super) shards: Vec<Shard>,
    /// In which order a scan looks at the primaries.
    pub(super) tour: Tour,
    turn: AtomicUsize,
}

/// A primary and its replicas.
pub(super) struct Shard {
    pub(super) primary: Arc<Node>,
    pub(super) replicas: Vec<Arc<Node>>,
}

impl Map {
    /// A map of a view, whose nodes `find` finds or makes; it takes the place of the one `before`.
    pub(super) fn new(
        view: View,
        before: Option<&Map>,
        mut find: impl FnMut(&Address, bool) -> Arc<Node>,
    ) -> Map {
        let slots: Box<[AtomicU16]> = (0..SLOTS).map(|_| AtomicU16::new(NOBODY)).collect();
        let mut shards = Vec::with_capacity(view.shards.len());
        // More shards than slots there are not.
        for (at, shard) in (0..NOBODY).zip(&view.shards) {
            for &(first, last) in &shard.slots {
                for slot in slots.get(usize::from(first)..=usize::from(last)).unwrap_or_default() {
                    slot.store(at, Ordering::Relaxed);
                }
            }
            let replicas = shard.replicas.iter().map(|address| find(address, true)).collect();
            shards.push(Shard { primary: find(&shard.primary, false), replicas });
        }
        let primaries = shards.iter().map(|shard: &Shard| Arc::clone(&shard.primary));
        let tour = Tour::new(view.shards.iter().zip(primaries), before.map(|before| &before.tour));
        let (touched, turn) = (AtomicBool::new(false), AtomicUsize::new(0));
        Map { slots, view, touched, shards, tour, turn }
    }

    /// Whether a map of this view would be the same one.
    pub(super) fn is_of(&self, view: &View) -> bool {
        !self.touched.load(Ordering::Relaxed) && self.view == *view
    }

    fn shard(&self, slot: u16) -> Option<&Shard> {
        let at = self.slots.get(usize::from(slot))?.load(Ordering::Relaxed);
        self.shards.get(usize::from(at))
    }

    /// The primary of a slot.
    #[inline]
    pub(super) fn primary(&self, slot: u16) -> Option<&Arc<Node>> {
        Some(&self.shard(slot)?.primary)
    }

    /// Who answers a command that reads from this slot.
    pub(super) fn reader(&self, slot: u16, from: &ReadFrom) -> Option<&Arc<Node>> {
        let shard = self.shard(slot)?;
        Some(choose(&shard.primary, &shard.replicas, from, &self.turn))
    }

    /// All primaries.
    pub(super) fn primaries(&self) -> impl ExactSizeIterator<Item = &Arc<Node>> {
        self.shards.iter().map(|shard| &shard.primary)
    }

    /// All nodes, primaries first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.primaries().chain(self.shards.iter().flat_map(|shard| &shard.replicas))
    }

    /// A primary for what any node can answer: each in turn, those that are connected first.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the turn wraps around, and the number of shards is at most that of slots"
    )]
    pub(super) fn any(&self) -> Option<&Arc<Node>> {
        let count = self.shards.len();
        let start = self.turn.fetch_add(1, Ordering::Relaxed);
        let at = |step: usize| self.shards.get((start + step) % count.max(1));
        let mut all = (0..count).filter_map(at).map(|shard| &shard.primary);
        all.find(|node| node.is_up()).or_else(|| at(0).map(|shard| &shard.primary))
    }

    /// Whether the primary at `address` serves the slot from now on; not when it is unknown.
    pub(super) fn move_slot(&self, slot: u16, address: &Address) -> bool {
        let at = self.shards.iter().position(|shard| shard.primary.address == *address);
        match (at.and_then(|at| u16::try_from(at).ok()), self.slots.get(usize::from(slot))) {
            (Some(at), Some(entry)) => {
                self.touched.store(true, Ordering::Relaxed);
                entry.store(at, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// Whether somebody serves every slot.
    pub(super) fn is_complete(&self) -> bool {
        self.slots.iter().all(|slot| slot.load(Ordering::Relaxed) != NOBODY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Address {
        Address { host: "seed".into(), port: 1 }
    }

    fn read(text: &str) -> Result<View> {
        View::read(&mut Reader::new(text.replace('|', "\r\n").as_bytes()), &asked())
    }

    #[test]
    fn views_are_read_whatever_the_nodes_know_of_themselves() {
        let view = read(
            "*3|*4|:5|:9|*3|$1|b|:7|$2|id|*4|$0||:8|$2|id|*0|*3|:0|:4|*3|_|:6|$2|id|\
             *4|:10|:16383|*3|$1|b|:7|$2|id|*3|$1|?|:9|$2|id|",
        )
        .unwrap();
        let address = |host: &str, port| Address { host: host.into(), port };
        let first =
            ShardView { primary: address("seed", 6), replicas: vec![], slots: vec![(0, 4)] };
        let second = ShardView {
            primary: address("b", 7),
            replicas: vec![address("seed", 8)],
            slots: vec![(5, 9), (10, 16383)],
        };
        assert_eq!(view.shards, [first, second]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["*1|*3|:9|:5|*2|$1|b|:7|", "*1|*3|:0|:16384|*2|$1|b|:7|", "+OK|", "-ERR no|"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
