//! References between models: loaded together, each document once, and looked up the other way.

use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::{connect, everywhere, namespace, on, on_cluster};

macro_rules! models {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "country")]
            pub(super) struct Country {
                #[redis(id)]
                pub(super) code: String,
                pub(super) name: String,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "director")]
            pub(super) struct Director {
                #[redis(id)]
                pub(super) id: u32,
                pub(super) name: String,
                pub(super) country: Option<Ref<Country>>,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "movie")]
            pub(super) struct Movie {
                #[redis(id)]
                pub(super) id: u32,
                pub(super) director: Ref<Director>,
                pub(super) second: Option<Ref<Director>>,
                pub(super) shown: Vec<Ref<Country>>,
                pub(super) sequel: Option<Ref<Movie>>,
            }

            /// The same with an index.
            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "show", index)]
            pub(super) struct Show {
                #[redis(id)]
                pub(super) id: u32,
                #[redis(tag)]
                pub(super) director: Ref<Director>,
                #[redis(tag)]
                pub(super) shown: Vec<Ref<Country>>,
                #[redis(vector(flat, l2))]
                pub(super) mood: Vector<f32, 2>,
            }

            pub(super) fn movie(id: u32, director: u32) -> Movie {
                Movie {
                    id,
                    director: Ref::new(director),
                    second: None,
                    shown: Vec::new(),
                    sequel: None,
                }
            }

            fn show(id: u32, director: u32, shown: &[&str]) -> Show {
                let shown = shown.iter().map(|&code| Ref::new(code.to_owned())).collect();
                Show { id, director: Ref::new(director), shown, mood: [id as f32, 0.0].into() }
            }

            /// Two countries and three directors beside `repository`.
            async fn others<M: RedisModel>(repository: &Repository<M>) {
                let (client, space) = (repository.client(), repository.namespace());
                let countries: Repository<Country> = client.repository().with_namespace(space);
                let directors: Repository<Director> = client.repository().with_namespace(space);
                for code in ["at", "AT"] {
                    let country = Country { code: code.to_owned(), name: format!("land {code}") };
                    countries.save(&country).await.unwrap();
                }
                for (id, country) in [(1, Some("at")), (2, Some("gone")), (3, None)] {
                    let country = country.map(|code| Ref::new(code.to_owned()));
                    let director = Director { id, name: format!("D{id}"), country };
                    directors.save(&director).await.unwrap();
                }
            }

            fn names(movies: &[Movie]) -> Vec<Option<&str>> {
                movies.iter().map(|m| m.director.loaded().map(|d| &*d.name)).collect()
            }

            #[tokio::test]
            async fn several_relations_of_several_levels() {
                everywhere(async |movies: Repository<Movie>| {
                    others(&movies).await;
                    let code = |code: &str| Ref::new(code.to_owned());
                    let mut first = movie(1, 1);
                    first.second = Some(Ref::new(2));
                    first.shown = vec![code("AT"), code("none"), code("at")];
                    first.sequel = Some(Ref::new(2));
                    let mut second = movie(2, 99);
                    second.sequel = Some(Ref::to(&first));
                    movies.save_all(&[first.clone(), second.clone()]).await.unwrap();

                    let found = movies
                        .get(&1)
                        .with(|m| (m.director.with(|d| d.country), m.second.with(|d| d.country)))
                        .with(|m| m.shown)
                        .with(|m| m.sequel.with(|s| (s.sequel, s.director)))
                        .await
                        .unwrap()
                        .unwrap();
                    // Documents are equal by what is stored.
                    assert_eq!(found, first);
                    let director = found.director.loaded().unwrap();
                    let country = director.country.as_ref().unwrap();
                    assert_eq!(country.loaded().unwrap().name, "land at");
                    let director = found.second.as_ref().unwrap().loaded().unwrap();
                    let country = director.country.as_ref().unwrap();
                    assert!(country.is_missing() && country.loaded().is_none());
                    assert_eq!(country.id(), "gone");
                    let shown = found.shown.iter();
                    let shown: Vec<_> = shown.map(|c| c.loaded().map(|c| &*c.name)).collect();
                    assert_eq!(shown, [Some("land AT"), None, Some("land at")]);
                    assert!(found.shown[1].is_missing());
                    let sequel = found.sequel.as_ref().unwrap().loaded().unwrap();
                    assert!(sequel.director.is_missing());
                    let back = sequel.sequel.as_ref().unwrap().loaded().unwrap();
                    // One level further was not asked for.
                    assert!(back.director.loaded().is_none() && !back.director.is_missing());

                    let many = movies.get_many(&[2, 7, 1]).with(|m| m.director).await.unwrap();
                    assert!(many[1].is_none());
                    assert!(many[0].as_ref().unwrap().director.is_missing());
                    assert!(many[2].as_ref().unwrap().director.loaded().is_some());
                    assert!(movies.get(&7).with(|m| m.director).await.unwrap().is_none());

                    // What was loaded is not stored.
                    movies.save(&found).await.unwrap();
                    let again = movies.get(&1).await.unwrap().unwrap();
                    assert_eq!(again, first);
                    assert!(again.director.loaded().is_none());
                })
                .await;
            }

            #[tokio::test]
            async fn each_document_is_read_once_in_one_round_trip() {
                let server = Server::builder().private().start().unwrap();
                let client = connect(&server, 3).await;
                let space = namespace(&server);
                let movies: Repository<Movie> = client.repository().with_namespace(space.as_str());
                others(&movies).await;
                let mut list: Vec<Movie> = (0..100).map(|id| movie(id, id % 4)).collect();
                let calls = |name: &str| {
                    let stats = server.command(&["INFO", "commandstats"]).unwrap().to_lowercase();
                    let name = format!("cmdstat_{name}:calls=");
                    let line = stats.lines().find_map(|line| line.strip_prefix(&name).map(str::to_owned));
                    line.map_or(0, |line| line.split(',').next().unwrap().parse::<u64>().unwrap())
                };
                let name = if stringify!($storage) == "hash" { "hgetall" } else { "json.get" };
                let before = calls(name);
                movies.load(&mut list, |m| m.director).await.unwrap();
                assert_eq!(calls(name) - before, 4);
                let want = [None, Some("D1"), Some("D2"), Some("D3")];
                assert_eq!(names(&list), want.iter().cycle().take(100).copied().collect::<Vec<_>>());
                assert!(list[0].director.is_missing());
                // Nothing to ask for is not asked.
                movies.load(&mut list, |m| (m.sequel, m.shown)).await.unwrap();
                assert_eq!(calls(name) - before, 4);
            }

            #[tokio::test]
            async fn over_all_nodes_of_a_cluster() {
                let movies: Repository<Movie> = on_cluster().await;
                let directors: Repository<Director> =
                    movies.client().repository().with_namespace(movies.namespace());
                let all = (0..1_200).map(|id| Director { id, name: format!("D{id}"), country: None });
                directors.save_all(&all.collect::<Vec<_>>()).await.unwrap();
                let mut list: Vec<Movie> = (0..1_300).map(|id| movie(id, id)).collect();
                movies.load(&mut list, |m| m.director).await.unwrap();
                for (at, movie) in list.iter().enumerate() {
                    let name = movie.director.loaded().map(|director| director.name.clone());
                    assert_eq!(name, (at < 1_200).then(|| format!("D{at}")));
                    assert_eq!(movie.director.is_missing(), at >= 1_200);
                }
            }

            #[tokio::test]
            async fn the_other_way_and_from_searches() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let shows: Repository<Show> = on(server, protocol).await;
                    others(&shows).await;
                    shows.index().sync().await.unwrap();
                    let all =
                        [show(1, 1, &["at"]), show(2, 2, &["AT", "at"]), show(3, 1, &[]), show(4, 9, &["AT"])];
                    shows.save_all(&all).await.unwrap();
                    shows.index().wait().await.unwrap();
                    let mut ids = shows.referring(|s| s.director, &1).ids().await.unwrap();
                    ids.sort_unstable();
                    assert_eq!(ids, [1, 3]);
                    assert_eq!(shows.referring(|s| s.director, &7).count().await.unwrap(), 0);
                    // Ids that differ in case are different ids.
                    let mut ids = shows.referring(|s| s.shown, &"AT".to_owned()).ids().await.unwrap();
                    ids.sort_unstable();
                    assert_eq!(ids, [2, 4]);
                    let at = "at".to_owned();
                    let found = shows.referring(|s| s.shown, &at).with(|s| (s.director, s.shown));
                    for show in found.all().await.unwrap() {
                        assert!(show.director.loaded().is_some());
                        assert!(show.shown.iter().all(|country| country.loaded().is_some()));
                    }
                    let near = shows.nearest(2, |s| s.mood.to([4.0, 0.0])).with(|s| s.director);
                    let near = near.await.unwrap();
                    assert!(near[0].director.is_missing());
                    assert_eq!(near[1].director.loaded().unwrap().name, "D1");
                    let page = shows.find(|s| s.director.is_in([1, 2])).with(|s| s.director);
                    let page = page.page(0, 2).await.unwrap();
                    assert_eq!((page.total, page.items.len()), (3, 2));
                    assert!(page.items.iter().all(|show| show.director.loaded().is_some()));
                    let one = shows.find(|s| s.director.eq(2)).with(|s| s.director).one().await.unwrap();
                    assert_eq!(one.director.loaded().unwrap().id, 2);
                    let first = shows.find(|s| s.director.eq(8)).with(|s| s.director).first();
                    assert_eq!(first.await.unwrap(), None);
                    shows.set(&4, |s| s.director.to(2)).await.unwrap();
                    let changed = shows.get(&4).await.unwrap().unwrap();
                    assert_eq!(changed.director, Ref::new(2));
                }
            }

            #[test]
            fn without_a_runtime() {
                use alizarin::blocking::prelude::*;

                let server = Server::shared().unwrap();
                let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
                let space = namespace(server);
                let movies: Repository<Movie> = client.repository().with_namespace(space.as_str());
                let directors: Repository<Director> =
                    client.repository().with_namespace(space.as_str());
                directors.save(&Director { id: 1, name: "D1".into(), country: None }).run().unwrap();
                movies.save(&movie(1, 1)).run().unwrap();
                let found = movies.get(&1).with(|m| m.director).run().unwrap().unwrap();
                assert_eq!(found.director.loaded().unwrap().name, "D1");
                let mut list = vec![movie(1, 1), movie(2, 5)];
                movies.load(&mut list, |m| m.director).run().unwrap();
                assert_eq!(names(&list), [Some("D1"), None]);
            }
        }
    )+};
}

models!(hash json);
