//! How a server is to be started.

use std::fmt;

use super::Server;
use crate::{error::Error, tls::Papers};

/// How a [`Server`] is to be started; from [`Server::builder`].
///
/// Each setting but the default makes the server a private process: `REDIS_URL` is not looked at.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::Server;
///
/// let server = Server::builder()
///     .password("secret")
///     .arg("--maxmemory", "100mb")
///     .args(["--user", "reader", "on", ">word", "~*", "+@read"])
///     .start()?;
/// assert!(server.url().starts_with("redis://:secret@127.0.0.1:"));
/// assert_eq!(server.command(&["CONFIG", "GET", "maxmemory"])?, "maxmemory\n104857600");
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing starts before `start`"]
pub struct ServerBuilder {
    pub(super) arguments: Vec<String>,
    pub(super) modules: bool,
    pub(super) password: Option<String>,
    pub(super) private: bool,
    pub(super) sentinel: bool,
    pub(super) papers: Option<Papers>,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            arguments: Vec::new(),
            modules: true,
            password: None,
            private: false,
            sentinel: false,
            papers: None,
        }
    }

    /// Adds a setting to the server's command line, such as `"--maxmemory", "1mb"`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().arg("--notify-keyspace-events", "KEA").start()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn arg(self, name: &str, value: &str) -> Self {
        self.args([name, value])
    }

    /// Adds words to the server's command line: a setting of several values, a user.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().args(["--user", "ann", "on", "nopass", "~*", "+@all"]).start()?;
    /// assert!(server.command(&["ACL", "USERS"])?.contains("ann"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn args<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.arguments.extend(words.into_iter().map(Into::into));
        self.private()
    }

    /// Gives the default user a password; [`Server::url`] carries it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().password("secret").start()?;
    /// assert_eq!(server.command(&["PING"])?, "PONG");
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.private()
    }

    /// With `false`: a bare server, without JSON, Search, TimeSeries and Bloom. Default: `true`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().modules(false).start()?;
    /// assert!(!server.has_module("search"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn modules(mut self, load: bool) -> Self {
        self.modules = load;
        self.private |= !load;
        self
    }

    /// Adds a user (ACL) that may do everything.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().user("app", "secret").start()?;
    /// assert!(server.command(&["AUTH", "app", "secret"])?.contains("OK"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn user(self, name: &str, password: &str) -> Self {
        self.args(["--user", name, "on", &format!(">{password}"), "~*", "&*", "+@all"])
    }

    /// Lets the server speak TLS, on a port of its own: [`Server::tls_url`]. The other port and
    /// the Unix socket stay as they are.
    ///
    /// # Errors
    ///
    /// When no certificate can be made for the names that were asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use alizarin_testkit::{Server, Tls};
    ///
    /// let tls = Tls::new()?;
    /// let server = Server::builder().tls(&tls)?.start()?;
    /// assert_ne!(server.tls_port(), server.port());
    /// assert!(server.tls_folder().unwrap().join("ca.pem").exists());
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: &crate::Tls) -> Result<Self, Error> {
        self.papers = Some(tls.papers()?);
        Ok(self.private())
    }

    /// The same, with what was made before.
    pub(crate) fn papers(mut self, papers: &Papers) -> Self {
        self.papers = Some(papers.clone());
        self.private()
    }

    /// Insists on a process of its own, even where `REDIS_URL` names a server.
    ///
    /// Only such a server can be stopped, paused and restarted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let server = Server::builder().private().start()?;
    /// assert_eq!(server.namespace(), "");
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Makes it a sentinel, which is told later what to watch.
    pub(crate) fn sentinel(mut self) -> Self {
        (self.sentinel, self.modules) = (true, false);
        self.private()
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    ///
    /// When there is no server to start ([`Error::is_unavailable`]), when it ends at once or does
    /// not answer in 10 seconds (the error shows the end of its log), when `REDIS_URL` is set and
    /// nothing answers there ([`Error::is_connection`]). Trying again is safe; but a process that
    /// found no server does not look again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::Server;
    /// let error = Server::builder().arg("--no-such-setting", "1").start().unwrap_err();
    /// assert!(error.to_string().contains("no-such-setting"));
    /// ```
    pub fn start(self) -> Result<Server, Error> {
        Server::start_with(&self)
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arguments, modules, password: _, private, sentinel, papers } = self;
        f.debug_struct("ServerBuilder")
            // Passwords of users are among them.
            .field("arguments", &arguments.len())
            .field("modules", modules)
            .field("private", private)
            .field("sentinel", sentinel)
            .field("tls", &papers.is_some())
            .finish_non_exhaustive()
    }
}
