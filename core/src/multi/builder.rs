//! What a client of several databases is made of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::database::Database;
use super::detector::FailureDetector;
use super::health::{Health, HealthCheck, Quorum};
use super::switch::Switch;
use super::{Databases, Settings};
use crate::client::Client;
use crate::config::{Config, FOREVER};
use crate::direct::block;
use crate::error::{Error, ErrorKind, Result};

/// Makes a client of several databases; see [`Multi::builder`](super::Multi::builder).
#[must_use = "nothing happens before `connect`"]
pub struct MultiBuilder {
    databases: Vec<(String, Result<Config>, f64)>,
    health: Health,
    detector: FailureDetector,
    settings: Settings,
    initial: Quorum,
}

impl MultiBuilder {
    pub(super) fn new() -> MultiBuilder {
        MultiBuilder {
            databases: Vec::new(),
            health: Health::new(),
            detector: FailureDetector::new(),
            settings: Settings {
                grace: Duration::from_secs(60),
                failback: Some(Duration::from_secs(120)),
                timeout: Duration::from_secs(10),
                on_switch: Vec::new(),
            },
            initial: Quorum::All,
        }
    }

    /// Adds a database by a name of its own, with a URL or a [`Config`] and a weight above 0. Of
    /// the healthy ones that of highest weight is used.
    pub fn database(
        mut self,
        name: impl Into<String>,
        config: impl TryInto<Config, Error: Into<Error>>,
        weight: f64,
    ) -> MultiBuilder {
        self.databases.push((name.into(), config.try_into().map_err(Into::into), weight));
        self
    }

    /// How many of the databases must be healthy for `connect` to succeed; all unless set.
    pub fn initial(mut self, initial: Quorum) -> MultiBuilder {
        self.initial = initial;
        self
    }

    /// Adds a health check; all that are added must pass. Unless one is, it is
    /// [`Ping`](super::Ping).
    pub fn health_check(mut self, check: impl HealthCheck) -> MultiBuilder {
        self.health.checks.push(Box::new(check));
        self
    }

    /// How often each database is examined; every second unless set. When a request fails, its
    /// database is examined at once.
    pub fn health_interval(mut self, interval: Duration) -> MultiBuilder {
        self.health.interval = interval;
        self
    }

    /// How often the checks are run at most in one examination; 3 times unless set. It ends as
    /// soon as its outcome is clear.
    pub fn health_probes(mut self, probes: u32) -> MultiBuilder {
        self.health.probes = probes;
        self
    }

    /// The pause between two probes of an examination; 100 milliseconds unless set.
    pub fn health_probe_delay(mut self, delay: Duration) -> MultiBuilder {
        self.health.probe_delay = delay;
        self
    }

    /// How long a probe may take; 1 second unless set.
    pub fn health_timeout(mut self, timeout: Duration) -> MultiBuilder {
        self.health.timeout = timeout;
        self
    }

    /// How many of the probes must succeed; the majority unless set.
    pub fn health_quorum(mut self, quorum: Quorum) -> MultiBuilder {
        self.health.quorum = quorum;
        self
    }

    /// When failing requests alone make a database count as failed, whatever its health checks
    /// say.
    pub fn failure_detector(mut self, detector: FailureDetector) -> MultiBuilder {
        self.detector = detector;
        self
    }

    /// How long a failed database is left alone at least; 60 seconds unless set. It is not waited
    /// for when no other database is healthy.
    pub fn grace(mut self, grace: Duration) -> MultiBuilder {
        self.settings.grace = grace;
        self
    }

    /// How long a database that had failed must have been healthy before it is preferred again to
    /// one of lower weight; 120 seconds unless set. With `None` the client goes back only by
    /// [`Multi::set_active`](super::Multi::set_active), or when the other one fails.
    pub fn failback_after(mut self, failback: impl Into<Option<Duration>>) -> MultiBuilder {
        self.settings.failback = failback.into();
        self
    }

    /// How long a request waits for a healthy database, and for one that takes over what failed;
    /// 10 seconds unless set.
    pub fn failover_timeout(mut self, timeout: Duration) -> MultiBuilder {
        self.settings.timeout = timeout.min(FOREVER);
        self
    }

    /// Calls this at every switch, on the task or thread that noticed the need for it: it must not
    /// wait. [`Multi::switches`](super::Multi::switches) gives the same as a stream.
    pub fn on_switch(mut self, call: impl Fn(&Switch) + Send + Sync + 'static) -> MultiBuilder {
        self.settings.on_switch.push(Box::new(call));
        self
    }

    /// Connects to all databases at once, examines them, and begins to watch over them. The
    /// client has all methods of one of a single server.
    ///
    /// # Errors
    /// `Usage` for wrong options, by name; `NoDatabase` when fewer databases are healthy than
    /// [`MultiBuilder::initial`] asks for, with the reason for each.
    ///
    /// # Cancel safety
    /// Dropping the future closes all new connections.
    pub async fn connect(self) -> Result<Client> {
        let (databases, initial) = self.build(Some(tokio::runtime::Handle::current()))?;
        let all = databases.all();
        let mut tasks = tokio::task::JoinSet::new();
        for database in &all {
            let database = Arc::clone(database);
            tasks.spawn(async move {
                let outcome = database.examine().await;
                (database, outcome)
            });
        }
        while let Some(examined) = tasks.join_next().await {
            // A check that panicked is none that passed.
            if let Ok((database, outcome)) = examined {
                databases.first_examined(&database, outcome);
            }
        }
        databases.begin_all(&all, initial)?;
        Ok(Client::of_databases(databases))
    }

    /// As [`MultiBuilder::connect`], for a client that needs no runtime. It has a thread for each
    /// database that examines it.
    ///
    /// ```
    /// # let (a, b) = (alizarin_testkit::Server::start()?, alizarin_testkit::Server::start()?);
    /// # let (east, west) = (a.url(), b.url());
    /// use alizarin_core::Run;
    /// use alizarin_core::multi::Multi;
    ///
    /// let client = Multi::builder()
    ///     .database("east", east.as_str(), 1.0)
    ///     .database("west", west.as_str(), 0.5)
    ///     .connect_blocking()?;
    /// client.set("greeting", "hello").run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A call that already waits for an answer goes on waiting up to
    /// [`Config::response_timeout`], also when its database is found to have failed; a subscription
    /// until its server was silent for half a minute.
    ///
    /// # Errors
    /// As [`MultiBuilder::connect`].
    pub fn connect_blocking(self) -> Result<Client> {
        let (databases, initial) = self.build(None)?;
        let all = databases.all();
        std::thread::scope(|scope| {
            for database in &all {
                let databases = &databases;
                scope.spawn(move || {
                    databases.first_examined(database, block(database.examine()));
                });
            }
        });
        databases.begin_all(&all, initial)?;
        Ok(Client::of_databases(databases))
    }

    pub(super) fn build(
        self,
        runtime: Option<tokio::runtime::Handle>,
    ) -> Result<(Arc<Databases>, Quorum)> {
        self.health.check()?;
        self.detector.check()?;
        let databases = Databases::new(self.settings, self.health, self.detector, runtime);
        for (name, config, weight) in self.databases {
            databases.insert(name, config, weight)?;
        }
        if databases.all().is_empty() {
            let text = "a client of several databases needs at least one `database`";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        Ok((Arc::new(databases), self.initial))
    }
}

/// # Errors
/// `Usage` for a name or weight that makes no sense.
pub(super) fn check(name: &str, weight: f64) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "a `database` needs a name"));
    }
    if !(weight.is_finite() && weight > 0.0) {
        let text = format!("the weight of the database `{name}` must be a number above 0");
        return Err(Error::new(ErrorKind::Usage, text));
    }
    Ok(())
}

impl fmt::Debug for MultiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MultiBuilder { databases, health, detector, settings, initial } = self;
        f.debug_struct("MultiBuilder")
            .field("databases", databases)
            .field("health", health)
            .field("detector", detector)
            .field("settings", settings)
            .field("initial", initial)
            .finish()
    }
}

/// A new database, not yet examined.
pub(super) fn database(
    databases: &Databases,
    name: String,
    config: Config,
    weight: f64,
) -> Arc<Database> {
    let (health, detector) = (Arc::clone(&databases.health), databases.detector);
    Arc::new(Database::new(name, config, weight, databases.is_blocking(), health, detector))
}
