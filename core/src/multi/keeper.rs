//! Watches over a database: a task, or on a blocking client a thread, that examines it now and
//! then, and at once when it is rung for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::Databases;
use super::database::Database;
use crate::error::{Error, ErrorKind, Result};

/// Wakes a keeper before its time.
#[derive(Default)]
pub(super) struct Bell {
    notify: Notify,
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    fn rung(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self) {
        self.notify.notify_one();
        *self.rung() = true;
        self.heard.notify_all();
    }

    pub(super) async fn wait(&self, time: Duration, blocking: bool) {
        if blocking {
            let waited = self.heard.wait_timeout_while(self.rung(), time, |rung| !*rung);
            *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
        } else {
            // Rung or not: it is time to look.
            let _ = tokio::time::timeout(time, self.notify.notified()).await;
        }
    }
}

/// Begins to watch over a database.
///
/// # Errors
/// `Connect` when the system gives no thread.
pub(super) fn spawn(databases: &Arc<Databases>, database: &Arc<Database>) -> Result<()> {
    let keeper = keep(Arc::downgrade(databases), Arc::clone(database));
    match &databases.runtime {
        Some(runtime) => {
            let task = runtime.spawn(keeper).abort_handle();
            *database.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
            if database.removed.load(Ordering::Acquire) {
                database.retire();
            }
        }
        None => {
            let thread = std::thread::Builder::new().name(format!("health of {}", database.name));
            let run = move || {
                crate::direct::block(async {
                    keeper.await;
                    Ok(())
                })
            };
            // It ends by itself.
            thread.spawn(run).map(drop).map_err(|error| {
                let text = "the system gives no thread for the health checks";
                Error::new(ErrorKind::Connect, text).with_source(error)
            })?;
        }
    }
    Ok(())
}

async fn keep(databases: Weak<Databases>, database: Arc<Database>) {
    loop {
        database.rest().await;
        if database.removed.load(Ordering::Acquire) {
            return;
        }
        let Some(all) = databases.upgrade() else { return };
        let due = all.begin(&database);
        drop(all);
        if due {
            let outcome = database.examine().await;
            let Some(all) = databases.upgrade() else { return };
            all.examined(&database, &outcome);
        }
    }
}
