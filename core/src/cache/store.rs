//! What is kept, and how it is bounded. No I/O.
//!
//! Commands with one key lie in the part that the key belongs to; those with several in a part of
//! their own. So a message about a key concerns two parts at most. No two parts are locked at once.

use std::any::TypeId;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use super::config::CacheConfig;
use super::fill::Fill;
use super::keys::Keys;
use super::shard::{Content, Entry, Node, Shard, Value};

/// Parts for commands with one key.
const PARTS: usize = 16;

/// About what it takes to find an entry.
const OVERHEAD: usize = 256;

/// About what it takes to find it by one more key, which is kept a second time for that.
const BY_KEY: usize = 128;

/// All that a cache keeps.
pub(crate) struct Store {
    pub(super) config: CacheConfig,
    /// Those for commands with one key.
    parts: [Part; PARTS],
    /// That for commands with several.
    several: Part,
    bytes: AtomicUsize,
    entries: AtomicUsize,
    sources: AtomicU64,
    invalidations: AtomicU64,
    evictions: AtomicU64,
    /// Which part the next entry to go is looked for in.
    hand: AtomicUsize,
}

#[derive(Default)]
struct Part {
    shard: RwLock<Shard>,
    hits: AtomicU64,
    misses: AtomicU64,
    joined: AtomicU64,
}

/// What a cache has done and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheMetrics {
    /// Reads that were answered at once.
    pub hits: u64,
    /// Reads that asked the server.
    pub misses: u64,
    /// Reads that waited for the answer to another's question.
    pub joined: u64,
    /// Entries and reads under way that were dropped because the server, or
    /// [`Cache::forget`](super::Cache::forget), told of a change, because everything was flushed, or
    /// because a connection was lost.
    pub invalidations: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    /// Bytes that the entries take.
    pub bytes: usize,
    /// Entries there are.
    pub entries: usize,
}

/// A command's place in the store.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    part: usize,
    /// What its reply is decoded to.
    pub(super) kind: Option<TypeId>,
    /// Its arguments in wire form.
    pub(super) bytes: &'a [u8],
    /// What they take, and what it takes to find them by each key.
    pub(super) size: usize,
}

impl<'a> Name<'a> {
    pub(super) fn new(keys: &Keys<'_>, kind: Option<TypeId>, bytes: &'a [u8]) -> Name<'a> {
        let further: usize = keys.rest.iter().map(|key| key.len() + BY_KEY).sum();
        let size = bytes.len() + further;
        Name { part: keys.only().map_or(PARTS, part_of), kind, bytes, size }
    }
}

/// What there is of a command.
pub(super) enum Found {
    Hit(Value),
    /// It is asked for already.
    Join(Arc<Fill>),
    /// The caller has to ask.
    Begun(Arc<Fill>),
}

impl Store {
    pub(super) fn new(config: CacheConfig) -> Store {
        Store {
            config,
            parts: Default::default(),
            several: Part::default(),
            bytes: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            sources: AtomicU64::new(0),
            invalidations: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            hand: AtomicUsize::new(0),
        }
    }

    pub(super) fn new_source(&self) -> u64 {
        self.sources.fetch_add(1, Ordering::Relaxed)
    }

    /// Looks for a command's reply. Where there is none, and nobody asks for it, notes that the
    /// caller does, before it sends anything: from then on no change goes unseen.
    pub(super) fn find(
        &self,
        name: Name<'_>,
        keys: &Keys<'_>,
        is_valid: impl Fn(u64) -> bool,
        begin: impl FnOnce(usize, usize) -> Fill,
    ) -> Found {
        let part = self.part(name.part);
        if let Some(found) = part.find(&part.read(), name, &is_valid) {
            return found;
        }
        let mut removed = None;
        let found = {
            let mut shard = part.write();
            match part.find(&shard, name, &is_valid) {
                Some(found) => found,
                None => {
                    removed = shard.take(name.kind, name.bytes);
                    part.misses.fetch_add(1, Ordering::Relaxed);
                    let fill = |at| Arc::new(begin(name.part, at));
                    Found::Begun(shard.insert(name.kind, name.bytes, keys.iter(), fill))
                }
            }
        };
        self.discard(removed);
        found
    }

    /// Keeps what a read gave, unless something has changed since it began, or it has no room.
    pub(super) fn settle(&self, fill: &Arc<Fill>, kept: Option<Kept>) {
        let part = self.part(fill.part);
        let fits = kept.as_ref().is_some_and(|kept| self.reserve(kept.weight));
        let mut rest = None;
        let mut removed = None;
        {
            let mut shard = part.write();
            match (shard.filling(fill.node, fill), kept) {
                (Some(node), Some(kept)) if fits => {
                    let Kept { value, weight, source, deadline } = kept;
                    let used = Default::default();
                    let entry = Entry { value, weight, deadline, source, used };
                    node.content = Content::Ready(entry);
                }
                (Some(_), kept) => {
                    removed = shard.remove(fill.node);
                    rest = kept;
                }
                (None, kept) => rest = kept,
            }
        }
        if let Some(kept) = rest.filter(|_| fits) {
            self.release(kept.weight);
        }
        drop(removed);
    }

    /// Nobody waits for a read any more: the next one who asks begins another. Gives whether that
    /// is so.
    pub(super) fn abandon(&self, fill: &Arc<Fill>) -> bool {
        let part = self.part(fill.part);
        let removed;
        {
            let mut shard = part.write();
            if fill.has_waiters() {
                return false;
            }
            let own = shard.filling(fill.node, fill).is_some();
            removed = own.then(|| shard.remove(fill.node));
        }
        drop(removed);
        true
    }

    /// A key has changed.
    pub(super) fn invalidate(&self, key: &[u8]) {
        let mut removed = Vec::new();
        for part in [self.part(part_of(key)), &self.several] {
            part.write().invalidate(key, &mut removed);
        }
        self.note(removed);
    }

    /// Anything may have changed.
    pub(super) fn clear(&self) {
        for part in self.all() {
            let mut removed = Vec::new();
            let old = std::mem::take(&mut *part.write());
            old.drain(&mut removed);
            self.note(removed);
        }
    }

    /// What this connection would have been told is unknown from now on. Reads under way may be its
    /// own.
    pub(super) fn lost(&self, source: u64) {
        for part in self.all() {
            let mut removed = Vec::new();
            part.write().lose(source, &mut removed);
            self.note(removed);
        }
    }

    pub(super) fn metrics(&self) -> CacheMetrics {
        let mut metrics = CacheMetrics {
            invalidations: self.invalidations.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            entries: self.entries.load(Ordering::Relaxed),
            ..CacheMetrics::default()
        };
        for part in self.all() {
            metrics.hits += part.hits.load(Ordering::Relaxed);
            metrics.misses += part.misses.load(Ordering::Relaxed);
            metrics.joined += part.joined.load(Ordering::Relaxed);
        }
        metrics
    }

    fn part(&self, at: usize) -> &Part {
        self.parts.get(at).unwrap_or(&self.several)
    }

    fn all(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain([&self.several])
    }

    fn note(&self, removed: Vec<Node>) {
        self.invalidations.fetch_add(removed.len() as u64, Ordering::Relaxed);
        self.discard(removed);
    }

    /// Drops what was removed, outside of all locks.
    fn discard(&self, removed: impl IntoIterator<Item = Node>) {
        for node in removed {
            if let Some(weight) = node.weight() {
                self.release(weight);
            }
        }
    }

    fn release(&self, weight: usize) {
        self.bytes.fetch_sub(weight, Ordering::Relaxed);
        self.entries.fetch_sub(1, Ordering::Relaxed);
    }

    /// Makes room for an entry; `false` when there cannot be any.
    fn reserve(&self, weight: usize) -> bool {
        if weight > self.config.max_bytes {
            return false;
        }
        // Counted before it is there: what is there never exceeds the limits.
        self.bytes.fetch_add(weight, Ordering::Relaxed);
        self.entries.fetch_add(1, Ordering::Relaxed);
        while self.bytes.load(Ordering::Relaxed) > self.config.max_bytes
            || self.entries.load(Ordering::Relaxed) > self.config.max_entries
        {
            if !self.evict() {
                // What others have reserved is in the way.
                self.release(weight);
                return false;
            }
        }
        true
    }

    /// Drops one entry.
    fn evict(&self) -> bool {
        // In the second round what was used in the first goes too.
        for _ in 0..2 * (PARTS + 1) {
            let at = self.hand.fetch_add(1, Ordering::Relaxed) % (PARTS + 1);
            let removed = self.part(at).write().evict();
            if removed.is_some() {
                self.evictions.fetch_add(1, Ordering::Relaxed);
                self.discard(removed);
                return true;
            }
        }
        false
    }
}

/// What a read gave, to be kept.
pub(super) struct Kept {
    pub(super) value: Value,
    pub(super) weight: usize,
    pub(super) source: u64,
    pub(super) deadline: Option<Instant>,
}

impl Kept {
    /// `size` is that of the value, `begun` when it was asked for, `expiry` when its keys end from
    /// then on.
    pub(super) fn new(
        store: &Store,
        fill: &Fill,
        (value, size): (Value, usize),
        source: u64,
        expiry: Option<Duration>,
    ) -> Kept {
        let time = expiry.map_or(store.config.ttl, |expiry| expiry.min(store.config.ttl));
        let weight = size + fill.name_size + OVERHEAD;
        Kept { value, weight, source, deadline: fill.begun.checked_add(time) }
    }
}

impl Part {
    fn read(&self) -> RwLockReadGuard<'_, Shard> {
        // Nothing is half done under this lock.
        self.shard.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shard> {
        self.shard.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(
        &self,
        shard: &Shard,
        name: Name<'_>,
        is_valid: &impl Fn(u64) -> bool,
    ) -> Option<Found> {
        match shard.find(name.kind, name.bytes)? {
            Content::Ready(entry) if entry.is_over() || !is_valid(entry.source) => None,
            Content::Ready(entry) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                if !entry.used.load(Ordering::Relaxed) {
                    entry.used.store(true, Ordering::Relaxed);
                }
                Some(Found::Hit(entry.value.clone()))
            }
            Content::Filling(fill) => {
                self.joined.fetch_add(1, Ordering::Relaxed);
                fill.join();
                Some(Found::Join(Arc::clone(fill)))
            }
        }
    }
}

/// The part of a key.
fn part_of(key: &[u8]) -> usize {
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as usize % PARTS
}

#[cfg(test)]
mod tests {
    use super::super::fill::Waiter;
    use super::*;
    use bytes::Bytes;

    /// Numbers that seem to be in no order.
    fn next(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 16) as usize
    }

    #[test]
    fn whatever_happens_at_once_the_limits_hold_and_nothing_is_left_over() {
        let (max_bytes, max_entries) = (20_000, 40);
        let config = CacheConfig::new().max_bytes(max_bytes).max_entries(max_entries);
        let store = Arc::new(Store::new(config));
        let work = |seed: u64| {
            let mut state = seed;
            for _ in 0..20_000 {
                let texts: Vec<String> =
                    (0..3).map(|_| format!("key:{}", next(&mut state) % 60)).collect();
                let mut texts = texts.iter().map(String::as_bytes);
                let first = texts.next().unwrap_or_default();
                let rest = texts.take(next(&mut state) % 3).collect();
                let keys = Keys { first, rest };
                let command: Vec<u8> = keys.iter().flatten().copied().collect();
                match next(&mut state) % 40 {
                    0 => store.lost(1),
                    1 if next(&mut state).is_multiple_of(50) => store.clear(),
                    2..8 => store.invalidate(first),
                    _ => {
                        let name = Name::new(&keys, None, &command);
                        let begin = |part, node| Fill::new(part, node, name.size, |_| panic!());
                        match store.find(name, &keys, |_| true, begin) {
                            Found::Hit(_) => {}
                            Found::Join(fill) => drop(Waiter::new(&store, fill)),
                            Found::Begun(fill) => {
                                let _waiter = Waiter::new(&store, Arc::clone(&fill));
                                let size = next(&mut state) % 1_000;
                                let value = (Value::Raw(Bytes::new()), size);
                                let kept = Kept::new(&store, &fill, value, seed % 2, None);
                                let kept =
                                    Some(kept).filter(|_| !next(&mut state).is_multiple_of(10));
                                store.settle(&fill, kept);
                            }
                        }
                    }
                }
                let metrics = store.metrics();
                // What others have reserved and will not use counts as well, one for each.
                assert!(metrics.entries <= max_entries + 4, "{metrics:?}");
                assert!(metrics.bytes <= max_bytes + 4 * 1_700, "{metrics:?}");
            }
        };
        std::thread::scope(|scope| {
            for seed in 1..=4 {
                let work = &work;
                scope.spawn(move || work(seed * 7_919));
            }
        });
        let metrics = store.metrics();
        assert!(metrics.entries <= max_entries && metrics.bytes <= max_bytes, "{metrics:?}");
        assert!(metrics.hits > 0 && metrics.evictions > 0 && metrics.entries > 0, "{metrics:?}");
        store.clear();
        let metrics = store.metrics();
        assert_eq!((metrics.entries, metrics.bytes), (0, 0));
        assert!(store.all().all(|part| part.read().is_empty()));
    }
}
