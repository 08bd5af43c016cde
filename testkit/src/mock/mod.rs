//! A server without a server: it records what it is sent and answers as it was told.

mod expect;
mod reply;
mod serve;
mod wire;

use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Error, Kind};
use expect::{Act, Expected};
use serve::Peer;

pub use expect::Expect;
pub use reply::MockReply;

/// A test double: a server that records the commands it gets and answers with what the test said.
/// No Redis is needed, so that unit tests of an application are quick and run anywhere, and can play
/// what a real server seldom does.
///
/// What clients say by themselves when they connect (`HELLO`, `AUTH`, `CLIENT`, `INFO`, `SELECT`,
/// `PING`) is answered without being expected. So are `MULTI` and `EXEC`, with the replies of what stands
/// between them, `WATCH`, and subscriptions ([`publish`](MockServer::publish)). Everything else must
/// be expected: what is not gets an error, and [`verify`](MockServer::verify) tells of it.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::{MockReply, MockServer};
///
/// let server = MockServer::start()?;
/// server.expect(["GET", "greeting"]).reply("hello");
/// server.expect(["INCR", "visits"]).reply(MockReply::error("OOM command not allowed"));
/// // Connect the client under test to server.url(), and let it work. Here a plain socket does:
/// # use std::io::{Read, Write};
/// let mut socket = std::net::TcpStream::connect(server.address()).unwrap();
/// socket.write_all(b"*2\r\n$3\r\nGET\r\n$8\r\ngreeting\r\n").unwrap();
/// let mut reply = [0; 11];
/// socket.read_exact(&mut reply).unwrap();
/// assert_eq!(&reply, b"$5\r\nhello\r\n");
///
/// assert_eq!(server.commands(), [["GET", "greeting"]]);
/// let error = server.verify().unwrap_err();
/// assert!(error.to_string().contains("never came: INCR visits"));
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
pub struct MockServer {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// What the server's threads share.
struct Shared {
    state: Mutex<State>,
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    expected: Vec<Expected>,
    /// In the order in which they are said.
    in_order: bool,
    /// `HELLO` is an unknown command.
    resp2: bool,
    version: String,
    commands: Vec<Vec<Vec<u8>>>,
    greetings: Vec<Vec<Vec<u8>>>,
    unexpected: Vec<Vec<Vec<u8>>>,
    peers: Vec<Arc<Peer>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is done with a command, by the first expectation that waits for it.
    fn expected(&mut self, command: &[Vec<u8>]) -> Option<(Act, std::time::Duration)> {
        let in_order = self.in_order;
        let open = self.expected.iter_mut().filter(|expected| !expected.is_spent());
        for expected in open {
            if expected.matches(command) {
                return Some(expected.take());
            }
            if in_order && !expected.is_standing() {
                return None;
            }
        }
        None
    }
}

impl MockServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub fn start() -> Result<MockServer, Error> {
        let fail = |source| Error::file("starting a mock server".to_owned(), source);
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let state = State { version: "8.6.3".to_owned(), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), closed: AtomicBool::new(false) });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || serve::accept(&listener, &accepting));
        Ok(MockServer { shared, address })
    }

    /// The address to connect to: `redis://127.0.0.1:PORT`.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = alizarin_testkit::MockServer::start()?;
    /// assert!(server.url().starts_with("redis://127.0.0.1:"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a command of these words. By default each is waited for once, in any order.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = alizarin_testkit::MockServer::start()?;
    /// server.expect(["HGETALL", "account:1"]).reply(alizarin_testkit::MockReply::map([
    ///     ("id", "1"),
    ///     ("owner", "Ann"),
    /// ]));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn expect(&self, words: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Expect<'_> {
        Expect::new(self, words)
    }

    /// From now on commands must come in the order in which they are expected. Those that may
    /// [`always`](Expect::always) come have no place in it.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = alizarin_testkit::MockServer::start()?.in_order();
    /// server.expect(["GET", "a"]).reply("1");
    /// server.expect(["DEL", "a"]).reply(1);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[must_use]
    pub fn in_order(self) -> MockServer {
        self.shared.state().in_order = true;
        self
    }

    /// The server knows no RESP3: it refuses `HELLO`, as those before Redis 6 do.
    #[must_use]
    pub fn resp2(self) -> MockServer {
        self.shared.state().resp2 = true;
        self
    }

    /// The version that it says it has; `8.6.3` by default.
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> MockServer {
        self.shared.state().version = version.into();
        self
    }

    /// Sends a message to all connections that have subscribed to its channel; how many there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = alizarin_testkit::MockServer::start()?;
    /// assert_eq!(server.publish("news", "hello"), 0);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn publish(&self, channel: &str, message: impl AsRef<[u8]>) -> usize {
        let peers = self.shared.state().peers.clone();
        peers.iter().filter(|peer| peer.message(channel, message.as_ref())).count()
    }

    /// Breaks all connections; new ones are taken.
    pub fn disconnect(&self) {
        for peer in self.shared.state().peers.drain(..) {
            peer.close();
        }
    }

    /// The commands that came so far, except for those by which clients greet; bytes that are no
    /// UTF-8 are replaced.
    #[must_use]
    pub fn commands(&self) -> Vec<Vec<String>> {
        texts(&self.shared.state().commands)
    }

    /// The commands by which clients have greeted.
    #[must_use]
    pub fn greetings(&self) -> Vec<Vec<String>> {
        texts(&self.shared.state().greetings)
    }

    /// Whether all that was expected has come, and nothing else.
    ///
    /// # Errors
    ///
    /// When something has not come, or something came that was not expected; it names both.
    pub fn verify(&self) -> Result<(), Error> {
        let state = self.shared.state();
        let mut faults = Vec::new();
        for expected in state.expected.iter().filter(|expected| expected.is_due()) {
            faults.push(format!("never came: {expected}"));
        }
        for command in &state.unexpected {
            let words: Vec<String> = command.iter().map(|word| expect::shown(word)).collect();
            faults.push(format!("came unexpected: {}", words.join(" ")));
        }
        if faults.is_empty() { Ok(()) } else { Err(Kind::Mock(faults.join("\n")).into()) }
    }

    fn register(&self, expected: Expected) {
        self.shared.state().expected.push(expected);
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.disconnect();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl fmt::Debug for MockServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServer").field("address", &self.address).finish_non_exhaustive()
    }
}

fn texts(commands: &[Vec<Vec<u8>>]) -> Vec<Vec<String>> {
    let text = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
    commands.iter().map(|command| command.iter().map(text).collect()).collect()
}
