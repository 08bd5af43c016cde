//! Vector search against a real server.

use alizarin::prelude::*;

crate::in_both_storages! {
    async fn nearest_and_within() {
        let films: Vec<Film> = (0..20u32)
            .map(|id| Film {
                id,
                votes: id,
                plot: (id != 7).then(|| Vector::from([id as f32, 0.0])),
                ..Film::default()
            })
            .collect();
        with(&films, async |repository| {
            let near = repository.nearest(3, |m| m.plot.to([4.9, 0.0])).all().await.unwrap();
            let ids: Vec<u32> = near.iter().map(|hit| hit.id).collect();
            assert_eq!(ids, [5, 4, 6]);
            assert!((near[0].distance - 0.01).abs() < 1e-4, "{}", near[0].distance);
            assert_eq!(near[0].item, films[5]);

            let target = Vector::from([4.9f32, 0.0]);
            let near = repository
                .nearest(2, |m| m.plot.to(&target))
                .filter(|m| m.votes.gt(7))
                .await
                .unwrap();
            assert_eq!(near.iter().map(|hit| hit.id).collect::<Vec<_>>(), [8, 9]);

            let near = repository.within(1.0, |m| m.plot.to(&target)).all().await.unwrap();
            assert_eq!(near.iter().map(|hit| hit.id).collect::<Vec<_>>(), [5, 4]);
            let near = repository
                .within(1.0, |m| m.plot.to(&target))
                .filter(|m| m.votes.lt(5))
                .all()
                .await
                .unwrap();
            assert_eq!(near.iter().map(|hit| hit.id).collect::<Vec<_>>(), [4]);
            let mut ids =
                repository.find(|m| m.plot.near(&target, 5.0) & !m.votes.eq(5)).ids().await.unwrap();
            ids.sort_unstable();
            assert_eq!(ids, [3, 4, 6]);
        })
        .await;
    }
}
