//! More shared connections to the same server: used in turn, the last one for what is large, so that
//! small requests need not wait behind it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use super::link::{Handle, Link};
use super::outbox::Wire;
use crate::config::Config;

/// From so many bytes on a request or a reply is large.
const LARGE: usize = 64 << 10;
/// From so many commands on a pipeline is.
const MANY: u32 = 64;
/// How many keys with large replies are remembered at most.
const KEYS: usize = 256;

/// The connections beside the first one.
pub(crate) struct Lanes {
    others: Box<[Handle]>,
    turn: AtomicUsize,
}

/// The keys whose replies were large when they were last asked for: a table of hashes, in which a
/// later key takes the place of an earlier one.
pub(crate) struct Seen([AtomicU32; KEYS]);

impl Seen {
    fn new() -> Seen {
        Seen([const { AtomicU32::new(0) }; KEYS])
    }

    /// The place of a request's key, and what stands there for it; `None` without a key.
    fn place(&self, wire: &Wire<'_>) -> Option<(&AtomicU32, u32)> {
        let Wire::One(packed) = wire else { return None };
        let mut hasher = DefaultHasher::new();
        packed.first_key()?.hash(&mut hasher);
        let hash = hasher.finish();
        // 0 stands for nobody.
        let mark = u32::try_from(hash >> 32).unwrap_or_default() | 1;
        Some((self.0.get(usize::try_from(hash).unwrap_or_default() % KEYS)?, mark))
    }

    fn expects_much(&self, wire: &Wire<'_>) -> bool {
        self.place(wire).is_some_and(|(place, mark)| place.load(Ordering::Relaxed) == mark)
    }

    fn note(&self, wire: &Wire<'_>, reply: usize) {
        let Some((place, mark)) = self.place(wire) else { return };
        if reply >= LARGE {
            place.store(mark, Ordering::Relaxed);
        } else if place.load(Ordering::Relaxed) == mark {
            place.store(0, Ordering::Relaxed);
        }
    }
}

impl Lanes {
    pub(crate) fn new(others: Vec<Handle>) -> Lanes {
        Lanes { others: others.into(), turn: AtomicUsize::new(0) }
    }

    /// The connection at a place, of which the first is none of these.
    fn at<'l>(&'l self, first: &'l Arc<Link>, at: usize) -> &'l Arc<Link> {
        let other = at.checked_sub(1).and_then(|at| self.others.get(at));
        other.map_or(first, |handle| &handle.0)
    }

    /// Who takes a small request: whose turn it is, unless something large is under way there.
    #[expect(clippy::arithmetic_side_effects, reason = "there are 64 lanes at most")]
    fn in_turn<'l>(&'l self, first: &'l Arc<Link>) -> &'l Arc<Link> {
        let count = self.others.len() + 1;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % count;
        let mut all = (0..count).map(|step| self.at(first, (turn + step) % count));
        all.find(|link| !link.is_loaded()).unwrap_or_else(|| self.at(first, turn))
    }
}

impl Link {
    /// The connection that takes this request.
    #[inline]
    pub(crate) fn lane(self: &Arc<Link>, wire: &Wire<'_>) -> &Arc<Link> {
        match self.lanes.get() {
            None => self,
            Some(lanes) => self.choose(lanes, wire),
        }
    }

    fn choose<'l>(self: &'l Arc<Link>, lanes: &'l Lanes, wire: &Wire<'_>) -> &'l Arc<Link> {
        let known = || self.seen.get().is_some_and(|seen| seen.expects_much(wire));
        if wire.len() < LARGE && wire.frames() < MANY && !known() {
            return lanes.in_turn(self);
        }
        let last = lanes.at(self, lanes.others.len());
        last.loaded.store(true, Ordering::Relaxed);
        last
    }

    /// Whether something large is under way, as far as is known.
    fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    /// So many bytes are still missing of a reply that has begun.
    #[inline]
    pub(super) fn awaits(&self, bytes: usize) {
        if bytes >= LARGE {
            self.loaded.store(true, Ordering::Relaxed);
        }
    }

    /// A request was answered with so many bytes.
    #[inline]
    pub(crate) fn answered(&self, wire: &Wire<'_>, bytes: usize) {
        if let Some(seen) = self.seen.get() {
            seen.note(wire, bytes);
        }
    }

    /// Whether there are others beside it.
    #[inline]
    pub(crate) fn has_lanes(&self) -> bool {
        self.lanes.get().is_some()
    }

    /// Requests go by these, too, from now on.
    pub(crate) fn share_with(&self, lanes: Lanes) {
        let seen = Arc::new(Seen::new());
        for link in lanes.others.iter().map(|handle| &*handle.0).chain([self]) {
            // It is said once, before the link is used.
            let _ = link.seen.set(Arc::clone(&seen));
        }
        let _ = self.lanes.set(lanes);
    }

    /// The connections beside it.
    pub(super) fn others(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.lanes.get().into_iter().flat_map(|lanes| lanes.others.iter().map(|handle| &handle.0))
    }

    /// Waits for the end of all after [`Link::close`].
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        for other in self.others() {
            ready!(other.poll_ended(cx));
        }
        self.poll_ended(cx)
    }
}

impl Config {
    /// What the connections beside the first one need.
    pub(crate) fn of_lane(&self) -> Config {
        let mut config = self.clone();
        config.connections = 1;
        // The first one's pool is that of all.
        config.pool.min_idle = 0;
        config
    }
}
