//! NUMERIC filters against a real server.

use std::time::Duration;

use alizarin::ErrorKind;

crate::in_both_storages! {
    async fn filters_find_what_rust_finds() {
        let films: Vec<Film> = (0..40u32)
            .map(|id| Film {
                id,
                votes: id % 7,
                rating: (id % 3 > 0).then_some(id as f32 / 10.0),
                ..Film::default()
            })
            .collect();
        with(&films, async |repository| {
            macro_rules! check {
                ($filter:expr, $test:expr) => {{
                    let mut found = repository.find($filter).ids().await.unwrap();
                    found.sort_unstable();
                    let test: &dyn Fn(&Film) -> bool = &$test;
                    let want = films.iter().filter(|film| test(film)).map(|film| film.id);
                    assert_eq!(found, want.collect::<Vec<_>>(), "{}", stringify!($filter));
                }};
            }
            let rated = |film: &Film, test: &dyn Fn(f32) -> bool| film.rating.is_some_and(test);
            check!(|m| m.votes.eq(3), |film| film.votes == 3);
            check!(|m| m.votes.ne(3), |film| film.votes != 3);
            check!(|m| m.votes.lt(3), |film| film.votes < 3);
            check!(|m| m.votes.le(3), |film| film.votes <= 3);
            check!(|m| m.votes.between(2, 4), |film| (2..=4).contains(&film.votes));
            check!(|m| m.votes.is_in([1, 5]), |film| [1, 5].contains(&film.votes));
            check!(|m| m.votes.not_in([1, 5]), |film| ![1, 5].contains(&film.votes));
            check!(|m| m.rating.gt(0.7), |film| rated(film, &|rating| rating > 0.7));
            check!(|m| m.rating.ge(2), |film| rated(film, &|rating| rating >= 2.0));
            check!(|m| m.rating.eq(0.7f32), |film| film.rating == Some(0.7));
            check!(|m| m.rating.ge(f32::NEG_INFINITY), |film| film.rating.is_some());
            check!(|m| m.votes.gt(2) & !m.rating.lt(1), |film| {
                film.votes > 2 && !rated(film, &|rating| rating < 1.0)
            });
        })
        .await;
    }

    async fn order_and_pages_cover_everything_once() {
        let films: Vec<Film> =
            (0..25u32).map(|id| Film { id, votes: 100 - id, ..Film::default() }).collect();
        with(&films, async |repository| {
            let mut seen = Vec::new();
            for number in 0..3 {
                let page = repository
                    .find(|m| m.votes.ge(0))
                    .sort_by(|m| m.votes.asc())
                    .page(number, 10)
                    .await
                    .unwrap();
                assert_eq!((page.total, page.pages(), page.has_next()), (25, 3, number < 2));
                seen.extend(page.items);
            }
            assert!(seen.iter().rev().eq(films.iter()));
            let mut stream = repository.find(|m| m.votes.gt(90)).stream().unwrap();
            let mut count = 0;
            while let Some(film) = stream.next().await {
                film.unwrap();
                count += 1;
            }
            assert_eq!(count, 10);
        })
        .await;
    }

    async fn time_limits_are_rounded_up_and_sent_with_every_form_of_query() {
        let films: Vec<Film> =
            (0..3u32).map(|id| Film { id, votes: id, ..Film::default() }).collect();
        with(&films, async |repository| {
            for limit in [Duration::from_nanos(1), Duration::from_secs(2), Duration::MAX] {
                let command = repository.find(|m| m.votes.ge(0)).timeout(limit).to_command();
                let packed = command.unwrap().packed().clone();
                let mut words = packed.arguments().skip_while(|word| *word != b"TIMEOUT");
                let sent: u64 = std::str::from_utf8(words.nth(1).unwrap()).unwrap().parse().unwrap();
                assert!(sent > 0 && u128::from(sent) <= limit.as_millis().max(1));
            }
            for limit in [Duration::from_secs(2), Duration::MAX] {
                let find = || repository.find(|m| m.votes.ge(0)).timeout(limit);
                assert_eq!(find().all().await.unwrap().len(), 3);
                let mut stream = find().stream().unwrap();
                stream.next().await.unwrap().unwrap();
            }
            let error = repository.find(|m| m.votes.ge(0)).page(0, 0).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
        })
        .await;
    }
}
