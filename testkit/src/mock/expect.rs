//! What a mock server waits for, and what it does then.

use std::fmt;
use std::time::Duration;

use super::{MockReply, MockServer};

/// One argument of an expected command.
#[derive(Clone)]
enum Word {
    Exactly(Vec<u8>),
    Any,
}

/// What is done with a command.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Close,
    Reply(MockReply),
    Silence,
}

/// A command that is waited for.
#[derive(Clone)]
pub(super) struct Expected {
    words: Vec<Word>,
    /// Whether more arguments may follow.
    open: bool,
    /// How often it may come; `None` for as often as it does, or never.
    times: Option<usize>,
    seen: usize,
    delay: Duration,
    act: Act,
}

impl Expected {
    /// Whether it waits for this command; names do not care for case.
    pub(super) fn matches(&self, command: &[Vec<u8>]) -> bool {
        let enough = if self.open {
            command.len() >= self.words.len()
        } else {
            command.len() == self.words.len()
        };
        enough
            && self.words.iter().zip(command).enumerate().all(|(at, (word, came))| match word {
                Word::Any => true,
                Word::Exactly(word) if at == 0 => word.eq_ignore_ascii_case(came),
                Word::Exactly(word) => word == came,
            })
    }

    /// Whether it has come as often as it may.
    pub(super) fn is_spent(&self) -> bool {
        self.times.is_some_and(|times| self.seen >= times)
    }

    /// Whether it must come yet.
    pub(super) fn is_due(&self) -> bool {
        self.times.is_some_and(|times| self.seen < times)
    }

    /// Whether it may come at any time: it has no place in an order.
    pub(super) fn is_standing(&self) -> bool {
        self.times.is_none()
    }

    /// Counts a command, and says what is done with it, and after what time.
    pub(super) fn take(&mut self) -> (Act, Duration) {
        self.seen += 1;
        (self.act.clone(), self.delay)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            match word {
                Word::Exactly(word) => write!(f, "{gap}{}", shown(word))?,
                Word::Any => write!(f, "{gap}_")?,
            }
        }
        if self.open {
            f.write_str(" ..")?;
        }
        match self.times {
            Some(times) if times != 1 => write!(f, " ({} of {times} times)", self.seen),
            _ => Ok(()),
        }
    }
}

/// An argument as people read it.
pub(super) fn shown(word: &[u8]) -> String {
    const MOST: usize = 80;
    let text = word.get(..MOST).unwrap_or(word).escape_ascii().to_string();
    let quoted = text.is_empty() || text.contains(' ');
    let text = if quoted { format!("\"{text}\"") } else { text };
    if word.len() > MOST { format!("{text}..({} bytes)", word.len()) } else { text }
}

/// An expectation being described, from [`MockServer::expect`]; it counts from
/// [`reply`](Expect::reply), [`close`](Expect::close) or [`silence`](Expect::silence) on.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::{MockReply, MockServer};
/// use std::time::Duration;
///
/// let server = MockServer::start()?;
/// server.expect(["SET", "a"]).any_arg().reply(MockReply::ok());
/// server.expect(["HSET", "account:1"]).any_args().after(Duration::from_millis(5)).reply(1);
/// server.expect(["GET", "missing"]).times(2).reply(MockReply::Null);
/// server.expect(["INCR", "n"]).close();
/// // Nothing of it has come:
/// assert!(server.verify().is_err());
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[must_use = "an expectation counts from `reply`, `close` or `silence` on"]
pub struct Expect<'a> {
    server: &'a MockServer,
    expected: Expected,
}

impl<'a> Expect<'a> {
    pub(super) fn new(
        server: &'a MockServer,
        words: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Expect<'a> {
        let words = words.into_iter().map(|word| Word::Exactly(word.as_ref().to_vec())).collect();
        let (times, act) = (Some(1), Act::Reply(MockReply::Null));
        let expected = Expected { words, open: false, times, seen: 0, delay: Duration::ZERO, act };
        Expect { server, expected }
    }

    /// Another argument follows: this one.
    pub fn arg(mut self, word: impl AsRef<[u8]>) -> Self {
        self.expected.words.push(Word::Exactly(word.as_ref().to_vec()));
        self
    }

    /// Another argument follows, whatever it is.
    pub fn any_arg(mut self) -> Self {
        self.expected.words.push(Word::Any);
        self
    }

    /// Any arguments may follow, or none.
    pub fn any_args(mut self) -> Self {
        self.expected.open = true;
        self
    }

    /// It comes so often; once by default.
    pub fn times(mut self, times: usize) -> Self {
        self.expected.times = Some(times);
        self
    }

    /// It may come at any time, as often as it does, or never.
    pub fn always(mut self) -> Self {
        self.expected.times = None;
        self
    }

    /// What is done is done after this time. Commands behind it on the same connection wait too.
    pub fn after(mut self, delay: Duration) -> Self {
        self.expected.delay = delay;
        self
    }

    /// The server answers so.
    pub fn reply(self, reply: impl Into<MockReply>) {
        self.register(Act::Reply(reply.into()));
    }

    /// The server closes the connection and answers nothing, as one that dies does: whether it has
    /// executed the command, nobody knows.
    pub fn close(self) {
        self.register(Act::Close);
    }

    /// The server never answers this command.
    pub fn silence(self) {
        self.register(Act::Silence);
    }

    fn register(mut self, act: Act) {
        self.expected.act = act;
        self.server.register(self.expected);
    }
}

impl fmt::Debug for Expect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expect({})", self.expected)
    }
}
