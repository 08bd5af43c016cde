//! In which order a scan (`SCAN`) looks at the primaries. No I/O.
//!
//! A cursor has to go on at the node that gave it, whatever becomes of the others meanwhile. So each
//! primary has a number, which it gets when it becomes one. Who takes slots over gets a new number,
//! behind all others, if a scan may have looked at it already: it is looked at once more, and nothing
//! is missed because it went from a node not yet seen to one that was.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::map::ShardView;
use super::node::Node;

/// Numbers beyond this one do not fit into a cursor.
const MOST: usize = u16::MAX as usize;

/// Which slots a node serves: first and last of each range, in order, none next to another.
type Served = Vec<(u16, u16)>;

/// The primaries of a map by number.
pub(super) struct Tour {
    /// In order of their numbers.
    stops: Vec<Stop>,
    /// The number that nobody had yet.
    next: usize,
    /// A scan has come so far: those before may have been looked at.
    reached: Arc<AtomicUsize>,
}

/// A primary, and its number.
pub(super) struct Stop {
    pub(super) number: usize,
    pub(super) node: Arc<Node>,
    served: Served,
}

impl Tour {
    /// The primaries of a view, of which some were there `before`.
    pub(super) fn new<'v>(
        primaries: impl Iterator<Item = (&'v ShardView, Arc<Node>)>,
        before: Option<&Tour>,
    ) -> Tour {
        let mut tour = Tour {
            stops: Vec::new(),
            next: before.map_or(0, |before| before.next),
            reached: before.map_or_else(Arc::default, |before| Arc::clone(&before.reached)),
        };
        let reached = tour.reached.load(Ordering::Relaxed);
        let mut new = Vec::new();
        for (shard, node) in primaries {
            let served = served(shard);
            let known = before.and_then(|before| before.of(&node));
            match known.filter(|known| known.number >= reached || !known.gains(&served)) {
                Some(known) => tour.stops.push(Stop { number: known.number, node, served }),
                None => new.push((node, served)),
            }
        }
        tour.stops.sort_by_key(|stop| stop.number);
        if tour.next.saturating_add(new.len()) > MOST {
            // So many elections later no scan of the first numbers goes on.
            tour.renumber();
        }
        for (node, served) in new {
            tour.stops.push(Stop { number: tour.next, node, served });
            tour.next = tour.next.saturating_add(1);
        }
        tour
    }

    fn renumber(&mut self) {
        self.reached = Arc::default();
        for (number, stop) in self.stops.iter_mut().enumerate() {
            stop.number = number;
        }
        self.next = self.stops.len();
    }

    fn of(&self, node: &Arc<Node>) -> Option<&Stop> {
        self.stops.iter().find(|stop| stop.node.address == node.address)
    }

    /// Whom a scan looks at that has come to this number: that primary, or the next one where it is
    /// one no longer. Outside, `None` for a number that was never given; inside, `None` at the end.
    pub(super) fn at(&self, number: usize) -> Option<Option<&Stop>> {
        if number >= self.next {
            return None;
        }
        let stop = self.stops.iter().find(|stop| stop.number >= number);
        if let Some(stop) = stop {
            self.reached.fetch_max(stop.number.saturating_add(1), Ordering::Relaxed);
        }
        Some(stop)
    }

    /// The number of the primary that comes after the one of this number.
    pub(super) fn after(&self, number: usize) -> Option<usize> {
        self.stops.iter().map(|stop| stop.number).find(|next| *next > number)
    }
}

impl Stop {
    /// Whether it did not serve all of this before.
    fn gains(&self, served: &[(u16, u16)]) -> bool {
        let had = |(first, last): &(u16, u16)| {
            self.served.iter().any(|(from, to)| from <= first && last <= to)
        };
        !served.iter().all(had)
    }
}

fn served(shard: &ShardView) -> Served {
    let mut ranges = shard.slots.clone();
    ranges.sort_unstable();
    let mut served: Served = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match served.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => served.push((first, last)),
        }
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::node::Means;
    use crate::config::{Address, Config};

    type Shards<'s> = &'s [(&'s str, &'s [(u16, u16)])];

    fn tour(shards: Shards<'_>, before: Option<&Tour>) -> Tour {
        let shards: Vec<ShardView> = shards
            .iter()
            .map(|(host, slots)| ShardView {
                primary: Address { host: (*host).into(), port: 1 },
                replicas: vec![],
                slots: slots.to_vec(),
            })
            .collect();
        let node = |shard: &ShardView| {
            Arc::new(Node::new(shard.primary.clone(), Config::new(), &Means::Direct))
        };
        Tour::new(shards.iter().map(|shard| (shard, node(shard))), before)
    }

    fn order(tour: &Tour) -> Vec<(usize, &str)> {
        tour.stops.iter().map(|stop| (stop.number, stop.node.address.host.as_str())).collect()
    }

    const ALL: Shards<'_> = &[("a", &[(0, 99)]), ("b", &[(100, 199)]), ("c", &[(200, 299)])];

    #[test]
    fn numbers_stay_whatever_the_order_of_the_slots() {
        let first = tour(ALL, None);
        assert_eq!(order(&first), [(0, "a"), (1, "b"), (2, "c")]);
        // Nobody has begun to scan: whoever gains slots keeps its number.
        let moved: Shards<'_> =
            &[("c", &[(0, 0), (200, 299)]), ("a", &[(1, 99)]), ("b", &[(100, 199)])];
        assert_eq!(order(&tour(moved, Some(&first))), [(0, "a"), (1, "b"), (2, "c")]);
    }

    #[test]
    fn who_was_looked_at_and_gains_slots_is_looked_at_again() {
        let first = tour(ALL, None);
        assert_eq!(first.at(0).unwrap().unwrap().number, 0);
        assert_eq!(first.at(1).unwrap().unwrap().number, 1);
        let gained: Shards<'_> =
            &[("a", &[(200, 200), (0, 50), (51, 99)]), ("b", &[(100, 199)]), ("c", &[(201, 299)])];
        let second = tour(gained, Some(&first));
        assert_eq!(order(&second), [(1, "b"), (2, "c"), (3, "a")]);
        // It has its new number once, until a scan has come there.
        let back: Shards<'_> = &[("a", &[(0, 99), (200, 220)]), ("b", &[(100, 199)])];
        assert_eq!(order(&tour(back, Some(&second))), [(1, "b"), (3, "a")]);
        assert_eq!((second.after(1), second.after(3)), (Some(2), None));
    }

    #[test]
    fn an_heir_is_looked_at_from_the_beginning() {
        let first = tour(ALL, None);
        let _ = first.at(1);
        let elected: Shards<'_> = &[("a", &[(0, 99)]), ("d", &[(100, 199)]), ("c", &[(200, 299)])];
        let second = tour(elected, Some(&first));
        assert_eq!(order(&second), [(0, "a"), (2, "c"), (3, "d")]);
        // The scan of the lost one goes on at the next.
        assert_eq!(second.at(1).unwrap().unwrap().number, 2);
        assert!(second.at(4).is_none());
        // The lost one is back: it is a new one, since its heir may have been looked at.
        let third = tour(ALL, Some(&second));
        assert_eq!(order(&third), [(0, "a"), (2, "c"), (4, "b")]);
        assert!(third.at(4).is_some_and(|stop| stop.is_some()));
        assert!(tour(&[], Some(&third)).at(4).is_some_and(|stop| stop.is_none()));
    }

    #[test]
    fn numbers_do_not_run_out() {
        let mut now = tour(ALL, None);
        for round in 0..70_000_u32 {
            let host = format!("h{round}");
            now = tour(&[("a", &[(0, 0)]), (&host, &[(1, 1)])], Some(&now));
            assert!(now.next <= MOST && now.stops[0].number < now.stops[1].number);
        }
    }
}
