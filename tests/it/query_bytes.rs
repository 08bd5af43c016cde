//! No value is misread as syntax: filters compared with the same filters computed in Rust.

use alizarin::prelude::*;

use crate::films::Dice;

/// What RediSearch's syntax is made of, and what its readers are known to trip over.
const PARTS: &[&str] = &[
    "a", "B", "p0", "$", "$p0", "|", "*", "\\", "\"", "'", "{", "}", "(", ")", "[", "]", "@", ":",
    "-", "~", "%", "=>", ";", ",", ".", "?", "w'", "inf", " ", "\n", "ä", "你", "\u{1}", "\u{7f}",
];

crate::in_both_storages! {
    async fn tags_of_any_text_are_found_exactly() {
        let mut dice = Dice(7);
        let mut codes: Vec<String> = Vec::new();
        while codes.len() < 300 {
            let code: String =
                (0..=dice.roll(5)).map(|_| PARTS[dice.roll(PARTS.len())]).collect();
            if !code.is_empty() && code.trim() == code {
                codes.push(code);
            }
        }
        // Every ASCII character but NUL and the separator stands in the middle of one.
        codes.extend((1..=0x7fu8).filter(|byte| *byte != 0x1f).map(|byte| format!("x{}y", char::from(byte))));
        let films: Vec<Film> = (0u32..)
            .zip(&codes)
            .map(|(id, code)| Film { id, code: code.clone(), ..Film::default() })
            .collect();
        with(&films, async |repository| {
            for code in &codes {
                let mut found =
                    repository.find(|m| m.code.eq(code)).limit(1_000).ids().await.unwrap();
                found.sort_unstable();
                let want = films.iter().filter(|film| film.code == *code).map(|film| film.id);
                assert_eq!(found, want.collect::<Vec<_>>(), "{code:?}");
                if code.len() < 2 {
                    continue;
                }
                let mut found =
                    repository.find(|m| m.code.contains(code)).limit(1_000).ids().await.unwrap();
                found.sort_unstable();
                let want =
                    films.iter().filter(|film| film.code.contains(code)).map(|film| film.id);
                assert_eq!(found, want.collect::<Vec<_>>(), "contains {code:?}");
            }
        })
        .await;
    }

    async fn text_of_any_sort_finds_itself_or_says_why_not() {
        let mut dice = Dice(11);
        // Three backslashes before a separator are read in two ways by the server itself, and a
        // plus sign marks stems in its index.
        let films: Vec<Film> = (0..300u32)
            .map(|id| {
                let title: String =
                    (0..=dice.roll(6)).map(|_| PARTS[dice.roll(PARTS.len())]).collect();
                Film { id, title: title.replace("\\\\", "\\"), ..Film::default() }
            })
            .collect();
        with(&films, async |repository| {
            for film in &films {
                match repository.find(|m| m.title.matches(&film.title)).limit(1_000).ids().await {
                    Ok(found) => assert!(found.contains(&film.id), "{:?}", film.title),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Value, "{error}"),
                }
            }
        })
        .await;
    }
}
