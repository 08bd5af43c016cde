//! TEXT filters against a real server.

use alizarin::prelude::*;

const TITLES: &[&str] = &[
    "Star Wars",
    "Wars of the Star",
    "star-trek: the motion picture",
    "Alien",
    "Aliens",
    "a_b c++",
    "Amélie",
    "Lord of the Rings",
    "foo\\-bar",
    "line\nbreak here",
];

crate::in_both_storages! {
    async fn words_phrases_and_parts() {
        let films: Vec<Film> = (0u32..)
            .zip(TITLES)
            .map(|(id, title)| Film {
                id,
                title: (*title).into(),
                note: match id % 3 {
                    0 => None,
                    1 => Some(String::new()),
                    _ => Some("running".into()),
                },
                ..Film::default()
            })
            .collect();
        with(&films, async |repository| {
            macro_rules! check {
                ($filter:expr, $want:expr) => {{
                    let mut found = repository.find($filter).ids().await.unwrap();
                    found.sort_unstable();
                    let want: Vec<u32> = $want.into();
                    assert_eq!(found, want, "{}", stringify!($filter));
                }};
            }
            check!(|m| m.title.matches("the WARS, star!"), [0, 1]);
            check!(|m| m.title.matches_any("trek alien"), [2, 3]);
            check!(|m| m.title.phrase("star wars"), [0]);
            check!(|m| m.title.phrase("motion picture star"), []);
            check!(|m| m.title.phrase("trek motion picture"), [2]);
            check!(|m| m.title.phrase("Lord of Rings"), [7]);
            check!(|m| m.title.prefix("ali"), [3, 4]);
            check!(|m| m.title.suffix("iens"), [4]);
            check!(|m| m.title.infix("lie"), [3, 4, 6]);
            check!(|m| m.title.fuzzy("aliem", 1), [3]);
            check!(|m| m.title.matches("a_b"), [5]);
            check!(|m| m.title.matches("Amélie"), [6]);
            check!(|m| !m.title.matches("star"), [3, 4, 5, 6, 7, 8, 9]);
            check!(|m| m.note.is_missing(), [0, 3, 6, 9]);
            check!(|m| m.note.is_empty(), [1, 4, 7]);
            check!(|m| m.note.is_present() & m.note.matches("runs"), [2, 5, 8]);
            // Whatever a title is, it finds itself.
            for (id, title) in (0u32..).zip(TITLES) {
                let found = repository.find(|m| m.title.matches(title)).ids().await.unwrap();
                assert!(found.contains(&id), "{title:?}");
            }
            let error = repository.find(|m| m.title.matches("of the")).all().await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("title")));
        })
        .await;
    }
}
