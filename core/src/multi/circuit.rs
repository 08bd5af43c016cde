//! Whether requests go to a database: the state of its circuit, without I/O and without a clock.

use std::time::Duration;

/// Whether requests go to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Circuit {
    /// It is healthy: it may be the active one.
    Closed,
    /// It failed: no request goes to it.
    Open,
    /// It failed a while ago, and is being examined.
    HalfOpen,
}

/// A database's circuit. All times are those since the client was made.
#[derive(Debug)]
pub(super) struct Breaker {
    circuit: Circuit,
    /// When it was opened or closed last.
    since: Duration,
    /// Whether it ever failed.
    failed: bool,
}

impl Breaker {
    pub(super) fn new() -> Breaker {
        Breaker { circuit: Circuit::Closed, since: Duration::ZERO, failed: false }
    }

    pub(super) fn circuit(&self) -> Circuit {
        self.circuit
    }

    pub(super) fn is_closed(&self) -> bool {
        self.circuit == Circuit::Closed
    }

    /// The database failed. Gives whether that is news.
    pub(super) fn open(&mut self, now: Duration) -> bool {
        let news = self.circuit == Circuit::Closed;
        if self.circuit != Circuit::Open {
            self.circuit = Circuit::Open;
            self.since = now;
            self.failed = true;
        }
        news
    }

    /// Whether the database is to be examined now. An open circuit stays so for `grace`, unless
    /// the case is `urgent`: no other database is left.
    pub(super) fn examine(&mut self, now: Duration, grace: Duration, urgent: bool) -> bool {
        if self.circuit == Circuit::Open {
            if !urgent && now.saturating_sub(self.since) < grace {
                return false;
            }
            self.circuit = Circuit::HalfOpen;
        }
        true
    }

    /// The database was examined and is healthy. Gives whether that is news.
    pub(super) fn close(&mut self, now: Duration) -> bool {
        // One that failed during the examination stays open.
        let news = self.circuit == Circuit::HalfOpen;
        if news {
            self.circuit = Circuit::Closed;
            self.since = now;
        }
        news
    }

    /// Whether it has been healthy for so long that it may be preferred to the active one.
    pub(super) fn is_steady(&self, now: Duration, failback: Option<Duration>) -> bool {
        if !self.is_closed() {
            return false;
        }
        match failback {
            Some(failback) => !self.failed || now.saturating_sub(self.since) >= failback,
            None => !self.failed,
        }
    }
}

/// What the choice of a database looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) weight: f64,
    pub(super) healthy: bool,
    /// Healthy for so long that it may be preferred to the active one.
    pub(super) steady: bool,
}

/// The database to use: the active one while it is healthy and no steady one has a higher weight
/// (or it is `pinned`), else the healthy one of highest weight; of equal ones the first.
pub(super) fn choose(
    candidates: &[Candidate],
    active: Option<usize>,
    pinned: bool,
) -> Option<usize> {
    let best = |fits: &dyn Fn(&Candidate) -> bool| {
        let mut best: Option<(usize, f64)> = None;
        for (at, candidate) in candidates.iter().enumerate() {
            let higher = best.is_none_or(|(_, weight)| candidate.weight > weight);
            if fits(candidate) && higher {
                best = Some((at, candidate.weight));
            }
        }
        best.map(|(at, _)| at)
    };
    let active = active.and_then(|at| Some((at, candidates.get(at)?)));
    match active {
        Some((at, candidate)) if candidate.healthy => {
            let preferred = |other: &Candidate| other.steady && other.weight > candidate.weight;
            if pinned { Some(at) } else { best(&preferred).or(Some(at)) }
        }
        _ => best(&|candidate| candidate.healthy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_open_circuit_is_examined_after_its_grace_time() {
        let mut breaker = Breaker::new();
        assert!(breaker.examine(at(1), GRACE, false));
        assert!(breaker.open(at(10)));
        assert!(!breaker.open(at(11)), "known already");
        assert!(!breaker.examine(at(69), GRACE, false));
        assert!(breaker.examine(at(70), GRACE, false));
        assert_eq!(breaker.circuit(), Circuit::HalfOpen);
        assert!(!breaker.open(at(71)), "it was not in use");
        assert!(!breaker.examine(at(130), GRACE, false), "the grace time begins anew");
        assert!(breaker.examine(at(131), GRACE, false));
        assert!(breaker.close(at(132)));
        assert!(breaker.is_closed());
        assert!(!breaker.close(at(133)), "known already");
    }

    #[test]
    fn where_no_other_is_left_the_grace_time_is_not_waited_for() {
        let mut breaker = Breaker::new();
        breaker.open(at(10));
        assert!(breaker.examine(at(10), GRACE, true));
        assert!(breaker.close(at(11)));
    }

    #[test]
    fn one_that_fails_while_it_is_examined_stays_open() {
        let mut breaker = Breaker::new();
        breaker.open(at(1));
        breaker.examine(at(61), GRACE, false);
        breaker.open(at(62));
        assert!(!breaker.close(at(63)));
        assert_eq!(breaker.circuit(), Circuit::Open);
    }

    #[test]
    fn after_a_failure_it_is_steady_again_after_a_while() {
        let mut breaker = Breaker::new();
        assert!(breaker.is_steady(at(0), Some(at(120))));
        breaker.open(at(1));
        assert!(!breaker.is_steady(at(500), Some(at(120))));
        breaker.examine(at(70), GRACE, false);
        breaker.close(at(70));
        assert!(!breaker.is_steady(at(189), Some(at(120))));
        assert!(breaker.is_steady(at(190), Some(at(120))));
        assert!(!breaker.is_steady(at(5_000), None), "never by itself");
    }

    fn candidate(weight: f64, healthy: bool, steady: bool) -> Candidate {
        Candidate { weight, healthy, steady }
    }

    #[test]
    fn the_healthy_one_of_highest_weight_is_chosen() {
        let up = |weight| candidate(weight, true, true);
        let down = |weight| candidate(weight, false, false);
        let recovering = |weight| candidate(weight, true, false);
        for (candidates, active, pinned, chosen) in [
            (vec![], None, false, None),
            (vec![down(1.0)], None, false, None),
            (vec![up(0.5), up(1.0)], None, false, Some(1)),
            (vec![up(1.0), up(1.0)], None, false, Some(0)),
            // A failed one is left for the best of the others, steady or not.
            (vec![down(1.0), up(0.2), recovering(0.5)], Some(0), false, Some(2)),
            (vec![down(1.0), up(0.2)], Some(0), true, Some(1)),
            (vec![down(1.0), down(0.2)], Some(0), false, None),
            // A healthy one is left only for a steady one of higher weight.
            (vec![recovering(1.0), up(0.5)], Some(1), false, Some(1)),
            (vec![up(1.0), up(0.5)], Some(1), false, Some(0)),
            (vec![up(1.0), up(0.5)], Some(1), true, Some(1)),
            (vec![up(1.0), up(1.0)], Some(1), false, Some(1)),
            // The active one was removed.
            (vec![up(0.1)], Some(7), false, Some(0)),
        ] {
            assert_eq!(choose(&candidates, active, pinned), chosen, "{candidates:?} {active:?}");
        }
    }
}
