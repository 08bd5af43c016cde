//! Several databases behind one client: independent deployments, of which the healthy one of
//! highest weight is used.
//!
//! `health`, `replication` and `detector` say when a database has failed, `circuit` whether requests may go to
//! it, `keeper` watches, `turn` moves a request from a database that failed to the next.

mod builder;
mod circuit;
mod database;
mod detector;
mod handle;
mod health;
mod keeper;
mod replication;
mod switch;
mod turn;

#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::time::Instant;

pub use builder::MultiBuilder;
pub use circuit::Circuit;
pub use detector::FailureDetector;
pub use handle::{DatabaseStatus, Multi};
pub use health::{HealthCheck, Ping, Quorum};
pub use replication::Replication;
pub use switch::{Switch, SwitchReason, Switches};

use circuit::{Candidate, choose};
pub(crate) use database::Database;
use health::Health;
use switch::Queue;
pub(crate) use turn::{Turn, is_failure, left, refusal};

use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};

/// What is set of a client of several databases, its health checks apart.
struct Settings {
    grace: Duration,
    failback: Option<Duration>,
    timeout: Duration,
    on_switch: Vec<Box<OnSwitch>>,
}

type OnSwitch = dyn Fn(&Switch) + Send + Sync;

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { grace, failback, timeout, on_switch } = self;
        f.debug_struct("Settings")
            .field("grace", grace)
            .field("failback", failback)
            .field("timeout", timeout)
            .field("on_switch", &on_switch.len())
            .finish()
    }
}

/// All databases of a client, and which of them is used.
pub(crate) struct Databases {
    /// That of the first database, for those who ask for the client's.
    config: std::sync::OnceLock<Config>,
    settings: Settings,
    health: Arc<Health>,
    detector: FailureDetector,
    list: Mutex<List>,
    active: ArcSwapOption<Database>,
    /// How often the active one changed.
    switched: watch::Sender<u64>,
    listeners: Mutex<Vec<Weak<Queue>>>,
    closed: AtomicBool,
    start: Instant,
    /// What drives everything; a blocking client has none.
    runtime: Option<tokio::runtime::Handle>,
}

#[derive(Default)]
struct List {
    all: Vec<Arc<Database>>,
    /// Whether the program chose the active one.
    pinned: bool,
}

impl Databases {
    fn new(
        settings: Settings,
        health: Health,
        detector: FailureDetector,
        runtime: Option<tokio::runtime::Handle>,
    ) -> Databases {
        Databases {
            config: std::sync::OnceLock::new(),
            settings,
            health: Arc::new(health),
            detector,
            list: Mutex::default(),
            active: ArcSwapOption::empty(),
            switched: watch::Sender::new(0),
            listeners: Mutex::default(),
            closed: AtomicBool::new(false),
            start: Instant::now(),
            runtime,
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn all(&self) -> Vec<Arc<Database>> {
        self.list().all.clone()
    }

    /// Adds a database that is not yet examined.
    ///
    /// # Errors
    /// `Usage` for a name, weight or configuration that makes no sense.
    fn insert(&self, name: String, config: Result<Config>, weight: f64) -> Result<Arc<Database>> {
        builder::check(&name, weight)?;
        let config = config.map_err(|error| {
            let text = format!("the database `{name}`: {}", error.message());
            Error::new(error.kind(), text).with_source(error)
        })?;
        let mut list = self.list();
        if list.all.iter().any(|known| known.name == name) {
            let text = format!("there is a database `{name}` already");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let _ = self.config.get_or_init(|| config.clone());
        let database = builder::database(self, name, config, weight);
        list.all.push(Arc::clone(&database));
        Ok(database)
    }

    /// The outcome of the examination with which everything begins.
    fn first_examined(&self, database: &Database, outcome: Result<()>) {
        if let Err(error) = outcome {
            let mut state = database.state();
            state.breaker.open(self.now());
            state.error = Some(error);
        }
    }

    /// Begins to watch over all, if enough of them are healthy.
    fn begin_all(self: &Arc<Databases>, all: &[Arc<Database>], initial: Quorum) -> Result<()> {
        let healthy = all.iter().filter(|database| database.state().breaker.is_closed()).count();
        if !initial.is_met(healthy, all.len()) {
            let text = format!("{healthy} of {} databases are healthy", all.len());
            return Err(self.no_database(&text));
        }
        self.choose(None);
        all.iter().try_for_each(|database| keeper::spawn(self, database))
    }

    /// Whether a database is to be examined now.
    fn begin(&self, database: &Database) -> bool {
        let urgent = self.active.load().is_none();
        database.state().breaker.examine(self.now(), self.settings.grace, urgent)
    }

    /// A database was examined, or failed in use.
    fn examined(&self, database: &Arc<Database>, outcome: &Result<()>) {
        let news = {
            let mut state = database.state();
            state.error = outcome.as_ref().err().map(Error::duplicate);
            match outcome {
                Ok(()) => state.breaker.close(self.now()),
                Err(_) => state.breaker.open(self.now()),
            }
        };
        if news && outcome.is_ok() {
            database.recovered();
        }
        self.choose(None);
        if news && let Err(error) = outcome {
            tracing::warn!(database = database.name, %error, "the database failed");
            // The next one is known: what is lost here may go there.
            database.abandon(error);
        }
    }

    /// A request was answered.
    fn good(&self, database: &Database) {
        database.good(self.now());
    }

    /// A request failed in a way that says something of its database.
    pub(crate) fn failed(&self, database: &Arc<Database>, error: &Error) {
        if database.bad(self.now()) {
            let text = format!("too many requests failed, the last one: {}", error.message());
            let error = Error::new(error.kind(), text).with_sent(error.sent());
            self.examined(database, &Err(error));
        }
        database.bell.ring();
    }

    /// Chooses the database to use, and tells of a change.
    fn choose(&self, reason: Option<SwitchReason>) {
        if self.is_closed() {
            return;
        }
        let now = self.now();
        let switch = {
            let mut list = self.list();
            let active = self.active.load_full();
            let at = active.as_ref().and_then(|active| {
                list.all.iter().position(|database| Arc::ptr_eq(database, active))
            });
            let candidates: Vec<Candidate> = list
                .all
                .iter()
                .map(|database| {
                    let state = database.state();
                    let reached = database.client().is_some();
                    let steady = state.breaker.is_steady(now, self.settings.failback);
                    Candidate {
                        weight: database.weight(),
                        healthy: reached && state.breaker.is_closed(),
                        steady: reached && steady,
                    }
                })
                .collect();
            let chosen = choose(&candidates, at, list.pinned);
            let next = chosen.and_then(|chosen| list.all.get(chosen)).cloned();
            let from = active.as_ref().map(|active| active.name.clone());
            if active.as_ref().map(Arc::as_ptr) == next.as_ref().map(Arc::as_ptr) {
                return;
            }
            list.pinned = false;
            let left_healthy =
                at.and_then(|at| candidates.get(at)).is_some_and(|candidate| candidate.healthy);
            let reason = match &active {
                None => SwitchReason::Recovered,
                Some(_) if left_healthy => SwitchReason::Preferred,
                Some(_) => reason.unwrap_or(SwitchReason::Failed),
            };
            let to = next.as_ref().map(|next| next.name.clone());
            self.active.store(next);
            Switch { from, to, reason }
        };
        self.tell(&switch);
    }

    /// Uses a database because the program says so.
    ///
    /// # Errors
    /// `Usage` when it was removed in the meantime.
    fn pin(&self, database: &Arc<Database>) -> Result<()> {
        let switch = {
            let mut list = self.list();
            if !list.all.iter().any(|known| Arc::ptr_eq(known, database)) {
                return Err(handle::unknown(&database.name));
            }
            list.pinned = true;
            let before = self.active.swap(Some(Arc::clone(database)));
            if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, database)) {
                return Ok(());
            }
            let (from, to) = (before.map(|before| before.name.clone()), database.name.clone());
            Switch { from, to: Some(to), reason: SwitchReason::Chosen }
        };
        self.tell(&switch);
        Ok(())
    }

    fn tell(&self, switch: &Switch) {
        tracing::warn!(?switch, "another database is active");
        self.switched.send_modify(|switches| *switches += 1);
        if switch.to.is_none() {
            // Any of them will do now.
            self.all().iter().for_each(|database| database.bell.ring());
        }
        if switch.from.is_some() || self.switches() > 1 {
            self.listeners().iter().filter_map(Weak::upgrade).for_each(|queue| queue.push(switch));
            for call in &self.settings.on_switch {
                // A panic would end what watches over a database, or a request that is none of its.
                if catch_unwind(AssertUnwindSafe(|| call(switch))).is_err() {
                    tracing::error!(?switch, "what is called at a switch panicked");
                }
            }
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Weak<Queue>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> u64 {
        *self.switched.borrow()
    }

    /// The database to use, if one is healthy.
    pub(crate) fn active(&self) -> Option<Arc<Database>> {
        self.active.load_full()
    }

    /// Tells of every change of the active database.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.switched.subscribe()
    }

    /// How long to wait for a healthy database.
    pub(crate) fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// What the first database was made from.
    pub(crate) fn config(&self) -> &Config {
        self.config.get_or_init(Config::new)
    }

    pub(crate) fn has_cluster(&self) -> bool {
        self.list().all.iter().any(|database| database.is_cluster())
    }

    pub(crate) fn is_blocking(&self) -> bool {
        self.runtime.is_none()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// # Errors
    /// `Closed`.
    pub(crate) fn open(&self) -> Result<()> {
        match self.is_closed() {
            true => Err(Error::new(ErrorKind::Closed, "the client is closed")),
            false => Ok(()),
        }
    }

    /// Lets time pass, but not beyond the next switch.
    pub(crate) async fn pause(&self, time: Duration, since: u64) {
        if self.is_blocking() {
            std::thread::sleep(time);
            return;
        }
        let mut changes = self.changes();
        let changed = changes.wait_for(|switches| *switches != since);
        // Whoever waited long enough looks again.
        let _ = tokio::time::timeout(time, changed).await;
    }

    /// The error of a request that found no database.
    #[cold]
    pub(crate) fn no_database(&self, text: &str) -> Error {
        let mut text = text.to_owned();
        for database in self.all() {
            let state = database.state();
            let why = match &state.error {
                Some(error) => error.message(),
                None => "healthy",
            };
            text = format!("{text}; {}: {why}", database.name);
        }
        Error::new(ErrorKind::NoDatabase, text)
    }

    /// Accepts nothing more, and waits until all is answered.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let all = self.all();
        all.iter().for_each(|database| database.retire());
        self.active.store(None);
        self.switched.send_modify(|switches| *switches += 1);
        self.listeners().drain(..).filter_map(|queue| queue.upgrade()).for_each(|q| q.end());
        for database in all {
            database.close().await;
        }
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        self.all().iter().for_each(|database| database.retire());
        self.listeners().drain(..).filter_map(|queue| queue.upgrade()).for_each(|q| q.end());
    }
}
