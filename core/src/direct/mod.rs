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

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::connection::{Connector, Reply, Wire};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pool;
use crate::sentinel::Replicas;
use crate::server::ServerInfo;

/// A connection of the pool for each call, for its time.
pub(crate) struct Direct {
    pub(crate) config: Arc<Config>,
    pool: Arc<Pool>,
    /// Who answers what only reads, where that is not this server.
    pub(crate) replicas: Option<Arc<Replicas>>,
}

impl Direct {
    /// Without a connection yet.
    pub(crate) fn new(config: Config) -> Direct {
        let config = Arc::new(config);
        let pool = Pool::new(Arc::clone(&config), Connector::Blocking, None);
        Direct { config, pool, replicas: None }
    }

    /// Connects once at least, so that a wrong address or login is known at once.
    pub(crate) fn connect(config: Config) -> Result<Direct> {
        let mut direct = Direct::new(config);
        drop(Pool::open_here(&*direct.pool)?);
        direct.fill();
        direct.replicas = Replicas::of(&direct.config, &Connector::Blocking);
        Ok(direct)
    }

    /// Makes the least number of connections ready, as far as that can be done.
    pub(crate) fn fill(&self) {
        let _ = block(async {
            self.pool.fill().await;
            Ok(())
        });
    }

    /// Sends a request and waits for its reply, within the time that is `left` of all.
    pub(crate) fn run(&self, wire: &Wire<'_>, left: Option<Duration>) -> Result<Reply> {
        self.run_at(Instant::now(), wire, left)
    }

    /// The same for one who has looked at the clock.
    pub(crate) fn run_at(
        &self,
        now: Instant,
        wire: &Wire<'_>,
        left: Option<Duration>,
    ) -> Result<Reply> {
        let mut connection = Pool::get_here(&*self.pool, now, left)?;
        let limit = self.config.response_timeout;
        connection.exchange_here(wire, left.map_or(limit, |left| left.min(limit)))
    }

    /// Sends a request that may wait on the server, and so has no limit but that.
    pub(crate) fn wait(&self, wire: &Wire<'_>, left: Option<Duration>) -> Result<Reply> {
        let mut connection = Pool::get_here(&*self.pool, Instant::now(), left)?;
        block(connection.exchange(wire, None))
    }

    /// Leaves the present server: later calls connect anew.
    pub(crate) fn leave(&self) {
        self.pool.renew();
    }

    /// Whether there is a connection that works, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.pool.has_idle()
    }

    /// What the server said of itself at the last connection.
    pub(crate) fn server(&self) -> ServerInfo {
        self.pool.server()
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Closes what is idle, and accepts nothing more.
    pub(crate) fn close(&self) {
        self.pool.close();
        if let Some(replicas) = &self.replicas {
            replicas.close();
        }
    }
}

/// The outcome of a future of a blocking client.
pub(crate) fn block<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    run::block(future).unwrap_or_else(|| Err(pended()))
}

fn pended() -> Error {
    Error::new(ErrorKind::Usage, "a blocking client waited for a runtime")
}
