//! A connection that its holder has to himself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::confirmed::{counted, wait};
use super::session::{Change, change_of};
use super::{Held, Pool, PoolMetrics};
use crate::client::Client;
use crate::command::{Batch, Command, IntoCommand, is_blocking, slot};
use crate::connection::{Pipeline, Reply, Transaction, Wire, Work};
use crate::direct::check_waiting;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::{FromReply, Packed, Reader, ToArgs};
use crate::server::ServerInfo;

/// A connection of the client's pool, for its holder alone until it is dropped.
///
/// On it run all commands, one after the other, also those that a shared connection refuses since
/// they change the connection or speak of it: `WATCH`, `MULTI`, `SELECT`, `WAIT`. When it is
/// dropped it goes back to the pool, if it is as clean as it was: with an open `MULTI`, watched
/// keys, another database, another login, or a future that was dropped half-way it is closed.
///
/// It does not connect again: once it was lost, all its calls fail. So they do, without being sent,
/// once a server under Sentinel that it has spoken to is the primary no longer, which a planned
/// failover closes no connection for.
///
/// ```
/// # alizarin_core::__example!(client => {
/// use alizarin_core::commands::{get, set};
///
/// let mut connection = client.exclusive().await?;
/// connection.command("SELECT").arg(1).exec().await?;
/// connection.run(set("k", "in database 1")).await?;
/// let value: String = connection.run(get("k")).await?;
/// assert_eq!(value, "in database 1");
/// # });
/// ```
pub struct Exclusive {
    held: Held<Arc<Pool>>,
    /// Whether its holder has sent something.
    used: bool,
}

/// A request on its way over an [`Exclusive`] connection; nothing is sent before the first poll.
///
/// # Cancel safety
/// Dropping it before its end makes the connection useless.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OnExclusive<'e, R>(Pin<Box<dyn Future<Output = Result<R>> + Send + 'e>>);

impl Client {
    /// A connection of the pool, for the caller alone. Wait for it no longer than
    /// [`PoolConfig::wait`](crate::PoolConfig::wait); those who wait are served in order.
    ///
    /// # Cancel safety
    /// A dropped future gives up its place and keeps no connection.
    ///
    /// # Errors
    /// `Timeout` when all connections are in use for too long; `Connect`, `Auth` and the like when
    /// a new one cannot be made; `Usage` on a cluster, where a key must say which node:
    /// [`Client::exclusive_for`].
    pub async fn exclusive(&self) -> Result<Exclusive> {
        Exclusive::of(&self.pool_for(None)?, None).await
    }

    /// As [`Client::exclusive`]; on a cluster, a connection to the node that serves the key.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::commands::incr;
    ///
    /// let mut connection = client.exclusive_for("visits").await?;
    /// connection.run(incr("visits")).await?;
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// As [`Client::exclusive`].
    ///
    /// # Errors
    /// As [`Client::exclusive`].
    pub async fn exclusive_for(&self, key: impl ToArgs) -> Result<Exclusive> {
        let mut packed = Packed::new();
        key.write_keys(&mut packed);
        let slot = packed.first_key().map(slot);
        Exclusive::of(&self.pool_for(slot)?, None).await
    }

    /// How the pool stands: connections idle and in use, callers that wait, and what was closed
    /// for which reason.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// let connection = client.exclusive().await?;
    /// assert_eq!(client.pool_metrics().in_use, 1);
    /// drop(connection);
    /// assert_eq!(client.pool_metrics().idle, 1);
    /// # });
    /// ```
    pub fn pool_metrics(&self) -> PoolMetrics {
        self.pools().iter().fold(PoolMetrics::default(), |sum, pool| sum.plus(pool.metrics()))
    }
}

impl Exclusive {
    pub(super) async fn of(pool: &Arc<Pool>, left: Option<Duration>) -> Result<Exclusive> {
        Ok(Exclusive { held: pool.get(left).await?, used: false })
    }

    /// Any command by its name, as [`Client::command`].
    pub fn command<R>(&mut self, name: &str) -> Command<R, &mut Exclusive> {
        Command::new(name).on(self)
    }

    /// Runs a command. Refused are `SUBSCRIBE` and its kin, `MONITOR` and `CLIENT REPLY`, whose
    /// answers could not be told apart any more.
    ///
    /// Between `MULTI` and `EXEC` the server answers `QUEUED`: use [`Command::exec`] there, or
    /// [`Exclusive::transaction`].
    pub fn run<'e, C>(&'e mut self, command: C) -> OnExclusive<'e, C::Reply>
    where
        C: IntoCommand,
        C::Reply: 'e,
    {
        let command = command.into_command();
        OnExclusive(Box::pin(async move { self.one(&command).await }))
    }

    /// Sends several commands in one write, as [`Client::pipeline`]. What changes the connection
    /// is run alone.
    pub fn pipeline<'e, B>(&'e mut self, batch: B) -> OnExclusive<'e, B::Reply>
    where
        B: Batch,
        B::Replies: Send + Sync + 'e,
    {
        let pipeline = Pipeline::new(batch, false);
        OnExclusive(Box::pin(async move { self.work(&pipeline, Change::Nothing).await }))
    }

    /// Runs several commands as one (`MULTI` … `EXEC`) in one write, as [`Client::transaction`]:
    /// none of them when a key that the connection watches has changed, which is a `Conflict`.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::ErrorKind;
    /// use alizarin_core::commands::{get, set};
    ///
    /// let mut connection = client.exclusive().await?;
    /// connection.command("WATCH").key("stock").exec().await?;
    /// let stock: Option<u32> = connection.run(get("stock")).await?;
    /// client.set("stock", 5).await?;
    /// let error = connection.transaction((set("stock", 1),)).await.unwrap_err();
    /// assert_eq!((stock, error.kind()), (None, ErrorKind::Conflict));
    /// # });
    /// ```
    pub fn transaction<'e, B>(&'e mut self, batch: B) -> OnExclusive<'e, B::Reply>
    where
        B: Batch,
        B::Replies: Send + Sync + 'e,
    {
        let transaction = Transaction::new(batch, false);
        OnExclusive(Box::pin(async move { self.transact(&transaction).await }))
    }

    /// Waits until so many replicas have confirmed all writes that were sent on this connection
    /// (`WAIT`), but no longer than `timeout`; gives the number of those that have.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::time::Duration;
    /// use alizarin_core::ErrorKind;
    /// use alizarin_core::commands::set;
    ///
    /// let mut connection = client.exclusive().await?;
    /// connection.run(set("k", "v")).await?;
    /// // This server has no replica.
    /// let error = connection.confirmed_by(1, Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unconfirmed);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future makes the connection useless; the writes stay.
    ///
    /// # Errors
    /// `Unconfirmed` when there are fewer: the writes are done all the same, but a failover may
    /// lose them.
    pub async fn confirmed_by(&mut self, replicas: u32, timeout: Duration) -> Result<u32> {
        let packed = wait(replicas, timeout);
        let patience = timeout.saturating_add(self.held.pool().config.response_timeout);
        let reply = self.send(&Wire::One(&packed), Change::Nothing, Some(patience)).await?;
        counted(reply.as_bytes(), replicas)
    }

    /// What the server said of itself when the connection was made.
    pub fn server(&mut self) -> Result<ServerInfo> {
        Ok(self.held.conn()?.connection.server.clone())
    }

    /// Closes the connection instead of giving it back.
    pub fn close(mut self) {
        self.held.close();
    }

    async fn one<R: FromReply>(&mut self, command: &Command<R>) -> Result<R> {
        let (packed, flags) = (command.packed(), command.known_flags());
        let config = Arc::clone(&self.held.pool().config);
        let change = change_of(packed, flags, config.database)?;
        let patience = (!is_blocking(packed, flags)).then_some(config.response_timeout);
        let reply = self.send(&Wire::One(packed), change, patience).await;
        let reply = reply.map_err(|error| error.with_command(packed.name()))?;
        command.decode(&mut reply.reader()).map_err(answered)
    }

    async fn work<W: Work>(&mut self, work: &W, change: Change) -> Result<W::Reply> {
        work.check()?;
        let wire = work.wire();
        if wire.frames() == 0 {
            return work.decode(&mut Reader::new(b""));
        }
        let patience = self.held.pool().config.response_timeout;
        let reply = self.send(&wire, change, Some(patience)).await;
        let reply = reply.map_err(|error| error.with_command(work.name()))?;
        work.decode(&mut reply.reader()).map_err(answered)
    }

    pub(super) async fn transact<W: Work>(&mut self, transaction: &W) -> Result<W::Reply> {
        if self.held.conn()?.session.in_multi() {
            let text = "a transaction is open already on this connection (MULTI)";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        self.work(transaction, Change::End).await
    }

    /// Whether keys are watched, and no transaction is open.
    pub(super) fn is_watching(&mut self) -> Result<bool> {
        let session = &self.held.conn()?.session;
        Ok(session.is_watching() && !session.in_multi())
    }

    /// Sends `WATCH` or `UNWATCH`.
    pub(super) async fn watch(&mut self, packed: &Packed, change: Change) -> Result<()> {
        let patience = self.held.pool().config.response_timeout;
        let reply = self.send(&Wire::One(packed), change, Some(patience)).await;
        let reply = reply.map_err(|error| error.with_command(packed.name()))?;
        <()>::from_reply(&mut reply.reader()).map_err(|error| error.with_command(packed.name()))
    }

    pub(super) async fn send(
        &mut self,
        wire: &Wire<'_>,
        change: Change,
        patience: Option<Duration>,
    ) -> Result<Reply> {
        let pool = Arc::clone(self.held.pool());
        if !pool.is_blocking() {
            check_waiting()?;
        }
        let Exclusive { held, used } = self;
        let sending = async {
            if held.conn()?.is_deposed(&pool) {
                if *used {
                    // What it has written is there, for `WAIT` as well as for transactions.
                    return Err(deposed());
                }
                Box::pin(held.go_over()).await?;
            }
            *used = true;
            let conn = held.conn()?;
            if !pool.config.login_holds(conn.connection.login) && !conn.session.in_multi() {
                conn.log_in_again(&pool).await?;
            }
            conn.session.begin(change);
            let reply = conn.exchange(wire, &pool, patience).await?;
            // The answer to EXEC is the last of a transaction.
            let mut last = Reader::new(reply.as_bytes());
            last.skip_many(wire.frames().saturating_sub(1) as usize)?;
            let at = reply.as_bytes().len() - last.remaining();
            conn.session.end(change, reply.as_bytes().get(at..).unwrap_or_default());
            Ok(reply)
        };
        pool.enter(sending).await
    }
}

#[cold]
fn deposed() -> Error {
    let text = "another server is the primary now: the connection goes to the one before";
    Error::new(ErrorKind::Disconnected, text)
}

/// An error that an answer gave cannot be one of a request that was not sent.
fn answered(error: Error) -> Error {
    match error.sent() {
        Sent::No => error.with_sent(Sent::Yes),
        _ => error,
    }
}

impl fmt::Debug for Exclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive")
            .field("address", &self.held.pool().config.address())
            .finish_non_exhaustive()
    }
}

impl<R> Future for OnExclusive<'_, R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        self.0.as_mut().poll(cx)
    }
}

impl<R> fmt::Debug for OnExclusive<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnExclusive")
    }
}

impl<'e, R: FromReply + 'e> IntoFuture for Command<R, &'e mut Exclusive> {
    type Output = Result<R>;
    type IntoFuture = OnExclusive<'e, R>;

    fn into_future(self) -> OnExclusive<'e, R> {
        let (command, connection) = self.detach();
        connection.run(command)
    }
}

impl<'e> Command<(), &'e mut Exclusive> {
    /// Runs the command for its effect; an error reply is an error, any other reply is dropped.
    pub fn exec(self) -> OnExclusive<'e, ()> {
        self.into_future()
    }
}
