//! Without a runtime: the same client, repositories and queries, with `.run()` where async code
//! writes `.await`.
//!
//! A blocking client does its I/O on the thread that waits: no runtime is needed, no thread is
//! started, no message passed. It can be used by any number of threads at once; each call has a
//! connection for its own time. Streams (scans, changes, the documents of a query) become iterators
//! by `.iter()`.
//!
//! ```
//! use alizarin::blocking::prelude::*;
//!
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(hash, prefix = "book", index, events)]
//! struct Book {
//!     #[redis(id)]
//!     id: u32,
//!     #[redis(text)]
//!     title: String,
//!     #[redis(numeric, sortable)]
//!     year: i32,
//! }
//!
//! # let server = alizarin_testkit::Server::start()?;
//! # let url = server.url();
//! let client = Client::connect(url.as_str())?;
//! client.set("greeting", "hello").run()?;
//! let greeting: String = client.get("greeting").run()?;
//! assert_eq!(greeting, "hello");
//!
//! let books: Repository<Book> = client.repository();
//! # let books = books.with_namespace(server.namespace());
//! books.index().sync().run()?;
//! let mut changes = books.changes().run()?;
//!
//! let book = Book { id: 1, title: "The Left Hand of Darkness".into(), year: 1969 };
//! books.save(&book).run()?;
//! books.update(&1, |book| book.year += 1).run()?;
//! books.locked(&1, async |book| { book.year -= 1; Ok(()) }).run()?;
//!
//! # books.index().wait().run()?;
//! let found = books.find(|b| b.title.matches("darkness") & b.year.lt(1970)).all().run()?;
//! assert_eq!(found, [book]);
//! for change in changes.iter().take(3) {
//!     assert_eq!(change?.id(), Some(&1));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Closures that are async, as that of `locked`, may await the blocking client's own calls, which
//! are ready at once; a timer or another client's call in them needs the runtime it belongs to.
//!
//! Inside of a tokio runtime a blocking client works, and blocks the runtime's thread for as long as
//! the server takes. An async client's call cannot be waited for there, which `.run()` says in an
//! error.

use std::fmt;
use std::ops::Deref;

pub use alizarin_core::{Iter, Run, Streamed};

use crate::{Config, Error, Result};

/// What most programs use: `use alizarin::blocking::prelude::*;`
pub mod prelude {
    pub use super::{Client, Run, Streamed};
    pub use crate::prelude::*;
}

/// A client that needs no runtime. It derefs to [`crate::Client`], whose methods all end in
/// `.run()` here.
///
/// ```
/// # let server = alizarin_testkit::Server::start()?;
/// # let url = server.url();
/// use alizarin::blocking::prelude::*;
/// use alizarin::commands::{get, incr};
///
/// let client = Client::connect(url.as_str())?;
/// let (name, visits) = client.pipeline((get::<Option<String>>("name"), incr("visits"))).run()?;
/// assert_eq!((name, visits), (None, 1));
///
/// let workers: Vec<_> = (0..4)
///     .map(|_| {
///         let client = client.clone();
///         std::thread::spawn(move || client.incr("visits").run())
///     })
///     .collect();
/// for worker in workers {
///     worker.join().expect("no panic")?;
/// }
/// let visits: u64 = client.get("visits").run()?;
/// assert_eq!(visits, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(crate::Client);

impl Client {
    /// Connects and logs in, by a URL or a [`Config`]
    /// ([`Client::connect_blocking`](crate::Client::connect_blocking)).
    ///
    /// # Errors
    /// `Usage` for a wrong URL; `Connect`, `Auth`, `Protocol` or `Unsupported` when the attempt
    /// fails.
    pub fn connect(config: impl TryInto<Config, Error: Into<Error>>) -> Result<Client> {
        crate::Client::connect_blocking(config).map(Client)
    }
}

impl Deref for Client {
    type Target = crate::Client;

    fn deref(&self) -> &crate::Client {
        &self.0
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
