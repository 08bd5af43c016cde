//! What becomes of documents that refer to deleted ones.

mod by_query;
mod exact;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::SystemTime;

use alizarin::model::Hooks;
use alizarin::prelude::*;
use alizarin::repository::Deletion;
use alizarin_testkit::{Server, unique};

use crate::common::{connect, namespace, on, on_cluster, soon};

/// What hooks of deletions do besides, by the id; a hook that is not told anything does nothing.
type Deed = Box<dyn Fn() -> Result<()> + Send>;
static DEEDS: Mutex<Option<HashMap<String, Deed>>> = Mutex::new(None);
static DELETED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on this happens once when a book of this name is about to be deleted.
pub(crate) fn when_deleted(id: &str, deed: impl Fn() -> Result<()> + Send + 'static) {
    DEEDS.lock().unwrap().get_or_insert_default().insert(id.to_owned(), Box::new(deed));
}

/// Runs it.
pub(crate) fn before(id: &str) -> Result<()> {
    let deed = DEEDS.lock().unwrap().get_or_insert_default().remove(id);
    deed.map_or(Ok(()), |deed| deed())
}

pub(crate) fn after(id: &str) {
    DELETED.lock().unwrap().push(id.to_owned());
}

macro_rules! models {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "author", events)]
            pub(crate) struct Author {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(version)]
                pub(crate) version: u64,
            }

            /// Its id in the index is a text, the references to it are numbers.
            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "book", index, events, hooks)]
            pub(crate) struct Book {
                #[redis(id)]
                pub(crate) id: String,
                #[redis(numeric, on_delete = "cascade")]
                pub(crate) author: Ref<Author>,
                #[redis(tag, on_delete = "unset")]
                pub(crate) editor: Option<Ref<Author>>,
                #[redis(tag(separator = ","), on_delete = "unset")]
                pub(crate) readers: Vec<Ref<Author>>,
                #[redis(unique)]
                pub(crate) isbn: Option<String>,
                #[redis(version)]
                pub(crate) version: u64,
                #[redis(updated_at)]
                pub(crate) changed: Option<SystemTime>,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "loan", index)]
            pub(crate) struct Loan {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(tag, on_delete = "restrict")]
                pub(crate) book: Ref<Book>,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "part", index)]
            pub(crate) struct Part {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(tag, on_delete = "cascade")]
                pub(crate) whole: Option<Ref<Part>>,
                #[redis(tag, on_delete = "restrict")]
                pub(crate) beside: Option<Ref<Part>>,
            }

            impl Hooks for Book {
                fn before_delete(id: &String) -> Result<()> {
                    before(id)
                }

                fn after_delete(id: &String) {
                    after(id);
                }
            }

            pub(crate) fn book(id: &str, author: u32) -> Book {
                Book {
                    id: id.to_owned(),
                    author: Ref::new(author),
                    editor: None,
                    readers: Vec::new(),
                    isbn: Some(id.to_owned()),
                    version: 0,
                    changed: None,
                }
            }

            pub(crate) fn part(id: u32, whole: Option<u32>, beside: Option<u32>) -> Part {
                Part { id, whole: whole.map(Ref::new), beside: beside.map(Ref::new) }
            }

            /// The repositories of one place, and two authors.
            pub(crate) struct Library {
                pub(crate) authors: Repository<Author>,
                pub(crate) books: Repository<Book>,
                pub(crate) loans: Repository<Loan>,
            }

            impl Library {
                pub(crate) async fn of(client: &Client, namespace: &str) -> Library {
                    let authors = client.repository::<Author>().referred_by::<(Book, Loan)>();
                    let books = client.repository::<Book>().referred_by::<(Loan, Book)>();
                    let authors = authors.with_namespace(namespace);
                    for id in [1, 2] {
                        authors.save(&Author { id, version: 0 }).await.unwrap();
                    }
                    Library {
                        authors,
                        books: books.with_namespace(namespace),
                        loans: client.repository().with_namespace(namespace),
                    }
                }

                pub(crate) async fn indexed(self) -> Library {
                    self.books.index().sync().await.unwrap();
                    self.loans.index().sync().await.unwrap();
                    self.books.index().wait().await.unwrap();
                    self
                }

                pub(crate) async fn here() -> Library {
                    let server = Server::shared().unwrap();
                    let client = connect(server, 3).await;
                    Library::of(&client, &namespace(server)).await.indexed().await
                }

                pub(crate) async fn ids(&self) -> Vec<String> {
                    let (mut all, mut ids) = (self.books.scan_ids(), Vec::new());
                    while let Some(id) = all.next().await.transpose().unwrap() {
                        ids.push(id);
                    }
                    ids.sort();
                    ids.dedup();
                    ids
                }
            }
        }
    )+};
}

models!(hash json);

macro_rules! each {
    ($(async fn $name:ident() $body:block)+) => {
        mod in_hash {
            use super::{*, hash::*};
            const WRITE: fn(&str, u32) -> Vec<String> = |key, author| {
                let (author, id) = (author.to_string(), key.rsplit(':').next().unwrap());
                ["HSET", key, "id", id, "author", &author, "readers", ""].map(str::to_owned).to_vec()
            };
            $(#[tokio::test] async fn $name() $body)+
        }
        mod in_json {
            use super::{*, json::*};
            const WRITE: fn(&str, u32) -> Vec<String> = |key, author| {
                let id = key.rsplit(':').next().unwrap();
                let text = format!(r#"{{"id":"{id}","author":{author},"readers":[]}}"#);
                ["JSON.SET", key, "$", &text].map(str::to_owned).to_vec()
            };
            $(#[tokio::test] async fn $name() $body)+
        }
    };
}

/// By another connection, without waiting for this test's runtime.
fn elsewhere(words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Server::shared().unwrap().command(&words).unwrap();
}

each! {
    async fn each_policy_does_what_it_says() {
        let library = Library::here().await;
        let Library { authors, books, loans } = &library;
        books.save(&book("mine", 1)).await.unwrap();
        let mut other = book("other", 2);
        other.editor = Some(Ref::new(1));
        other.readers = [1, 2, 1, 11].map(Ref::new).to_vec();
        books.save(&other).await.unwrap();
        let mut apart = book("apart", 2);
        apart.readers = vec![Ref::new(11)];
        books.save(&apart).await.unwrap();
        let apart = books.get(&"apart".to_owned()).await.unwrap().unwrap();
        loans.save(&Loan { id: 5, book: Ref::new("mine".into()) }).await.unwrap();

        // The loan is of a book that would go with its author.
        for _ in 0..2 {
            let refused = authors.delete(&1).await.unwrap_err();
            assert_eq!((refused.kind(), refused.field()), (ErrorKind::Referred, Some("book")));
            let referrers = refused.referrers().unwrap();
            assert_eq!((&*referrers.model, &*referrers.field, referrers.count), ("Loan", "book", 1));
            assert_eq!(referrers.keys, [loans.key(&5)]);
            assert!(refused.to_string().contains(&books.key(&"mine".into())), "{refused}");
        }
        assert!(authors.delete(&1).dry_run().await.is_err());
        assert_eq!(library.ids().await, ["apart", "mine", "other"]);
        assert!(loans.delete(&5).await.unwrap());

        let dry = authors.delete(&1).dry_run().await.unwrap();
        assert!(dry.found && authors.exists(&1).await.unwrap());
        let mut changes = books.changes().await.unwrap();
        let before = books.get(&"other".into()).await.unwrap().unwrap();
        let done = authors.delete(&1).report().await.unwrap();
        assert_eq!(done.deleted, [books.key(&"mine".into())]);
        assert_eq!(done.unset, [books.key(&"other".into())]);
        assert!(done.found && done.atomic);
        assert_eq!(dry, done);

        assert_eq!(library.ids().await, ["apart", "other"]);
        let after = books.get(&"other".into()).await.unwrap().unwrap();
        assert_eq!((&after.editor, &after.readers), (&None, &[2, 11].map(Ref::new).to_vec()));
        assert_eq!(after.version, before.version + 1);
        assert!(after.changed > before.changed);
        // Another one's document is as it was.
        assert_eq!(books.get(&"apart".into()).await.unwrap().unwrap(), apart);
        let told = [changes.next().await, changes.next().await].map(|one| one.unwrap().unwrap());
        let ids: Vec<_> = told.iter().map(|change| change.id().unwrap().clone()).collect();
        assert!(ids.contains(&"mine".into()) && ids.contains(&"other".into()), "{told:?}");
        // The unique value of the deleted one is free.
        let mut heir = book("heir", 2);
        heir.isbn = Some("mine".into());
        books.save(&heir).await.unwrap();

        let nothing = authors.delete(&1).report().await.unwrap();
        assert_eq!(nothing, Deletion::default());
        // The last item of a list goes too, and leaves an empty one.
        assert_eq!(authors.delete(&2).report().await.unwrap().deleted.len(), 3);
        assert!(library.ids().await.is_empty());
    }

    async fn a_list_may_lose_all() {
        let library = Library::here().await;
        let mut only = book("only", 2);
        only.readers = [1, 1].map(Ref::new).to_vec();
        library.books.save(&only).await.unwrap();
        assert!(library.authors.delete(&1).await.unwrap());
        let only = library.books.get(&"only".into()).await.unwrap().unwrap();
        assert_eq!(only.readers, []);
        assert_eq!(library.books.get(&"only".into()).await.unwrap().unwrap().version, 2);
    }

    async fn circles_end() {
        let server = Server::shared().unwrap();
        let parts = on::<Part>(server, 3).await.referred_by::<Part>().referred_by::<Part>();
        parts.index().sync().await.unwrap();
        // 1 is its own whole; 2, 3 and 4 are a circle; 5 restricts 4 and goes with 3.
        let all = [
            part(1, Some(1), Some(1)),
            part(2, Some(4), None),
            part(3, Some(2), None),
            part(4, Some(3), None),
            part(5, Some(3), Some(4)),
            part(6, None, None),
        ];
        parts.save_all(&all).await.unwrap();
        parts.index().wait().await.unwrap();
        assert!(parts.delete(&1).await.unwrap());
        assert_eq!(parts.delete(&4).report().await.unwrap().deleted.len(), 3);
        assert_eq!(parts.get_many(&[1, 2, 3, 4, 5, 6]).await.unwrap().iter().flatten().count(), 1);
        // By itself it would be in the way.
        parts.save_all(&all[1..]).await.unwrap();
        parts.save(&part(7, None, Some(2))).await.unwrap();
        let refused = parts.delete(&2).await.unwrap_err();
        assert_eq!(refused.referrers().unwrap().keys, [parts.key(&7)]);
    }

    async fn who_begins_to_refer_meanwhile_is_seen() {
        let library = Library::here().await;
        let Library { authors, books, loans } = &library;
        let id = unique("race");
        books.save(&book(&id, 1)).await.unwrap();
        let new = books.key(&format!("{id}new"));
        when_deleted(&id, move || { elsewhere(&WRITE(&new, 1)); Ok(()) });
        let done = authors.delete(&1).report().await.unwrap();
        assert_eq!(done.deleted.len(), 2, "{done:?}");
        assert!(library.ids().await.is_empty());

        // One that does not refer any more stays.
        let id = unique("race");
        books.save(&book(&id, 2)).await.unwrap();
        let key = books.key(&id);
        when_deleted(&id, move || { elsewhere(&WRITE(&key, 3)); Ok(()) });
        assert_eq!(authors.delete(&2).report().await.unwrap().deleted, [""; 0]);
        assert_eq!(library.ids().await, std::slice::from_ref(&id));

        // Nor does anything go when somebody comes who restricts it.
        authors.save(&Author { id: 3, version: 0 }).await.unwrap();
        let (loan, text) = (loans.key(&9), id.clone());
        let words = match WRITE("k:x", 1)[0].as_str() {
            "HSET" => vec!["HSET".into(), loan, "id".into(), "9".into(), "book".into(), text],
            set => vec![set.into(), loan, "$".into(), format!(r#"{{"id":9,"book":"{text}"}}"#)],
        };
        when_deleted(&id, move || { elsewhere(&words); Ok(()) });
        let refused = authors.delete(&3).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Referred, "{refused}");
        assert_eq!(library.ids().await, [id]);
    }

    async fn what_cannot_be_done_leaves_everything() {
        let server = Server::builder().private().start().unwrap();
        let space = namespace(&server);
        let library = Library::of(&connect(&server, 3).await, &space).await.indexed().await;
        let Library { authors, books, .. } = &library;
        let id = unique("kept");
        books.save_all(&[book("a", 1), book(&id, 1), book("z", 1)]).await.unwrap();
        when_deleted(&id, || Err(Error::new(ErrorKind::Usage, "this one stays")));
        assert_eq!(authors.delete(&1).await.unwrap_err().message(), "this one stays");
        assert_eq!(authors.delete(&1).if_version(7).await.unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(library.ids().await.len(), 3);

        // A user who may not tell of books.
        let allow = format!("&{space}alizarin:changes:author");
        let rules = ["ACL", "SETUSER", "half", "on", ">half", "+@all", "~*", &allow];
        server.command(&rules).unwrap();
        let url = server.url().replacen("://", "://half:half@", 1);
        let half = Client::connect(url.as_str()).await.unwrap();
        let half = half.repository::<Author>().with_namespace(&*space).referred_by::<Book>();
        let refused = half.delete(&1).await.unwrap_err();
        assert_eq!(refused.server_code(), Some(alizarin::ServerCode::NoPerm), "{refused}");
        assert!(refused.to_string().contains("book:"), "{refused}");
        assert_eq!(library.ids().await.len(), 3);
        assert!(authors.exists(&1).await.unwrap());

        // A transaction does not look for them.
        let mut tx = authors.client().begin();
        tx.push(authors.delete(&1));
        let refused = tx.commit().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Usage, "{refused}");
        assert!(authors.exists(&1).await.unwrap());

        // Without the index nobody knows who refers.
        let elsewhere = authors.with_namespace(format!("{space}bare:"));
        elsewhere.save(&Author { id: 1, version: 0 }).await.unwrap();
        assert_eq!(elsewhere.delete(&1).await.unwrap_err().kind(), ErrorKind::Index);
        assert!(elsewhere.exists(&1).await.unwrap());
        let found = elsewhere.referrers_by_scan().delete(&1).await.unwrap();
        assert!(found);
    }

    async fn many_at_once_are_reported_one_by_one() {
        let library = Library::here().await;
        let Library { authors, books, loans } = &library;
        authors.save_all((1..6).map(|id| Author { id, version: 0 })).await.unwrap();
        let all = (1..6).map(|author| book(&format!("b{author}"), author));
        books.save_all(all.collect::<Vec<_>>()).await.unwrap();
        loans.save(&Loan { id: 1, book: Ref::new("b3".into()) }).await.unwrap();
        let report = authors.delete_many([1, 2, 3, 4, 99]).report().await.unwrap();
        assert_eq!((report.done, report.absent, report.failed), (3, 1, 1));
        assert_eq!(report.failures[0].id, 3);
        let referrers = report.failures[0].error.referrers().unwrap();
        assert_eq!(referrers.keys, [loans.key(&1)]);
        assert_eq!(library.ids().await, ["b3", "b5"]);
        // By a query too: of the books one is lent.
        let report = books.delete_where(|b| b.author.ge(3)).report().await.unwrap();
        assert_eq!((report.done, report.failed), (1, 1));
        assert_eq!(library.ids().await, ["b3"]);
    }

    async fn more_than_one_script_takes_are_a_job() {
        let library = Library::here().await;
        let Library { authors, books, .. } = &library;
        let mut all: Vec<Book> = (0..1_200).map(|id| book(&format!("job{id}"), 1)).collect();
        all[7].readers = vec![Ref::new(2)];
        let mut kept = book("kept", 2);
        kept.readers = [1, 2].map(Ref::new).to_vec();
        all.push(kept);
        books.save_all(&all).await.unwrap();
        books.index().wait().await.unwrap();
        let done = soon("the job ends", authors.delete(&1).report()).await.unwrap();
        assert_eq!((done.deleted.len(), done.unset.len(), done.atomic), (1_200, 1, false));
        assert_eq!(library.ids().await, ["kept"]);
        assert!(DELETED.lock().unwrap().contains(&"job7".to_owned()));
        let kept = books.get(&"kept".into()).await.unwrap().unwrap();
        assert_eq!((kept.readers, kept.version), (vec![Ref::new(2)], 2));
    }

    async fn on_a_cluster_by_steps() {
        let authors: Repository<Author> = on_cluster().await;
        let library = Library::of(authors.client(), authors.namespace()).await;
        let Library { books, loans, .. } = &library;
        // A search needs a coordinator, which this cluster has not.
        books.save(&book("a", 1)).await.unwrap();
        let refused = library.authors.delete(&1).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
        let authors = library.authors.referrers_by_scan();
        let mut other = book("b", 2);
        (other.editor, other.readers) = (Some(Ref::new(1)), [1, 2].map(Ref::new).to_vec());
        books.save_all(&[other, book("c", 1), book("d", 2)]).await.unwrap();
        loans.save(&Loan { id: 1, book: Ref::new("c".into()) }).await.unwrap();
        let refused = authors.delete(&1).await.unwrap_err();
        assert_eq!(refused.referrers().unwrap().keys, [loans.key(&1)]);
        assert_eq!(library.ids().await, ["a", "b", "c", "d"]);
        assert!(loans.delete(&1).await.unwrap());
        let late = authors.delete(&1).if_version(9).await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Conflict);
        assert_eq!(library.ids().await.len(), 4);

        let done = authors.delete(&1).if_version(1).report().await.unwrap();
        assert_eq!((done.deleted.len(), done.unset.len(), done.atomic), (2, 1, false));
        assert_eq!(library.ids().await, ["b", "d"]);
        let other = books.get(&"b".into()).await.unwrap().unwrap();
        assert_eq!((other.editor, other.readers), (None, vec![Ref::new(2)]));
        let mut heir = book("e", 2);
        heir.isbn = Some("a".into());
        books.save(&heir).await.unwrap();
        assert_eq!(authors.delete(&1).report().await.unwrap(), Deletion::default());
    }

    async fn tenants_and_namespaces_are_apart() {
        let library = Library::here().await;
        let (authors, books) = (library.authors.tenant("acme"), library.books.tenant("acme"));
        books.index().sync().await.unwrap();
        library.loans.tenant("acme").index().sync().await.unwrap();
        authors.save(&Author { id: 1, version: 0 }).await.unwrap();
        books.save(&book("a", 1)).await.unwrap();
        library.books.save(&book("a", 1)).await.unwrap();
        assert_eq!(authors.delete(&1).report().await.unwrap().deleted, [books.key(&"a".into())]);
        assert_eq!(library.ids().await, ["a"]);
    }
}

#[test]
fn without_a_runtime() {
    use alizarin::blocking::prelude::*;
    use hash::{Author, Book, book};

    let server = Server::shared().unwrap();
    let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
    let space = namespace(server);
    let authors = client.repository::<Author>().referred_by::<Book>().with_namespace(&*space);
    let books = client.repository::<Book>().with_namespace(&*space);
    books.index().sync().run().unwrap();
    authors.save(&Author { id: 1, version: 0 }).run().unwrap();
    books.save(&book("a", 1)).run().unwrap();
    books.index().wait().run().unwrap();
    assert!(authors.delete(&1).dry_run().run().unwrap().found);
    assert_eq!(authors.delete(&1).report().run().unwrap().deleted.len(), 1);
    authors.save(&Author { id: 1, version: 0 }).run().unwrap();
    books.save(&book("a", 1)).run().unwrap();
    assert_eq!(authors.delete_many([1]).run().unwrap(), 1);
    assert!(!books.exists(&"a".into()).run().unwrap());
}
