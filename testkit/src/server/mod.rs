//! A standalone server.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    client::Client,
    endpoint::{Address, Endpoint},
    error::{Error, Kind},
    process::Process,
    resp::Reply,
    version::Version,
};

mod builder;
mod named;
mod start;

pub use builder::ServerBuilder;

/// A standalone Redis server, ended when dropped.
///
/// It is private to this value, except where `REDIS_URL` names the server to use: put
/// [`Server::namespace`] before every key, and tests are right with both.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::Server;
///
/// let server = Server::start()?;
/// println!("Redis {} at {}", server.version(), server.url());
/// assert_eq!(server.command(&["PING"])?, "PONG");
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
pub struct Server {
    owner: Owner,
    namespace: String,
    version: Version,
    modules: Vec<String>,
}

enum Owner {
    /// `REDIS_URL` names it.
    Other(Endpoint),
    Us(Process),
}

impl Server {
    /// Starts a server with every module, or connects to the one at `REDIS_URL`.
    ///
    /// The first start of all on a machine may fetch the server, which takes some 10 seconds.
    ///
    /// # Errors
    ///
    /// Those of [`ServerBuilder::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// let server = alizarin_testkit::Server::start()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// Settings for a server of another kind: a password, other options, no modules.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().arg("--maxmemory", "1gb").start()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The one server of this process, started by the first call: for tests that keep to their own
    /// keys.
    ///
    /// It ends with the process.
    ///
    /// # Errors
    ///
    /// Those of [`ServerBuilder::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// use alizarin_testkit::{Server, unique};
    ///
    /// let server = Server::shared()?;
    /// let key = format!("{}{}", server.namespace(), unique("visits"));
    /// assert_eq!(server.command(&["INCR", &key])?, "1");
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: Mutex<Option<&'static Server>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        match *shared {
            Some(server) => Ok(server),
            None => Ok(*shared.insert(Box::leak(Box::new(Self::start()?)))),
        }
    }

    /// The URL to connect to, over TCP: `redis://127.0.0.1:PORT`, with the password if there is one.
    ///
    /// Where `REDIS_URL` names the server, this is that URL.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::builder().private().start()?;
    /// assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port().unwrap()));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        self.endpoint().url()
    }

    /// The URL to connect to over its Unix socket, `redis+unix:///...`; `None` if it has none here.
    ///
    /// The server at `REDIS_URL` and one in a container have none.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// if let Some(url) = server.unix_url() {
    ///     assert!(url.starts_with("redis+unix:///"));
    /// }
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn unix_url(&self) -> Option<String> {
        let mut endpoint = self.endpoint().clone();
        endpoint.address = Address::Unix(self.socket()?.to_owned());
        Some(endpoint.url())
    }

    /// The path of its Unix socket; `None` if it has none here.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// assert!(server.socket().is_none_or(|path| path.exists()));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        match &self.owner {
            Owner::Us(process) => process.socket(),
            Owner::Other(_) => None,
        }
    }

    /// Its TCP port; `None` if `REDIS_URL` names a Unix socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::builder().private().start()?;
    /// let stream = std::net::TcpStream::connect(("127.0.0.1", server.port().unwrap())).unwrap();
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self.endpoint().address {
            Address::Tcp { port, .. } => Some(port),
            Address::Unix(_) => None,
        }
    }

    /// The URL to connect to over TLS, `rediss://127.0.0.1:PORT`; `None` without
    /// `ServerBuilder::tls`.
    #[must_use]
    pub fn tls_url(&self) -> Option<String> {
        let mut endpoint = self.endpoint().clone();
        endpoint.address = Address::Tcp { host: "127.0.0.1".to_owned(), port: self.tls_port()? };
        Some(endpoint.url().replacen("redis:", "rediss:", 1))
    }

    /// The port where it speaks TLS; `None` without `ServerBuilder::tls`.
    #[must_use]
    pub fn tls_port(&self) -> Option<u16> {
        match &self.owner {
            Owner::Us(process) => process.tls_port(),
            Owner::Other(_) => None,
        }
    }

    /// The folder with the certificates as files: `ca.pem`, `client.pem`, `client.key` (and the
    /// server's own); `None` without `ServerBuilder::tls`.
    #[must_use]
    pub fn tls_folder(&self) -> Option<PathBuf> {
        match &self.owner {
            Owner::Us(process) => process.tls_folder(),
            Owner::Other(_) => None,
        }
    }

    /// The prefix for this test's keys and indexes: empty for a private server, else
    /// `alizarin-test-RANDOM:`.
    ///
    /// On the server at `REDIS_URL`, dropping this value removes what starts with the prefix.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// let key = format!("{}film:1", server.namespace());
    /// server.command(&["JSON.SET", &key, "$", "{}"])?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its version, by its own word.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::{Server, Version};
    /// # let server = Server::start()?;
    /// assert!(server.version() >= Version::new(8, 0, 0));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The server has the module: `json`, `search`, `timeseries`, `bloom` or `vectorset`.
    ///
    /// Redis's own names (`ReJSON`, `bf`) will do too, in any case.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// assert!(server.has_module("search") && server.has_module("json"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn has_module(&self, name: &str) -> bool {
        self.modules.contains(&start::everyday_name(name))
    }

    /// Sends one command on a new connection and gives the reply as text, for setting up a test.
    ///
    /// A list is one element a line, nil is empty. It waits for the reply up to 30 seconds.
    ///
    /// # Errors
    ///
    /// An error reply ([`Error::is_reply`]); a connection that fails ([`Error::is_connection`]),
    /// and then the server may or may not have run the command.
    ///
    /// # Examples
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::builder().private().start()?;
    /// server.command(&["CONFIG", "SET", "hz", "100"])?;
    /// server.command(&["CLIENT", "KILL", "TYPE", "normal"])?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn command(&self, words: &[&str]) -> Result<String, Error> {
        let mut client = Client::connect(self.endpoint(), PATIENCE)?;
        client.call(words).map(Reply::into_text)
    }

    /// Kills the server at once (SIGKILL): its clients lose their connections.
    ///
    /// # Errors
    ///
    /// For the server at `REDIS_URL`: it is not ours to kill.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let mut server = Server::builder().private().start()?;
    /// server.stop()?;
    /// assert!(server.command(&["PING"]).is_err());
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn stop(&mut self) -> Result<(), Error> {
        self.process("stopping")?.stop()
    }

    /// Kills the server if it runs, and starts it again on the same port and socket.
    ///
    /// Its data are gone, unless it was started with `--appendonly yes`.
    ///
    /// # Errors
    ///
    /// Those of [`ServerBuilder::start`]; and for the server at `REDIS_URL`: it is not ours.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let mut server = Server::builder().private().start()?;
    /// let url = server.url();
    /// server.restart()?;
    /// assert_eq!(server.url(), url);
    /// assert_eq!(server.command(&["DBSIZE"])?, "0");
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn restart(&mut self) -> Result<(), Error> {
        self.process("restarting")?.restart()
    }

    /// Freezes the server (SIGSTOP): it keeps its connections and answers nothing.
    ///
    /// # Errors
    ///
    /// For the server at `REDIS_URL`, and when the server was stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let mut server = Server::builder().private().start()?;
    /// server.pause()?;
    /// // a client's time limit can be tried now
    /// server.resume()?;
    /// assert_eq!(server.command(&["PING"])?, "PONG");
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn pause(&mut self) -> Result<(), Error> {
        self.process("pausing")?.pause()
    }

    /// Lets a paused server go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// For the server at `REDIS_URL`, and when the server was stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let mut server = Server::builder().private().start()?;
    /// server.pause()?;
    /// server.resume()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn resume(&mut self) -> Result<(), Error> {
        self.process("resuming")?.resume()
    }

    fn endpoint(&self) -> &Endpoint {
        self.owner.endpoint()
    }

    fn process(&mut self, what: &'static str) -> Result<&mut Process, Error> {
        match &mut self.owner {
            Owner::Us(process) => Ok(process),
            Owner::Other(_) => Err(Kind::Unsupported(what).into()),
        }
    }
}

impl Owner {
    fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Other(endpoint) => endpoint,
            Self::Us(process) => process.endpoint(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Owner::Other(endpoint) = &self.owner {
            // best effort: a server that is gone keeps its keys
            let _ = named::tidy(endpoint, &self.namespace);
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, namespace, version, modules } = self;
        f.debug_struct("Server")
            .field("endpoint", owner.endpoint())
            .field("namespace", namespace)
            .field("version", version)
            .field("modules", modules)
            .finish()
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
