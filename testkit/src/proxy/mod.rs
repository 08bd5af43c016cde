//! A proxy that does to connections what networks do.

mod fuse;
mod pump;

use std::{
    fmt,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{error::Error, server::Server};
pub use fuse::{Fuse, Loss};
use pump::Pair;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Requests.
    ToServer,
    /// Replies.
    ToClient,
}

/// A TCP proxy in front of a server that delays, splits, swallows and cuts what passes, ended when
/// dropped. Every change holds at once, for the connections that there are and for new ones.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::{Direction, Proxy, Server};
///
/// let server = Server::start()?;
/// let proxy = Proxy::before(&server)?;
/// // connect your client to proxy.url()
/// assert!(proxy.url().starts_with("redis://127.0.0.1:"));
/// proxy.swallow(Direction::ToClient); // requests arrive, replies do not
/// proxy.reset(); // all connections break
/// proxy.heal();
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// What happens to the bytes of one direction.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    delay: Duration,
    piece: Option<usize>,
    swallow: bool,
    /// So many bytes pass yet, then the connection ends.
    left: Option<u64>,
}

#[derive(Debug, Default)]
struct Rules {
    refuse: bool,
    to_server: Way,
    to_client: Way,
}

impl Rules {
    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

struct Shared {
    target: SocketAddr,
    rules: Mutex<Rules>,
    fuse: Mutex<Option<Fuse>>,
    pairs: Mutex<Vec<Weak<Pair>>>,
    closed: AtomicBool,
    accepted: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pairs(&self) -> MutexGuard<'_, Vec<Weak<Pair>>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fuse(&self) -> Option<Fuse> {
        self.fuse.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn counter(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1, and passes everything on to `target`.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::{Proxy, Server};
    /// # let server = Server::builder().private().start()?;
    /// let proxy = Proxy::start(([127, 0, 0, 1], server.port().unwrap()).into())?;
    /// assert_ne!(Some(proxy.address().port()), server.port());
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn start(target: SocketAddr) -> Result<Self, Error> {
        let fail = |source| Error::file("starting a proxy".to_owned(), source);
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let shared = Arc::new(Shared {
            target,
            rules: Mutex::default(),
            fuse: Mutex::default(),
            pairs: Mutex::default(),
            closed: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { shared, address })
    }

    /// A proxy in front of a server.
    ///
    /// # Errors
    ///
    /// As [`Proxy::start`]; when the server has no TCP port here.
    ///
    /// # Examples
    ///
    /// See [`Proxy`].
    pub fn before(server: &Server) -> Result<Self, Error> {
        let port = server.port().ok_or_else(|| Error::start("the server has no TCP port", ""))?;
        Self::start(([127, 0, 0, 1], port).into())
    }

    /// The same proxy with a fuse, which several can share.
    ///
    /// # Examples
    ///
    /// See [`Fuse`].
    #[must_use]
    pub fn with_fuse(self, fuse: &Fuse) -> Self {
        *self.shared.fuse.lock().unwrap_or_else(PoisonError::into_inner) = Some(fuse.clone());
        self
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL, `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// How many connections were made through it.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes went this way, swallowed ones included.
    #[must_use]
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.shared.counter(direction).load(Ordering::SeqCst)
    }

    /// Whatever comes is passed on so much later, in both directions.
    pub fn delay(&self, time: Duration) {
        self.both(|way| way.delay = time);
    }

    /// Passes on at most so many bytes in one write, in both directions; 0 counts as 1.
    pub fn split(&self, bytes: usize) {
        self.both(|way| way.piece = Some(bytes.max(1)));
    }

    /// Lets so many more bytes pass this way, then ends the connection that they passed on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::{Direction, Proxy, Server};
    /// # let server = Server::start()?;
    /// # let proxy = Proxy::before(&server)?;
    /// // The reply that comes next breaks off in its middle.
    /// proxy.cut_after(Direction::ToClient, 3);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.shared.rules().way(direction).left = Some(bytes);
    }

    /// Passes nothing on this way; the connections stay open.
    pub fn swallow(&self, direction: Direction) {
        self.shared.rules().way(direction).swallow = true;
    }

    /// Passes nothing on, whichever way; the connections stay open, and neither side learns of the
    /// other's end: as when a machine is gone or a firewall forgot the connection.
    pub fn blackhole(&self) {
        self.both(|way| way.swallow = true);
    }

    /// Ends new connections at once.
    pub fn refuse(&self) {
        self.shared.rules().refuse = true;
    }

    /// Breaks all connections (RST).
    pub fn reset(&self) {
        self.end(true);
    }

    /// Ends all connections (FIN).
    pub fn close(&self) {
        self.end(false);
    }

    /// From now on everything passes as it is.
    pub fn heal(&self) {
        *self.shared.rules() = Rules::default();
    }

    fn both(&self, change: impl Fn(&mut Way)) {
        let mut rules = self.shared.rules();
        change(&mut rules.to_server);
        change(&mut rules.to_client);
    }

    fn end(&self, hard: bool) {
        let pairs = std::mem::take(&mut *self.shared.pairs());
        for pair in pairs.iter().filter_map(Weak::upgrade) {
            pair.end(hard);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.end(false);
        // wakes the thread that accepts
        let _ = TcpStream::connect(self.address);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("target", &self.shared.target)
            .field("rules", &*self.shared.rules())
            .finish_non_exhaustive()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        if shared.rules().refuse || shared.fuse().is_some_and(|fuse| fuse.dead()) {
            pump::break_off(&client);
            continue;
        }
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        let Ok(server) = TcpStream::connect_timeout(&shared.target, Duration::from_secs(5)) else {
            pump::break_off(&client);
            continue;
        };
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let pair = Arc::new(Pair {
            client,
            server,
            broken: AtomicBool::new(false),
            mute: AtomicBool::new(false),
        });
        {
            let mut pairs = shared.pairs();
            pairs.retain(|pair| pair.strong_count() > 0);
            pairs.push(Arc::downgrade(&pair));
        }
        for direction in [Direction::ToServer, Direction::ToClient] {
            let (pair, shared) = (Arc::clone(&pair), Arc::clone(shared));
            thread::spawn(move || pump::pump(&pair, direction, &shared));
        }
    }
}
