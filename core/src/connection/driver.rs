//! The task behind a shared connection: writes, reads, keeps time, and connects again.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::backoff::Pauses;
use super::dedicated::Dedicated;
use super::link::Link;
use super::maintenance::{Moving, Notice};
use super::state::closed;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pool;

/// A connection that lived for so long was a good one: the next attempt comes at once.
const PROVEN: Duration = Duration::from_millis(250);

/// Room for the wakers of so many is kept while time passes.
const FEW: usize = 8;

/// Starts the task on the current runtime.
pub(crate) fn spawn(link: Arc<Link>) {
    spawn_on(&tokio::runtime::Handle::current(), link);
}

/// Starts the task on this runtime.
pub(crate) fn spawn_on(runtime: &tokio::runtime::Handle, link: Arc<Link>) {
    link.pool.get_or_init(|| {
        let (config, connector) = (Arc::clone(&link.config), link.connector.clone());
        let pool = Pool::new(config, connector, Some(runtime.clone()));
        pool.keep();
        pool
    });
    let guard = Guard { link, done: false };
    runtime.spawn(run(guard));
}

/// Tells everybody when the task is dropped before its time.
struct Guard {
    link: Arc<Link>,
    done: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.done {
            let text = "the tokio runtime that drove this client has ended";
            self.link.end(&Error::new(ErrorKind::Closed, text));
        }
    }
}

async fn run(mut guard: Guard) {
    let link = Arc::clone(&guard.link);
    let mut tick = tokio::time::interval(link.tick_length());
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pauses = Pauses::new(link.config.backoff);
    if !link.is_up() {
        let text = format!("there is no connection to {} yet", link.config.address());
        let mut first =
            Down { link: &link, tick: &mut tick, last: Error::new(ErrorKind::Connect, text) };
        // Connecting needs much room, which is given back after it.
        match Box::pin(first.reconnect(&mut pauses, None)).await {
            Some(connection) => link.install(connection),
            None => {
                link.end(&closed());
                guard.done = true;
                return;
            }
        }
    }
    loop {
        let since = Instant::now();
        let mut connected = Connected {
            link: &link,
            tick: &mut tick,
            yielded: false,
            wakers: Vec::new(),
            next: None,
            stays: false,
            login: link.login(),
            pauses: Pauses::new(link.config.backoff),
            question: None,
        };
        let Some(error) = poll_fn(|cx| connected.poll(cx)).await else { break };
        drop(connected);
        tracing::debug!(address = %link.config.address(), %error, "connection lost");
        link.lose(&error);
        let mut delay = None;
        if since.elapsed() < PROVEN {
            delay = Some(pauses.next());
        } else {
            pauses.reset();
        }
        let mut down = Down { link: &link, tick: &mut tick, last: error };
        let reconnect = Box::pin(down.reconnect(&mut pauses, delay));
        let Some(connection) = reconnect.await else { break };
        link.install(connection);
    }
    link.end(&closed());
    guard.done = true;
}

/// While the connection is up.
struct Connected<'a> {
    link: &'a Link,
    tick: &'a mut Interval,
    /// Whether the scheduler ran others since bytes became pending.
    yielded: bool,
    wakers: Vec<Waker>,
    next: Option<Next<'a>>,
    /// Whether that one leads to the same place.
    stays: bool,
    /// Listens for other credentials; `None` where there are never any.
    login: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    /// Between attempts to log in with them.
    pauses: Pauses,
    /// Whether the server keeps back what it has not answered for a while.
    question: Option<Pin<Box<dyn Future<Output = bool> + Send + 'a>>>,
}

/// The connection that is to replace the present one, which will be cut.
enum Next<'a> {
    Coming(Pin<Box<dyn Future<Output = Result<Dedicated>> + Send + 'a>>),
    Here(Box<Dedicated>),
}

impl Link {
    fn login(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>> {
        self.config.renewals()?;
        Some(Box::pin(self.stay_logged_in()))
    }
}

impl Connected<'_> {
    /// Whether requests are written to the present connection.
    fn next_is_far(&self) -> bool {
        !matches!(self.next, Some(Next::Here(_)))
    }

    /// Begins to move, where that was announced, and goes on with it.
    fn poll_next(&mut self, cx: &mut Context<'_>) {
        let link = self.link;
        if let Some(moving) = link.state().maintenance.moving.take() {
            self.stays = moving.is_here();
            self.next = Some(Next::Coming(Box::pin(link.prepare_move(moving))));
        }
        let Some(Next::Coming(coming)) = &mut self.next else { return };
        let Poll::Ready(outcome) = coming.as_mut().poll(cx) else { return };
        self.next = match outcome {
            Ok(next) => {
                self.pauses.reset();
                link.caller.clear();
                link.state().maintenance.draining = true;
                Some(Next::Here(Box::new(next)))
            }
            Err(error) => {
                // It stays until it is cut; then it is made anew as always. What the server bears
                // of an old login is its own matter, and a refused one helps nobody twice.
                tracing::debug!(address = %link.config.address(), %error, "cannot move");
                let again = error.kind() != ErrorKind::Auth && link.login_is_old();
                let maintenance = &mut link.state().maintenance;
                // Another one may have been there already, and was given up for this.
                maintenance.draining = false;
                if again {
                    maintenance.moving = Some(Moving::here_after(self.pauses.next()));
                    cx.waker().wake_by_ref();
                }
                None
            }
        };
    }

    /// Ready with the reason when the connection is lost, with `None` when it was closed.
    #[expect(clippy::arithmetic_side_effects, reason = "64 bits of counting do not end")]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        let link = self.link;
        while self.tick.poll_tick(cx).is_ready() {
            if let Some(error) = link.on_tick() {
                return Poll::Ready(Some(error));
            }
            self.wakers.shrink_to(FEW);
            self.question = self.question.take().or_else(|| link.question());
        }
        if let Some(question) = &mut self.question
            && let Poll::Ready(withheld) = question.as_mut().poll(cx)
        {
            self.question = None;
            link.learn(withheld);
        }
        if let Some(login) = &mut self.login {
            // It has no end.
            let _ = login.as_mut().poll(cx);
        }
        self.poll_next(cx);
        let mut io = link.io();
        link.state().counters.driver_polls += 1;
        if let Some(error) = io.broken.take() {
            return Poll::Ready(Some(error));
        }
        loop {
            let (mut wait, mut moved) = (false, false);
            {
                let mut state = link.state();
                if link.caller.is_somebody() {
                    // The only one in flight reads for itself.
                    state.driver = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                state.driver = None;
                if matches!(self.next, Some(Next::Here(_)))
                    && io.writing.is_empty()
                    && state.slots.fifo.front().is_none_or(|entry| !io.writing.began(entry))
                    && let Some(Next::Here(mut next)) = self.next.take()
                {
                    let moving = next.moving.take();
                    // All that the old connection got is answered.
                    state.replace(&mut io, *next);
                    moved = true;
                    if let Some(moving) = moving
                        && link.announced(&mut state, &Notice::Moving(*moving))
                    {
                        cx.waker().wake_by_ref();
                    }
                }
                if io.writing.is_empty() && !state.pending.is_empty() && self.next_is_far() {
                    // Others are about to send: one round of the scheduler, and all go in one
                    // write.
                    wait = !self.yielded && state.slots.fifo.len() > 1;
                    self.yielded = wait;
                    if !wait {
                        io.writing.refill(&mut state.pending);
                    }
                }
                state.unwritten = io.writing.rest().len();
            }
            if moved {
                link.hears_no_more();
                if !self.stays
                    && let Some(pool) = link.pool.get()
                {
                    pool.go_to(link.elsewhere());
                    pool.renew();
                }
            }
            // Both directions in each round: neither waits for the other.
            let before = io.writing.written();
            let unwritable = matches!(io.write(cx), Poll::Ready(Err(()))).then(|| io.broken.take());
            let mut enough = false;
            while !enough && io.broken.is_none() && io.read(cx).is_ready() {
                link.deliver(&mut io, None, &mut self.wakers);
                self.wakers.drain(..).for_each(Waker::wake);
                enough = io.has_its_share();
            }
            // What the peer said before it hung up was read all the same.
            if let Some(error) = unwritable.flatten().or_else(|| io.broken.take()) {
                return Poll::Ready(Some(error));
            }
            let mut state = link.state();
            if state.slots.fifo.front().is_some_and(|head| head.end > before)
                && io.writing.written() > before
            {
                // The server takes in what it cannot answer yet.
                state.progress = state.tick;
            }
            state.unwritten = io.writing.rest().len();
            state.grant(&link.config, &mut self.wakers);
            let more = io.writing.is_empty() && !state.pending.is_empty() && self.next_is_far();
            let idle = io.writing.is_empty() && state.pending.is_empty();
            if state.closing && idle && state.slots.in_flight() == 0 {
                return Poll::Ready(None);
            }
            let again = wait || enough;
            if !more || again {
                state.driver = (!again).then(|| cx.waker().clone());
                drop(state);
                drop(io);
                self.wakers.drain(..).for_each(Waker::wake);
                if again {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
    }
}

/// While there is no connection.
struct Down<'a> {
    link: &'a Link,
    tick: &'a mut Interval,
    last: Error,
}

impl Down<'_> {
    /// Connects, however often it takes; `None` when the client is closed.
    async fn reconnect(
        &mut self,
        pauses: &mut Pauses,
        mut delay: Option<Duration>,
    ) -> Option<Dedicated> {
        let link = self.link;
        loop {
            if let Some(delay) = delay {
                self.watch(tokio::time::sleep(delay)).await?;
            }
            let destination = link.destination();
            match self.watch(Dedicated::connect(&destination, &link.connector)).await? {
                Some(Ok(connection)) => return Some(connection),
                None => {
                    // There is news of where to go.
                    delay = None;
                    continue;
                }
                Some(Err(error)) => {
                    tracing::debug!(address = %link.config.address(), %error, "cannot connect");
                    link.unreachable(&error);
                    self.last = error;
                }
            }
            if matches!(
                self.last.kind(),
                ErrorKind::Auth | ErrorKind::Tls | ErrorKind::Unsupported | ErrorKind::Usage
            ) {
                // Trying again by itself would help nobody, and lock accounts.
                link.fail_waiting(&self.last, None);
                self.watch(poll_fn(|cx| link.poll_demand(cx))).await?;
            }
            delay = Some(pauses.next());
        }
    }

    /// Runs `future` while time passes for those who wait; `None` when the client is closed,
    /// nothing inside of it when there is a reason to connect at once.
    async fn watch<F: Future>(&mut self, future: F) -> Option<Option<F::Output>> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            {
                let mut state = self.link.state();
                if state.closing {
                    return Poll::Ready(None);
                }
                if std::mem::take(&mut state.hurry) {
                    return Poll::Ready(Some(None));
                }
                state.driver = Some(cx.waker().clone());
            }
            while self.tick.poll_tick(cx).is_ready() {
                self.link.on_tick_down(&self.last);
            }
            future.as_mut().poll(cx).map(|outcome| Some(Some(outcome)))
        })
        .await
    }
}

impl Link {
    /// Time passes; gives the error if the server has left the oldest request unanswered for too
    /// long.
    fn on_tick(&self) -> Option<Error> {
        if let Some(mut io) = self.io_if_free() {
            io.inbox.shrink();
            let mut state = self.state();
            state.rest(&mut io);
            if state.slots.fifo.is_empty() {
                self.loaded.store(false, Ordering::Relaxed);
            }
        }
        self.beat();
        let mut wakers = Vec::new();
        let outcome = self.overdue(&mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        outcome
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a tick is a quarter of a second at most: 2^32 of them are a Duration"
    )]
    fn overdue(&self, wakers: &mut Vec<Waker>) -> Option<Error> {
        let mut state = self.state();
        state.advance(&self.config, wakers);
        self.clock.store(state.tick, Ordering::Relaxed);
        let limit = self.patience(&state);
        let head = state.slots.fifo.front()?.tick;
        if state.tick.wrapping_sub(head) > 1 {
            // Whoever reads for itself may have been left alone.
            self.caller.clear();
        }
        let silence = state.silence()?;
        (silence > limit).then(|| {
            let limit = self.tick_length() * limit;
            Error::new(ErrorKind::Timeout, format!("the server gave no answer within {limit:?}"))
        })
    }

    /// Time passes without a connection.
    fn on_tick_down(&self, last: &Error) {
        let limit = self.ticks(self.config.patience_without_connection());
        let mut wakers = Vec::new();
        let (tick, needed) = {
            let mut state = self.state();
            state.advance(&self.config, &mut wakers);
            let tick = state.tick;
            self.clock.store(tick, Ordering::Relaxed);
            let oldest = state.slots.oldest();
            let due = oldest.is_some_and(|oldest| tick.wrapping_sub(oldest) > limit);
            (tick, due || state.slots.has_cancelled())
        };
        wakers.into_iter().for_each(Waker::wake);
        if needed {
            let is_due = move |joined: u32| tick.wrapping_sub(joined) > limit;
            self.fail_waiting(last, Some(&is_due));
        }
    }

    /// Ready when somebody has sent something.
    fn poll_demand(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.pending.is_empty() {
            return Poll::Ready(());
        }
        state.driver = Some(cx.waker().clone());
        Poll::Pending
    }
}
