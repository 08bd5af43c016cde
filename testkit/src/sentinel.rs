//! A primary, its replicas, and the sentinels that watch over them.

use std::fmt;

use crate::{
    cluster::wait,
    error::Error,
    server::{Server, ServerBuilder},
    tls::Papers,
};

/// A deployment that Redis Sentinel watches over, of real processes on this machine, ended when
/// dropped: a primary, two replicas, three sentinels.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::Sentinel;
///
/// let mut deployment = Sentinel::start()?;
/// // connect your client to deployment.url()
/// assert!(deployment.url().starts_with("redis+sentinel://127.0.0.1:"));
/// let before = deployment.primary()?;
/// deployment.server_mut(before).stop()?;
/// let after = deployment.wait_for_primary(|primary| primary != before)?;
/// assert_eq!(deployment.server(after).command(&["SET", "k", "v"])?, "OK");
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
pub struct Sentinel {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
    password: Option<String>,
    sentinel_password: Option<String>,
    encrypted: bool,
}

/// How a [`Sentinel`] deployment is to be started; from [`Sentinel::builder`].
///
/// # Examples
///
/// ```
/// use alizarin_testkit::Sentinel;
///
/// let deployment = Sentinel::builder().password("secret").down_after(500).start()?;
/// assert!(deployment.url().starts_with("redis+sentinel://:secret@127.0.0.1:"));
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing starts before `start`"]
pub struct SentinelBuilder {
    replicas: usize,
    sentinels: usize,
    down_after: u32,
    password: Option<String>,
    sentinel_password: Option<String>,
    modules: bool,
    users: Vec<(String, String)>,
    papers: Option<Papers>,
}

impl Sentinel {
    /// The name of the primary, as the sentinels know it.
    pub const NAME: &'static str = "mymaster";

    /// Starts a primary with two replicas and three sentinels, and waits until all know each other.
    ///
    /// # Errors
    ///
    /// Those of [`ServerBuilder::start`]; when they do not agree within a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let deployment = alizarin_testkit::Sentinel::start()?;
    /// assert_eq!(deployment.primary()?, 0);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// A deployment that shall differ from the usual.
    ///
    /// # Examples
    ///
    /// ```
    /// let deployment = alizarin_testkit::Sentinel::builder().sentinels(1).start()?;
    /// assert_eq!(deployment.sentinels(), 1);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn builder() -> SentinelBuilder {
        SentinelBuilder {
            replicas: 2,
            sentinels: 3,
            down_after: 1_000,
            password: None,
            sentinel_password: None,
            modules: false,
            users: Vec::new(),
            papers: None,
        }
    }

    /// What a client connects to: all sentinels, and the primary's name.
    ///
    /// # Examples
    ///
    /// ```
    /// let deployment = alizarin_testkit::Sentinel::start()?;
    /// assert!(deployment.url().ends_with("/mymaster"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn url(&self) -> String {
        let address = |server: &Server| Some(format!("127.0.0.1:{}", self.port(server)?));
        let sentinels: Vec<String> = self.sentinels.iter().filter_map(address).collect();
        let login = self.password.as_ref().map(|password| format!(":{password}@"));
        let query =
            self.sentinel_password.as_ref().map(|word| format!("?sentinel_password={word}"));
        let scheme = if self.encrypted { "rediss" } else { "redis" };
        format!(
            "{scheme}+sentinel://{}{}/{}{}",
            login.unwrap_or_default(),
            sentinels.join(","),
            Self::NAME,
            query.unwrap_or_default()
        )
    }

    /// Where a server is reached by the others and by clients.
    fn port(&self, server: &Server) -> Option<u16> {
        if self.encrypted { server.tls_port() } else { server.port() }
    }

    /// Which server the sentinels name as the primary.
    ///
    /// # Errors
    ///
    /// When no sentinel answers.
    ///
    /// # Examples
    ///
    /// See [`Sentinel`].
    pub fn primary(&self) -> Result<usize, Error> {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME];
        let mut last = None;
        for sentinel in &self.sentinels {
            match sentinel.command(&ask) {
                Ok(answer) => {
                    let port = answer.lines().nth(1).and_then(|port| port.parse().ok());
                    let at = self.servers.iter().position(|server| self.port(server) == port);
                    return at.ok_or_else(|| Error::start("the sentinels name a stranger", ""));
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::start("there is no sentinel", "")))
    }

    /// Waits until the sentinels name a primary that is `right`, and it has taken its role.
    ///
    /// # Errors
    ///
    /// When that takes longer than a minute.
    ///
    /// # Examples
    ///
    /// See [`Sentinel`].
    pub fn wait_for_primary(&self, mut right: impl FnMut(usize) -> bool) -> Result<usize, Error> {
        let mut found = 0;
        wait("the sentinels name such a primary", || {
            let Ok(primary) = self.primary() else { return false };
            found = primary;
            let role = self.server(primary).command(&["ROLE"]).unwrap_or_default();
            right(primary) && role.starts_with("master")
        })?;
        Ok(found)
    }

    /// Makes a replica the primary (`SENTINEL FAILOVER`), and waits until it is; gives its number.
    ///
    /// # Errors
    ///
    /// When no replica takes over within a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let deployment = alizarin_testkit::Sentinel::start()?;
    /// assert_ne!(deployment.failover()?, 0);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn failover(&self) -> Result<usize, Error> {
        let before = self.primary()?;
        let mut looked = 0;
        self.wait_for_primary(|primary| {
            // it gives up where it knows of no replica that is good enough at the moment
            if looked % 300 == 0
                && let Some(sentinel) = self.sentinels.first()
            {
                let _ = sentinel.command(&["SENTINEL", "FAILOVER", Self::NAME]);
            }
            looked += 1;
            primary != before
        })
    }

    /// Waits until the sentinels know each other and every replica, and none is down.
    ///
    /// # Errors
    ///
    /// When that takes longer than a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let deployment = alizarin_testkit::Sentinel::start()?;
    /// deployment.wait_whole()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn wait_whole(&self) -> Result<(), Error> {
        let others = (self.sentinels.len().saturating_sub(1)).to_string();
        let replicas = (self.servers.len() - 1).to_string();
        wait("the sentinels know everybody", || {
            self.sentinels.iter().all(|sentinel| {
                let known = sentinel.command(&["SENTINEL", "MASTER", Self::NAME]);
                let known = known.unwrap_or_default();
                let field = |name: &str| {
                    known.lines().skip_while(|line| *line != name).nth(1).unwrap_or_default()
                };
                let linked = sentinel.command(&["SENTINEL", "REPLICAS", Self::NAME]);
                let linked = linked.unwrap_or_default();
                field("flags") == "master"
                    && field("num-other-sentinels") == others
                    && field("num-slaves") == replicas
                    && linked.matches("master-link-status\nok").count().to_string() == replicas
            })
        })?;
        wait("the replicas are in sync", || {
            let Ok(primary) = self.primary() else { return false };
            let info = self.server(primary).command(&["INFO", "replication"]).unwrap_or_default();
            info.matches("state=online").count() + 1 == self.servers.len()
        })
    }

    /// One of the servers; the first one began as the primary.
    ///
    /// # Panics
    ///
    /// Where there is no such server.
    #[expect(clippy::indexing_slicing, reason = "said in the docs")]
    pub fn server(&self, at: usize) -> &Server {
        &self.servers[at]
    }

    /// One of the servers, to be stopped, paused or restarted.
    ///
    /// # Panics
    ///
    /// Where there is no such server.
    #[expect(clippy::indexing_slicing, reason = "said in the docs")]
    pub fn server_mut(&mut self, at: usize) -> &mut Server {
        &mut self.servers[at]
    }

    /// How many servers there are.
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    /// One of the sentinels, to be asked, stopped, paused or restarted.
    ///
    /// # Panics
    ///
    /// Where there is no such sentinel.
    #[expect(clippy::indexing_slicing, reason = "said in the docs")]
    pub fn sentinel_mut(&mut self, at: usize) -> &mut Server {
        &mut self.sentinels[at]
    }

    /// How many sentinels there are.
    pub fn sentinels(&self) -> usize {
        self.sentinels.len()
    }
}

impl SentinelBuilder {
    /// How many replicas the primary has. Default: 2.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// How many sentinels there are; more than half of them must agree. Default: 3.
    pub fn sentinels(mut self, count: usize) -> Self {
        self.sentinels = count.max(1);
        self
    }

    /// After so many milliseconds a silent server counts as down. Default: 1000.
    pub fn down_after(mut self, milliseconds: u32) -> Self {
        self.down_after = milliseconds;
        self
    }

    /// A password of the servers.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// A password of the sentinels.
    pub fn sentinel_password(mut self, password: &str) -> Self {
        self.sentinel_password = Some(password.to_owned());
        self
    }

    /// Whether the servers load the modules (JSON, search, …). Default: no.
    pub fn modules(mut self, load: bool) -> Self {
        self.modules = load;
        self
    }

    /// Adds a user (ACL) to the servers that may do everything.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Lets servers and sentinels speak TLS, with clients and among themselves:
    /// [`Sentinel::url`] is that of TLS then.
    ///
    /// # Errors
    ///
    /// As [`ServerBuilder::tls`].
    ///
    /// # Examples
    ///
    /// ```
    /// use alizarin_testkit::{Sentinel, Tls};
    ///
    /// let tls = Tls::new()?;
    /// let deployment = Sentinel::builder().tls(&tls)?.start()?;
    /// assert!(deployment.url().starts_with("rediss+sentinel://127.0.0.1:"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: &crate::Tls) -> Result<Self, Error> {
        self.papers = Some(tls.papers()?);
        Ok(self)
    }

    /// Starts everything, and waits until all know each other.
    ///
    /// # Errors
    ///
    /// As [`Sentinel::start`].
    pub fn start(self) -> Result<Sentinel, Error> {
        let primary = self.server(None).start()?;
        let encrypted = self.papers.is_some();
        let port = if encrypted { primary.tls_port() } else { primary.port() };
        let port = port.unwrap_or_default().to_string();
        let mut servers = vec![primary];
        for _ in 0..self.replicas {
            servers.push(self.server(Some(&port)).start()?);
        }
        let mut sentinels = Vec::new();
        for _ in 0..self.sentinels {
            sentinels.push(self.sentinel(&port)?);
        }
        let Self { password, sentinel_password, .. } = self;
        let deployment = Sentinel { servers, sentinels, password, sentinel_password, encrypted };
        deployment.wait_whole()?;
        Ok(deployment)
    }

    fn server(&self, primary: Option<&str>) -> ServerBuilder {
        let mut server = Server::builder()
            .private()
            .modules(self.modules)
            .arg("--repl-diskless-sync-delay", "0");
        if let Some(port) = primary {
            server = server.args(["--replicaof", "127.0.0.1", port]);
        }
        if let Some(password) = &self.password {
            server = server.password(password).arg("--masterauth", password);
        }
        for (name, password) in &self.users {
            server = server.user(name, password);
        }
        match &self.papers {
            Some(papers) => server.papers(papers).arg("--tls-replication", "yes"),
            None => server,
        }
    }

    fn sentinel(&self, port: &str) -> Result<Server, Error> {
        const NAME: &str = Sentinel::NAME;
        let mut builder = Server::builder().sentinel();
        if let Some(password) = &self.sentinel_password {
            builder = builder.password(password);
        }
        if let Some(papers) = &self.papers {
            builder = builder.papers(papers).arg("--tls-replication", "yes");
        }
        let sentinel = builder.start()?;
        let quorum = (self.sentinels / 2 + 1).to_string();
        let down_after = self.down_after.to_string();
        sentinel.command(&["SENTINEL", "MONITOR", NAME, "127.0.0.1", port, &quorum])?;
        if let Some(password) = &self.password {
            sentinel.command(&["SENTINEL", "SET", NAME, "auth-pass", password])?;
        }
        if let Some(password) = &self.sentinel_password {
            sentinel.command(&["SENTINEL", "CONFIG", "SET", "sentinel-pass", password])?;
        }
        let settings = ["failover-timeout", "5000", "parallel-syncs", "1"];
        let mut set = vec!["SENTINEL", "SET", NAME, "down-after-milliseconds", &down_after];
        set.extend(settings);
        sentinel.command(&set)?;
        Ok(sentinel)
    }
}

impl fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, sentinels, password: _, sentinel_password: _, encrypted } = self;
        f.debug_struct("Sentinel")
            .field("servers", servers)
            .field("sentinels", sentinels)
            .field("encrypted", encrypted)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SentinelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentinelBuilder")
            .field("replicas", &self.replicas)
            .field("sentinels", &self.sentinels)
            .field("down_after", &self.down_after)
            .finish_non_exhaustive()
    }
}
