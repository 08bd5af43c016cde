//! A part of the cache under one lock. No I/O, and nothing of the user's is run or dropped here:
//! what is removed is given back.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;

use super::fill::Fill;

/// What an entry holds.
#[derive(Clone)]
pub(super) enum Value {
    /// A reply as it came.
    Raw(Bytes),
    /// A reply decoded, for all who ask for this type.
    Shared(Arc<dyn Any + Send + Sync>),
}

/// Entries and reads under way, found by command and by key.
#[derive(Default)]
pub(super) struct Shard {
    /// For each type that replies are decoded to (`None`: not at all), the commands.
    names: Vec<Names>,
    /// The nodes that each key concerns.
    index: HashMap<Arc<[u8]>, Vec<usize>>,
    /// Invariant: a place is taken, or in `free`.
    nodes: Vec<Option<Node>>,
    free: Vec<usize>,
    /// Where the search for what may go stopped.
    hand: usize,
}

/// Where the commands are whose replies are decoded to one type.
struct Names {
    kind: Option<TypeId>,
    places: HashMap<Arc<[u8]>, usize>,
}

/// One command's reply, there or to come.
pub(super) struct Node {
    kind: Option<TypeId>,
    name: Arc<[u8]>,
    keys: Box<[Arc<[u8]>]>,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// It is asked for. Whoever comes waits for the same answer.
    Filling(Arc<Fill>),
    Ready(Entry),
}

pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) weight: usize,
    pub(super) deadline: Option<Instant>,
    /// The connection that is told of its changes.
    pub(super) source: u64,
    /// Whether somebody asked for it since the hand went by.
    pub(super) used: AtomicBool,
}

impl Node {
    /// What it counts.
    pub(super) fn weight(&self) -> Option<usize> {
        match &self.content {
            Content::Ready(entry) => Some(entry.weight),
            Content::Filling(_) => None,
        }
    }
}

impl Entry {
    pub(super) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

impl Shard {
    fn place(&self, kind: Option<TypeId>, name: &[u8]) -> Option<usize> {
        let names = self.names.iter().find(|names| names.kind == kind)?;
        names.places.get(name).copied()
    }

    /// What there is of a command.
    pub(super) fn find(&self, kind: Option<TypeId>, name: &[u8]) -> Option<&Content> {
        let node = self.nodes.get(self.place(kind, name)?)?.as_ref()?;
        Some(&node.content)
    }

    /// Takes a command's node out.
    pub(super) fn take(&mut self, kind: Option<TypeId>, name: &[u8]) -> Option<Node> {
        self.remove(self.place(kind, name)?)
    }

    /// Adds a read under way, of a command that has no node.
    pub(super) fn insert<'k>(
        &mut self,
        kind: Option<TypeId>,
        name: &[u8],
        keys: impl Iterator<Item = &'k [u8]>,
        fill: impl FnOnce(usize) -> Arc<Fill>,
    ) -> Arc<Fill> {
        let at = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            self.nodes.len() - 1
        });
        let name: Arc<[u8]> = Arc::from(name);
        let mut own: Vec<Arc<[u8]>> = Vec::with_capacity(1);
        for key in keys {
            if own.iter().any(|known| **known == *key) {
                continue;
            }
            let key = match self.index.get_key_value(key) {
                Some((known, _)) => Arc::clone(known),
                None => Arc::from(key),
            };
            self.index.entry(Arc::clone(&key)).or_default().push(at);
            own.push(key);
        }
        match self.names.iter_mut().find(|names| names.kind == kind) {
            Some(names) => drop(names.places.insert(Arc::clone(&name), at)),
            None => {
                let places = HashMap::from([(Arc::clone(&name), at)]);
                self.names.push(Names { kind, places });
            }
        }
        let fill = fill(at);
        let content = Content::Filling(Arc::clone(&fill));
        if let Some(place) = self.nodes.get_mut(at) {
            *place = Some(Node { kind, name, keys: own.into(), content });
        }
        fill
    }

    /// The node of this very read, if nothing has removed it.
    pub(super) fn filling(&mut self, at: usize, fill: &Arc<Fill>) -> Option<&mut Node> {
        let node = self.nodes.get_mut(at)?.as_mut()?;
        match &node.content {
            Content::Filling(own) if Arc::ptr_eq(own, fill) => Some(node),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<Node> {
        let node = self.nodes.get_mut(at)?.take()?;
        self.free.push(at);
        if let Some(names) = self.names.iter_mut().find(|names| names.kind == node.kind) {
            names.places.remove(&node.name);
        }
        for key in &node.keys {
            if let Some(places) = self.index.get_mut(key) {
                places.retain(|place| *place != at);
                if places.is_empty() {
                    self.index.remove(key);
                }
            }
        }
        Some(node)
    }

    /// Removes all that this key concerns.
    pub(super) fn invalidate(&mut self, key: &[u8], removed: &mut Vec<Node>) {
        let Some(places) = self.index.remove(key) else { return };
        removed.extend(places.into_iter().filter_map(|at| self.remove(at)));
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let names = self.names.iter().all(|names| names.places.is_empty());
        names && self.index.is_empty() && self.nodes.iter().all(Option::is_none)
    }

    /// All there was.
    pub(super) fn drain(self, removed: &mut Vec<Node>) {
        removed.extend(self.nodes.into_iter().flatten());
    }

    /// Removes what a connection that is no more was told of, and every read under way.
    pub(super) fn lose(&mut self, source: u64, removed: &mut Vec<Node>) {
        for at in 0..self.nodes.len() {
            let lost = match self.nodes.get(at).and_then(Option::as_ref).map(|node| &node.content) {
                Some(Content::Ready(entry)) => entry.source == source,
                Some(Content::Filling(_)) => true,
                None => false,
            };
            if lost {
                removed.extend(self.remove(at));
            }
        }
    }

    /// Removes an entry that nobody has asked for since the hand last went by; `None` when all were
    /// asked for, which is then forgotten.
    pub(super) fn evict(&mut self) -> Option<Node> {
        for _ in 0..self.nodes.len() {
            let at = if self.hand < self.nodes.len() { self.hand } else { 0 };
            self.hand = at + 1;
            let node = self.nodes.get(at).and_then(Option::as_ref);
            if let Some(Node { content: Content::Ready(entry), .. }) = node
                && (!entry.used.swap(false, Ordering::Relaxed) || entry.is_over())
            {
                return self.remove(at);
            }
        }
        None
    }
}
