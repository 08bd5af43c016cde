//! One node of a cluster, and the connections to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime;

use crate::config::Address;
use crate::config::Config;
use crate::connection::{
    Alarm, Connector, Exchange, Handle, Lanes, Link, Reply, Wire, polled_again, spawn_on,
};
use crate::direct::Direct;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::resp::Parcel;
use crate::server::ServerInfo;

/// So long a blocking client reads elsewhere after it could not reach a node.
const SHUNNED: Duration = Duration::from_secs(1);

/// A node: connected when it is first used, for as long as the map has it.
pub(crate) struct Node {
    pub(crate) address: Address,
    way: Way,
    /// What the last exchanges took, smoothed, in microseconds; 0 when there was none.
    micros: AtomicU64,
    /// When a blocking client last failed to reach it.
    failed: Mutex<Option<Instant>>,
    zone: Mutex<Option<String>>,
}

enum Way {
    Shared(Box<Shared>),
    Direct(Box<Direct>),
}

struct Shared {
    config: Config,
    connector: Connector,
    /// Tells that a connection was lost, or could not be made.
    alarm: Arc<Alarm>,
    runtime: runtime::Handle,
    link: OnceLock<Handle>,
}

/// How the nodes of a cluster are reached.
#[derive(Clone)]
pub(crate) enum Means {
    /// By shared connections that tasks of this runtime drive.
    Shared { connector: Connector, alarm: Arc<Alarm>, runtime: runtime::Handle },
    /// By the thread that asks.
    Direct,
}

impl Node {
    pub(crate) fn new(address: Address, config: Config, means: &Means) -> Node {
        let way = match means.clone() {
            Means::Shared { connector, alarm, runtime } => {
                let link = OnceLock::new();
                Way::Shared(Box::new(Shared { config, connector, alarm, runtime, link }))
            }
            Means::Direct => Way::Direct(Box::new(Direct::new(config))),
        };
        let (failed, zone) = (Mutex::new(None), Mutex::new(None));
        Node { address, way, micros: AtomicU64::new(0), failed, zone }
    }

    /// A connection that all share; `None` on a blocking client.
    #[inline]
    pub(crate) fn link(&self, wire: &Wire<'_>) -> Option<&Arc<Link>> {
        match &self.way {
            Way::Shared(shared) => Some(shared.link().lane(wire)),
            Way::Direct(_) => None,
        }
    }

    /// The first of them.
    pub(crate) fn first_link(&self) -> Option<&Arc<Link>> {
        match &self.way {
            Way::Shared(shared) => Some(shared.link()),
            Way::Direct(_) => None,
        }
    }

    /// Connects, unless it has; a blocking client does so when it needs to.
    pub(crate) fn begin(&self) {
        if let Way::Shared(shared) = &self.way {
            shared.link();
        }
    }

    /// Connects as often as connections are to lie ready, on a blocking client; others do so by
    /// themselves.
    pub(crate) fn fill(&self) {
        if let Way::Direct(direct) = &self.way {
            direct.fill();
        }
    }

    /// Whether a command sent now would reach it, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        match &self.way {
            Way::Shared(shared) => shared.link.get().is_some_and(|handle| handle.0.is_up()),
            // Whoever calls it connects, so a node that was not tried is as good as any.
            Way::Direct(direct) => {
                let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                direct.is_up() || failed.is_none_or(|at| at.elapsed() > SHUNNED)
            }
        }
    }

    /// Takes note of whether a blocking client reached it.
    fn note_outcome(&self, outcome: &Result<Reply>) {
        let failed = outcome.is_err().then(Instant::now);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    pub(crate) fn latency(&self) -> u64 {
        self.micros.load(Ordering::Relaxed)
    }

    /// Takes note of what an exchange took.
    pub(crate) fn note_latency(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 8).max(1);
        let before = self.latency();
        let smoothed =
            if before == 0 { took } else { before.saturating_mul(7).saturating_add(took) / 8 };
        self.micros.store(smoothed, Ordering::Relaxed);
    }

    pub(crate) fn zone(&self) -> Option<String> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_zone(&self, zone: Option<String>) {
        *self.zone.lock().unwrap_or_else(PoisonError::into_inner) = zone;
    }

    pub(crate) fn server(&self) -> ServerInfo {
        match &self.way {
            Way::Shared(shared) => shared.link().state().server.clone(),
            Way::Direct(direct) => direct.server(),
        }
    }

    /// Sends without waiting for a reply.
    pub(crate) fn fire(&self, wire: &Wire<'_>) {
        // Whoever sends so does not want to know.
        let _ = match &self.way {
            Way::Shared(shared) => shared.link().fire(wire),
            Way::Direct(direct) => direct.run(wire, None).map(drop),
        };
    }

    /// Sends requests; their replies together.
    pub(crate) fn exchange(self: &Arc<Node>, bytes: Parcel, frames: u32) -> ToNode {
        let way = match &self.way {
            Way::Shared(shared) => {
                let lane = shared.link().lane(&Wire::Many { bytes: bytes.view(), frames });
                Leg::Shared(Exchange::new(Arc::clone(lane), bytes, frames))
            }
            Way::Direct(_) => Leg::Direct(bytes, frames),
        };
        ToNode { node: Arc::clone(self), way, since: Instant::now(), left: None }
    }

    /// The answer to a blocking client; `None` on another.
    pub(crate) fn call(&self, wire: &Wire<'_>) -> Option<Result<Reply>> {
        let Way::Direct(direct) = &self.way else { return None };
        let outcome = direct.run(wire, None);
        self.note_outcome(&outcome);
        Some(outcome)
    }

    /// Sends a command that may wait on the server, on a connection of its own, which is to be had
    /// within the time that is `left` of all.
    pub(crate) async fn apart(
        &self,
        bytes: &Parcel,
        frames: u32,
        left: Option<Duration>,
    ) -> Result<Reply> {
        match &self.way {
            Way::Direct(direct) => direct.wait(&Wire::Many { bytes: bytes.view(), frames }, left),
            Way::Shared(shared) => {
                let pool = shared.link().pool()?;
                let mut connection = pool.get(left).await?;
                pool.enter(connection.exchange(&Wire::Many { bytes: bytes.view(), frames }, None))
                    .await
            }
        }
    }

    /// Its connections for one caller at a time.
    ///
    /// # Errors
    /// `Closed`.
    pub(super) fn pool(&self) -> Result<&Arc<Pool>> {
        match &self.way {
            Way::Shared(shared) => shared.link().pool(),
            Way::Direct(direct) => Ok(direct.pool()),
        }
    }

    /// Whether there may be a connection to it.
    pub(super) fn is_used(&self) -> bool {
        match &self.way {
            Way::Shared(shared) => shared.link.get().is_some(),
            Way::Direct(_) => true,
        }
    }

    /// Fails everything that is under way, and cuts the connection.
    pub(crate) fn abandon(&self, error: &Error) {
        match &self.way {
            Way::Shared(shared) => {
                if let Some(handle) = shared.link.get() {
                    handle.0.abandon(error);
                }
            }
            Way::Direct(direct) => direct.leave(),
        }
    }

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        match &self.way {
            Way::Shared(shared) => {
                if let Some(handle) = shared.link.get() {
                    handle.0.close();
                }
            }
            Way::Direct(direct) => direct.close(),
        }
    }

    /// Ready once a closed node's connection has ended.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.way {
            Way::Shared(shared) => match shared.link.get() {
                Some(handle) => handle.0.poll_closed(cx),
                None => Poll::Ready(()),
            },
            Way::Direct(_) => Poll::Ready(()),
        }
    }
}

impl Shared {
    #[inline]
    fn link(&self) -> &Arc<Link> {
        &self.link.get_or_init(|| self.open()).0
    }

    #[cold]
    fn open(&self) -> Handle {
        let open = |config| {
            let alarm = Arc::clone(&self.alarm);
            let link = Arc::new(Link::unconnected(config, self.connector.clone(), alarm));
            spawn_on(&self.runtime, Arc::clone(&link));
            Handle(link)
        };
        let first = open(self.config.clone());
        if self.config.connections > 1 {
            let others = (1..self.config.connections).map(|_| open(self.config.of_lane()));
            first.0.share_with(Lanes::new(others.collect()));
        }
        first
    }
}

/// Requests on their way to a node.
pub(crate) struct ToNode {
    node: Arc<Node>,
    way: Leg,
    since: Instant,
    /// The time that is left of all, which a blocking client keeps.
    left: Option<Duration>,
}

enum Leg {
    Shared(Exchange),
    Direct(Parcel, u32),
}

impl ToNode {
    /// In the time that is left of all.
    pub(super) fn within(self, left: Option<Duration>) -> ToNode {
        ToNode { left, ..self }
    }
}

impl Future for ToNode {
    type Output = Result<Reply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        let ToNode { node, way, since, left } = self.get_mut();
        let outcome = match (way, &node.way) {
            (Leg::Shared(exchange), _) => Pin::new(exchange).poll(cx),
            (Leg::Direct(bytes, frames), Way::Direct(direct)) => {
                let outcome =
                    direct.run(&Wire::Many { bytes: bytes.view(), frames: *frames }, *left);
                node.note_outcome(&outcome);
                Poll::Ready(outcome)
            }
            (Leg::Direct(..), Way::Shared(_)) => Poll::Ready(Err(polled_again())),
        };
        if let Poll::Ready(Ok(_)) = &outcome {
            node.note_latency(since.elapsed());
        }
        outcome
    }
}
