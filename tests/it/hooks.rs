//! What models do around their writes and reads.

use std::sync::Mutex;

use alizarin::model::Hooks;
use alizarin::prelude::*;
use alizarin::repository::Written;

use crate::common::{everywhere, somebody};

/// What happened, of all tests: each looks for its own namespace's ids.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(line: String) {
    LOG.lock().unwrap().push(line);
}

fn taken(id: &str) -> Vec<String> {
    let mut log = LOG.lock().unwrap();
    let (mine, others) = log.drain(..).partition(|line: &String| line.ends_with(&format!(" {id}")));
    *log = others;
    mine.iter().map(|line: &String| line.trim_end_matches(&format!(" {id}")).to_owned()).collect()
}

/// A name that only this test has.
fn fresh() -> String {
    alizarin_testkit::unique("user")
}

fn not_negative(cents: &i64) -> Result<()> {
    if *cents < 0 {
        return Err(Error::new(ErrorKind::Value, "an account cannot be overdrawn"));
    }
    Ok(())
}

fn short(note: &Option<String>) -> Result<()> {
    match note {
        Some(note) if note.len() > 3 => Err(Error::new(ErrorKind::Value, "too long")),
        _ => Ok(()),
    }
}

macro_rules! models {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "user", hooks)]
            pub(crate) struct User {
                #[redis(id)]
                pub(crate) id: String,
                pub(crate) name: String,
                #[redis(validate = "not_negative")]
                pub(crate) cents: i64,
                #[redis(validate = short)]
                pub(crate) note: Option<String>,
                #[redis(skip)]
                pub(crate) loaded: bool,
            }

            impl Hooks for User {
                fn before_save(&self) -> Result<Option<User>> {
                    log(format!("before_save {}", self.id));
                    let name = self.name.to_lowercase();
                    if name == "other" {
                        return Ok(Some(User { id: "other".into(), ..self.clone() }));
                    }
                    Ok(Some(User { name, ..self.clone() }))
                }

                fn validate(&self) -> Result<()> {
                    log(format!("validate {} {}", self.name, self.id));
                    if self.name.is_empty() {
                        return Err(Error::new(ErrorKind::Usage, "no name").with_field("name"));
                    }
                    Ok(())
                }

                fn after_save(&self, written: &Written) {
                    log(format!("after_save {} {} {}", self.name, written.created, self.id));
                }

                fn after_load(&mut self) -> Result<()> {
                    self.loaded = true;
                    if self.name == "broken" {
                        return Err(Error::new(ErrorKind::Decode, "it is broken").with_field("name"));
                    }
                    Ok(())
                }

                fn before_delete(id: &String) -> Result<()> {
                    log(format!("before_delete {id}"));
                    if id.contains("keep") {
                        return Err(Error::new(ErrorKind::Usage, "this one stays"));
                    }
                    Ok(())
                }

                fn after_delete(id: &String) {
                    log(format!("after_delete {id}"));
                }
            }

            pub(crate) fn user(id: &str, name: &str) -> User {
                User { id: id.into(), name: name.into(), ..User::default() }
            }
        }
    )+};
}

models!(hash json);

macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)+) => {
        mod in_hash {
            use super::*;
            use super::hash::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
        mod in_json {
            use super::*;
            use super::json::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
    };
}

both! {
    async fn they_run_in_their_order() {
        everywhere(async |users: Repository<User>| {
            let id = fresh();
            users.save(&user(&id, "Ann")).await.unwrap();
            assert_eq!(taken(&id), ["before_save", "validate ann", "after_save ann true"]);
            let read = users.get(&id).await.unwrap().unwrap();
            assert_eq!((read.name.as_str(), read.loaded), ("ann", true));

            let updated = users.update(&id, |user| user.name = "BEA".into()).await.unwrap();
            assert_eq!(updated.name, "bea");
            assert_eq!(taken(&id), ["before_save", "validate bea", "after_save bea false"]);
            let change = async |user: &mut User| { user.name = "Cleo".into(); Ok(()) };
            assert_eq!(users.locked(&id, change).await.unwrap().name, "cleo");
            assert_eq!(taken(&id), ["before_save", "validate cleo", "after_save cleo false"]);
            users.save_all(&[user(&id, "Dora")]).await.unwrap();
            assert_eq!(taken(&id), ["before_save", "validate dora", "after_save dora false"]);
            users.upsert(&user(&id, "Dora"), |m| m.name.to("dora")).await.unwrap();
            // It was there: no document was written.
            assert_eq!(taken(&id), ["before_save", "validate dora"]);
            users.lock(&id).await.unwrap().save(&user(&id, "Eva")).await.unwrap();
            assert_eq!(taken(&id), ["before_save", "validate eva", "after_save eva false"]);

            assert!(users.delete(&id).await.unwrap());
            assert!(!users.delete(&id).await.unwrap());
            assert_eq!(taken(&id), ["before_delete", "after_delete", "before_delete"]);
            users.save_all(&[user(&id, "Fay")]).await.unwrap();
            assert_eq!(taken(&id), ["before_save", "validate fay", "after_save fay true"]);
        })
        .await;
    }

    async fn they_run_for_the_steps_of_a_transaction() {
        everywhere(async |users: Repository<User>| {
            let users = users.with_namespace(format!("{{{}}}:", users.namespace()));
            let (id, other, third) = (fresh(), fresh(), fresh());
            users.save(&user(&third, "cem")).await.unwrap();
            taken(&third);
            let ann = user(&id, "Ann");
            let mut tx = users.client().begin();
            tx.push(users.insert(&ann));
            tx.push(users.upsert(&user(&other, "Bea"), |m| m.name.to("bea")));
            tx.push(users.delete(&third));
            // Those before it ran; nothing was sent.
            assert_eq!(taken(&id), ["before_save", "validate ann"]);
            assert_eq!(taken(&other), ["before_save", "validate bea"]);
            assert_eq!(taken(&third), ["before_delete"]);
            tx.commit().await.unwrap();
            assert_eq!(taken(&id), ["after_save ann true"]);
            assert_eq!(taken(&other), ["after_save bea true"]);
            assert_eq!(taken(&third), ["after_delete"]);

            // Of one that is refused none runs afterwards.
            let mut tx = users.client().begin();
            tx.push(users.save(&user(&other, "Bob")));
            tx.push(users.delete(&third));
            tx.push(users.insert(&ann));
            assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::Exists);
            assert_eq!(taken(&other), ["before_save", "validate bob"]);
            // What they refuse is not sent.
            let keep = format!("keep{id}");
            let mut tx = users.client().begin();
            tx.push(users.save(&user(&other, "Bob")));
            tx.push(users.delete(&keep));
            let error = tx.commit().await.unwrap_err();
            assert_eq!(error.message(), "this one stays");
            assert_eq!(error.step().map(|step| step.number), Some(2));
            assert_eq!(users.get(&other).await.unwrap().map(|user| user.name).as_deref(), Some("bea"));
        })
        .await;
    }

    async fn what_is_not_valid_is_not_written() {
        everywhere(async |users: Repository<User>| {
            let id = fresh();
            users.save(&user(&id, "ann")).await.unwrap();
            let stored = users.get(&id).await.unwrap();
            let poor = User { cents: -1, ..user(&id, "ann") };
            let refused = |error: Error, field: &str| {
                assert_eq!(error.field(), Some(field), "{error}");
                assert!(error.message().starts_with("User is not valid: "), "{error}");
                assert_eq!(error.sent(), alizarin::Sent::No);
            };
            refused(users.save(&poor).await.unwrap_err(), "cents");
            refused(users.insert(&User { id: fresh(), ..poor.clone() }).await.unwrap_err(), "cents");
            refused(users.upsert(&poor, |m| m.name.to("x")).await.unwrap_err(), "cents");
            refused(users.update(&id, |user| user.cents = -1).await.unwrap_err(), "cents");
            let change = async |user: &mut User| { user.note = Some("long".into()); Ok(()) };
            refused(users.locked(&id, change).await.unwrap_err(), "note");
            refused(users.save(&user(&id, "")).await.unwrap_err(), "name");
            refused(users.set(&id, |m| (m.name.to("x"), m.cents.to(-1))).await.unwrap_err(), "cents");
            refused(users.set(&id, |m| m.note.to_value(Some("long".into()))).await.unwrap_err(), "note");
            let all = [poor];
            let error = users.save_all(&all).await.unwrap_err();
            assert!(error.message().contains("User is not valid"), "{error}");
            assert_eq!(error.field(), Some("cents"));
            let error = users.set(&id, |m| m.cents.add(-1)).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("cents")));
            let error = users.save(&user(&id, "Other")).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("id")));
            assert_eq!(users.get(&id).await.unwrap(), stored);
            users.set(&id, |m| (m.cents.to(0), m.note.clear())).await.unwrap();
        })
        .await;
    }

    async fn a_hook_can_refuse_a_deletion_and_a_read() {
        everywhere(async |users: Repository<User>| {
            let id = format!("keep{}", fresh());
            users.save(&user(&id, "ann")).await.unwrap();
            assert_eq!(users.delete(&id).await.unwrap_err().message(), "this one stays");
            assert!(users.exists(&id).await.unwrap());
            let key = users.key(&id);
            users.set(&id, |m| m.name.to("broken")).await.unwrap();
            let error = users.get(&id).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("name")));
            somebody(&["DEL", &key]);
        })
        .await;
    }
}
