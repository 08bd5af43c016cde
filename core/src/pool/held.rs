//! A connection of a pool, and whoever has it at the moment.

use std::future::poll_fn;
use std::ops::Deref;
use std::time::{Duration, Instant};

use super::metrics::Reason;
use super::patience::Exchange;
use super::session::Session;
use super::{Pool, within};
use crate::connection::maintenance::Moving;
use crate::connection::{Dedicated, Look, Pauses, Reply, Wire};
use crate::direct::{block, is_timeout};
use crate::error::{Error, ErrorKind, Result, Sent, ServerCode};
use crate::resp::{Frame, Packed, Pieces, View};

/// A blocking connection that was idle for no longer is used after a look whether it was closed,
/// unless the options want more; later ones are looked at for whatever has come on them.
const TRUSTED: Duration = Duration::from_secs(1);

/// An encoded command leaves no more room than this behind.
const KEEP: usize = 64 << 10;

/// A connection, and what is known of it.
pub(crate) struct Conn {
    pub(super) connection: Dedicated,
    pub(super) session: Session,
    /// Since when it is idle.
    pub(super) since: Instant,
    /// When it is to be replaced.
    pub(super) expires: Option<Instant>,
    /// The pool's epoch when it was made.
    pub(super) epoch: u64,
    /// Whether a request is under way: so it stays when its future is dropped.
    busy: bool,
    failed: bool,
    /// What a command was encoded into.
    scratch: Pieces,
}

/// A turn in a pool, with a connection once there is one. Dropping it gives both back, as far as
/// the connection is clean.
pub(crate) struct Held<P: Deref<Target = Pool>> {
    pool: P,
    conn: Option<Box<Conn>>,
}

impl Conn {
    pub(super) fn new(connection: Dedicated, expires: Option<Instant>, epoch: u64) -> Conn {
        Conn {
            connection,
            session: Session::default(),
            since: Instant::now(),
            expires,
            epoch,
            busy: false,
            failed: false,
            scratch: Pieces::default(),
        }
    }

    /// The move that its server has announced.
    pub(super) fn announced_move(&mut self) -> Option<Box<Moving>> {
        if self.failed || self.busy {
            return None;
        }
        // What else is left there is seen to by whoever looks for a fault.
        self.connection.announced_move().ok().flatten()
    }

    /// Why it must not be used again.
    pub(super) fn fault(&self, pool: &Pool, now: Instant) -> Option<Reason> {
        if self.failed {
            Some(Reason::Broken)
        } else if self.busy || !self.session.is_clean() || self.connection.inbox.is_partial() {
            Some(Reason::Dirty)
        } else if self.epoch != pool.epoch()
            || self.expires.is_some_and(|expires| now >= expires)
            || self.is_deposed(pool)
        {
            Some(Reason::Old)
        } else {
            None
        }
    }

    /// Whether another server is the primary, where one is elected.
    pub(super) fn is_deposed(&self, pool: &Pool) -> bool {
        pool.config.is_deposed(&self.connection.peer)
    }

    /// Sends a request and waits for its reply: for so long, or without a limit as long as the server
    /// lives. Once it was dropped or has failed the connection is of no use.
    ///
    /// # Errors
    /// `Timeout`, `Disconnected`, `Protocol`; it is unknown what became of the request.
    pub(crate) async fn exchange(
        &mut self,
        wire: &Wire<'_>,
        pool: &Pool,
        limit: Option<Duration>,
    ) -> Result<Reply> {
        let scratch = self.begin(wire)?;
        let bytes = encoded(wire, &scratch);
        let mut exchange = Exchange::new(&mut self.connection, bytes, wire.frames());
        let outcome = pool.attend(&mut exchange, limit).await;
        self.end(scratch, outcome)
    }

    /// The same on this thread, over a socket that waits while it is polled. Most calls of a blocking
    /// client end here, and need no room for what others wait for.
    pub(crate) fn exchange_here(
        &mut self,
        wire: &Wire<'_>,
        pool: &Pool,
        limit: Duration,
    ) -> Result<Reply> {
        let scratch = self.begin(wire)?;
        self.connection.stream.limit(pool.quiet(Some(limit)));
        let bytes = encoded(wire, &scratch);
        let mut exchange = Exchange::new(&mut self.connection, bytes, wire.frames());
        let outcome = match block(poll_fn(|cx| exchange.poll(cx))) {
            Err(error) if is_timeout(&error) => block(pool.doubt(&mut exchange, Some(limit))),
            outcome => outcome,
        };
        self.end(scratch, outcome)
    }

    /// Begins an exchange; gives what a command was encoded into.
    fn begin(&mut self, wire: &Wire<'_>) -> Result<Pieces> {
        self.usable()?;
        self.busy = true;
        let mut scratch = std::mem::take(&mut self.scratch);
        if let Wire::One(packed) = wire {
            packed.write_pieces(&mut scratch);
        }
        Ok(scratch)
    }

    /// Ends it. One that was given up ends nowhere: such a connection is never used again.
    fn end(&mut self, mut scratch: Pieces, outcome: Result<Reply>) -> Result<Reply> {
        scratch.clear(KEEP);
        self.scratch = scratch;
        match outcome {
            Ok(_) => self.busy = false,
            Err(_) => self.failed = true,
        }
        outcome.map_err(|error| error.with_sent(Sent::Unknown))
    }

    /// Refuses what can have no answer.
    fn usable(&self) -> Result<()> {
        if self.busy || self.failed {
            let text = "the connection failed, or a future that used it was dropped: it cannot be \
                        used again";
            return Err(Error::new(ErrorKind::Disconnected, text));
        }
        Ok(())
    }

    /// As [`Conn::exchange`] of one command.
    async fn ask(&mut self, packed: &Packed, pool: &Pool) -> Result<Reply> {
        self.exchange(&Wire::One(packed), pool, Some(pool.config.response_timeout)).await
    }

    /// Logs in with the credentials of now.
    ///
    /// # Errors
    /// `Auth` when they are refused; the provider's; what loses the connection.
    pub(super) async fn log_in_again(&mut self, pool: &Pool) -> Result<()> {
        let config = &pool.config;
        let epoch = config.login_epoch();
        let command = config.login_command().await?;
        let answer = self.ask(&command, pool).await?;
        let outcome = self.connection.logged_in(epoch, &answer);
        self.failed |= outcome.is_err();
        outcome
    }

    /// Whether the server answers, and answers what it was asked.
    async fn is_alive(&mut self, pool: &Pool) -> bool {
        let nonce = format!("alizarin-{}", pool.nonce());
        let mut ping = Packed::new();
        ping.push(b"PING");
        ping.push(nonce.as_bytes());
        let Ok(reply) = self.ask(&ping, pool).await else { return false };
        match reply.reader().next() {
            Ok(Frame::Bulk(text)) => text == nonce.as_bytes(),
            // Whoever may not ask has an answer too.
            Ok(Frame::Error(line)) => line.starts_with("NOPERM"),
            _ => false,
        }
    }
}

/// The bytes of a request.
fn encoded<'e>(wire: &Wire<'e>, scratch: &'e Pieces) -> View<'e> {
    match wire {
        Wire::One(_) => scratch.view(),
        Wire::Many { bytes, .. } => *bytes,
    }
}

#[cold]
fn no_connection() -> Error {
    Error::new(ErrorKind::Closed, "the connection is closed")
}

impl<P: Deref<Target = Pool>> Held<P> {
    /// With a turn that was just given.
    pub(super) fn new(pool: P, conn: Option<Box<Conn>>) -> Held<P> {
        Held { pool, conn }
    }

    pub(crate) fn pool(&self) -> &P {
        &self.pool
    }

    /// Whether the connection was used a moment ago, and can be used again.
    pub(super) fn is_fresh(&mut self, now: Instant) -> bool {
        self.conn.as_mut().is_some_and(|conn| {
            now.saturating_duration_since(conn.since) < self.pool.trusted()
                && conn.fault(&self.pool, now).is_none()
                && self.pool.config.login_holds(conn.connection.login)
                && !conn.connection.stream.is_cut()
        })
    }

    /// Sees to it that there is a connection that works.
    ///
    /// # Cancel safety
    /// A connection that was being asked is closed.
    ///
    /// # Errors
    /// Why none can be made.
    pub(super) async fn settle(&mut self, left: Option<Duration>) -> Result<()> {
        while let Some(conn) = &mut self.conn {
            let Some(reason) = self.pool.examine(conn).await else { return Ok(()) };
            self.pool.count(reason);
            self.conn = self.pool.another();
        }
        // Connecting needs much room, which the future of no request shall have.
        self.conn = Some(Box::new(Box::pin(self.pool.make(left)).await?));
        Ok(())
    }

    /// As [`Held::settle`]; while no connection can be made it is tried again, for as long as any
    /// request waits for a lost one ([`Config::connect_timeout`](crate::Config::connect_timeout)),
    /// unless it is to fail fast.
    ///
    /// # Cancel safety
    /// As [`Held::settle`].
    ///
    /// # Errors
    /// Why none could be made at last.
    pub(super) async fn settle_in_time(&mut self, left: Option<Duration>) -> Result<()> {
        let first = match self.settle(left).await {
            Err(error) if self.pool.may_come_back(&error) => error,
            outcome => return outcome,
        };
        // What is seldom needed makes no future larger.
        Box::pin(self.settle_later(first, left)).await
    }

    #[cold]
    async fn settle_later(&mut self, mut error: Error, left: Option<Duration>) -> Result<()> {
        let begun = Instant::now();
        let patience = within(self.pool.config.patience_without_connection(), left);
        let mut pauses = Pauses::new(self.pool.config.backoff);
        loop {
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(error);
            }
            self.pool.pause(pauses.next().min(left)).await;
            error = match self.settle(Some(left)).await {
                Err(error) if self.pool.may_come_back(&error) => error,
                outcome => return outcome,
            };
        }
    }

    /// The connection.
    ///
    /// # Errors
    /// `Closed` where there is none, which is so only after [`Held::close`].
    pub(crate) fn conn(&mut self) -> Result<&mut Conn> {
        self.conn.as_deref_mut().ok_or_else(no_connection)
    }

    /// As [`Conn::exchange`]: for so long, or as long as the server lives.
    pub(crate) async fn exchange(
        &mut self,
        wire: &Wire<'_>,
        limit: Option<Duration>,
    ) -> Result<Reply> {
        let Held { pool, conn } = self;
        let conn = conn.as_deref_mut().ok_or_else(no_connection)?;
        conn.exchange(wire, pool, limit).await
    }

    /// As [`Conn::exchange_here`].
    pub(crate) fn exchange_here(&mut self, wire: &Wire<'_>, limit: Duration) -> Result<Reply> {
        let Held { pool, conn } = self;
        conn.as_deref_mut().ok_or_else(no_connection)?.exchange_here(wire, pool, limit)
    }

    /// Takes a connection to the present primary in the place of one to a server that is deposed.
    ///
    /// # Errors
    /// Why none can be made.
    #[cold]
    pub(super) async fn go_over(&mut self) -> Result<()> {
        if self.conn.take().is_some() {
            self.pool.count(Reason::Old);
        }
        self.settle_in_time(None).await
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        if self.conn.take().is_some() {
            self.pool.count(Reason::Closed);
        }
    }
}

impl<P: Deref<Target = Pool>> Drop for Held<P> {
    fn drop(&mut self) {
        self.pool.give_back(self.conn.take());
    }
}

impl Pool {
    /// Whether the server may be back in a moment, which is waited for.
    fn may_come_back(&self, error: &Error) -> bool {
        let away = matches!(
            error.kind(),
            ErrorKind::Connect
                | ErrorKind::Disconnected
                | ErrorKind::Timeout
                | ErrorKind::Server(ServerCode::Loading)
        );
        away && !self.config.fail_fast && !self.state().turns.is_closed()
    }

    /// For how long an idle connection is used after a look.
    fn trusted(&self) -> Duration {
        let limits = &self.config.pool;
        TRUSTED.min(limits.check_after).min(limits.idle_timeout.unwrap_or(TRUSTED))
    }

    /// Whether a connection that was taken from the idle ones has been one for too long, and is none
    /// of those that are kept ready. A blocking client has nobody who would have closed it.
    fn is_tired(&self, idle: Duration) -> bool {
        let limits = &self.config.pool;
        limits.idle_timeout.is_some_and(|limit| idle >= limit)
            && self.state().turns.idle().len() >= limits.min_idle
    }

    /// Lets time pass, on this thread by a blocking client.
    async fn pause(&self, time: Duration) {
        match self.is_blocking() {
            true => std::thread::sleep(time),
            false => tokio::time::sleep(time).await,
        }
    }

    /// Why an idle connection cannot be used; asks the server where that cannot be seen.
    async fn examine(&self, conn: &mut Conn) -> Option<Reason> {
        let now = Instant::now();
        if let Some(reason) = conn.fault(self, now) {
            return Some(reason);
        }
        let idle = now - conn.since;
        if self.is_tired(idle) {
            return Some(Reason::Idle);
        }
        let stream = &mut conn.connection.stream;
        let look = match stream.waits() && idle < TRUSTED {
            true if stream.is_cut() => Look::Closed,
            true => Look::Quiet,
            false => stream.look(),
        };
        let asks = look == Look::Arrived || idle >= self.config.pool.check_after;
        // Asking is seldom needed, and needs much room.
        if look == Look::Closed || asks && !Box::pin(conn.is_alive(self)).await {
            return Some(Reason::Unhealthy);
        }
        if !self.config.login_holds(conn.connection.login)
            && let Err(error) = Box::pin(conn.log_in_again(self)).await
        {
            tracing::warn!(address = %self.config.address(), %error, "new login refused");
            return Some(Reason::Unhealthy);
        }
        None
    }
}
