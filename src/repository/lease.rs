//! A lock that one process holds while it does something long, such as building an index.

use std::time::Duration;

use alizarin_core::commands::Script;

use super::failure::explain;
use super::lock::{Held, Terms};
use super::script::Call;
use crate::{Client, ErrorKind, Result};

static NOTE: Script = Script::new(include_str!("note.lua"));

/// How long a process that broke off keeps the others waiting, unless the call says otherwise.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// For how long one attempt waits, before the caller looks whether the work is done already.
const WAIT: Duration = Duration::from_millis(100);

/// A lease that is held; dropped, it is given back in the background.
#[derive(Debug)]
pub(crate) struct Lease {
    client: Client,
    held: Held,
    of: String,
}

impl Lease {
    /// Tries to take the lease of `key`; `None` when another process has it.
    pub(crate) async fn take(
        client: &Client,
        namespace: &str,
        key: &str,
        length: Duration,
    ) -> Result<Option<Lease>> {
        let terms = Terms { lease: length, wait: WAIT, fenced: false };
        match Held::take_at(client, namespace, key, terms).await {
            Ok(held) => Ok(Some(Lease { client: client.clone(), held, of: key.to_owned() })),
            Err(error) if error.kind() == ErrorKind::Locked => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Awaits work while the lease is prolonged; drops it where the lease is lost.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.held.during(&self.of, work).await
    }

    /// What a script checks: the lock's key and its token.
    pub(crate) fn lock(&self) -> (&str, &str) {
        self.held.lock()
    }

    /// Writes names and values into the journal that the lease is of, and removes names: in one
    /// step, and only while it is held.
    pub(crate) async fn note(&self, set: &[(&str, String)], gone: &[&str]) -> Result<()> {
        let (lock, token) = self.lock();
        let mut call = Call::new(&NOTE, &self.of);
        call.key(lock);
        call.arg(token).arg((set.len() * 2).to_string());
        for (name, value) in set {
            call.arg(name).arg(value);
        }
        for name in gone {
            call.arg(name);
        }
        call.run(&self.client).await.map_err(|error| explain(error, &self.of))
    }

    /// Gives it back after work that had this outcome.
    pub(crate) async fn end<T>(self, outcome: Result<T>) -> Result<T> {
        // The work is done or has failed either way; the lease ends by itself.
        drop(self.held.release().await);
        outcome
    }
}
