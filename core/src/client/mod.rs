//! The handle that applications hold.

mod again;
mod execute;
mod roam;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::command::{Batch, Command, IntoCommand, may_fire};
use crate::config::{Config, Endpoint};
use crate::connection::{
    Connector, Dedicated, Handle, Lanes, Link, Pipeline, Transaction, Wire, spawn,
};
use crate::direct::{Direct, block};
use crate::error::{Error, ErrorKind, Result};
use crate::multi::Databases;
use crate::pool::Pool;
use crate::resp::FromReply;
use crate::sentinel::{self, Replicas};
use crate::server::ServerInfo;

pub use execute::Execute;

/// A client of a Redis server or cluster: cheap to clone, shared by all tasks, by `&self`.
///
/// All clones share one connection, on which the commands of all tasks travel together; it comes
/// back by itself when it is lost. The last clone that is dropped closes it.
///
/// ```
/// # async fn example() -> alizarin_core::Result<()> {
/// # let server = alizarin_testkit::Server::start().unwrap();
/// # let url = server.url();
/// use alizarin_core::Client;
///
/// let client = Client::connect(url.as_str()).await?;
/// client.set("greeting", "hello").await?;
/// let greeting: Option<String> = client.get("greeting").await?;
/// assert_eq!(greeting.as_deref(), Some("hello"));
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct Client {
    way: Way,
}

/// How commands reach the server.
#[derive(Clone)]
enum Way {
    /// All over one connection, which a task drives.
    Shared(Arc<Handle>),
    /// Each over a connection of its own for that time, by the thread that polls.
    Direct(Arc<Direct>),
    /// Each to the node of the cluster that serves it.
    Cluster(Arc<Cluster>),
    /// Each to the database that is active.
    Multi(Arc<Databases>),
}

impl Client {
    /// Connects and logs in, by a URL or a [`Config`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the new connection.
    ///
    /// # Errors
    /// `Usage` for a wrong URL; `Connect`, `Auth`, `Protocol` or `Unsupported` when the first
    /// attempt fails. Later losses are mended in the background.
    pub async fn connect(config: impl TryInto<Config, Error: Into<Error>>) -> Result<Client> {
        let mut config = config.try_into().map_err(Into::into)?;
        config.check()?;
        if let Endpoint::Cluster(_) = config.endpoint {
            let cluster = Cluster::connect(config, Connector::Endpoint).await?;
            return Ok(Client { way: Way::Cluster(cluster) });
        }
        Client::open(config, Connector::Endpoint).await
    }

    /// A client whose streams come from `connector`.
    pub(crate) async fn open(config: Config, connector: Connector) -> Result<Client> {
        let first = Dedicated::connect(&config, &connector).await?;
        let mut others = Vec::new();
        for _ in 1..config.connections {
            let other = Dedicated::connect(&config, &connector).await?;
            let other = Arc::new(Link::new(config.of_lane(), connector.clone(), other));
            spawn(Arc::clone(&other));
            others.push(Handle(other));
        }
        let watched = match &config.endpoint {
            Endpoint::Sentinel(sentinels) => Some((config.clone(), sentinels.clone())),
            _ => None,
        };
        let link = Link::new(config, connector, first);
        if !others.is_empty() {
            link.share_with(Lanes::new(others));
        }
        let client = Client::from_link(link);
        if let (Some((config, sentinels)), Way::Shared(handle)) = (watched, &client.way) {
            if let Some(replicas) = Replicas::of(&config, &handle.0.connector) {
                handle.0.read_from(replicas);
            }
            sentinel::watch(&handle.0, &config, &sentinels);
        }
        Ok(client)
    }

    /// A client over a link that nobody drives yet.
    pub(crate) fn from_link(link: Link) -> Client {
        let link = Arc::new(link);
        spawn(Arc::clone(&link));
        Client { way: Way::Shared(Arc::new(Handle(link))) }
    }

    /// Connects and logs in on this thread, without a runtime. All methods are the same; what is
    /// awaited elsewhere is waited for by [`Run::run`](crate::Run::run).
    ///
    /// Any number of threads may use the client at once: each call has a connection for its own
    /// time. Waiting blocks the thread, so async code should use [`Client::connect`].
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let url = server.url();
    /// use alizarin_core::commands::{get, incr};
    /// use alizarin_core::{Client, Run};
    ///
    /// let client = Client::connect_blocking(url.as_str())?;
    /// let (name, visits) = client.pipeline((get::<Option<String>>("name"), incr("visits"))).run()?;
    /// assert_eq!((name, visits), (None, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub fn connect_blocking(config: impl TryInto<Config, Error: Into<Error>>) -> Result<Client> {
        let mut config = config.try_into().map_err(Into::into)?;
        config.check()?;
        if let Endpoint::Cluster(_) = config.endpoint {
            let cluster = block(Cluster::connect(config, Connector::Blocking))?;
            return Ok(Client { way: Way::Cluster(cluster) });
        }
        Ok(Client { way: Way::Direct(Arc::new(Direct::connect(config)?)) })
    }

    /// Whether it is a client of [`Client::connect_blocking`].
    pub fn is_blocking(&self) -> bool {
        match &self.way {
            Way::Shared(_) => false,
            Way::Direct(_) => true,
            Way::Cluster(cluster) => cluster.is_blocking(),
            Way::Multi(databases) => databases.is_blocking(),
        }
    }

    /// Lets time pass: as a timer of the runtime, or on this thread by a blocking client.
    #[doc(hidden)]
    pub async fn pause(&self, time: Duration) {
        let client = self.steady();
        match (client.cluster(), client.own_pool()) {
            _ if client.is_blocking() => std::thread::sleep(time),
            (Some(cluster), _) => cluster.pause(time).await,
            // Whoever waits for it may be outside of the runtime.
            (None, Ok(pool)) => pool.enter(async { tokio::time::sleep(time).await }).await,
            (None, Err(_)) => tokio::time::sleep(time).await,
        }
    }

    /// Any command by its name; arguments are added by [`Command::arg`] and [`Command::key`].
    /// Its reply decodes into whatever the result is used as; [`Command::exec`] throws it away.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.command("HSET").key("movie:1").arg(("title", "Alien")).exec().await?;
    /// let bytes: u64 = client.command("MEMORY").arg("USAGE").key("movie:1").await?;
    /// assert!(bytes > 0);
    /// # });
    /// ```
    pub fn command<R>(&self, name: &str) -> Command<R, &Client> {
        Command::new(name).on(self)
    }

    /// Runs a command that was made apart from the client.
    pub fn run<C: IntoCommand>(&self, command: C) -> Execute<Command<C::Reply>, &Client> {
        Execute::new(self, command.into_command())
    }

    /// Sends several commands in one write; gives their replies together. They are not atomic:
    /// other clients' commands may run in between.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::commands::{get, incr};
    ///
    /// let (name, visits) = client.pipeline((get::<Option<String>>("name"), incr("visits"))).await?;
    /// assert_eq!((name, visits), (None, 1));
    /// # });
    /// ```
    pub fn pipeline<B: Batch>(&self, batch: B) -> Execute<Pipeline<B::Replies>, &Client> {
        Execute::new(self, Pipeline::new(batch, self.routes()))
    }

    /// Runs several commands as one (`MULTI` … `EXEC`): no other client's command runs in
    /// between, and either all are executed or, when the server refuses one of them beforehand,
    /// none. There is no rollback: what a command did stays when a later one fails.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::commands::{incr, set};
    ///
    /// let (_, count) = client.transaction((set("k", "v"), incr("writes"))).await?;
    /// assert_eq!(count, 1);
    /// # });
    /// ```
    pub fn transaction<B: Batch>(&self, batch: B) -> Execute<Transaction<B::Replies>, &Client> {
        Execute::new(self, Transaction::new(batch, self.routes()))
    }

    /// Sends a command without waiting for its reply; errors are lost. For clean-up in `Drop`.
    ///
    /// A command that waits on the server or changes the connection is not sent, nor is one while
    /// the client is closed or the connection's limits ([`Config::max_in_flight`],
    /// [`Config::max_pending_bytes`]) are exceeded twofold.
    pub fn fire<R>(&self, command: Command<R>) {
        if may_fire(command.packed(), command.known_flags()) {
            if self.databases().is_some() {
                if let Some(active) = self.active() {
                    active.fire(command);
                }
                return;
            }
            let wire = Wire::One(command.packed());
            // A closed client has nothing left to clean up.
            let _ = match &self.way {
                Way::Shared(handle) => handle.0.fire(&wire),
                Way::Direct(direct) => direct.run(&wire, None).map(drop),
                Way::Cluster(cluster) => {
                    cluster.fire(command.packed(), command.known_flags());
                    Ok(())
                }
                Way::Multi(_) => Ok(()),
            };
        }
        drop(command);
    }

    /// What the server said of itself when the client last connected; of several databases the
    /// active one's.
    pub fn server(&self) -> ServerInfo {
        match &self.way {
            Way::Shared(handle) => handle.0.state().server.clone(),
            Way::Direct(direct) => direct.server(),
            Way::Cluster(cluster) => cluster.server(),
            Way::Multi(databases) => match self.active() {
                Some(active) => active.server(),
                None => ServerInfo::new(String::new(), databases.config().protocol),
            },
        }
    }

    /// What the client was made from; of several databases the first one's.
    pub fn config(&self) -> &Config {
        match &self.way {
            Way::Shared(handle) => &handle.0.config,
            Way::Direct(direct) => &direct.config,
            Way::Cluster(cluster) => &cluster.config,
            Way::Multi(databases) => databases.config(),
        }
    }

    /// Waits until everything in flight is answered, then closes the connection, for all clones.
    /// Later calls fail with `Closed`.
    ///
    /// # Cancel safety
    /// Once polled, the client closes whether or not the future is dropped.
    pub async fn close(&self) {
        match &self.way {
            Way::Shared(handle) => {
                handle.0.close();
                poll_fn(|cx| handle.0.poll_closed(cx)).await;
                if let Some(replicas) = handle.0.replicas() {
                    poll_fn(|cx| replicas.poll_closed(cx)).await;
                }
            }
            Way::Direct(direct) => direct.close(),
            Way::Cluster(cluster) => cluster.close().await,
            Way::Multi(databases) => databases.close().await,
        }
    }

    /// Whether it is a client of a cluster; of several databases, whether one of them is.
    pub fn is_cluster(&self) -> bool {
        match &self.way {
            Way::Multi(databases) => databases.has_cluster(),
            way => matches!(way, Way::Cluster(_)),
        }
    }

    /// Whether it is a clone of that one: what one sends goes where the other's goes.
    #[doc(hidden)]
    pub fn is_same(&self, other: &Client) -> bool {
        match (&self.way, &other.way) {
            (Way::Shared(one), Way::Shared(other)) => Arc::ptr_eq(one, other),
            (Way::Direct(one), Way::Direct(other)) => Arc::ptr_eq(one, other),
            (Way::Cluster(one), Way::Cluster(other)) => Arc::ptr_eq(one, other),
            (Way::Multi(one), Way::Multi(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Whether what is sent may have to be taken apart.
    fn routes(&self) -> bool {
        matches!(self.way, Way::Cluster(_) | Way::Multi(_))
    }

    pub(crate) fn cluster(&self) -> Option<&Arc<Cluster>> {
        match &self.way {
            Way::Cluster(cluster) => Some(cluster),
            _ => None,
        }
    }

    /// Which link the client's one shared connection is to those who take its pushes.
    pub(crate) fn source(&self) -> Option<u64> {
        match &self.way {
            Way::Shared(handle) => handle.0.source(),
            _ => None,
        }
    }

    /// Where the client's own connections come from.
    pub(crate) fn connector(&self) -> Connector {
        match &self.way {
            Way::Shared(handle) => handle.0.connector.clone(),
            Way::Direct(_) => Connector::Blocking,
            Way::Cluster(cluster) if cluster.is_blocking() => Connector::Blocking,
            Way::Cluster(_) => Connector::Endpoint,
            Way::Multi(databases) if databases.is_blocking() => Connector::Blocking,
            Way::Multi(_) => Connector::Endpoint,
        }
    }

    /// The pool of the one server.
    ///
    /// # Errors
    /// `Closed`; `Usage` on a cluster.
    pub(crate) fn own_pool(&self) -> Result<Arc<Pool>> {
        match &self.way {
            Way::Shared(handle) => handle.0.pool().cloned(),
            Way::Direct(direct) => Ok(Arc::clone(direct.pool())),
            Way::Cluster(_) => {
                Err(Error::new(ErrorKind::Usage, "each node of the cluster has its own pool"))
            }
            Way::Multi(databases) => Err(databases.no_database("no database is healthy")),
        }
    }

    /// The connection of a client that shares one.
    #[cfg(test)]
    pub(crate) fn link(&self) -> &Arc<Link> {
        match &self.way {
            Way::Shared(handle) => &handle.0,
            Way::Direct(_) | Way::Cluster(_) | Way::Multi(_) => {
                panic!("it shares no single connection")
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.config().address()).finish()
    }
}

impl<'c, R: FromReply> IntoFuture for Command<R, &'c Client> {
    type Output = Result<R>;
    type IntoFuture = Execute<Command<R>, &'c Client>;

    fn into_future(self) -> Self::IntoFuture {
        let (command, client) = self.detach();
        Execute::new(client, command)
    }
}

/// With a clone of the client inside, the future borrows nothing and can be spawned.
impl<R: FromReply> IntoFuture for Command<R, Client> {
    type Output = Result<R>;
    type IntoFuture = Execute<Command<R>, Client>;

    fn into_future(self) -> Self::IntoFuture {
        let (command, client) = self.detach();
        Execute::new(client, command)
    }
}

impl<'c> Command<(), &'c Client> {
    /// Runs the command for its effect; an error reply is an error, any other reply is dropped.
    pub fn exec(self) -> Execute<Command<()>, &'c Client> {
        self.into_future()
    }
}
