//! Servers, clients, models and patience for the tests of repositories.

use std::cell::Cell;
use std::time::Duration;

use alizarin::prelude::*;
use alizarin_testkit::{Cluster, Server, unique};

use crate::elected;

/// A client of `server` that speaks this version of the protocol.
pub(crate) async fn connect(server: &Server, protocol: u8) -> Client {
    Client::connect(url(server, &format!("protocol={protocol}")).as_str()).await.unwrap()
}

/// The server's URL with one more option.
pub(crate) fn url(server: &Server, option: &str) -> String {
    let url = server.url();
    let join = if url.contains('?') { '&' } else { '?' };
    format!("{url}{join}{option}")
}

/// A namespace that no other test has.
pub(crate) fn namespace(server: &Server) -> String {
    format!("{}{}:", server.namespace(), unique("it"))
}

/// A repository of its own on `server`.
pub(crate) async fn on<M: RedisModel>(server: &Server, protocol: u8) -> Repository<M> {
    connect(server, protocol).await.repository().with_namespace(namespace(server))
}

/// Where the test of this thread is at the moment.
#[derive(Clone, Copy)]
enum Here {
    Server,
    Cluster,
    Sentinel,
}

thread_local! {
    static HERE: Cell<Here> = const { Cell::new(Here::Server) };
}

/// Runs `test` on RESP2 and on RESP3, each with an empty repository on the shared server; then by a
/// client whose server others take the place of, again and again; then on the shared cluster, except
/// for models with an index: the search module of the cluster that can be had here has no
/// coordinator (`cluster` tests that searching there says so).
pub(crate) async fn everywhere<M: RedisModel>(test: impl AsyncFn(Repository<M>)) {
    let server = Server::shared().unwrap();
    for protocol in [2, 3] {
        test(on(server, protocol).await).await;
    }
    HERE.set(Here::Sentinel);
    {
        let steady = elected::steady();
        let client = steady.client().clone();
        test(client.repository().with_namespace(format!("{}:", unique("it")))).await;
    }
    if M::SCHEMA.index.is_none() {
        HERE.set(Here::Cluster);
        test(on_cluster().await).await;
    }
    HERE.set(Here::Server);
}

/// A repository of its own on the shared cluster.
pub(crate) async fn on_cluster<M: RedisModel>() -> Repository<M> {
    let client = Client::connect(Cluster::shared().unwrap().url().as_str()).await.unwrap();
    client.repository().with_namespace(format!("{}:", unique("it")))
}

/// What somebody else does with a key, the first word after the command's name, by a connection of
/// his own to wherever the test is.
pub(crate) fn somebody(words: &[&str]) -> String {
    match HERE.get() {
        Here::Server => Server::shared().unwrap().command(words).unwrap(),
        Here::Sentinel => elected::command(words),
        Here::Cluster => {
            let cluster = Cluster::shared().unwrap();
            let node = cluster.primary_of(words[1]).unwrap();
            cluster.node(node).command(words).unwrap()
        }
    }
}

/// Asks until it is so; after ten seconds the test fails. The only clock in these tests.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..2_000 {
        ticks.tick().await;
        if check().await {
            return;
        }
    }
    panic!("ten seconds went by without this: {what}");
}

/// What must come soon; the test fails where it does not.
pub(crate) async fn soon<T>(what: &str, work: impl IntoFuture<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(10), work.into_future()).await {
        Ok(value) => value,
        Err(_) => panic!("ten seconds went by without this: {what}"),
    }
}

/// The value of a key of its own that is no hash and no JSON document.
pub(crate) async fn spoil<M: RedisModel>(repository: &Repository<M>, id: &M::Id) {
    let key = repository.key(id);
    let pushed: u64 = repository.client().command("LPUSH").arg(key).arg("x").await.unwrap();
    assert_eq!(pushed, 1);
}

macro_rules! models {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            pub(crate) const STORAGE: &str = stringify!($storage);

            /// Nothing but fields.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "note")]
            pub(crate) struct Note {
                #[redis(id)]
                pub(crate) id: u32,
                pub(crate) text: String,
                pub(crate) count: u64,
                pub(crate) label: Option<String>,
                #[redis(nested)]
                pub(crate) place: Place,
                #[redis(nested)]
                pub(crate) second: Option<Place>,
            }

            /// A struct inside another.
            #[derive(Debug, Clone, PartialEq, Default, RedisNested)]
            pub(crate) struct Place {
                pub(crate) city: String,
                pub(crate) zip: Option<u32>,
            }

            /// With structs that may be empty.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "case")]
            pub(crate) struct Case {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(nested)]
                pub(crate) must: Inner,
                #[redis(nested)]
                pub(crate) may: Option<Inner>,
            }

            /// A struct that may be empty.
            #[derive(Debug, Clone, PartialEq, Default, RedisNested)]
            pub(crate) struct Inner {
                pub(crate) a: Option<u32>,
                pub(crate) b: Option<u32>,
            }

            /// With versions.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "draft")]
            pub(crate) struct Draft {
                #[redis(id)]
                pub(crate) id: u32,
                pub(crate) text: String,
                pub(crate) count: u64,
                pub(crate) label: Option<String>,
                #[redis(version)]
                pub(crate) version: u64,
            }

            /// With events.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "alert", events)]
            pub(crate) struct Alert {
                #[redis(id)]
                pub(crate) id: String,
                pub(crate) text: String,
                pub(crate) label: Option<String>,
                #[redis(version)]
                pub(crate) version: u64,
            }

            /// With a time to live.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "visit", ttl = "90s")]
            pub(crate) struct Visit {
                #[redis(id)]
                pub(crate) id: u32,
                pub(crate) text: String,
                pub(crate) label: Option<String>,
            }

            /// With indexed fields, whose values are checked.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "coin", index)]
            pub(crate) struct Coin {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(tag)]
                pub(crate) kind: String,
                #[redis(numeric)]
                pub(crate) weight: f64,
                #[redis(tag)]
                pub(crate) parts: Vec<String>,
            }

            /// One with the defaults of everything else.
            pub(crate) fn note(id: u32, text: &str) -> Note {
                Note { id, text: text.into(), ..Note::default() }
            }

            /// One with the defaults of everything else.
            pub(crate) fn draft(id: u32, text: &str) -> Draft {
                Draft { id, text: text.into(), ..Draft::default() }
            }

            /// One with the defaults of everything else.
            pub(crate) fn alert(id: &str, text: &str) -> Alert {
                Alert { id: id.into(), text: text.into(), ..Alert::default() }
            }

            /// One with the defaults of everything else.
            pub(crate) fn visit(id: u32, text: &str) -> Visit {
                Visit { id, text: text.into(), ..Visit::default() }
            }
        }
    )+};
}

models!(hash json);

/// Makes each test twice, once for each storage, with that storage's models in sight.
#[macro_export]
macro_rules! each_storage {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)+) => {
        mod hash {
            use super::*;
            use $crate::common::hash::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
        mod json {
            use super::*;
            use $crate::common::json::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
    };
}
