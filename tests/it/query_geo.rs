//! GEO and GEOSHAPE filters against a real server.

use alizarin::prelude::*;

crate::in_both_storages! {
    async fn circles_and_boxes() {
        let cities = [(12.5, 41.9), (9.2, 45.5), (2.35, 48.85)];
        let films: Vec<Film> = (0u32..)
            .zip(cities)
            .map(|(id, (longitude, latitude))| Film {
                id,
                place: Some(GeoPoint::new(longitude, latitude).unwrap()),
                area: Some(GeoShape::point(longitude, latitude).unwrap()),
                ..Film::default()
            })
            .collect();
        with(&films, async |repository| {
            macro_rules! check {
                ($filter:expr, $want:expr) => {{
                    let mut found = repository.find($filter).ids().await.unwrap();
                    found.sort_unstable();
                    assert_eq!(found, $want, "{}", stringify!($filter));
                }};
            }
            let rome = GeoPoint::new(12.5, 41.9).unwrap();
            check!(|m| m.place.within_radius(rome, 1, Unit::Kilometers), [0]);
            check!(|m| m.place.within_radius(&rome, 300, Unit::Miles), [0, 1]);
            check!(|m| m.place.within_radius(rome, 0.5, Unit::Meters), [0]);
            let corners = [(8.0, 40.0), (14.0, 40.0), (14.0, 47.0), (8.0, 47.0), (8.0, 40.0)];
            let italy = GeoShape::polygon(corners).unwrap();
            check!(|m| m.area.within(&italy), [0, 1]);
            check!(|m| m.area.intersects(&italy), [0, 1]);
            check!(|m| m.area.disjoint(&italy), [2]);
            let error =
                repository.find(|m| m.place.within_radius(rome, 0, Unit::Feet)).all().await;
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Value);
        })
        .await;
    }
}
