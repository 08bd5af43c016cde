//! Deletions with referring documents, broken off at each of their requests.

use alizarin::prelude::*;
use alizarin_testkit::{Loss, unique};

use super::{End, LOSSES, Site, TURN, at_each};
use crate::common::soon;
use crate::on_delete;

macro_rules! in_storage {
    ($storage:ident) => {
        mod $storage {
            use super::on_delete::$storage::{Book, Library, Part, book, part};
            use super::*;

            /// The repository, which finds what refers to its documents by a scan or by their indexes.
            fn found<M: RedisModel>(all: Repository<M>, scan: bool) -> Repository<M> {
                if scan { all.referrers_by_scan() } else { all }
            }

            fn parts(client: &Client, namespace: &str, scan: bool) -> Repository<Part> {
                let parts = client.repository::<Part>().referred_by::<Part>();
                found(parts.with_namespace(namespace), scan)
            }

            /// Author 1 has a book, is the editor of another and among its readers; part 1 has a part
            /// that has a part.
            struct Shelf {
                library: Library,
                authors: Repository<super::on_delete::$storage::Author>,
                parts: Repository<Part>,
            }

            impl Shelf {
                async fn of(client: &Client, namespace: &str, scan: bool) -> Shelf {
                    let library = Library::of(client, namespace).await;
                    Shelf {
                        authors: found(library.authors.clone(), scan),
                        parts: parts(client, namespace, scan),
                        library,
                    }
                }

                /// The same for the next process, which has told the authors' repository the same.
                fn elsewhere(&self, client: &Client, scan: bool) -> Shelf {
                    let namespace = self.authors.namespace();
                    let authors = client.repository().referred_by::<Book>();
                    Shelf {
                        authors: found(authors.with_namespace(namespace), scan),
                        parts: parts(client, namespace, scan),
                        library: Library {
                            authors: client.repository().with_namespace(namespace),
                            books: client.repository().with_namespace(namespace),
                            loans: client.repository().with_namespace(namespace),
                        },
                    }
                }

                async fn fill(&self, scan: bool) {
                    if !scan {
                        self.library.books.index().sync().await.unwrap();
                        self.library.loans.index().sync().await.unwrap();
                        self.parts.index().sync().await.unwrap();
                    }
                    let mut other = book("other", 2);
                    other.editor = Some(Ref::new(1));
                    other.readers = [1, 2].map(Ref::new).to_vec();
                    self.library.books.save_all(&[book("mine", 1), other]).await.unwrap();
                    let parts =
                        [part(1, None, None), part(2, Some(1), None), part(3, Some(2), None)];
                    self.parts.save_all(&parts).await.unwrap();
                }

                async fn run(&self, tree: bool) -> Result<bool> {
                    match tree {
                        false => self.authors.delete(&1).await,
                        true => self.parts.delete(&1).await,
                    }
                }

                /// Whether all of it is done; what is half done must be so that it can be finished.
                async fn done(&self, tree: bool, atomic: bool) -> bool {
                    if tree {
                        let parts = self.parts.get_many(&[1, 2, 3]).await.unwrap();
                        let there: Vec<bool> = parts.iter().map(Option::is_some).collect();
                        // Nothing goes before what refers to it.
                        assert!(there.is_sorted_by(|one, other| one >= other), "{there:?}");
                        assert!(!atomic || there[0] == there[2], "{there:?}");
                        return !there[0];
                    }
                    let author = self.authors.exists(&1).await.unwrap();
                    let mine = self.library.books.exists(&"mine".into()).await.unwrap();
                    let other = self.library.books.get(&"other".into()).await.unwrap().unwrap();
                    let lost = other.readers == [Ref::new(2)];
                    assert_eq!(other.editor.is_none(), lost);
                    assert_eq!(other.version, 1 + u64::from(lost), "changed once");
                    assert!(author || (!mine && lost), "{mine} {other:?}");
                    assert!(!atomic || (author == mine && mine != lost), "{author} {mine} {lost}");
                    !author
                }
            }

            /// Breaks it off at each request, and goes on; gives how many there were.
            async fn again(site: &Site, scan: bool, tree: bool, loss: Loss) -> u64 {
                let begin = async |client: Client| {
                    let shelf = Shelf::of(&client, &format!("{}:", unique("cut")), scan).await;
                    shelf.fill(scan).await;
                    shelf
                };
                let check = async |shelf: Shelf, end: End<bool>| {
                    if let End::Through(outcome) = end {
                        assert!(outcome.unwrap());
                        assert!(shelf.done(tree, !scan).await);
                        return;
                    }
                    let next = shelf.elsewhere(&site.client().await, scan);
                    let done = next.done(tree, !scan).await;
                    let found = soon("the next run gets through", next.run(tree)).await.unwrap();
                    assert_eq!(found, !done);
                    assert!(next.done(tree, !scan).await);
                    if !tree {
                        // The value of the one that is gone is free, on a cluster after a moment.
                        let heir = Book { isbn: Some("mine".into()), ..book("heir", 2) };
                        soon("it is free", next.library.books.save(&heir)).await.unwrap();
                    }
                };
                at_each(site, loss, begin, async |shelf| shelf.run(tree).await, check).await
            }

            async fn everywhere(site: &Site, scan: bool, least: u64) {
                for tree in [false, true] {
                    for loss in LOSSES {
                        let count = again(site, scan, tree, loss).await;
                        assert!((least..100).contains(&count), "{tree} {loss:?}: {count}");
                    }
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_server() {
                everywhere(&Site::server(), false, 3).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_cluster() {
                let _turn = TURN.acquire().await.unwrap();
                everywhere(&Site::cluster().await, true, 5).await;
            }
        }
    };
}

in_storage!(hash);
in_storage!(json);
