//! RedisVL 0.28.0: dictionaries in hashes and in JSON.

use alizarin::prelude::*;

use super::agrees;
use super::sample::here;

const FIXTURE: &str = include_str!("../../interop/fixtures/redisvl.txt");

macro_rules! documents {
    ($name:ident $storage:ident $prefix:tt) => {
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, layout = "redisvl", prefix = $prefix, index = $prefix)]
        pub(super) struct $name {
            #[redis(id, tag)]
            pub(super) id: String,
            #[redis(text(weight = 2.0))]
            pub(super) title: String,
            #[redis(tag(separator = "|"))]
            pub(super) tags: Vec<String>,
            #[redis(numeric, sortable)]
            pub(super) year: u32,
            #[redis(geo)]
            pub(super) loc: GeoPoint,
            #[redis(vector(hnsw, cosine))]
            pub(super) emb: Vector<f32, 3>,
        }

        impl $name {
            fn new(id: &str, title: &str) -> $name {
                $name {
                    id: id.to_owned(),
                    title: title.to_owned(),
                    tags: vec!["x".to_owned(), "y".to_owned()],
                    year: 1977,
                    loc: here(),
                    emb: Vector::from([1.0, 0.5, -1.0]),
                }
            }
        }
    };
}

documents!(HashDoc hash "docs-hash");
documents!(JsonDoc json "docs-json");

pub(super) fn hashes() -> Vec<HashDoc> {
    vec![HashDoc::new("a", "Star wars"), HashDoc::new("b", "Zoë")]
}

pub(super) fn json() -> Vec<JsonDoc> {
    vec![JsonDoc::new("a", "Star wars"), JsonDoc::new("b", "Zoë")]
}

macro_rules! found {
    ($all:ident $documents:ident) => {
        let one = $all.find(|d| d.title.matches("star wars")).one().await.unwrap();
        assert_eq!(one, $documents[0]);
        assert_eq!($all.find(|d| d.id.eq("b")).one().await.unwrap(), $documents[1]);
        assert_eq!($all.find(|d| d.tags.has("y") & d.year.eq(1977)).count().await.unwrap(), 2);
        let near = $all.find(|d| d.loc.within_radius(here(), 1, Unit::Kilometers));
        assert_eq!(near.count().await.unwrap(), 2);
        let near = $all.nearest(1, |d| d.emb.to([1.0, 0.5, -1.0])).filter(|d| d.id.eq("b"));
        assert_eq!(near.all().await.unwrap()[0].item, $documents[1]);
    };
}

#[tokio::test]
async fn hash_documents() {
    let documents = hashes();
    agrees(FIXTURE, "docs-hash", &documents, async |all| {
        found!(all documents);
    })
    .await;
}

#[tokio::test]
async fn json_documents() {
    let documents = json();
    agrees(FIXTURE, "docs-json", &documents, async |all| {
        found!(all documents);
    })
    .await;
}
