//! Aggregations against a real server.

use alizarin::prelude::*;

#[derive(Debug, PartialEq, RedisRow)]
struct ByGenre {
    genre: Option<String>,
    films: u64,
    mean: Option<f64>,
}

#[derive(Debug, PartialEq, RedisRow)]
struct Total {
    count: u64,
    most: f64,
    codes: Vec<String>,
}

crate::in_both_storages! {
    async fn groups_reduce_to_rows() {
        let films: Vec<Film> = (0..30u32)
            .map(|id| Film {
                id,
                genre: ["Drama", "Noir"].get(id as usize % 3).map(|genre| (*genre).into()),
                code: format!("C{}", id % 2),
                rating: (id % 3 == 0).then_some(id as f32),
                votes: id,
                ..Film::default()
            })
            .collect();
        with(&films, async |repository| {
            let mut rows = repository
                .aggregate(|m| m.votes.lt(12))
                .group_by(|m| m.genre)
                .reduce(|m| (count().alias("films"), m.rating.avg().alias("mean")))
                .rows::<ByGenre>()
                .all()
                .await
                .unwrap();
            rows.sort_by(|a, b| a.genre.cmp(&b.genre));
            let row = |genre: Option<&str>, mean| ByGenre {
                genre: genre.map(str::to_owned),
                films: 4,
                mean,
            };
            assert_eq!(rows, [row(None, Some(0.0)), row(Some("Drama"), Some(4.5)), row(Some("Noir"), Some(0.0))]);

            let mut rows = repository
                .aggregate(|m| m.votes.ge(0))
                .group_all()
                .reduce(|m| (count(), m.votes.max().alias("most"), m.code.to_list().alias("codes")))
                .rows::<Total>()
                .await
                .unwrap();
            rows[0].codes.sort();
            let codes = vec!["C0".to_owned(), "C1".to_owned()];
            assert_eq!(rows, [Total { count: 30, most: 29.0, codes }]);

            // More groups than the ten rows a sorting server gives by itself.
            let rows = repository
                .aggregate(|m| m.votes.ge(0))
                .group_by(|m| m.votes)
                .reduce(|m| (count(), m.votes.max().alias("most"), m.code.to_list().alias("codes")))
                .rows::<Total>()
                .sort_by_column("most", Direction::Descending)
                .all()
                .await
                .unwrap();
            assert_eq!((rows.len(), rows[0].most), (30, 29.0));

            let error = repository
                .aggregate(|m| m.votes.ge(0))
                .group_by(|m| m.genre)
                .reduce(|_| count())
                .rows::<ByGenre>()
                .all()
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains("`films`"), "{error}");
        })
        .await;
    }
}
