//! A typed object mapper for Redis.
//!
//! A struct that derives [`RedisModel`] is stored as one hash or JSON document. A [`Repository`] saves,
//! loads, changes and finds it; a query that the model's index cannot answer does not compile.
//!
//! ```
//! use alizarin::prelude::*;
//!
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(hash, prefix = "book", index)]
//! struct Book {
//!     #[redis(id)]
//!     id: u32,
//!     #[redis(text)]
//!     title: String,
//!     #[redis(numeric, sortable)]
//!     year: i32,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = alizarin_testkit::Server::start()?;
//! # let url = server.url();
//! let client = Client::connect(url.as_str()).await?;
//! let books: Repository<Book> = client.repository();
//! books.index().sync().await?;
//!
//! let book = Book { id: 1, title: "The Left Hand of Darkness".into(), year: 1969 };
//! books.save(&book).await?;
//! # books.index().wait().await?;
//! let found = books.find(|b| b.title.matches("darkness") & b.year.lt(1970)).all().await?;
//! assert_eq!(found, [book]);
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! - [`model`]: what a model is, and the forms its values take in hashes and JSON.
//! - [`repository`]: reading and writing documents.
//! - [`query`]: filters, nearest neighbours, aggregations.
//! - [`index`]: the search index: made from the model, compared, replaced without downtime.
//! - [`migrate`]: migrations of data.
//! - [`events`]: following changes.
//! - [`blocking`]: all of it without a runtime.
//! - [`series`]: time series. [`vectors`]: vector sets.
//! - [`Client`], [`commands`]: the Redis client underneath; any command can be sent with
//!   [`Client::command`].

// Lets the derive macros' output, which names `::alizarin`, compile inside this crate too.
#[cfg_attr(not(test), expect(unused_extern_crates, reason = "only derived code and tests name it"))]
extern crate self as alizarin;

pub mod blocking;
pub mod events;
pub mod index;
pub mod migrate;
pub mod model;
mod progress;
pub mod query;
pub mod repository;
pub mod series;
pub mod streams;
pub mod vectors;

pub mod prelude;

#[doc(hidden)]
pub mod __private;

pub use alizarin_core::{
    Backoff, Cache, CacheConfig, CacheMetrics, Client, Command, Config, CredentialFuture,
    CredentialProvider, Credentials, Delivery, Error, ErrorKind, Exclusive, FailedStep, FromReply,
    IntoCommand, Message, PoolClosed, PoolConfig, PoolMetrics, ReadFrom, Referrers, Renewals,
    Result, RotatingCredentials, Sent, ServerCode, Subscription, Tls, TlsVersion, ToArgs, Value,
    Versions, command, commands, multi, resp,
};
#[doc = include_str!("docs/attributes.md")]
pub use alizarin_derive::RedisAttributes;
#[doc = include_str!("docs/model.md")]
pub use alizarin_derive::RedisModel;
#[doc = include_str!("docs/nested.md")]
pub use alizarin_derive::RedisNested;
#[doc = include_str!("docs/patch.md")]
pub use alizarin_derive::RedisPatch;
#[doc = include_str!("docs/projection.md")]
pub use alizarin_derive::RedisProjection;
#[doc = include_str!("docs/row.md")]
pub use alizarin_derive::RedisRow;
#[doc = include_str!("docs/time_series.md")]
pub use alizarin_derive::RedisTimeSeries;
#[doc = include_str!("docs/value.md")]
pub use alizarin_derive::RedisValue;
pub use model::{GeoPoint, GeoShape, Ref, Vector};
pub use progress::Progress;
pub use repository::{Repositories, Repository};
pub use vectors::VectorSet;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So does that of the page about writes.
#[cfg(doctest)]
#[doc = include_str!("../docs/writes.md")]
struct Writes;

/// So does that of the page about clusters and sentinels.
#[cfg(doctest)]
#[doc = include_str!("../docs/topologies.md")]
struct Topologies;

/// And of the page about other object mappers.
#[cfg(doctest)]
#[doc = include_str!("../docs/interop.md")]
struct Interop;

/// And that of the guide to changing models.
#[cfg(doctest)]
#[doc = include_str!("../docs/migrations.md")]
struct MigrationsGuide;
