//! One attribute of a model is changed: the index differs, and says in what.

use alizarin::index::{ActionKind, Drift};
use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::on;

/// Compares the model `M` with the index of another one.
async fn expect<M: RedisModel>(client: &Client, namespace: &str, wanted: &[&str]) {
    let changed: Repository<M> = client.repository().with_namespace(namespace);
    let drift = changed.index().drift().await.unwrap();
    let words: Vec<String> = drift.iter().map(Drift::to_string).collect();
    assert_eq!(words, wanted);
    let error = changed.index().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Index);
    assert!(error.message().contains(wanted[0]), "{error}");
    let plan = changed.index().plan().await.unwrap();
    assert_eq!(plan.actions.last().unwrap().kind, ActionKind::Rebuild, "{plan}");
}

macro_rules! thing {
    ($name:ident $storage:ident ($($whole:tt)*) ($($title:tt)*) ($($code:tt)*) ($($area:tt)*) ($($mood:tt)*) $vector:ty) => {
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, index = "thing_idx", $($whole)*)]
        struct $name {
            #[redis(id)]
            id: u32,
            #[redis($($title)*)]
            title: String,
            #[redis($($code)*)]
            code: String,
            #[redis($($area)*)]
            area: Option<GeoShape>,
            #[redis($($mood)*)]
            mood: Option<$vector>,
            lang: String,
            rank: f64,
        }
    };
}

/// A model that differs from `Base` in one part, and how that is told.
macro_rules! changed {
    ($on:ident $storage:ident whole($($whole:tt)*) $($wanted:expr),+) => {{
        thing!(Changed $storage ($($whole)*) (text, sortable) (tag) (geoshape) (vector(hnsw, cosine)) Vector<f32, 2>);
        expect::<Changed>($on.client(), $on.namespace(), &[$($wanted),+]).await;
    }};
    ($on:ident $storage:ident title($($title:tt)*) $($wanted:expr),+) => {{
        thing!(Changed $storage (prefix = "thing") ($($title)*) (tag) (geoshape) (vector(hnsw, cosine)) Vector<f32, 2>);
        expect::<Changed>($on.client(), $on.namespace(), &[$($wanted),+]).await;
    }};
    ($on:ident $storage:ident code($($code:tt)*) $($wanted:expr),+) => {{
        thing!(Changed $storage (prefix = "thing") (text, sortable) ($($code)*) (geoshape) (vector(hnsw, cosine)) Vector<f32, 2>);
        expect::<Changed>($on.client(), $on.namespace(), &[$($wanted),+]).await;
    }};
    ($on:ident $storage:ident area($($area:tt)*) $($wanted:expr),+) => {{
        thing!(Changed $storage (prefix = "thing") (text, sortable) (tag) ($($area)*) (vector(hnsw, cosine)) Vector<f32, 2>);
        expect::<Changed>($on.client(), $on.namespace(), &[$($wanted),+]).await;
    }};
    ($on:ident $storage:ident mood($($mood:tt)*) $vector:ty, $($wanted:expr),+) => {{
        thing!(Changed $storage (prefix = "thing") (text, sortable) (tag) (geoshape) ($($mood)*) $vector);
        expect::<Changed>($on.client(), $on.namespace(), &[$($wanted),+]).await;
    }};
}

macro_rules! storages {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            thing!(Base $storage (prefix = "thing") (text, sortable) (tag) (geoshape) (vector(hnsw, cosine)) Vector<f32, 2>);

            async fn bases() -> [Repository<Base>; 2] {
                let server = Server::shared().unwrap();
                let bases = [on(&server, 2).await, on(&server, 3).await];
                for base in &bases {
                    base.index().sync().await.unwrap();
                    assert_eq!(base.index().drift().await.unwrap(), []);
                }
                bases
            }

            #[tokio::test]
            async fn of_the_index_as_a_whole() {
                for base in bases().await {
                    let (ns, json) = (base.namespace(), stringify!($storage) == "json");
                    let path = |name: &str| if json { format!("$.{name}") } else { name.to_owned() };
                    changed!(base $storage whole(prefix = "other")
                        &format!(r#"the key prefix is "{ns}other:" in the model and "{ns}thing:" on the server"#));
                    changed!(base $storage whole(prefix = "thing", prefixes = "old older")
                        &format!(r#"the key prefix is "{ns}old: {ns}older: {ns}thing:" in the model and "{ns}thing:" on the server"#));
                    changed!(base $storage whole(prefix = "thing", filter = "@rank > 0")
                        r#"the filter is "@rank > 0" in the model and "" on the server"#);
                    changed!(base $storage whole(prefix = "thing", language = "german")
                        r#"the language is "german" in the model and "english" on the server"#);
                    changed!(base $storage whole(prefix = "thing", language_field = "lang")
                        &format!(r#"the language field is "{}" in the model and "" on the server"#, path("lang")));
                    changed!(base $storage whole(prefix = "thing", score = 0.5)
                        r#"the score is "0.5" in the model and "1" on the server"#);
                    changed!(base $storage whole(prefix = "thing", score_field = "rank")
                        &format!(r#"the score field is "{}" in the model and "" on the server"#, path("rank")));
                    changed!(base $storage whole(prefix = "thing", stop_words = "the a")
                        r#"the list of stop words is "a the" in the model and "the server's own" on the server"#);
                    changed!(base $storage whole(prefix = "thing", no_stop_words)
                        r#"the list of stop words is "" in the model and "the server's own" on the server"#);
                    changed!(base $storage whole(prefix = "thing", temporary = "1h")
                        r#"TEMPORARY is "3600" in the model and "0" on the server"#);
                    changed!(base $storage whole(prefix = "thing", no_offsets)
                        r#"the list of options is "NOHL NOOFFSETS" in the model and "" on the server"#);
                    changed!(base $storage whole(prefix = "thing", no_highlight)
                        r#"the list of options is "NOHL" in the model and "" on the server"#);
                    changed!(base $storage whole(prefix = "thing", no_frequencies)
                        r#"the list of options is "NOFREQS" in the model and "" on the server"#);
                    changed!(base $storage whole(prefix = "thing", max_text_fields)
                        r#"the list of options is "MAXTEXTFIELDS" in the model and "" on the server"#);
                }
            }

            #[tokio::test]
            async fn of_a_text_field() {
                for base in bases().await {
                    changed!(base $storage title(text(weight = 2.0), sortable)
                        r#"field `title`: weight is "2" in the model and "1" on the server"#);
                    changed!(base $storage title(text(no_stem), sortable)
                        r#"field `title`: no_stem is "yes" in the model and "no" on the server"#);
                    changed!(base $storage title(text(phonetic = "dm:en"), sortable)
                        r#"field `title`: PHONETIC is "dm:en" in the model and "" on the server"#);
                    changed!(base $storage title(text(suffix_trie), sortable)
                        r#"field `title`: suffix_trie is "yes" in the model and "no" on the server"#);
                    changed!(base $storage title(text, sortable, index_missing)
                        r#"field `title`: index_missing is "yes" in the model and "no" on the server"#);
                    changed!(base $storage title(text, sortable, index_empty)
                        r#"field `title`: index_empty is "yes" in the model and "no" on the server"#);
                    changed!(base $storage title(text, sortable, no_index)
                        r#"field `title`: noindex is "yes" in the model and "no" on the server"#);
                }
            }

            #[tokio::test]
            async fn of_a_tag_or_a_shape() {
                for base in bases().await {
                    changed!(base $storage code(tag(separator = ";"))
                        r#"field `code`: separator is ";" in the model and "\u{1f}" on the server"#);
                    changed!(base $storage code(tag(case_sensitive))
                        r#"field `code`: case_sensitive is "yes" in the model and "no" on the server"#);
                    changed!(base $storage code(tag(suffix_trie))
                        r#"field `code`: suffix_trie is "yes" in the model and "no" on the server"#);
                    changed!(base $storage code(tag, index_missing)
                        r#"field `code`: index_missing is "yes" in the model and "no" on the server"#);
                    changed!(base $storage code(tag, index_empty)
                        r#"field `code`: index_empty is "yes" in the model and "no" on the server"#);
                    changed!(base $storage area(geoshape(flat))
                        r#"field `area`: coord_system is "FLAT" in the model and "SPHERICAL" on the server"#);
                }
            }

            #[tokio::test]
            async fn of_a_vector() {
                for base in bases().await {
                    changed!(base $storage mood(vector(hnsw, l2)) Vector<f32, 2>,
                        r#"field `mood`: distance_metric is "L2" in the model and "COSINE" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine)) Vector<f64, 2>,
                        r#"field `mood`: data_type is "FLOAT64" in the model and "FLOAT32" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine)) Vector<f32, 3>,
                        r#"field `mood`: dim is "3" in the model and "2" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine, m = 8)) Vector<f32, 2>,
                        r#"field `mood`: M is "8" in the model and "16" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine, ef_construction = 50)) Vector<f32, 2>,
                        r#"field `mood`: ef_construction is "50" in the model and "200" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine, ef_runtime = 50)) Vector<f32, 2>,
                        r#"field `mood`: EF_RUNTIME is "50" in the model and "10" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine, epsilon = 0.2)) Vector<f32, 2>,
                        r#"field `mood`: EPSILON is "0.2" in the model and "0.01" on the server"#);
                    changed!(base $storage mood(vector(hnsw, cosine, initial_cap = 5)) Vector<f32, 2>,
                        r#"field `mood`: INITIAL_CAP is "5" in the model and "" on the server"#);
                }
            }

            #[tokio::test]
            async fn options_that_change_nothing_are_no_difference() {
                let [base, _] = bases().await;
                thing!(Same $storage (prefix = "thing", score = 1.0, language = "english") (text(weight = 1.0), sortable)
                    (tag(separator = "\u{1f}")) (geoshape)
                    (vector(hnsw, cosine, m = 16, ef_construction = 200, ef_runtime = 10, epsilon = 0.01)) Vector<f32, 2>);
                let same: Repository<Same> = base.client().repository().with_namespace(base.namespace());
                assert_eq!(same.index().drift().await.unwrap(), []);
            }
        }
    )+};
}

storages!(hash json);
