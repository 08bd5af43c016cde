//! Waiting for futures and streams without a runtime.

use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_core::Stream;

use crate::error::{Error, ErrorKind, Result, Sent};

/// What lies between two looks at a socket that is busy in both directions.
const PAUSE: Duration = Duration::from_micros(50);

/// Runs what would be awaited in async code: every builder and every async method of a blocking
/// client.
pub trait Run<T>: IntoFuture<Output = Result<T>> + Sized {
    /// Waits for the outcome, on this thread.
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let url = server.url();
    /// use alizarin_core::{Client, Run};
    ///
    /// let client = Client::connect_blocking(url.as_str())?;
    /// client.set("k", 7).run()?;
    /// let value: u32 = client.get("k").run()?;
    /// assert_eq!(value, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of the call; `Usage` for one of an async client inside of a runtime, where waiting
    /// might keep the runtime from ever answering it.
    fn run(self) -> Result<T> {
        block(self.into_future()).unwrap_or_else(|| Err(inside().with_sent(Sent::Unknown)))
    }
}

impl<T, F: IntoFuture<Output = Result<T>>> Run<T> for F {}

/// Streams as iterators: subscriptions, changes, scans, the documents of a query.
pub trait Streamed: Stream + Unpin {
    /// The items one by one; each waits for the next, on this thread.
    ///
    /// ```
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let url = server.url();
    /// use alizarin_core::{Client, Delivery, Run, Streamed};
    ///
    /// let client = Client::connect_blocking(url.as_str())?;
    /// let mut news = client.subscribe(["news"]).run()?;
    /// client.publish("news", "hello").run()?;
    /// match news.iter().next().expect("a stream without end")? {
    ///     Delivery::Message(message) => assert_eq!(&message.payload[..], b"hello"),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn iter(&mut self) -> Iter<'_, Self> {
        Iter { stream: self }
    }
}

impl<T, S: Stream<Item = Result<T>> + Unpin> Streamed for S {}

/// A stream as an iterator; made by [`Streamed::iter`].
#[derive(Debug)]
pub struct Iter<'s, S: ?Sized> {
    stream: &'s mut S,
}

impl<T, S: Stream<Item = Result<T>> + Unpin> Iterator for Iter<'_, S> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let next = std::future::poll_fn(|cx| Pin::new(&mut *self.stream).poll_next(cx));
        block(next).unwrap_or_else(|| Some(Err(inside().with_sent(Sent::Unknown))))
    }
}

fn inside() -> Error {
    Error::new(
        ErrorKind::Usage,
        "an async client's future cannot be waited for inside of a tokio runtime: await it, or use \
         a blocking client",
    )
}

/// Wakes a thread; knows whether it did so while the thread still polled.
struct Waiter {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

thread_local! {
    /// For the first look at a future. It tells whether that one wants to be looked at again.
    static FIRST: (Arc<Waiter>, Waker) = {
        let waiter = Waiter::new();
        (Arc::clone(&waiter), Waker::from(waiter))
    };
}

impl Waiter {
    fn new() -> Arc<Waiter> {
        Arc::new(Waiter { thread: thread::current(), woken: AtomicBool::new(false) })
    }
}

thread_local! {
    /// Whether this thread polls on behalf of [`Run`] or [`Iter`].
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Refuses the request of an async client that a thread of a runtime would wait for, before
/// anything of it is sent.
///
/// # Errors
/// `Usage`.
#[inline]
pub(crate) fn check_waiting() -> Result<()> {
    let running = RUNNING.try_with(Cell::get).unwrap_or(false);
    if running && tokio::runtime::Handle::try_current().is_ok() {
        return Err(inside());
    }
    Ok(())
}

/// Ends what [`RUNNING`] says, also by a panic.
struct Running(bool);

impl Running {
    fn begin() -> Running {
        Running(RUNNING.try_with(|running| running.replace(true)).unwrap_or(true))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A thread that ends has none any more.
        let _ = RUNNING.try_with(|running| running.set(self.0));
    }
}

/// The outcome of a future; `None` when it would have to wait for the runtime it runs in.
pub(crate) fn block<F: Future>(future: F) -> Option<F::Output> {
    let _running = Running::begin();
    let mut future = pin!(future);
    // A blocking client's futures need nobody to wake them.
    // A thread that ends has none any more.
    let again = FIRST.try_with(|(waiter, waker)| {
        waiter.woken.store(false, Ordering::Relaxed);
        match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(outcome) => Err(outcome),
            Poll::Pending => Ok(waiter.woken.load(Ordering::Acquire)),
        }
    });
    match again.unwrap_or(Ok(true)) {
        Err(outcome) => return Some(outcome),
        // Somebody else has to wake it, and this thread may be the one.
        Ok(false) if tokio::runtime::Handle::try_current().is_ok() => return None,
        Ok(_) => {}
    }
    let waiter = Waiter::new();
    let waker = Waker::from(Arc::clone(&waiter));
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(outcome);
        }
        if waiter.woken.swap(false, Ordering::AcqRel) {
            thread::sleep(PAUSE);
            continue;
        }
        if tokio::runtime::Handle::try_current().is_ok() {
            return None;
        }
        while !waiter.woken.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
}
