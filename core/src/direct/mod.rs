//! A client without a runtime: its futures do their I/O while they are polled, and so are ready at
//! the first poll.
//!
//! All of the protocol is that of the shared connection; here are the sockets, and who uses which
//! connection.

mod run;
mod socket;

pub(crate) use run::check_waiting;
pub use run::{Iter, Run, Streamed};
pub(crate) use socket::{Socket, connect, is_timeout};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::connection::{Connector, Dedicated, Reply, Wire};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::sentinel::Replicas;
use crate::server::ServerInfo;

/// A connection that was idle for longer is looked at before it is used.
const TRUSTED: Duration = Duration::from_secs(1);

/// Connections for one call at a time each. There are as many as there were calls at once.
pub(crate) struct Direct {
    pub(crate) config: Arc<Config>,
    idle: Mutex<Vec<Idle>>,
    server: Mutex<ServerInfo>,
    closed: AtomicBool,
    /// Who answers what only reads, where that is not this server.
    pub(crate) replicas: Option<Arc<Replicas>>,
}

struct Idle {
    connection: Dedicated,
    since: Instant,
    /// What a command was encoded into.
    scratch: Vec<u8>,
}

impl Direct {
    /// Without a connection yet.
    pub(crate) fn new(config: Config) -> Direct {
        Direct {
            server: Mutex::new(ServerInfo::new(String::new(), config.protocol)),
            config: Arc::new(config),
            idle: Mutex::new(Vec::new()),
            closed: AtomicBool::new(false),
            replicas: None,
        }
    }

    /// Connects once, so that a wrong address or login is known at once.
    pub(crate) fn connect(config: Config) -> Result<Direct> {
        let mut direct = Direct::new(config);
        let first = direct.open()?;
        direct.replicas = Replicas::of(&direct.config, &Connector::Blocking);
        direct.give_back(first);
        Ok(direct)
    }

    /// Sends a request and waits for its reply.
    pub(crate) fn run(&self, wire: &Wire<'_>, waits: bool) -> Result<Reply> {
        self.admit()?;
        let mut used = match self.take() {
            Some(idle) => idle,
            None => self.open()?,
        };
        // A command that waits on the server has its own time limit.
        let limit = (!waits).then_some(self.config.response_timeout);
        let exchanged = used.exchange(wire, limit).map_err(|error| self.explain(error))?;
        self.give_back(used);
        Ok(exchanged)
    }

    /// Leaves the present server: later calls connect anew.
    pub(crate) fn leave(&self) {
        lock(&self.idle).clear();
    }

    /// Whether there is a connection that works, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        !lock(&self.idle).is_empty()
    }

    /// What the server said of itself at the last connection.
    pub(crate) fn server(&self) -> ServerInfo {
        lock(&self.server).clone()
    }

    /// Closes what is idle, and accepts nothing more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        lock(&self.idle).clear();
        if let Some(replicas) = &self.replicas {
            replicas.close();
        }
    }

    /// Closes what is idle: the server is not to be trusted.
    pub(crate) fn forget(&self) {
        lock(&self.idle).clear();
    }

    fn admit(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Closed, "the client is closed"));
        }
        Ok(())
    }

    /// An idle connection that the server has not closed meanwhile.
    fn take(&self) -> Option<Idle> {
        loop {
            let mut idle = lock(&self.idle).pop()?;
            if idle.since.elapsed() < TRUSTED || idle.connection.stream.is_quiet() {
                return Some(idle);
            }
        }
    }

    fn open(&self) -> Result<Idle> {
        let opened = run::block(Dedicated::log_in(&self.config, &Connector::Blocking));
        let connection = opened.unwrap_or_else(|| Err(pended()))?;
        *lock(&self.server) = connection.server.clone();
        Ok(Idle { connection, since: Instant::now(), scratch: Vec::new() })
    }

    /// Keeps a connection for later calls. One that holds a reply too many would answer the next
    /// request with it, so it is closed.
    fn give_back(&self, mut idle: Idle) {
        if idle.connection.inbox.is_partial() {
            return;
        }
        idle.since = Instant::now();
        let mut all = lock(&self.idle);
        if !self.closed.load(Ordering::Acquire) {
            all.push(idle);
        }
    }

    fn explain(&self, error: Error) -> Error {
        if is_timeout(&error) {
            let limit = self.config.response_timeout;
            let text = format!("the server gave no answer within {limit:?}");
            return Error::new(ErrorKind::Timeout, text).with_sent(Sent::Unknown);
        }
        error.with_sent(Sent::Unknown)
    }
}

impl Idle {
    fn exchange(&mut self, wire: &Wire<'_>, limit: Option<Duration>) -> Result<Reply> {
        self.connection.stream.limit(limit);
        let Idle { connection, scratch, .. } = self;
        let bytes = match wire {
            Wire::One(packed) => {
                scratch.clear();
                packed.write_to(scratch);
                scratch
            }
            Wire::Many { bytes, .. } => *bytes,
        };
        let exchange = async {
            connection.send(bytes).await?;
            connection.reply(wire.frames()).await
        };
        run::block(exchange).unwrap_or_else(|| Err(pended()))
    }
}

/// The outcome of a future of a blocking client.
pub(crate) fn block<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    run::block(future).unwrap_or_else(|| Err(pended()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is half done under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pended() -> Error {
    Error::new(ErrorKind::Usage, "a blocking client waited for a runtime")
}
