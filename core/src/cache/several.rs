//! The cache of a client of several databases: what was read from one of them counts only while
//! that one is in use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::config::Tracking;
use super::fill::{Asking, Decode};
use super::keys::Keys;
use super::line::Line;
use super::request::Request;
use super::shard::Value;
use super::store::{Name, Store};
use crate::client::Client;
use crate::direct::block;
use crate::error::{Error, ErrorKind, Result};
use crate::multi::{Database, Databases, is_failure, left, refusal};

/// The databases that were read from.
pub(super) struct Several {
    /// The client of all of them.
    pub(super) client: Client,
    databases: Arc<Databases>,
    tracking: Tracking,
    homes: Mutex<Vec<Arc<Home>>>,
}

/// One of them.
struct Home {
    database: Arc<Database>,
    line: OnceCell<Arc<Line>>,
    /// Held by the thread that connects.
    opening: Mutex<()>,
}

impl Several {
    /// Connects to the one in use.
    ///
    /// # Errors
    /// As [`Client::cache`].
    pub(super) async fn connect(
        client: &Client,
        databases: &Arc<Databases>,
        tracking: Tracking,
    ) -> Result<Several> {
        let several = Several {
            client: client.clone(),
            databases: Arc::clone(databases),
            tracking,
            homes: Mutex::default(),
        };
        if let Some(home) = several.home() {
            home.open(&several.tracking).await?;
        }
        Ok(several)
    }

    pub(super) fn is_blocking(&self) -> bool {
        self.databases.is_blocking()
    }

    fn homes(&self) -> MutexGuard<'_, Vec<Arc<Home>>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database in use.
    fn home(&self) -> Option<Arc<Home>> {
        let active = self.databases.active()?;
        let mut homes = self.homes();
        if let Some(home) = homes.iter().find(|home| Arc::ptr_eq(&home.database, &active)) {
            return Some(Arc::clone(home));
        }
        let home =
            Arc::new(Home { database: active, line: OnceCell::new(), opening: Mutex::default() });
        // Those that were removed are not read from again; their connections end outside of the lock.
        let (kept, removed) = homes.drain(..).partition(|home| !home.database.is_removed());
        *homes = kept;
        homes.push(Arc::clone(&home));
        drop(homes);
        let _: Vec<Arc<Home>> = removed;
        Some(home)
    }

    /// The connections to the database in use, if there are any yet.
    pub(super) fn line(&self) -> Option<Arc<Line>> {
        self.home()?.line.get().cloned()
    }

    /// Asks the database in use, and where that fails or is left, whichever comes to be used: what
    /// that says is not kept.
    pub(super) fn ask(&self, request: Request, keys: &Keys<'_>) -> Asking {
        let home = self.home();
        let (databases, tracking) = (Arc::clone(&self.databases), self.tracking.clone());
        let client = self.client.clone();
        let slot = keys.slot();
        Box::pin(async move {
            if let Some(home) = home {
                // Before the look at the active one, so that no switch is missed.
                let changes = databases.changes();
                let asked = async {
                    let line = home.open(&tracking).await?;
                    line.ask(request.clone(), slot).await
                };
                let gone = left(Arc::clone(&databases), Arc::clone(&home.database), changes);
                let answer = tokio::select! {
                    answer = asked => Some(answer),
                    () = gone => None,
                };
                match answer {
                    Some(Ok(answer)) if !is_refused(&answer.reply) => return Ok(answer),
                    Some(Err(error)) if !is_failure(&error) => return Err(error),
                    _ => {}
                }
            }
            request.past_the_cache(client).await
        })
    }

    /// Answers from the store, or asks the database in use, on this thread.
    pub(super) fn read(
        &self,
        store: &Arc<Store>,
        name: Name<'_>,
        keys: &Keys<'_>,
        request: impl Fn() -> Request,
        decode: Decode,
    ) -> Result<Value> {
        if let Some(home) = self.home() {
            let line = home.open_here(&self.tracking);
            match line.and_then(|line| line.read(store, name, keys, &request, decode)) {
                Ok(Value::Raw(reply)) if is_refused(&reply) => {}
                Err(error) if is_failure(&error) => {}
                outcome => return outcome,
            }
        }
        let answer = block(request().past_the_cache(self.client.clone()))?;
        decode(&answer.reply).map(|(value, _)| value)
    }
}

/// Whether a server says that it cannot work now.
fn is_refused(reply: &[u8]) -> bool {
    refusal(reply).is_some()
}

impl Home {
    async fn open(&self, tracking: &Tracking) -> Result<&Arc<Line>> {
        self.line.get_or_try_init(|| self.connect(tracking)).await
    }

    async fn connect(&self, tracking: &Tracking) -> Result<Arc<Line>> {
        let Some(client) = self.database.client() else {
            return Err(Error::new(ErrorKind::Connect, "the database was never reached"));
        };
        Ok(Arc::new(Line::open(client, tracking.clone()).await?))
    }

    /// The same on this thread.
    fn open_here(&self, tracking: &Tracking) -> Result<&Arc<Line>> {
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = self.line.get() {
            return Ok(line);
        }
        let line = block(self.connect(tracking))?;
        let _ = self.line.set(line);
        self.line.get().ok_or_else(|| Error::new(ErrorKind::Connect, "another thread connects"))
    }
}
