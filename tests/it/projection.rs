//! Projections: some fields of a model, and nothing else on the wire.

use alizarin::Value;
use alizarin::model::RedisProjection as _;
use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::{on, on_cluster, spoil};

/// A number with more digits than an index keeps.
const FINE: f64 = 0.123_456_789_012_345_6;

fn seven() -> u32 {
    7
}

macro_rules! models {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "item", index, rename_all = "camelCase")]
            pub(super) struct Item {
                #[redis(id)]
                pub(super) id: u32,
                #[redis(text, sortable)]
                pub(super) full_title: String,
                #[redis(tag, sortable)]
                pub(super) kind: String,
                #[redis(tag(case_sensitive), sortable, unf)]
                pub(super) code: String,
                #[redis(numeric, sortable)]
                pub(super) votes: Option<u64>,
                #[redis(numeric, sortable)]
                pub(super) rating: Option<f32>,
                #[redis(numeric, sortable)]
                pub(super) fine: f64,
                #[redis(text, sortable, unf)]
                pub(super) raw: String,
                #[redis(geo, sortable)]
                pub(super) place: GeoPoint,
                #[redis(tag)]
                pub(super) tags: Vec<String>,
                #[redis(vector(flat, l2))]
                pub(super) mood: Vector<f32, 2>,
                pub(super) secret: String,
                #[redis(default = "seven")]
                pub(super) late: u32,
                #[redis(nested)]
                pub(super) maker: Maker,
                #[redis(nested)]
                pub(super) seller: Option<Maker>,
            }

            #[derive(Debug, Clone, PartialEq, RedisNested)]
            pub(super) struct Maker {
                #[redis(tag, rename = "n")]
                pub(super) name: String,
                #[redis(numeric, sortable)]
                pub(super) share: f64,
                pub(super) town: Option<String>,
                #[redis(nested)]
                pub(super) deep: Deep,
            }

            #[derive(Debug, Clone, PartialEq, RedisNested)]
            pub(super) struct Deep {
                pub(super) level: Option<u32>,
            }

            /// All of it is exact in an index.
            #[derive(Debug, Clone, PartialEq, RedisProjection)]
            #[redis(of = Item)]
            pub(super) struct Card {
                pub(super) id: u32,
                #[redis(at = full_title)]
                pub(super) title: String,
                pub(super) kind: String,
                pub(super) code: String,
                pub(super) votes: Option<u64>,
                pub(super) rating: Option<f32>,
                pub(super) place: GeoPoint,
                pub(super) tags: Vec<String>,
                pub(super) mood: Vector<f32, 2>,
                pub(super) late: u32,
                #[redis(at = maker.name)]
                pub(super) maker: String,
                #[redis(at = maker.share)]
                pub(super) share: f64,
                #[redis(at = maker.deep.level)]
                pub(super) level: Option<u32>,
                #[redis(at = seller.name)]
                pub(super) seller: Option<String>,
            }

            /// An index would round it.
            #[derive(Debug, Clone, PartialEq, RedisProjection)]
            #[redis(of = Item)]
            pub(super) struct Fine {
                pub(super) fine: f64,
                pub(super) raw: String,
                pub(super) secret: Option<String>,
            }

            /// With structs.
            #[derive(Debug, Clone, PartialEq, RedisProjection)]
            #[redis(of = Item)]
            pub(super) struct Makers {
                #[redis(nested)]
                pub(super) maker: Maker,
                #[redis(nested)]
                pub(super) seller: Option<Maker>,
                #[redis(nested, at = maker.deep)]
                pub(super) deep: Deep,
                #[redis(at = maker.town)]
                pub(super) town: Option<String>,
            }

            /// Nothing of it needs to be there.
            #[derive(Debug, Clone, PartialEq, RedisProjection)]
            #[redis(of = Item)]
            pub(super) struct Nothing {
                pub(super) votes: Option<u64>,
            }

            /// One path alone.
            #[derive(Debug, Clone, PartialEq, RedisProjection)]
            #[redis(of = Item)]
            pub(super) struct Id {
                pub(super) id: u32,
            }

            pub(super) fn item(id: u32) -> Item {
                let maker = |name: &str, level| Maker {
                    name: name.to_owned(),
                    share: FINE,
                    town: None,
                    deep: Deep { level },
                };
                Item {
                    id,
                    full_title: format!("A \"TiTLe\" {id}"),
                    kind: "MiXed CaSe".to_owned(),
                    code: "ÄbC".to_owned(),
                    votes: (id % 2 == 0).then_some(9_007_199_254_740_991 - u64::from(id)),
                    rating: Some(8.1),
                    fine: FINE,
                    raw: "BeFore\0After".to_owned(),
                    place: GeoPoint::new(16.3725, 48.2083).unwrap(),
                    tags: vec!["A".to_owned(), "b, c".to_owned()],
                    mood: [id as f32, 0.1].into(),
                    secret: "hidden".to_owned(),
                    late: 3,
                    maker: maker("ACME", Some(2)),
                    seller: (id % 2 == 0).then(|| maker("Bob", None)),
                }
            }

            pub(super) fn card(item: &Item) -> Card {
                Card {
                    id: item.id,
                    title: item.full_title.clone(),
                    kind: item.kind.clone(),
                    code: item.code.clone(),
                    votes: item.votes,
                    rating: item.rating,
                    place: item.place,
                    tags: item.tags.clone(),
                    mood: item.mood.clone(),
                    late: item.late,
                    maker: item.maker.name.clone(),
                    share: item.maker.share,
                    level: item.maker.deep.level,
                    seller: item.seller.as_ref().map(|seller| seller.name.clone()),
                }
            }

            pub(super) fn fine(item: &Item) -> Fine {
                Fine {
                    fine: item.fine,
                    raw: item.raw.clone(),
                    secret: Some(item.secret.clone()),
                }
            }

            async fn filled(server: &Server, protocol: u8) -> (Repository<Item>, Vec<Item>) {
                let items: Repository<Item> = on(server, protocol).await;
                let all: Vec<Item> = (0..6).map(item).collect();
                items.index().sync().await.unwrap();
                items.save_all(&all).await.unwrap();
                items.index().wait().await.unwrap();
                (items, all)
            }

            #[tokio::test]
            async fn values_are_exact_wherever_they_are_read() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let (items, all) = filled(server, protocol).await;
                    let cards: Vec<Card> = all.iter().map(card).collect();
                    let fines: Vec<Fine> = all.iter().map(fine).collect();
                    let one = items.get(&1).project::<Card>().await.unwrap();
                    assert_eq!(one.as_ref(), Some(&cards[1]));
                    let fine = items.get(&1).project::<Fine>().await.unwrap();
                    assert_eq!(fine.as_ref(), Some(&fines[1]));
                    let many = items.get_many(&[4, 99, 0]).project::<Card>().await.unwrap();
                    assert_eq!(many, [Some(cards[4].clone()), None, Some(cards[0].clone())]);

                    let find = || items.find(|m| m.kind.eq("mixed case"));
                    let mut found = find().project::<Card>().all().await.unwrap();
                    found.sort_by_key(|card| card.id);
                    assert_eq!(found, cards);
                    // What a search is sorted by comes from the index too.
                    let by_title = find().sort_by(|m| m.full_title.asc()).project::<Card>();
                    assert_eq!(by_title.all().await.unwrap(), cards);
                    let by_code = find().project::<Card>().sort_by(|m| m.code.asc()).limit(2);
                    assert_eq!(by_code.await.unwrap().len(), 2);
                    let by_title = find().sort_by(|m| m.full_title.desc()).project::<Fine>();
                    let page = by_title.page(1, 2).await.unwrap();
                    assert_eq!((page.items, page.total), (fines[2..4].to_vec(), 6));
                    let by_fine = find().sort_by(|m| m.fine.asc()).project::<Fine>();
                    assert_eq!(by_fine.first().await.unwrap(), Some(fines[0].clone()));
                    let one = items.find(|m| m.full_title.matches("3")).project::<Card>();
                    assert_eq!(one.one().await.unwrap(), cards[3]);
                    let mut stream = find().project::<Fine>().stream().unwrap();
                    let mut count = 0;
                    while let Some(fine) = stream.next().await {
                        assert_eq!(fine.unwrap(), fines[0]);
                        count += 1;
                    }
                    assert_eq!(count, 6);

                    let near = items.nearest(2, |m| m.mood.to([5.0, 0.1]));
                    let near = near.project::<Card>().await.unwrap();
                    assert_eq!(near[0].item, cards[5]);
                    assert_eq!((near[0].distance, near[1].distance), (0.0, 1.0));
                    let near = items.nearest(2, |m| m.mood.to([5.0, 0.1])).filter(|m| m.votes.ge(0));
                    let near = near.project::<Fine>().await.unwrap();
                    assert_eq!(near[0].item, fines[4]);
                    assert_eq!((near[0].distance, near[1].distance), (1.0, 9.0));
                    let within = items.within(1.5, |m| m.mood.to([5.0, 0.1])).project::<Card>();
                    assert_eq!(within.await.unwrap().len(), 2);
                }
            }

            #[tokio::test]
            async fn structs_are_read_whole_and_in_part() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let (items, all) = filled(server, protocol).await;
                    let want = |item: &Item| Makers {
                        maker: item.maker.clone(),
                        seller: item.seller.clone(),
                        deep: item.maker.deep.clone(),
                        town: item.maker.town.clone(),
                    };
                    for item in &all {
                        let makers = items.get(&item.id).project::<Makers>().await.unwrap();
                        assert_eq!(makers, Some(want(item)));
                    }
                    let by_title = items.find(|m| m.fine.ge(0.0)).sort_by(|m| m.full_title.asc());
                    let found = by_title.project::<Makers>().await.unwrap();
                    assert_eq!(found, all.iter().map(want).collect::<Vec<_>>());
                }
            }

            #[tokio::test]
            async fn only_those_fields_travel() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let (items, _) = filled(server, protocol).await;
                    let command = items.find(|m| m.votes.ge(0)).project::<Nothing>().to_command();
                    let reply: Value = items.client().run(command.unwrap()).await.unwrap();
                    let text = format!("{reply:?}");
                    assert!(text.contains("votes") && text.contains("90071992547409"), "{text}");
                    for other in ["hidden", "fullTitle", "ACME", "MiXed", "secret", "tags"] {
                        assert!(!text.contains(other), "{other}: {text}");
                    }
                    let near = items.nearest(1, |m| m.mood.to([5.0, 0.1])).project::<Id>();
                    let reply: Value = items.client().run(near.to_command().unwrap()).await.unwrap();
                    let text = format!("{reply:?}");
                    assert!(text.contains("__distance") && !text.contains("ACME"), "{text}");
                    let near = items.nearest(1, |m| m.mood.to([5.0, 0.1])).project::<Id>();
                    assert_eq!(near.await.unwrap()[0].item, Id { id: 5 });
                }
                assert_eq!(Nothing::shape().names().len(), 2);
            }

            #[tokio::test]
            async fn what_is_not_there_is_told_from_what_is_empty() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let (items, _) = filled(server, protocol).await;
                    let nothing = items.get(&1).project::<Nothing>().await.unwrap();
                    assert_eq!(nothing, Some(Nothing { votes: None }));
                    assert_eq!(items.get(&99).project::<Nothing>().await.unwrap(), None);
                    assert_eq!(items.get(&99).project::<Id>().await.unwrap(), None);
                    assert_eq!(items.get(&1).project::<Id>().await.unwrap(), Some(Id { id: 1 }));

                    // The model's default stands for what an older document lacks.
                    let key = items.key(&1);
                    let remove = |name: &str| match stringify!($storage) {
                        "hash" => items.client().command("HDEL").key(&key).arg(name),
                        _ => items.client().command("JSON.DEL").key(&key).arg(format!("$.{name}")),
                    };
                    remove("late").exec().await.unwrap();
                    let card = items.get(&1).project::<Card>().await.unwrap().unwrap();
                    assert_eq!(card.late, 7);
                    remove("kind").exec().await.unwrap();
                    let error = items.get(&1).project::<Card>().await.unwrap_err();
                    assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("kind")));
                    assert!(error.message().contains(&key), "{error}");
                    remove("maker.n").exec().await.unwrap();
                    let error = items.get(&1).project::<Makers>().await.unwrap_err();
                    assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("maker.n")));

                    spoil(&items, &77).await;
                    let error = items.get(&77).project::<Id>().await.unwrap_err();
                    assert!(matches!(error.kind(), ErrorKind::Server(_)), "{error}");
                }
            }

            #[tokio::test]
            async fn documents_of_a_cluster() {
                let items: Repository<Item> = on_cluster().await;
                let all: Vec<Item> = (0..40).map(item).collect();
                items.save_all(&all).await.unwrap();
                let ids: Vec<u32> = (0..40).collect();
                let cards = items.get_many(&ids).project::<Card>().await.unwrap();
                let want: Vec<Card> = all.iter().map(card).collect();
                assert_eq!(cards.into_iter().flatten().collect::<Vec<_>>(), want);
                let fine = items.get(&3).project::<Fine>().await.unwrap();
                assert_eq!(fine, Some(super::$storage::fine(&all[3])));
            }

            #[test]
            fn without_a_runtime() {
                use alizarin::blocking::prelude::*;

                let server = Server::shared().unwrap();
                let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
                let namespace = crate::common::namespace(server);
                let items: Repository<Item> = client.repository().with_namespace(namespace);
                items.index().sync().run().unwrap();
                items.save(&item(2)).run().unwrap();
                items.index().wait().run().unwrap();
                let want = card(&item(2));
                assert_eq!(items.get(&2).project::<Card>().run().unwrap().as_ref(), Some(&want));
                assert_eq!(items.find(|m| m.votes.ge(0)).project::<Card>().run().unwrap(), [want]);
                let fine = items.find(|m| m.votes.ge(0)).project::<Fine>().all().run().unwrap();
                assert_eq!(fine.len(), 1);
                let many = items.get_many(&[1, 2]).project::<Id>().run().unwrap();
                assert_eq!(many, [None, Some(Id { id: 2 })]);
                let near = items.nearest(1, |m| m.mood.to([5.0, 0.1])).project::<Fine>().run();
                assert_eq!(near.unwrap()[0].item.fine, FINE);
            }
        }
    )+};
}

models!(hash json);

/// A list of structs, which JSON alone can hold.
mod lists {
    use super::*;

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(json, prefix = "order")]
    struct Order {
        #[redis(id)]
        id: u32,
        #[redis(nested)]
        lines: Vec<Line>,
        paid: bool,
    }

    #[derive(Debug, Clone, PartialEq, RedisNested)]
    struct Line {
        product: String,
        count: u32,
    }

    #[derive(Debug, PartialEq, RedisProjection)]
    #[redis(of = Order)]
    struct Lines {
        #[redis(nested)]
        lines: Vec<Line>,
    }

    #[tokio::test]
    async fn are_read_whole() {
        let orders: Repository<Order> = on(Server::shared().unwrap(), 3).await;
        let lines =
            vec![Line { product: "a".into(), count: 1 }, Line { product: "b".into(), count: 2 }];
        orders.save(&Order { id: 1, lines: lines.clone(), paid: true }).await.unwrap();
        assert_eq!(orders.get(&1).project().await.unwrap(), Some(Lines { lines }));
    }
}
