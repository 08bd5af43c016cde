//! Keys of one's own, ids of several parts, generated ids, tenants.

use std::collections::BTreeSet;

use alizarin::prelude::*;
use alizarin_testkit::Cluster;

use crate::common::{everywhere, on_cluster, soon};

macro_rules! orders {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, key = "tenant:{tenant}:order:{number}", events)]
            pub(super) struct Order {
                #[redis(id)]
                tenant: String,
                #[redis(id)]
                number: u32,
                text: String,
                #[redis(version)]
                version: u64,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, key = "cart:{{{customer}}}:{item}/", index)]
            pub(super) struct Cart {
                #[redis(id, tag)]
                customer: String,
                #[redis(id)]
                item: String,
                #[redis(numeric)]
                count: u32,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "ticket")]
            pub(super) struct Ticket {
                #[redis(id, generate(counter))]
                number: u8,
                text: String,
                #[redis(version)]
                version: u64,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "memo", ttl = "90s")]
            pub(super) struct Memo {
                #[redis(id, generate = "super::next_name")]
                name: String,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "note", index, events)]
            pub(super) struct Note {
                #[redis(id, generate)]
                id: Uuid,
                #[redis(tag)]
                text: String,
            }

            impl Ticket {
                pub(super) fn new(number: u8) -> Ticket {
                    Ticket { number, text: "t".into(), version: 0 }
                }
            }

            fn order(tenant: &str, number: u32) -> Order {
                let text = format!("{number} of {tenant}");
                Order { tenant: tenant.to_owned(), number, text, version: 0 }
            }

            #[tokio::test]
            async fn ids_of_two_parts_make_keys_by_a_template() {
                everywhere(async |orders: Repository<Order>| {
                    let mut changes = orders.changes().await.unwrap();
                    let tenants = ["acme", "a:order:1", "{b}", "*", "%3A", "ünï"];
                    let mut want = BTreeSet::new();
                    for tenant in tenants {
                        for number in [1, 2] {
                            orders.insert(&order(tenant, number)).await.unwrap();
                            want.insert((tenant.to_owned(), number));
                            let change = soon("the event", changes.next()).await.unwrap().unwrap();
                            assert_eq!(change.id(), Some(&(tenant.to_owned(), number)));
                        }
                    }
                    assert!(orders.key(&("acme".into(), 1)).ends_with("tenant:acme:order:1"));
                    for id in &want {
                        let read = orders.get(id).await.unwrap().unwrap();
                        assert_eq!((&read.tenant, read.number), (&id.0, id.1));
                        assert_eq!(*read.id(), *id);
                    }
                    let ids: Vec<_> = want.iter().cloned().collect();
                    assert!(orders.get_many(&ids).await.unwrap().iter().all(Option::is_some));
                    let (mut scan, mut found) = (orders.scan_ids(), BTreeSet::new());
                    while let Some(id) = scan.next().await {
                        found.insert(id.unwrap());
                    }
                    assert_eq!(found, want);
                    let id = ("a:order:1".to_owned(), 2);
                    orders.update(&id, |order| order.text.push('!')).await.unwrap();
                    orders.set(&id, |o| o.text.to("set")).await.unwrap();
                    let error = orders.set(&id, |o| o.number.to(9)).await.unwrap_err();
                    assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("number")));
                    let moved = orders.update(&id, |order| order.number = 9).await.unwrap_err();
                    assert_eq!(moved.kind(), ErrorKind::Usage);
                    assert!(orders.delete(&id).await.unwrap());
                    let empty = orders.save(&order("", 1)).await.unwrap_err();
                    assert_eq!((empty.kind(), empty.field()), (ErrorKind::Value, Some("tenant")));
                })
                .await;
            }

            #[tokio::test]
            async fn what_one_customer_has_is_searched() {
                everywhere(async |carts: Repository<Cart>| {
                    carts.index().sync().await.unwrap();
                    let cart = |customer: &str, item: &str, count| Cart {
                        customer: customer.to_owned(),
                        item: item.to_owned(),
                        count,
                    };
                    let all = [cart("ann", "a/b", 1), cart("ann", "pen", 7), cart("b}b", "x/x", 9)];
                    carts.save_all(&all).await.unwrap();
                    assert!(carts.key(&("ann".into(), "a/b".into())).ends_with("cart:{ann}:a%2Fb/"));
                    carts.index().wait().await.unwrap();
                    let ann = carts.find(|c| c.customer.eq("ann"));
                    assert_eq!(ann.ids().await.unwrap().len(), 2);
                    let rest = carts.find(|c| c.count.gt(8)).ids().await.unwrap();
                    assert_eq!(rest, [("b}b".to_owned(), "x/x".to_owned())]);
                    assert_eq!(carts.get(&rest[0]).await.unwrap().as_ref(), Some(&all[2]));
                })
                .await;
            }

            #[tokio::test]
            async fn documents_of_one_hash_tag_share_a_node() {
                let carts: Repository<Cart> = on_cluster().await;
                let cluster = Cluster::shared().unwrap();
                let (mut nodes, mut ids) = (BTreeSet::new(), Vec::new());
                for item in 0..20 {
                    let cart = Cart { customer: "ann".into(), item: item.to_string(), count: item };
                    carts.save(&cart).await.unwrap();
                    ids.push(cart.id().into_owned());
                    nodes.insert(cluster.primary_of(&carts.key(&cart.id())).unwrap());
                }
                assert_eq!(nodes.len(), 1);
                // One command may name them all.
                let mut count = carts.client().command::<u64>("EXISTS");
                for id in &ids {
                    count = count.key(carts.key(id));
                }
                assert_eq!(count.await.unwrap(), 20);
            }

            #[tokio::test]
            async fn counted_ids_are_given_once() {
                everywhere(async |tickets: Repository<Ticket>| {
                    let made = (0..50).map(|_| {
                        let tickets = tickets.clone();
                        tokio::spawn(async move {
                            tickets.create(Ticket::new).await.unwrap().number
                        })
                    });
                    let mut numbers = BTreeSet::new();
                    for made in made.collect::<Vec<_>>() {
                        numbers.insert(made.await.unwrap());
                    }
                    assert!(numbers.into_iter().eq(1..=50));
                    // One that was written by hand is not overwritten.
                    tickets.save(&Ticket { number: 51, text: "mine".into(), version: 0 }).await.unwrap();
                    let error = tickets.create(Ticket::new).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Exists);
                    assert_eq!(tickets.get(&51).await.unwrap().unwrap().text, "mine");
                    let ticket = tickets.create(Ticket::new).await.unwrap();
                    assert_eq!((ticket.number, ticket.version), (52, 1));
                    // The counter is no document.
                    let mut scan = tickets.scan();
                    let mut count = 0;
                    while let Some(ticket) = scan.next().await {
                        ticket.unwrap();
                        count += 1;
                    }
                    assert_eq!(count, 52);
                    for _ in 53..=255 {
                        tickets.create(Ticket::new).await.unwrap();
                    }
                    assert_eq!(tickets.create(Ticket::new).await.unwrap_err().kind(), ErrorKind::Value);
                })
                .await;
            }

            #[tokio::test]
            async fn transactions_take_their_ids_beforehand() {
                everywhere(async |tickets: Repository<Ticket>| {
                    let tickets = tickets.with_namespace(format!("{{{}}}:", tickets.namespace()));
                    let made = (0..20).map(|_| {
                        let tickets = tickets.clone();
                        tokio::spawn(async move {
                            let mut tx = tickets.client().begin();
                            let mut numbers = Vec::new();
                            for _ in 0..2 {
                                let number = tickets.next_id().await.unwrap();
                                tx.push(tickets.insert(&Ticket::new(number)));
                                numbers.push(number);
                            }
                            tx.commit().await.unwrap();
                            numbers
                        })
                    });
                    let mut numbers = BTreeSet::new();
                    for made in made.collect::<Vec<_>>() {
                        numbers.extend(made.await.unwrap());
                    }
                    assert!(numbers.iter().copied().eq(1..=40));
                    let numbers: Vec<u8> = numbers.into_iter().collect();
                    let stored = tickets.get_many(&numbers).await.unwrap();
                    assert_eq!(stored.iter().flatten().count(), 40);

                    // One that was written by hand lets all of it be.
                    tickets.save(&Ticket::new(42)).await.unwrap();
                    let mut tx = tickets.client().begin();
                    for _ in 41..=42 {
                        tx.push(tickets.insert(&Ticket::new(tickets.next_id().await.unwrap())));
                    }
                    let refused = tx.commit().await.unwrap_err();
                    assert_eq!(refused.kind(), ErrorKind::Exists);
                    assert_eq!(refused.step().map(|step| step.number), Some(2));
                    assert!(!tickets.exists(&41).await.unwrap());
                    assert_eq!(tickets.create(Ticket::new).await.unwrap().number, 43);
                })
                .await;
            }

            #[tokio::test]
            async fn ids_are_made_by_their_type_or_by_a_function() {
                everywhere(async |notes: Repository<Note>| {
                    let note = notes.create(|id| Note { id, text: "x".into() }).await.unwrap();
                    let later = notes.create(|id| Note { id, text: "x".into() }).await.unwrap();
                    assert_eq!((note.id.get_version_num(), later.id.get_version_num()), (7, 7));
                    assert!(note.id < later.id);
                    assert_eq!(notes.get(&note.id).await.unwrap(), Some(note));
                })
                .await;
                everywhere(async |memos: Repository<Memo>| {
                    let memo = memos.create(|name| Memo { name }).await.unwrap();
                    assert!(memo.name.starts_with("memo-"));
                    assert!(memos.ttl(&memo.name).await.unwrap().is_some());
                })
                .await;
            }

            #[tokio::test]
            async fn a_tenant_reaches_nothing_of_another() {
                everywhere(async |all: Repository<Note>| {
                    // One's name is how the other's keys begin.
                    let (a, b) = (all.tenant("a"), all.tenant("a:note"));
                    let again = a.with_namespace(all.namespace().to_owned());
                    assert_eq!(again.namespace(), a.namespace());
                    assert_eq!(a.tenant("b").namespace(), format!("{}@b:", a.namespace()));
                    for tenant in [&a, &b, &all] {
                        tenant.index().sync().await.unwrap();
                    }
                    let (mut told_a, mut told_b) = (a.changes().await.unwrap(), b.changes().await.unwrap());
                    let note = Note { id: Uuid::from_u128(7), text: "of a".into() };
                    a.save(&note).await.unwrap();
                    b.save(&Note { text: "of b".into(), ..note.clone() }).await.unwrap();
                    assert_eq!(a.get(&note.id).await.unwrap().as_ref(), Some(&note));
                    assert_eq!(all.get(&note.id).await.unwrap(), None);
                    for (tenant, want) in [(&a, 1), (&b, 1), (&all, 0)] {
                        tenant.index().wait().await.unwrap();
                        let found = tenant.find(|n| n.text.starts_with("of"));
                        assert_eq!(found.count().await.unwrap(), want);
                        assert_eq!(tenant.find(|n| n.text.eq("of a")).count().await.unwrap(), match want {
                            1 if tenant.namespace() == a.namespace() => 1,
                            _ => 0,
                        });
                        let (mut scan, mut count) = (tenant.scan_ids(), 0);
                        while let Some(id) = scan.next().await {
                            assert_eq!(id.unwrap(), note.id);
                            count += 1;
                        }
                        assert_eq!(count, want);
                    }
                    assert!(a.delete(&note.id).await.unwrap());
                    assert_eq!(b.get(&note.id).await.unwrap().unwrap().text, "of b");
                    // Each hears of its own: two changes here, one there.
                    b.delete(&note.id).await.unwrap();
                    for (changes, count) in [(&mut told_a, 2), (&mut told_b, 2)] {
                        for at in 0..count {
                            let change = soon("the event", changes.next()).await.unwrap().unwrap();
                            let deleted = matches!(change, Change::Deleted { .. });
                            assert_eq!(deleted, at == 1, "{change:?}");
                        }
                    }
                })
                .await;
            }
        }
    )+};
}

orders!(hash json);

#[test]
fn without_a_runtime_too() {
    use alizarin::blocking::prelude::*;
    let server = alizarin_testkit::Server::shared().unwrap();
    for protocol in [2, 3] {
        let url = crate::common::url(server, &format!("protocol={protocol}"));
        let client = Client::connect(url.as_str()).unwrap();
        let tickets: Repository<json::Ticket> = client.repository();
        let tickets = tickets.with_namespace(crate::common::namespace(server)).tenant("acme");
        for want in 1..=3 {
            let ticket = tickets.create(json::Ticket::new).run().unwrap();
            assert_eq!(ticket.id().into_owned(), want);
            assert_eq!(tickets.get(&want).run().unwrap(), Some(ticket));
        }
        assert_eq!(tickets.next_id().run().unwrap(), 4);
    }
}

/// Numbers names within this process.
fn next_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("memo-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
