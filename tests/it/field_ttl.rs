//! How long single fields of hashes live.

use std::time::Duration;

use alizarin::prelude::*;

use crate::common::{eventually, everywhere, somebody};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Default, RedisModel)]
#[redis(hash, prefix = "login")]
struct Login {
    #[redis(id)]
    id: u32,
    name: String,
    #[redis(ttl = "1h")]
    token: Option<String>,
    #[redis(ttl)]
    hint: Option<String>,
    #[redis(ttl = "1h", default)]
    tries: u32,
    #[redis(version)]
    version: u64,
}

fn login() -> Login {
    let (token, hint) = (Some("secret".into()), Some("pet".into()));
    Login { id: 1, name: "ann".into(), token, hint, tries: 3, version: 0 }
}

/// Up to `most`, and not much less.
fn about(left: Option<Duration>, most: Duration) -> bool {
    left <= Some(most) && left > Some(most.saturating_sub(Duration::from_secs(30)))
}

#[tokio::test]
async fn a_save_begins_the_limits_of_the_attributes() {
    everywhere(async |logins: Repository<Login>| {
        logins.save(&login()).await.unwrap();
        assert!(about(logins.ttl(&1).of(|m| m.token).await.unwrap(), HOUR));
        assert!(about(logins.ttl(&1).of(|m| m.tries).await.unwrap(), HOUR));
        assert_eq!(logins.ttl(&1).of(|m| m.hint).await.unwrap(), None);
        assert_eq!(logins.ttl(&1).await.unwrap(), None);
        // The call says otherwise.
        logins.delete(&1).await.unwrap();
        let new = login();
        let insert = logins.insert(&new).ttl_of(|m| m.hint, MINUTE).clear_ttl_of(|m| m.token);
        insert.await.unwrap();
        assert!(about(logins.ttl(&1).of(|m| m.hint).await.unwrap(), MINUTE));
        assert_eq!(logins.ttl(&1).of(|m| m.token).await.unwrap(), None);
        // In bulk too.
        logins.save_all(&[Login { id: 2, ..login() }]).await.unwrap();
        assert!(about(logins.ttl(&2).of(|m| m.token).await.unwrap(), HOUR));
    })
    .await;
}

#[tokio::test]
async fn a_limit_that_runs_goes_on() {
    everywhere(async |logins: Repository<Login>| {
        logins.save(&login()).await.unwrap();
        for field in ["token", "hint"] {
            somebody(&["HEXPIRE", &logins.key(&1), "60", "FIELDS", "1", field]);
        }
        logins.update(&1, |login| login.tries += 1).await.unwrap();
        logins.save(&login()).await.unwrap();
        logins.set(&1, |m| (m.token.to("other"), m.hint.to("cat"), m.tries.add(1))).await.unwrap();
        assert!(about(logins.ttl(&1).of(|m| m.token).await.unwrap(), MINUTE));
        assert!(about(logins.ttl(&1).of(|m| m.hint).await.unwrap(), MINUTE));
        assert!(about(logins.ttl(&1).of(|m| m.tries).await.unwrap(), HOUR));
        let set = logins.set(&1, |m| m.name.to("bea"));
        set.ttl_of(|m| m.token, MINUTE * 2).clear_ttl_of(|m| m.hint).await.unwrap();
        assert!(about(logins.ttl(&1).of(|m| m.token).await.unwrap(), MINUTE * 2));
        assert_eq!(logins.ttl(&1).of(|m| m.hint).await.unwrap(), None);
        let stored = logins.get(&1).await.unwrap().unwrap();
        assert_eq!((stored.token.as_deref(), stored.hint.as_deref()), (Some("other"), Some("cat")));
    })
    .await;
}

#[tokio::test]
async fn limits_are_set_and_ended_alone_under_conditions() {
    everywhere(async |logins: Repository<Login>| {
        logins.save(&login()).await.unwrap();
        assert!(!logins.expire(&1, MINUTE).of(|m| m.hint).if_some().await.unwrap());
        assert!(logins.expire(&1, MINUTE).of(|m| m.hint).if_none().await.unwrap());
        assert!(!logins.expire(&1, HOUR).of(|m| m.hint).if_none().await.unwrap());
        assert!(!logins.expire(&1, HOUR).of(|m| m.hint).if_sooner().await.unwrap());
        assert!(logins.expire(&1, HOUR).of(|m| m.hint).if_later().await.unwrap());
        assert!(about(logins.ttl(&1).of(|m| m.hint).await.unwrap(), HOUR));
        assert!(logins.persist(&1).of(|m| m.hint).await.unwrap());
        assert!(!logins.persist(&1).of(|m| m.hint).await.unwrap());
        assert_eq!(logins.ttl(&1).of(|m| m.hint).await.unwrap(), None);
        assert!(logins.expire(&1, MINUTE).if_none().await.unwrap());
        assert!(!logins.expire(&1, MINUTE / 2).if_later().await.unwrap());

        // What is not there.
        logins.set(&1, |m| m.hint.clear()).await.unwrap();
        let error = logins.ttl(&1).of(|m| m.hint).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::NotFound, Some("hint")));
        assert!(!logins.expire(&1, MINUTE).of(|m| m.hint).await.unwrap());
        assert!(!logins.persist(&1).of(|m| m.hint).await.unwrap());
        assert!(!logins.expire(&2, MINUTE).of(|m| m.hint).await.unwrap());
        assert_eq!(logins.ttl(&2).of(|m| m.hint).await.unwrap_err().kind(), ErrorKind::NotFound);
        for wrong in [Duration::ZERO, HOUR * 24 * 366 * 1_000] {
            let error = logins.set(&1, |m| m.name.to("x")).ttl_of(|m| m.token, wrong);
            assert_eq!(error.await.unwrap_err().kind(), ErrorKind::Value);
            let error = logins.expire(&1, wrong).of(|m| m.token).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
        }
    })
    .await;
}

#[tokio::test]
async fn the_document_lives_on_without_the_field() {
    everywhere(async |logins: Repository<Login>| {
        let new = login();
        let save = logins.save(&new).ttl_of(|m| m.token, Duration::from_millis(1));
        save.ttl_of(|m| m.tries, Duration::from_millis(1)).await.unwrap();
        eventually("the fields expire", async || {
            let stored = logins.get(&1).await.unwrap().unwrap();
            stored.token.is_none() && stored.tries == 0
        })
        .await;
        let stored = logins.get(&1).await.unwrap().unwrap();
        assert_eq!((stored.name.as_str(), stored.hint.as_deref()), ("ann", Some("pet")));
        // Written again, the limit of the attribute begins.
        logins.set(&1, |m| m.token.to("new")).await.unwrap();
        assert!(about(logins.ttl(&1).of(|m| m.token).await.unwrap(), HOUR));
    })
    .await;
}

#[tokio::test]
async fn a_server_without_such_limits_says_so() {
    // As servers before Redis 7.4 are.
    let old = ["--rename-command", "HPEXPIRE", "", "--rename-command", "HPTTL", ""];
    let server = alizarin_testkit::Server::builder().args(old).private().start().unwrap();
    let logins: Repository<Login> = crate::common::on(&server, 3).await;
    let unsupported = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("7.4"), "{error}");
    };
    unsupported(logins.save(&login()).await.unwrap_err());
    assert!(!logins.exists(&1).await.unwrap());
    unsupported(logins.expire(&1, MINUTE).of(|m| m.token).await.unwrap_err());
    unsupported(logins.ttl(&1).of(|m| m.token).await.unwrap_err());
}
