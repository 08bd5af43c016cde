//! What a program sees of its databases, and may change while it runs.

use std::fmt;
use std::sync::Arc;

use super::builder::{self, MultiBuilder};
use super::circuit::Circuit;
use super::switch::{Queue, SwitchReason, Switches};
use super::{Database, Databases, keeper};
use crate::client::Client;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};

/// The databases of a client: several independent deployments (single servers, clusters), each
/// with a weight. The client uses the healthy one of highest weight, and goes over to another one
/// when that fails. Whether they hold the same data is up to what replicates between them.
///
/// - Each database is examined in the background ([`MultiBuilder::health_check`]), and at once when
///   a request fails; a sliding window over the requests themselves decides as well
///   ([`FailureDetector`](super::FailureDetector)).
/// - A request that was certainly not executed on the database that failed runs on the next one,
///   as does one that may be repeated. One that may have been executed fails and says so
///   ([`Sent::Unknown`](crate::Sent::Unknown)). Blocking commands (`BLPOP`) end so at every switch.
/// - Subscriptions subscribe on the next database and say [`Delivery::Gap`](crate::Delivery::Gap).
/// - A database that failed is left alone for a while ([`MultiBuilder::grace`]), and preferred again
///   when it has been healthy for longer ([`MultiBuilder::failback_after`]).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (a, mut b) = (alizarin_testkit::Server::start()?, alizarin_testkit::Server::start()?);
/// # let (east, west) = (a.url(), b.url());
/// use alizarin_core::multi::Multi;
///
/// let client = Multi::builder()
///     .database("east", east.as_str(), 1.0)
///     .database("west", west.as_str(), 0.5)
///     .connect()
///     .await?;
/// // A client as any other.
/// client.set("greeting", "hello").await?;
///
/// let multi = client.multi().expect("a client of several databases");
/// assert_eq!(multi.active().as_deref(), Some("east"));
/// multi.set_active("west").await?;
/// assert_eq!(client.get::<Option<String>>("greeting").await?, None);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Multi {
    databases: Arc<Databases>,
}

/// How a database stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DatabaseStatus {
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// Whether requests may go to it.
    pub circuit: Circuit,
    /// Whether they do.
    pub is_active: bool,
    /// Why it was not healthy when it was last examined.
    pub error: Option<String>,
}

impl Multi {
    /// A client of several databases, step by step.
    pub fn builder() -> MultiBuilder {
        MultiBuilder::new()
    }

    pub(crate) fn new(databases: Arc<Databases>) -> Multi {
        Multi { databases }
    }

    /// The name of the database in use; `None` while none is healthy.
    pub fn active(&self) -> Option<String> {
        self.databases.active().map(|active| active.name.clone())
    }

    /// How all databases stand, in the order in which they were added.
    pub fn databases(&self) -> Vec<DatabaseStatus> {
        let active = self.databases.active();
        let status = |database: &Arc<Database>| {
            let state = database.state();
            DatabaseStatus {
                name: database.name.clone(),
                weight: database.weight(),
                circuit: state.breaker.circuit(),
                is_active: active.as_ref().is_some_and(|active| Arc::ptr_eq(active, database)),
                error: state.error.as_ref().map(|error| error.message().to_owned()),
            }
        };
        self.databases.all().iter().map(status).collect()
    }

    /// Uses a database from now on, if it is healthy, whatever the weights. It stays the active
    /// one until it fails; after that the weights decide again. What is under way on the one
    /// before ends there.
    ///
    /// # Errors
    /// `Usage` for an unknown name; `NoDatabase` when the database is not healthy.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing changes when the future is dropped before its end.
    pub async fn set_active(&self, name: &str) -> Result<()> {
        let database = self.find(name)?;
        self.databases.open()?;
        if let Err(error) = database.examine().await {
            let text = format!("the database `{name}` is not healthy: {}", error.message());
            return Err(Error::new(ErrorKind::NoDatabase, text).with_source(error));
        }
        let now = self.databases.now();
        {
            let mut state = database.state();
            // The program's word counts more than the grace time.
            state.breaker.examine(now, self.databases.settings.grace, true);
            state.breaker.close(now);
            state.error = None;
        }
        database.recovered();
        self.databases.pin(&database)
    }

    /// Gives a database another weight. If that makes it, or another one, the one to be preferred,
    /// the client goes over to it at once, unless [`Multi::set_active`] chose the active one.
    ///
    /// # Errors
    /// `Usage` for an unknown name, or a weight that is not above 0.
    pub fn set_weight(&self, name: &str, weight: f64) -> Result<()> {
        builder::check(name, weight)?;
        self.find(name)?.set_weight(weight);
        self.databases.choose(None);
        Ok(())
    }

    /// Adds a database, if it is healthy, and uses it if its weight is the highest.
    ///
    /// # Errors
    /// `Usage` for a name that is taken, a wrong weight or URL; `NoDatabase` when it is not
    /// healthy.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is added when the future is dropped before its end.
    pub async fn add(
        &self,
        name: impl Into<String>,
        config: impl TryInto<Config, Error: Into<Error>>,
        weight: f64,
    ) -> Result<()> {
        let (name, config) = (name.into(), config.try_into().map_err(Into::into)?);
        builder::check(&name, weight)?;
        let apart = builder::database(&self.databases, name.clone(), config.clone(), weight);
        if let Err(error) = apart.examine().await {
            let text = format!("the database `{name}` is not healthy: {}", error.message());
            return Err(Error::new(ErrorKind::NoDatabase, text).with_source(error));
        }
        self.databases.open()?;
        self.databases.admit(&apart)?;
        keeper::spawn(&self.databases, &apart)?;
        self.databases.choose(None);
        Ok(())
    }

    /// Removes a database. What is under way on it is answered first; new requests go to the
    /// next one.
    ///
    /// # Errors
    /// `Usage` for an unknown name, and for the last database.
    ///
    /// # Cancel safety
    /// Once polled, the database is removed whether or not the future is dropped.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let removed = self.databases.expel(name)?;
        self.databases.choose(Some(SwitchReason::Removed));
        removed.retire();
        removed.close().await;
        Ok(())
    }

    /// The switches from now on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (a, b) = (alizarin_testkit::Server::start()?, alizarin_testkit::Server::start()?);
    /// use alizarin_core::multi::{Multi, SwitchReason};
    /// # let (east, west) = (a.url(), b.url());
    ///
    /// let client = Multi::builder()
    ///     .database("east", east.as_str(), 1.0)
    ///     .database("west", west.as_str(), 0.5)
    ///     .connect()
    ///     .await?;
    /// let multi = client.multi().expect("a client of several databases");
    /// let mut switches = multi.switches();
    /// multi.set_weight("west", 2.0)?;
    /// let switch = switches.next().await.expect("a stream without end")?;
    /// assert_eq!((switch.to.as_deref(), switch.reason), (Some("west"), SwitchReason::Preferred));
    /// # Ok(()) }
    /// ```
    pub fn switches(&self) -> Switches {
        let queue: Arc<Queue> = Arc::default();
        match self.databases.is_closed() {
            true => queue.end(),
            false => {
                let mut listeners = self.databases.listeners();
                listeners.retain(|listener| listener.strong_count() > 0);
                listeners.push(Arc::downgrade(&queue));
            }
        }
        Switches(queue)
    }

    /// A client of one of the databases alone, whichever is active.
    ///
    /// # Errors
    /// `Usage` for an unknown name; `NoDatabase` for one that was never reached.
    pub fn client_of(&self, name: &str) -> Result<Client> {
        let database = self.find(name)?;
        database.client().cloned().ok_or_else(|| {
            let text = format!("the database `{name}` was never reached");
            Error::new(ErrorKind::NoDatabase, text)
        })
    }

    fn find(&self, name: &str) -> Result<Arc<Database>> {
        let all = self.databases.all();
        all.into_iter().find(|database| database.name == name).ok_or_else(|| unknown(name))
    }
}

impl Databases {
    /// Takes in a database that was examined.
    fn admit(&self, database: &Arc<Database>) -> Result<()> {
        let mut list = self.list();
        if list.all.iter().any(|known| known.name == database.name) {
            let text = format!("there is a database `{}` already", database.name);
            return Err(Error::new(ErrorKind::Usage, text));
        }
        list.all.push(Arc::clone(database));
        Ok(())
    }

    fn expel(&self, name: &str) -> Result<Arc<Database>> {
        let mut list = self.list();
        let at = list.all.iter().position(|database| database.name == name);
        let at = at.ok_or_else(|| unknown(name))?;
        if list.all.len() == 1 {
            let text = format!("`{name}` is the last database: close the client instead");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        Ok(list.all.remove(at))
    }
}

pub(super) fn unknown(name: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("there is no database `{name}`"))
}

impl fmt::Debug for Multi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multi").field("databases", &self.databases()).finish()
    }
}
