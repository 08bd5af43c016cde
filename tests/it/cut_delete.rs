//! Deletions with referring documents, broken off at each of their requests: by the death of the
//! process, by a request that is lost, by a reply that is lost.

use alizarin::prelude::*;
use alizarin_testkit::{Loss, unique};

use crate::common::{eventually, soon};
use crate::cut::{Site, TURN};
use crate::on_delete;

macro_rules! in_storage {
    ($storage:ident) => {
        mod $storage {
            use super::on_delete::$storage::{Book, Library, Part, book, part};
            use super::*;

            /// Author 1 has a book, is the editor of another and among its readers; part 1 has a part
            /// that has a part.
            struct Shelf {
                library: Library,
                authors: Repository<super::on_delete::$storage::Author>,
                parts: Repository<Part>,
            }

            impl Shelf {
                async fn of(site: &Site, namespace: &str, scan: bool) -> Shelf {
                    let client = site.client().await;
                    let library = Library::of(&client, namespace).await;
                    let parts = client.repository::<Part>().referred_by::<Part>();
                    let parts = parts.with_namespace(namespace);
                    let authors = library.authors.clone();
                    match scan {
                        true => Shelf {
                            authors: authors.referrers_by_scan(),
                            parts: parts.referrers_by_scan(),
                            library,
                        },
                        false => Shelf { authors, parts, library },
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

            async fn at_each(site: &Site, scan: bool, tree: bool, loss: Loss) -> u64 {
                for requests in 0.. {
                    let namespace = format!("{}:", unique("cut"));
                    let shelf = Shelf::of(site, &namespace, scan).await;
                    shelf.fill(scan).await;
                    site.fuse.arm(requests, loss);
                    let mut work = Box::pin(shelf.run(tree));
                    let outcome = tokio::select! {
                        biased;
                        () = eventually("it is broken off", async || {
                            site.fuse.blown() && loss == Loss::Everything
                        }), if loss == Loss::Everything => None,
                        outcome = soon("it ends", &mut work) => Some(outcome),
                    };
                    let blown = site.fuse.blown();
                    // No destructor runs in a process that is killed.
                    if outcome.is_none() {
                        std::mem::forget(work);
                    } else {
                        drop(work);
                    }
                    site.fuse.disarm();
                    if !blown {
                        assert!(outcome.unwrap().unwrap());
                        assert!(shelf.done(tree, !scan).await);
                        return requests;
                    }
                    // The next process: it has told the authors' repository the same.
                    let client = site.client().await;
                    let authors = shelf.authors.namespace().to_owned();
                    let next = Shelf {
                        authors: again(&client, &authors, scan),
                        parts: {
                            let parts = client.repository::<Part>().referred_by::<Part>();
                            let parts = parts.with_namespace(&*authors);
                            if scan { parts.referrers_by_scan() } else { parts }
                        },
                        library: Library {
                            authors: client.repository().with_namespace(&*authors),
                            books: client.repository().with_namespace(&*authors),
                            loans: client.repository().with_namespace(&*authors),
                        },
                    };
                    let done = next.done(tree, !scan).await;
                    let found = soon("the next run gets through", next.run(tree)).await.unwrap();
                    assert_eq!(found, !done);
                    assert!(next.done(tree, !scan).await);
                    if !tree {
                        // The value of the one that is gone is free, on a cluster after a moment.
                        let heir = Book { isbn: Some("mine".into()), ..book("heir", 2) };
                        soon("it is free", next.library.books.save(&heir)).await.unwrap();
                    }
                }
                unreachable!()
            }

            fn again(
                client: &Client,
                namespace: &str,
                scan: bool,
            ) -> Repository<super::on_delete::$storage::Author> {
                let authors = client.repository().referred_by::<Book>().with_namespace(namespace);
                if scan { authors.referrers_by_scan() } else { authors }
            }

            async fn everywhere(site: &Site, scan: bool, least: u64) {
                for tree in [false, true] {
                    for loss in [Loss::Everything, Loss::Request, Loss::Reply] {
                        let count = at_each(site, scan, tree, loss).await;
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
                // One cluster is enough for this machine at a time.
                let _turn = TURN.lock().await;
                everywhere(&Site::cluster().await, true, 5).await;
            }
        }
    };
}

in_storage!(hash);
in_storage!(json);
