//! What dry runs by query say of documents that refer to those found.

use alizarin::model::Hooks;
use alizarin::prelude::*;
use alizarin::query::everything;
use alizarin::repository::{Item, Report};
use alizarin_testkit::Server;

use crate::common::{on, on_cluster};

/// The id of one that a hook keeps.
const KEPT: u32 = 999;

/// All that a report counts.
fn counts<I>(report: &Report<I>) -> [usize; 6] {
    let Report { done, absent, failed, cascaded, unset, restricting, .. } = report;
    [done, absent, failed, cascaded, unset, restricting].map(|count| *count)
}

fn word(item: &Item<'_>) -> String {
    match item {
        Item::Failed(error) => format!("failed: {error}"),
        item => format!("{item:?}"),
    }
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as u32 % end
    }
}

macro_rules! each {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            /// It refers to its like in every way.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "knot", index, hooks)]
            struct Knot {
                #[redis(id)]
                id: u32,
                #[redis(numeric)]
                weight: u32,
                #[redis(tag, on_delete = "cascade")]
                whole: Option<Ref<Knot>>,
                #[redis(tag, on_delete = "restrict")]
                beside: Option<Ref<Knot>>,
                #[redis(tag(separator = ","), on_delete = "unset")]
                seen: Vec<Ref<Knot>>,
            }

            impl Hooks for Knot {
                fn before_delete(id: &u32) -> Result<()> {
                    match *id {
                        KEPT => Err(Error::new(ErrorKind::Usage, "it stays")),
                        _ => Ok(()),
                    }
                }
            }

            fn knot(id: u32, weight: u32) -> Knot {
                Knot { id, weight, ..Knot::default() }
            }

            async fn knots() -> Repository<Knot> {
                let knots = on::<Knot>(Server::shared().unwrap(), 3).await.referred_by::<Knot>();
                knots.index().sync().await.unwrap();
                knots
            }

            #[tokio::test]
            async fn each_deletion_comes_after_those_before_it() {
                let knots = knots().await;
                let refer = |id| Some(Ref::new(id));
                let all = [
                    knot(1, 0),
                    // Goes with it, and is absent when its own turn comes.
                    Knot { whole: refer(1), ..knot(2, 0) },
                    // It would be in the way of the next one.
                    Knot { beside: refer(6), ..knot(5, 0) },
                    knot(6, 0),
                    Knot { seen: [1, 6, 8].map(Ref::new).to_vec(), ..knot(7, 9) },
                    Knot { beside: refer(9), ..knot(8, 9) },
                    knot(9, 0),
                ];
                knots.save_all(&all).await.unwrap();
                knots.index().wait().await.unwrap();
                let dry = knots.delete_where(|k| k.weight.eq(0)).dry_run().report().await.unwrap();
                assert_eq!(counts(&dry), [3, 1, 1, 1, 2, 1]);
                assert!(dry.finished);
                assert_eq!(dry.failures[0].id, 9);
                let referrers = dry.failures[0].error.referrers().unwrap();
                assert_eq!((&*referrers.field, &*referrers.keys), ("beside", &[knots.key(&8)][..]));
                let refused = knots.delete_where(|k| k.weight.eq(0)).dry_run().await.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Referred);
                // From behind the first one on, its part is there.
                let rest = knots.delete_where(|k| k.weight.eq(0)).after(&1).dry_run();
                assert_eq!(counts(&rest.report().await.unwrap()), [3, 0, 1, 0, 1, 1]);
                assert_eq!(knots.find(|_| everything()).count().await.unwrap(), 7);

                let done = knots.delete_where(|k| k.weight.eq(0)).report().await.unwrap();
                assert_eq!(counts(&done), counts(&dry));
                let left = knots.get(&7).await.unwrap().unwrap();
                assert_eq!(left.seen, [Ref::new(8)]);
            }

            #[tokio::test]
            async fn it_says_what_the_deletion_does() {
                let told = knots().await;
                let mut sums = [0; 6];
                for seed in 0..8 {
                    let (knots, mut dice) = (&told, Dice(seed));
                    let scanned = told.referrers_by_scan();
                    let knots = if seed % 2 == 0 { knots } else { &scanned };
                    let all: Vec<Knot> = (1..=40).map(|id| {
                        let mut pick = |odds| (dice.below(odds) == 0).then(|| 1 + dice.below(40));
                        let (whole, beside) = (pick(3).map(Ref::new), pick(6).map(Ref::new));
                        let seen = [pick(2), pick(4)].into_iter().flatten().map(Ref::new).collect();
                        Knot { id, weight: dice.below(3), whole, beside, seen }
                    }).collect();
                    knots.save_all(&all).await.unwrap();
                    knots.index().wait().await.unwrap();

                    let (mut expected, mut outcomes) = (Vec::new(), Vec::new());
                    let dry = knots.delete_where(|k| k.weight.lt(2)).batch(7).dry_run();
                    let dry = dry.on_each(|id, item| expected.push((*id, word(&item))));
                    let dry = dry.report().await.unwrap();
                    let ids: Vec<u32> = (1..=40).collect();
                    let kept = knots.get_many(&ids).await.unwrap();
                    assert_eq!(kept.into_iter().flatten().collect::<Vec<_>>(), all);

                    let real = knots.delete_where(|k| k.weight.lt(2)).batch(7);
                    let real = real.on_each(|id, item| outcomes.push((*id, word(&item))));
                    let real = real.report().await.unwrap();
                    assert_eq!(expected, outcomes, "seed {seed}");
                    assert_eq!(counts(&dry), counts(&real), "seed {seed}");
                    sums.iter_mut().zip(counts(&real)).for_each(|(sum, count)| *sum += count);
                }
                assert!(sums.iter().all(|sum| *sum > 0), "{sums:?}");
            }

            #[tokio::test]
            async fn no_hook_runs() {
                let knots = knots().await;
                knots.save(&knot(KEPT, 0)).await.unwrap();
                knots.index().wait().await.unwrap();
                assert_eq!(knots.delete_where(|k| k.weight.eq(0)).dry_run().await.unwrap(), 1);
                let stays = knots.delete_where(|k| k.weight.eq(0)).await.unwrap_err();
                assert!(stays.message().contains("it stays"), "{stays}");
            }

            #[tokio::test]
            async fn a_cluster_needs_a_search_that_knows_all_its_nodes() {
                let knots = on_cluster::<Knot>().await.referred_by::<Knot>();
                for knots in [&knots, &knots.referrers_by_scan()] {
                    let dry = knots.delete_where(|k| k.weight.eq(0)).dry_run();
                    assert_eq!(dry.await.unwrap_err().kind(), ErrorKind::Unsupported);
                }
            }
        }
    )+};
}

each!(hash json);

#[test]
fn without_a_runtime() {
    use alizarin::blocking::prelude::*;

    use super::hash::{Book, Loan, book};
    use crate::common::namespace;

    let server = Server::shared().unwrap();
    let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
    let space = namespace(server);
    let books = client.repository::<Book>().referred_by::<Loan>().with_namespace(&*space);
    let loans = client.repository::<Loan>().with_namespace(&*space);
    books.index().sync().run().unwrap();
    loans.index().sync().run().unwrap();
    books.save_all([book("a", 1), book("b", 1)]).run().unwrap();
    loans.save(&Loan { id: 1, book: Ref::new("b".into()) }).run().unwrap();
    books.index().wait().run().unwrap();
    let dry = books.delete_where(|b| b.author.eq(1)).dry_run().report().run().unwrap();
    assert_eq!(counts(&dry), [1, 0, 1, 0, 0, 1]);
}
