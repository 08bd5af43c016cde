//! Why a server could not be had, or did not answer.

use std::{fmt, io, sync::Arc};

/// Why a server could not be had, or what it refused.
///
/// Its `Debug` is its `Display`: what a test's `unwrap` shows is for people.
///
/// # Examples
///
/// ```
/// let server = alizarin_testkit::Server::shared()?;
/// let error = server.command(&["NO-SUCH-COMMAND"]).unwrap_err();
/// assert!(error.is_reply());
/// assert!(error.to_string().contains("unknown command"));
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Clone)]
pub struct Error(Arc<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    /// The connection to a server failed.
    Connection { doing: String, source: io::Error },
    /// A file or folder of our own could not be used.
    File { doing: String, source: io::Error },
    /// A mock server got something else than it expected.
    Mock(String),
    /// The server answered with an error.
    Reply(String),
    /// A server was found, and did not come up.
    Start { reason: String, log: String },
    /// A step of fetching the binaries failed.
    Step { step: &'static str, command: String, reason: String, output: String },
    /// No server can be had on this machine.
    Unavailable(String),
    /// The operation needs a server of our own.
    Unsupported(&'static str),
    /// A URL that is none.
    Url(String),
}

impl Error {
    /// The server answered, with an error reply.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = alizarin_testkit::Server::shared()?;
    /// assert!(server.command(&["GET"]).is_err_and(|error| error.is_reply()));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn is_reply(&self) -> bool {
        matches!(*self.0, Kind::Reply(_))
    }

    /// The server could not be reached, or the connection to it broke.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut server = alizarin_testkit::Server::builder().private().start()?;
    /// server.stop()?;
    /// assert!(server.command(&["PING"]).is_err_and(|error| error.is_connection()));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(*self.0, Kind::Connection { .. })
    }

    /// This machine has no server and no way to fetch one; a test may skip itself for this.
    ///
    /// # Examples
    ///
    /// ```
    /// match alizarin_testkit::Server::start() {
    ///     Err(error) if error.is_unavailable() => eprintln!("skipped: {error}"),
    ///     other => drop(other?),
    /// }
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(*self.0, Kind::Step { .. } | Kind::Unavailable(_))
    }

    pub(crate) fn connection(doing: impl Into<String>, source: io::Error) -> Self {
        Kind::Connection { doing: doing.into(), source }.into()
    }

    pub(crate) fn file(doing: impl Into<String>, source: io::Error) -> Self {
        Kind::File { doing: doing.into(), source }.into()
    }

    pub(crate) fn start(reason: impl Into<String>, log: impl Into<String>) -> Self {
        Kind::Start { reason: reason.into(), log: log.into() }.into()
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Kind::Unavailable(reason.into()).into()
    }

    /// Another process took the server's port between our look and its bind.
    pub(crate) fn is_port_taken(&self) -> bool {
        const SIGNS: [&str; 3] =
            ["ddress already in use", "port is already allocated", "Failed listening on port"];
        matches!(&*self.0, Kind::Start { log, .. } if SIGNS.iter().any(|sign| log.contains(sign)))
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Connection { doing, source } | Kind::File { doing, source } => {
                write!(f, "{doing}: {source}")
            }
            Kind::Mock(faults) => {
                write!(f, "the mock server did not get what it expected:\n{faults}")
            }
            Kind::Reply(text) => write!(f, "the server answered: {text}"),
            Kind::Start { reason, log } => {
                write!(f, "the Redis server did not start: {reason}")?;
                append(f, "its log ends with", log)
            }
            Kind::Step { step, command, reason, output } => {
                write!(f, "could not fetch a Redis server: {step} failed: `{command}` {reason}")?;
                append(f, "its output ends with", output)?;
                write!(f, "\n{HINT}")
            }
            Kind::Unavailable(reason) => {
                write!(f, "no Redis server can be had here: {reason}\n{HINT}")
            }
            Kind::Unsupported(what) => {
                write!(f, "{what} needs a server of its own: use `Server::builder().private()`")
            }
            Kind::Url(reason) => write!(f, "the server's URL cannot be used: {reason}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Connection { source, .. } | Kind::File { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn append(f: &mut fmt::Formatter<'_>, title: &str, text: &str) -> fmt::Result {
    if text.is_empty() { Ok(()) } else { write!(f, "\n{title}:\n{text}") }
}

const HINT: &str = "Start a server (`docker run -p 6379:6379 redis:8`, or Redis 8 by any other way) \
    and set REDIS_URL=redis://127.0.0.1:6379";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_do_when_there_is_no_server() {
        let text = Error::unavailable("this is no Debian").to_string();
        assert!(text.contains("this is no Debian") && text.contains("REDIS_URL"), "{text}");
    }

    #[test]
    fn shows_the_log() {
        let error = Error::start("it ended", "bind: Address already in use");
        assert!(error.is_port_taken());
        assert!(error.to_string().ends_with("Address already in use"));
    }
}
