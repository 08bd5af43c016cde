//! Several entries of one field in the index, and names of one's own there.

use alizarin::prelude::*;

use crate::common::everywhere;

macro_rules! books {
    ($($name:ident $storage:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "book", index)]
        struct $name {
            #[redis(id)]
            id: u32,
            #[redis(tag, text(weight = 2.0), sortable, index_missing)]
            title: Option<String>,
            #[redis(text(alias = "words"), tag(alias = "code", separator = ";", case_sensitive))]
            series: String,
            #[redis(numeric(alias = "born"), sortable)]
            year: u32,
            #[redis(nested)]
            about: About,
        }
    )+};
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct About {
    #[redis(tag(alias = "town"), text)]
    city: String,
}

books! { AsHash hash; AsJson json; }

macro_rules! found {
    ($books:expr, $filter:expr, $want:expr) => {
        let mut found = $books.find($filter).ids().await.unwrap();
        found.sort();
        let want: Vec<u32> = $want.to_vec();
        assert_eq!(found, want, "{}", stringify!($filter));
    };
}

macro_rules! searched {
    ($($test:ident $name:ident;)+) => {$(
        #[tokio::test]
        async fn $test() {
            everywhere(async |books: Repository<$name>| {
                books.index().sync().await.unwrap();
                assert!(books.index().drift().await.unwrap().is_empty());
                let book = |id, title: &str, series: &str, city: &str| $name {
                    id,
                    title: (!title.is_empty()).then(|| title.to_owned()),
                    series: series.to_owned(),
                    year: 1900 + id,
                    about: About { city: city.to_owned() },
                };
                let all = [
                    book(1, "The Star Diaries", "Ijon Tichy", "New York"),
                    book(2, "The star", "A", "York"),
                    book(3, "", "a", "New Orleans"),
                ];
                books.save_all(&all).await.unwrap();
                books.index().wait().await.unwrap();
                // The whole value by the one entry, its words by the other.
                found!(books, |b| b.title.eq("The Star Diaries"), [1]);
                found!(books, |b| b.title.eq("star"), []);
                found!(books, |b| b.title.matches("stars"), [1, 2]);
                found!(books, |b| b.title.starts_with("the star d"), [1]);
                found!(books, |b| b.title.is_missing(), [3]);
                found!(books, |b| b.title.phrase("star diaries") & b.title.ne("The star"), [1]);
                found!(books, |b| b.series.eq("A"), [2]);
                found!(books, |b| b.series.matches("tichy"), [1]);
                found!(books, |b| b.year.gt(1901), [2, 3]);
                found!(books, |b| b.about.city.eq("york"), [2]);
                found!(books, |b| b.about.city.matches("new"), [1, 3]);
                let last = books.find(|b| b.year.gt(0)).sort_by(|b| b.year.desc()).first().await;
                assert_eq!(last.unwrap().as_ref(), Some(&all[2]));
                let by_title = books.find(|b| b.title.matches("star")).sort_by(|b| b.title.asc());
                assert_eq!(by_title.ids().await.unwrap().len(), 2);
                let names = books.index().info().await.unwrap().attributes;
                let names: Vec<_> = names.iter().map(|field| field.name.as_str()).collect();
                assert_eq!(
                    names,
                    ["title", "title_text", "code", "words", "born", "about_town", "about_city_text"]
                );
                books.set(&2, |b| b.title.to("The moon")).await.unwrap();
                books.index().wait().await.unwrap();
                found!(books, |b| b.title.matches("moon") & b.title.eq("the moon"), [2]);
            })
            .await;
        }
    )+};
}

searched! { a_tag_that_is_text_too_in_a_hash AsHash; a_tag_that_is_text_too_in_json AsJson; }

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "point", index)]
struct Point {
    #[redis(id)]
    id: u32,
    #[redis(vector(flat, l2))]
    small: Vector<i8, 2>,
    #[redis(vector(hnsw, cosine))]
    bytes: Vector<u8, 2>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "graph", index)]
struct Graph {
    #[redis(id)]
    id: u32,
    #[redis(vector(
        svs_vamana,
        l2,
        graph_max_degree = 40,
        construction_window_size = 250,
        search_window_size = 20,
        epsilon = 0.02,
        compression = "LVQ8",
        training_threshold = 2048
    ))]
    place: Vector<f32, 8>,
    #[redis(vector(svs_vamana, cosine, compression = "LeanVec4x8", reduce = 4))]
    lean: Vector<half::f16, 8>,
}

/// What is said of a server that came before the type or algorithm.
fn too_old(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported && error.command() == Some("FT.CREATE")
}

#[tokio::test]
async fn vectors_of_bytes_are_found_or_refused_by_an_older_server() {
    everywhere(async |points: Repository<Point>| {
        let all = [(1, [-128, 0], [0, 255]), (2, [127, 1], [200, 3])];
        let all =
            all.map(|(id, small, bytes)| Point { id, small: small.into(), bytes: bytes.into() });
        points.save_all(&all).await.unwrap();
        assert_eq!(points.get(&1).await.unwrap().as_ref(), Some(&all[0]));
        match points.index().sync().await {
            Ok(_) => {
                points.index().wait().await.unwrap();
                let near = points.nearest(1, |p| p.small.to([100, 0])).all().await.unwrap();
                assert_eq!(near[0].item, all[1]);
                let near = points.nearest(1, |p| p.bytes.to([1, 250])).all().await.unwrap();
                assert_eq!(near[0].item, all[0]);
            }
            Err(error) => assert!(too_old(&error), "{error}"),
        }
    })
    .await;
}

#[tokio::test]
async fn compressed_graphs_of_vectors_are_made_or_refused_by_an_older_server() {
    everywhere(async |graphs: Repository<Graph>| {
        let at = |id: u32| Graph {
            id,
            place: [id as f32, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0].into(),
            lean: [half::f16::from_f32(id as f32); 8].into(),
        };
        let all: Vec<Graph> = (1..20).map(at).collect();
        graphs.save_all(&all).await.unwrap();
        assert_eq!(graphs.get(&7).await.unwrap(), Some(at(7)));
        match graphs.index().sync().await {
            Ok(_) => {
                graphs.index().wait().await.unwrap();
                let near = graphs.nearest(1, |g| g.place.to([6.9, 0., 0., 0., 0., 0., 0., 1.]));
                assert_eq!(near.all().await.unwrap()[0].item.id, 7);
                assert!(graphs.index().drift().await.unwrap().is_empty());
            }
            Err(error) => assert!(too_old(&error), "{error}"),
        }
    })
    .await;
}
