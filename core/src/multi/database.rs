//! One of the deployments: its clients, its circuit, its health.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::circuit::{Breaker, Circuit};
use super::detector::{FailureDetector, Window};
use super::health::{Health, ask, ping};
use super::keeper::Bell;
use crate::client::Client;
use crate::config::{Config, Endpoint};
use crate::error::{Error, ErrorKind, Result};

/// A deployment that requests may go to.
pub(crate) struct Database {
    pub(super) name: String,
    config: Config,
    blocking: bool,
    health: Arc<Health>,
    /// The bits of an `f64`.
    weight: AtomicU64,
    /// For the requests; made when the database is first reached.
    client: OnceLock<Client>,
    /// For the health checks alone.
    probe: OnceLock<Client>,
    window: Window,
    state: Mutex<State>,
    pub(super) bell: Bell,
    pub(super) removed: AtomicBool,
    /// Ends what watches over it.
    pub(super) keeper: Mutex<Option<AbortHandle>>,
}

pub(super) struct State {
    pub(super) breaker: Breaker,
    pub(super) error: Option<Error>,
}

impl Database {
    pub(super) fn new(
        name: String,
        config: Config,
        weight: f64,
        blocking: bool,
        health: Arc<Health>,
        detector: FailureDetector,
    ) -> Database {
        Database {
            name,
            // Where there are others, nobody waits for this one; a cluster elects by itself.
            config: match config.endpoint {
                Endpoint::Cluster(_) => config,
                _ => config.fail_fast(true),
            },
            blocking,
            health,
            weight: AtomicU64::new(weight.to_bits()),
            client: OnceLock::new(),
            probe: OnceLock::new(),
            window: Window::new(detector),
            state: Mutex::new(State { breaker: Breaker::new(), error: None }),
            bell: Bell::default(),
            removed: AtomicBool::new(false),
            keeper: Mutex::new(None),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn weight(&self) -> f64 {
        f64::from_bits(self.weight.load(Ordering::Relaxed))
    }

    pub(super) fn set_weight(&self, weight: f64) {
        self.weight.store(weight.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn circuit(&self) -> Circuit {
        self.state().breaker.circuit()
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.config.endpoint, Endpoint::Cluster(_))
    }

    /// The client for the requests, if the database was ever reached.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Whether it is none of the client's any more.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// A request was answered.
    pub(super) fn good(&self, now: Duration) {
        self.window.good(now);
    }

    /// A request failed. Gives whether that is one too many.
    pub(super) fn bad(&self, now: Duration) -> bool {
        self.window.bad(now)
    }

    /// The circuit was closed again.
    pub(super) fn recovered(&self) {
        self.window.clear();
        if let Some(client) = self.client() {
            client.resume();
        }
    }

    /// The circuit was opened: whoever waits for an answer waits in vain.
    pub(super) fn abandon(&self, error: &Error) {
        if let Some(client) = self.client() {
            let text = format!("the database `{}` failed: {}", self.name, error.message());
            client.abandon(&Error::new(ErrorKind::Disconnected, text));
        }
    }

    /// Whether the database is healthy, by as many probes as are set.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) async fn examine(&self) -> Result<()> {
        let on_trial = self.circuit() != Circuit::Closed;
        self.connect().await?;
        let all = self.health.probes as usize;
        let (mut good, mut bad) = (0, 0);
        loop {
            let outcome = self.within(self.health.timeout, self.probe()).await;
            match &outcome {
                Ok(()) => good += 1,
                Err(_) => bad += 1,
            }
            match self.health.quorum.decided(good, bad, all) {
                Some(true) => break,
                Some(false) => return outcome,
                None => self.pause(self.health.probe_delay).await,
            }
        }
        match self.client() {
            // Its connections may be those from before.
            Some(client) if on_trial => {
                client.resume();
                self.within(self.health.timeout, ping(client)).await
            }
            _ => Ok(()),
        }
    }

    async fn connect(&self) -> Result<()> {
        if self.client.get().is_none() {
            self.reached(self.open(self.config.clone()).await?);
        }
        Ok(())
    }

    /// From now on this client is for the requests.
    pub(super) fn reached(&self, client: Client) {
        // Another one may have come first.
        let _ = self.client.set(client);
    }

    async fn open(&self, config: Config) -> Result<Client> {
        match self.blocking {
            true => Client::connect_blocking(config),
            false => Client::connect(config).await,
        }
    }

    /// Runs all checks once.
    async fn probe(&self) -> Result<()> {
        let client = match self.probe.get() {
            Some(client) => client,
            None => {
                let timeout = self.health.timeout;
                let config = self.config.clone().connect_timeout(timeout).retries(0);
                let config = config.response_timeout(timeout).total_timeout(timeout);
                let client = self.open(config).await?;
                self.probe.get_or_init(|| client)
            }
        };
        for check in &self.health.checks {
            ask(&**check, client).await?;
        }
        if self.health.checks.is_empty() { ping(client).await } else { Ok(()) }
    }

    async fn within(&self, time: Duration, check: impl Future<Output = Result<()>>) -> Result<()> {
        if self.blocking {
            // Its sockets keep the time.
            return check.await;
        }
        match tokio::time::timeout(time, check).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let text = format!("the health check had no answer within {time:?}");
                Err(Error::new(ErrorKind::Timeout, text))
            }
        }
    }

    async fn pause(&self, time: Duration) {
        match self.blocking {
            true => std::thread::sleep(time),
            false => tokio::time::sleep(time).await,
        }
    }

    /// Waits until it is due to be examined again, or somebody rings.
    pub(super) async fn rest(&self) {
        // However often it is rung, not without end.
        self.pause(self.health.probe_delay.max(Duration::from_millis(10))).await;
        self.bell.wait(self.health.interval, self.blocking).await;
    }

    /// Ends what watches over it.
    pub(super) fn retire(&self) {
        self.removed.store(true, Ordering::Release);
        self.bell.ring();
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            keeper.abort();
        }
    }

    /// Waits until all is answered, and closes its connections.
    pub(super) async fn close(&self) {
        for client in [self.client.get(), self.probe.get()].into_iter().flatten() {
            Box::pin(client.close()).await;
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("weight", &self.weight())
            .field("circuit", &self.circuit())
            .finish_non_exhaustive()
    }
}
