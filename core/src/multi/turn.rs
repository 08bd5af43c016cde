//! A request's way through the databases: on the active one, and on the next if that fails.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Database, Databases};
use crate::client::Client;
use crate::connection::Reply;
use crate::error::{Error, ErrorKind, Result, Sent, ServerCode};

/// The pauses before a request is tried again, where no switch comes first.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// Where a request stands.
pub(crate) struct Turn {
    databases: Arc<Databases>,
    database: Option<Arc<Database>>,
    begun: Instant,
    /// How often it was repeated though it may have been executed.
    repeated: u32,
    pause: Duration,
    last: Option<Error>,
    /// What it waits for before it is tried.
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The next switch, where the request ends with it.
    switch: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Turn {
    #[cold]
    pub(crate) fn new(databases: &Arc<Databases>) -> Turn {
        Turn {
            databases: Arc::clone(databases),
            database: None,
            begun: Instant::now(),
            repeated: 0,
            pause: PAUSES.0,
            last: None,
            wait: None,
            switch: None,
        }
    }

    /// The client of the database it runs on.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.database.as_ref().and_then(|database| database.client())
    }

    /// Ready when there is a database to run on. With `ends`, a switch ends the request.
    ///
    /// # Errors
    /// `Closed`; `NoDatabase`, or why the last one failed, when there is none in time.
    pub(crate) fn poll_ready(&mut self, ends: bool, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if self.database.is_some() {
                return Poll::Ready(Ok(()));
            }
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(cx));
                self.wait = None;
            }
            self.databases.open()?;
            // Before the look at the active one, so that no switch is missed.
            let changes = self.databases.changes();
            if let Some(active) = self.databases.active() {
                if ends && !self.databases.is_blocking() {
                    let (databases, here) = (Arc::clone(&self.databases), Arc::clone(&active));
                    self.switch = Some(Box::pin(left(databases, here, changes)));
                }
                self.database = Some(active);
                return Poll::Ready(Ok(()));
            }
            if self.is_late() {
                let text = "no database is healthy";
                let error = self.last.take().unwrap_or_else(|| self.databases.no_database(text));
                return Poll::Ready(Err(self.honest(error)));
            }
            let since = *changes.borrow();
            self.wait(since);
        }
    }

    /// Ready when the client has gone over to another database.
    pub(crate) fn poll_switch(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(switch) = &mut self.switch else { return Poll::Pending };
        ready!(switch.as_mut().poll(cx));
        let text = "the client went over to another database";
        Poll::Ready(Error::new(ErrorKind::Disconnected, text).with_sent(Sent::Unknown))
    }

    /// Takes what came of it on the database; `None` when it is to be tried again.
    pub(crate) fn settle(
        &mut self,
        outcome: Result<Reply>,
        repeatable: bool,
        frames: u32,
    ) -> Option<Result<Reply>> {
        self.switch = None;
        let Some(database) = self.database.take() else { return Some(outcome) };
        let error = match &outcome {
            Ok(reply) => match refusal(reply.as_bytes()) {
                None => {
                    self.databases.good(&database);
                    return Some(outcome);
                }
                Some(error) => error,
            },
            Err(error) => error.duplicate(),
        };
        if !is_failure(&error) {
            return Some(outcome);
        }
        // Before the failure is told, so that no switch it leads to is missed.
        let since = self.databases.switches();
        self.databases.failed(&database, &error);
        let again = match error.sent() {
            Sent::No => true,
            // The server said that it did not execute it.
            Sent::Yes => frames == 1,
            Sent::Unknown => repeatable && self.repeated < self.databases.config().retries,
        };
        if !again || self.databases.is_closed() || self.is_late() {
            return Some(outcome.map_err(|error| self.honest(error)));
        }
        if error.sent() == Sent::Unknown {
            self.repeated += 1;
        }
        let moved = self.databases.active().is_some_and(|now| !Arc::ptr_eq(&now, &database));
        if !moved {
            self.wait(since);
        }
        self.last = Some(error);
        None
    }

    /// Whether it is not tried again.
    fn is_late(&self) -> bool {
        self.spent() >= self.databases.timeout()
    }

    /// How long the request has taken until now.
    pub(crate) fn spent(&self) -> Duration {
        self.begun.elapsed()
    }

    /// An error at the end: what was lost before may have been executed.
    fn honest(&self, error: Error) -> Error {
        match error.sent() {
            Sent::No if self.repeated > 0 => error.with_sent(Sent::Unknown),
            _ => error,
        }
    }

    fn wait(&mut self, since: u64) {
        let (databases, pause) = (Arc::clone(&self.databases), self.pause);
        self.pause = (pause * 2).min(PAUSES.1);
        self.wait = Some(Box::pin(async move { databases.pause(pause, since).await }));
    }
}

/// Waits until another database is active, or none.
pub(crate) async fn left(
    databases: Arc<Databases>,
    here: Arc<Database>,
    mut changes: watch::Receiver<u64>,
) {
    while databases.active().is_some_and(|active| Arc::ptr_eq(&active, &here)) {
        if changes.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Whether an error says something of the database.
pub(crate) fn is_failure(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect
        | ErrorKind::Disconnected
        | ErrorKind::Timeout
        | ErrorKind::Protocol
        | ErrorKind::Closed => true,
        // Not that of a command, but of the login.
        ErrorKind::Auth => error.sent() == Sent::No,
        ErrorKind::Server(code) => matches!(code, ServerCode::Loading | ServerCode::ClusterDown),
        _ => false,
    }
}

/// The error of a server that cannot work now.
pub(crate) fn refusal(reply: &[u8]) -> Option<Error> {
    let line = reply.strip_prefix(b"-")?;
    let first = [&b"LOADING "[..], b"CLUSTERDOWN "].iter().any(|code| line.starts_with(code));
    if !first {
        return None;
    }
    let line = line.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Some(Error::server(&String::from_utf8_lossy(line)))
}
