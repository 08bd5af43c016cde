//! A model with every sort of index, in both storages, for the tests of queries.

use alizarin::prelude::*;
use alizarin_testkit::Server;

/// A client for each protocol.
pub(crate) async fn clients(server: &Server) -> [Client; 2] {
    let url = server.url();
    let join = if url.contains('?') { '&' } else { '?' };
    let old = Client::connect(format!("{url}{join}protocol=2").as_str()).await.unwrap();
    [old, Client::connect(url.as_str()).await.unwrap()]
}

macro_rules! films {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "film", index)]
            pub(crate) struct Film {
                #[redis(id, numeric, sortable)]
                pub id: u32,
                #[redis(text(no_stem), sortable)]
                pub title: String,
                #[redis(text, index_missing, index_empty)]
                pub note: Option<String>,
                #[redis(tag)]
                pub genre: Option<String>,
                #[redis(tag(case_sensitive))]
                pub code: String,
                #[redis(tag)]
                pub tags: Vec<String>,
                #[redis(tag)]
                pub seen: bool,
                #[redis(numeric, sortable)]
                pub votes: u32,
                #[redis(numeric)]
                pub rating: Option<f32>,
                #[redis(geo)]
                pub place: Option<GeoPoint>,
                #[redis(geoshape(flat))]
                pub area: Option<GeoShape>,
                #[redis(vector(flat, l2))]
                pub plot: Option<Vector<f32, 2>>,
            }

            /// The films in an empty database, once for each protocol.
            pub(crate) async fn with(films: &[Film], check: impl AsyncFn(Repository<Film>)) {
                let server = Server::start().unwrap();
                for (at, client) in clients(&server).await.into_iter().enumerate() {
                    let namespace = format!("{}{at}:", server.namespace());
                    let repository: Repository<Film> = client.repository().with_namespace(namespace);
                    repository.index().sync().await.unwrap();
                    for film in films {
                        repository.save(film).await.unwrap();
                    }
                    repository.index().wait().await.unwrap();
                    check(repository).await;
                }
            }
        }
    )+};
}

films!(hash json);

/// Makes each test twice, once for each storage; in it, `Film` and `with` are those of the storage.
#[macro_export]
macro_rules! in_both_storages {
    ($($(#[$doc:meta])* async fn $name:ident() $body:block)+) => {
        mod hash {
            use super::*;
            use $crate::films::hash::{Film, with};
            $($(#[$doc])* #[tokio::test] async fn $name() $body)+
        }
        mod json {
            use super::*;
            use $crate::films::json::{Film, with};
            $($(#[$doc])* #[tokio::test] async fn $name() $body)+
        }
    };
}

/// Small numbers that look random and are the same each time.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}
