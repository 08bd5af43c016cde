//! Connections for one caller at a time, kept for the next one.
//!
//! `turns` says whose turn it is, `ask` waits for that, `held` is a connection in use, `session`
//! knows whether it is as clean as it was, `patience` how long a reply is waited for, `keeper` closes
//! what is old. Above them: `exclusive` is what users hold, `watched` runs transactions on watched
//! keys, `confirmed` counts replicas.

mod ask;
mod confirmed;
mod exclusive;
mod held;
mod keeper;
mod metrics;
mod moving;
mod node;
mod patience;
mod session;
mod turns;
mod watched;

use std::future::Future;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime;

pub use exclusive::{Exclusive, OnExclusive};
use held::Conn;
pub(crate) use held::Held;
use metrics::Reason;
pub use metrics::{PoolClosed, PoolMetrics};
use moving::Move;
use turns::Turns;

use crate::config::Config;
use crate::connection::{Connector, Dedicated};
use crate::error::Result;
use crate::server::ServerInfo;

/// An attempt that has begun has this time at least, however little is left: in none it can only
/// fail, which would be told as the server's fault.
pub(crate) const LEAST: Duration = Duration::from_millis(50);

/// The connections to one server.
pub(crate) struct Pool {
    me: Weak<Pool>,
    pub(crate) config: Arc<Config>,
    connector: Connector,
    /// Where the sockets live; a blocking client has none.
    runtime: Option<runtime::Handle>,
    state: Mutex<State>,
    server: Mutex<ServerInfo>,
    /// Connections of an earlier epoch are not used again.
    epoch: AtomicU64,
    nonces: AtomicU64,
    moving: Move,
}

struct State {
    turns: Turns<Box<Conn>>,
    created: u64,
    timeouts: u64,
    closed: PoolClosed,
    /// Whether a task looks after what is idle.
    kept: bool,
}

impl Pool {
    /// Without a connection yet. The runtime is the one that its sockets shall live in.
    pub(crate) fn new(
        config: Arc<Config>,
        connector: Connector,
        runtime: Option<runtime::Handle>,
    ) -> Arc<Pool> {
        let state = State {
            turns: Turns::new(config.pool.max),
            created: 0,
            timeouts: 0,
            closed: PoolClosed::default(),
            kept: false,
        };
        Arc::new_cyclic(|me| Pool {
            me: me.clone(),
            server: Mutex::new(ServerInfo::new(String::new(), config.protocol)),
            config,
            connector,
            runtime,
            state: Mutex::new(state),
            epoch: AtomicU64::new(0),
            nonces: AtomicU64::new(0),
            moving: Move::default(),
        })
    }

    /// A connection that works, once it is this caller's turn; within the time that is `left` of
    /// all.
    ///
    /// # Cancel safety
    /// A dropped future gives up its place, or passes its turn on.
    ///
    /// # Errors
    /// `Timeout` when all connections are in use for too long; `Closed`; why none can be made.
    pub(crate) async fn get(self: &Arc<Pool>, left: Option<Duration>) -> Result<Held<Arc<Pool>>> {
        let pool = Arc::clone(self);
        self.enter(async move {
            let mut held = ask::turn(pool, left).await?;
            held.settle_in_time(left).await?;
            Ok(held)
        })
        .await
    }

    /// The same on this thread.
    pub(crate) fn get_here<P: Deref<Target = Pool>>(
        pool: P,
        now: Instant,
        left: Option<Duration>,
    ) -> Result<Held<P>> {
        let mut held = ask::turn_here(pool, left)?;
        if !held.is_fresh(now) {
            crate::direct::block(held.settle_in_time(left))?;
        }
        Ok(held)
    }

    /// The same, for one who connects for the first time: it is tried once.
    pub(crate) fn open_here<P: Deref<Target = Pool>>(pool: P) -> Result<Held<P>> {
        let mut held = ask::turn_here(pool, None)?;
        crate::direct::block(held.settle(None))?;
        Ok(held)
    }

    /// Polls a future inside of the runtime that the sockets live in, whoever waits for it.
    pub(crate) async fn enter<F: Future>(&self, future: F) -> F::Output {
        inside(self.runtime.as_ref(), future).await
    }

    pub(crate) fn is_blocking(&self) -> bool {
        matches!(self.connector, Connector::Blocking)
    }

    /// Whether a connection lies idle.
    pub(crate) fn has_idle(&self) -> bool {
        !self.state().turns.idle().is_empty()
    }

    /// What the server said of itself at the last connection.
    pub(crate) fn server(&self) -> ServerInfo {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn metrics(&self) -> PoolMetrics {
        let mut state = self.state();
        let (in_use, waiting) = state.turns.count();
        PoolMetrics {
            idle: state.turns.idle().len(),
            in_use,
            waiting,
            created: state.created,
            timeouts: state.timeouts,
            closed: state.closed,
        }
    }

    /// Uses no connection again that there is now: the server was lost, or is another one.
    pub(crate) fn renew(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        let old = {
            let mut state = self.state();
            let old = std::mem::take(state.turns.idle());
            state.closed.old += old.len() as u64;
            old
        };
        drop(old);
    }

    /// Closes what is idle and connected to a server that is the primary no longer.
    pub(crate) fn leave_deposed(&self) {
        let old: Vec<_> = {
            let mut state = self.state();
            let old: Vec<_> =
                state.turns.idle().extract_if(.., |conn| conn.is_deposed(self)).collect();
            state.closed.old += old.len() as u64;
            old
        };
        drop(old);
    }

    /// Closes what is idle, and accepts nothing more.
    pub(crate) fn close(&self) {
        let (idle, wakers) = {
            let mut state = self.state();
            let (idle, wakers) = state.turns.close();
            state.closed.closed += idle.len() as u64;
            (idle, wakers)
        };
        drop(idle);
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is half done under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    fn nonce(&self) -> u64 {
        self.nonces.fetch_add(1, Ordering::Relaxed)
    }

    fn count(&self, reason: Reason) {
        self.state().closed.count(reason);
    }

    fn another(&self) -> Option<Box<Conn>> {
        self.state().turns.another()
    }

    /// A new connection, for whoever has a turn.
    async fn make(&self, left: Option<Duration>) -> Result<Conn> {
        let epoch = self.epoch();
        let mut config = self.destination();
        let limit = within(config.connect_timeout, left.map(|left| left.max(LEAST)));
        if limit < config.connect_timeout {
            config.to_mut().connect_timeout = limit;
        }
        let connection = match self.is_blocking() {
            true => Dedicated::log_in(&config, &self.connector).await?,
            false => Dedicated::connect(&config, &self.connector).await?,
        };
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = connection.server.clone();
        let created = {
            let mut state = self.state();
            state.created += 1;
            state.created
        };
        // Those that were made at one moment do not all end at one moment.
        let expires = self.config.pool.lifetime.map(|lifetime| {
            let less = lifetime / 100 * u32::try_from(created * 7 % 11).unwrap_or_default();
            Instant::now() + (lifetime - less)
        });
        Ok(Conn::new(connection, expires, epoch))
    }

    /// Ends a turn; keeps the connection where it is as good as new.
    fn give_back(&self, mut conn: Option<Box<Conn>>) {
        if let Some(moving) = conn.as_mut().and_then(|conn| conn.announced_move()) {
            self.announced(&moving);
        }
        let mut dropped = None;
        let mut aged = Vec::new();
        let (waker, keep) = {
            let mut state = self.state();
            if let Some(mut conn) = conn {
                let now = Instant::now();
                match conn.fault(self, now) {
                    Some(reason) => {
                        state.closed.count(reason);
                        dropped = Some(conn);
                    }
                    None => {
                        conn.connection.inbox.shrink();
                        conn.since = now;
                        dropped = state.turns.lay_down(conn);
                        if dropped.is_some() {
                            state.closed.count(Reason::Closed);
                        }
                        // The one that was just laid down is good.
                        if self.is_blocking() && state.turns.idle().len() > 1 {
                            aged = state.sweep(&self.config, now);
                        }
                    }
                }
            }
            let waker = state.turns.end();
            (waker, self.runtime.is_some() && !state.kept)
        };
        drop(dropped);
        drop(aged);
        if keep && let Some(me) = self.me.upgrade() {
            me.keep();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A time that may be no longer than what is `left`.
fn within(time: Duration, left: Option<Duration>) -> Duration {
    left.map_or(time, |left| left.min(time))
}

/// Polls a future inside of this runtime, whoever waits for it: timers and sockets need one.
pub(crate) async fn inside<F: Future>(runtime: Option<&runtime::Handle>, future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        let _entered = runtime.map(runtime::Handle::enter);
        Pin::new(&mut future).poll(cx)
    })
    .await
}

impl State {
    /// Takes out what was not used for too long, or is too old.
    #[expect(clippy::vec_box, reason = "they are moved as they are")]
    fn sweep(&mut self, config: &Config, now: Instant) -> Vec<Box<Conn>> {
        let limits = &config.pool;
        let idle = self.turns.idle();
        let Some(first) = idle.first() else { return Vec::new() };
        // The first was idle for the longest, and none can be older than its lifetime.
        let tired = |conn: &Conn| {
            limits
                .idle_timeout
                .is_some_and(|limit| now.saturating_duration_since(conn.since) >= limit)
        };
        let due = tired(first) || idle.iter().any(|conn| conn.expires.is_some_and(|at| now >= at));
        if !due {
            return Vec::new();
        }
        let mut spare = idle.len().saturating_sub(limits.min_idle);
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        let mut reasons = Vec::new();
        for conn in idle.drain(..) {
            let reason = if conn.expires.is_some_and(|at| now >= at) {
                Reason::Old
            } else if spare > 0 && tired(&conn) {
                spare -= 1;
                Reason::Idle
            } else {
                kept.push(conn);
                continue;
            };
            reasons.push(reason);
            gone.push(conn);
        }
        *idle = kept;
        reasons.into_iter().for_each(|reason| self.closed.count(reason));
        gone
    }
}
