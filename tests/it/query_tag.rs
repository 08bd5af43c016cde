//! TAG filters against a real server.

use alizarin::prelude::*;

crate::in_both_storages! {
    async fn filters_find_what_rust_finds() {
        let genres = [Some("Drama"), Some("a|b"), Some("Sci-Fi"), None, Some("drama"), Some("*")];
        let films: Vec<Film> = (0..24u32)
            .map(|id| Film {
                id,
                genre: genres[id as usize % 6].map(str::to_owned),
                code: ["Ab", "aB", "$p0"][id as usize % 3].into(),
                tags: (0..id % 4).map(|tag| format!("t{tag}")).collect(),
                seen: id % 2 == 0,
                ..Film::default()
            })
            .collect();
        with(&films, async |films_now| {
            let is = |film: &Film, genre: &str| {
                film.genre.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(genre))
            };
            let want = |test: &dyn Fn(&Film) -> bool| -> Vec<u32> {
                films.iter().filter(|film| test(film)).map(|film| film.id).collect()
            };
            macro_rules! check {
                ($filter:expr, $test:expr) => {{
                    let mut found = films_now.find($filter).ids().await.unwrap();
                    found.sort_unstable();
                    assert_eq!(found, want(&$test), "{}", stringify!($filter));
                }};
            }
            for genre in ["Drama", "a|b", "Sci-Fi", "*", "none"] {
                check!(|m| m.genre.eq(genre), |film: &Film| is(film, genre));
                check!(|m| m.genre.ne(genre), |film: &Film| !is(film, genre));
            }
            let two = ["DRAMA", "*"];
            check!(|m| m.genre.is_in(two), |film: &Film| two.iter().any(|genre| is(film, genre)));
            check!(|m| m.genre.not_in(two), |film: &Film| !two.iter().any(|genre| is(film, genre)));
            let none: [&str; 0] = [];
            check!(|m| m.genre.is_in(none), |_: &Film| false);
            check!(|m| m.genre.not_in(none), |_: &Film| true);
            check!(|m| m.code.eq("Ab"), |film: &Film| film.code == "Ab");
            check!(|m| m.code.eq("$p0"), |film: &Film| film.code == "$p0");
            check!(|m| m.code.starts_with("$p"), |film: &Film| film.code.starts_with("$p"));
            check!(|m| m.genre.ends_with("Fi"), |film: &Film| is(film, "Sci-Fi"));
            check!(|m| m.genre.contains("i-f"), |film: &Film| is(film, "Sci-Fi"));
            check!(|m| m.tags.has("t1"), |film: &Film| film.tags.contains(&"t1".into()));
            check!(|m| m.tags.has_any(["t1", "t2"]), |film: &Film| film.tags.len() > 1);
            check!(|m| m.tags.has_all(["t0", "t2"]), |film: &Film| film.tags.len() > 2);
            check!(|m| m.seen.eq(true), |film: &Film| film.seen);
            check!(|m| !m.seen.eq(true) & (m.code.eq("Ab") | m.code.eq("aB")),
                |film: &Film| !film.seen && film.code.eq_ignore_ascii_case("ab"));
        })
        .await;
    }

    async fn an_empty_tag_is_refused_in_words() {
        with(&[], async |films| {
            let error = films.find(|m| m.genre.eq("")).all().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
            assert_eq!(error.field(), Some("genre"));
        })
        .await;
    }
}
