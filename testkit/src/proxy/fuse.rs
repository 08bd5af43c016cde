//! Counting requests through proxies, and cutting at a certain one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is lost when a [`Fuse`] blows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Everything from this request on: it does not arrive, all connections end, and new ones are
    /// refused. As when the client's process is killed.
    Everything,
    /// This request: its connection ends before it arrives.
    Request,
    /// The reply to this request: it arrives, and its connection ends before the reply does.
    Reply,
}

/// Blows at a certain request, counted over all proxies that have it. What a client writes at once
/// counts as one request: a single one, or a pipeline.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::{Fuse, Loss, Proxy, Server};
///
/// let server = Server::start()?;
/// let fuse = Fuse::new();
/// let proxy = Proxy::before(&server)?.with_fuse(&fuse);
/// // connect your client to proxy.url(), then
/// fuse.arm(2, Loss::Reply); // two requests pass, the third one's reply does not
/// assert!(!fuse.blown());
/// # let _ = proxy;
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Fuse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    armed: Option<(u64, Loss)>,
    passed: u64,
    blown: bool,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// It is lost with its connection.
    Cut,
    /// It passes; the connection ends before its reply.
    CutAtReply,
}

impl Fuse {
    /// One that lets everything pass.
    #[must_use]
    pub fn new() -> Fuse {
        Fuse::default()
    }

    /// Lets so many requests pass from now on, then blows, once.
    pub fn arm(&self, requests: u64, loss: Loss) {
        *self.state() = State { armed: Some((requests, loss)), passed: 0, blown: false };
    }

    /// Lets everything pass again.
    pub fn disarm(&self) {
        self.state().armed = None;
    }

    /// Whether it has blown since it was armed.
    #[must_use]
    pub fn blown(&self) -> bool {
        self.state().blown
    }

    pub(super) fn request(&self) -> Verdict {
        let mut state = self.state();
        let Some((requests, loss)) = state.armed else { return Verdict::Pass };
        if state.blown {
            return if loss == Loss::Everything { Verdict::Cut } else { Verdict::Pass };
        }
        state.passed += 1;
        if state.passed <= requests {
            return Verdict::Pass;
        }
        state.blown = true;
        if loss == Loss::Reply { Verdict::CutAtReply } else { Verdict::Cut }
    }

    /// Whether new connections are refused.
    pub(super) fn dead(&self) -> bool {
        let state = self.state();
        state.blown && matches!(state.armed, Some((_, Loss::Everything)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
