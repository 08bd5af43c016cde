//! How long documents live.

use std::time::Duration;

use alizarin::prelude::*;

use crate::common::{eventually, everywhere};

const MINUTE: Duration = Duration::from_secs(60);

/// Whether so much is left, give or take half a minute.
fn about(left: Option<Duration>, want: Duration) -> bool {
    left.is_some_and(|left| left <= want && left + MINUTE / 2 > want)
}

crate::each_storage! {
    async fn a_model_without_a_time_to_live_keeps_the_key_s() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            assert_eq!(notes.ttl(&1).await.unwrap(), None);
            assert!(notes.expire(&1, MINUTE).await.unwrap());
            notes.save(&note(1, "b")).await.unwrap();
            assert!(about(notes.ttl(&1).await.unwrap(), MINUTE), "save");
            notes.replace(&note(1, "c")).await.unwrap();
            assert!(about(notes.ttl(&1).await.unwrap(), MINUTE), "replace");
            notes.update(&1, |note| note.count += 1).await.unwrap();
            assert!(about(notes.ttl(&1).await.unwrap(), MINUTE), "update");
            notes.locked(&1, async |note| { note.count += 1; Ok(()) }).await.unwrap();
            assert!(about(notes.ttl(&1).await.unwrap(), MINUTE), "locked");
            notes.set(&1, |m| m.count.to(7)).await.unwrap();
            assert!(about(notes.ttl(&1).await.unwrap(), MINUTE), "set");
            assert!(notes.persist(&1).await.unwrap());
            assert!(!notes.persist(&1).await.unwrap());
            assert_eq!(notes.ttl(&1).await.unwrap(), None);
        })
        .await;
    }

    async fn each_save_sets_the_model_s_time_to_live() {
        everywhere(async |visits: Repository<Visit>| {
            let ninety = Duration::from_secs(90);
            visits.save(&visit(1, "a")).await.unwrap();
            assert!(about(visits.ttl(&1).await.unwrap(), ninety));
            assert!(visits.expire(&1, MINUTE * 60).await.unwrap());
            visits.save(&visit(1, "b")).keep_ttl().await.unwrap();
            assert!(about(visits.ttl(&1).await.unwrap(), MINUTE * 60), "kept");
            visits.update(&1, |visit| visit.text.push('!')).await.unwrap();
            assert!(about(visits.ttl(&1).await.unwrap(), MINUTE * 60), "update");
            visits.save(&visit(1, "c")).await.unwrap();
            assert!(about(visits.ttl(&1).await.unwrap(), ninety), "set anew");
            visits.save(&visit(1, "d")).ttl(MINUTE * 10).await.unwrap();
            assert!(about(visits.ttl(&1).await.unwrap(), MINUTE * 10), "this save's own");
            visits.save(&visit(1, "e")).clear_ttl().await.unwrap();
            assert_eq!(visits.ttl(&1).await.unwrap(), None);
            assert_eq!(visits.save_all(&[visit(2, "x"), visit(3, "y")]).await.unwrap(), 2);
            assert!(about(visits.ttl(&2).await.unwrap(), ninety), "save_all");
        })
        .await;
    }

    async fn a_document_ends_with_its_time() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "x")).ttl(Duration::from_millis(40)).await.unwrap();
            eventually("the document is gone", async || {
                notes.get(&1).await.unwrap().is_none()
            })
            .await;
            assert_eq!(notes.ttl(&1).await.unwrap_err().kind(), ErrorKind::NotFound);
            let error = notes.update(&1, |note| note.count += 1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        })
        .await;
    }

    async fn documents_that_are_not_there_have_no_time() {
        everywhere(async |notes: Repository<Note>| {
            assert_eq!(notes.ttl(&1).await.unwrap_err().kind(), ErrorKind::NotFound);
            assert!(!notes.expire(&1, MINUTE).await.unwrap());
            assert!(!notes.persist(&1).await.unwrap());
        })
        .await;
    }

    async fn times_that_the_server_cannot_count_are_refused() {
        everywhere(async |notes: Repository<Note>| {
            for time in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
                let error = notes.save(&note(1, "x")).ttl(time).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Value, "{time:?}");
                let error = notes.expire(&1, time).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Value, "{time:?}");
            }
            assert!(!notes.exists(&1).await.unwrap());
            // A thousand years are no trouble.
            notes.save(&note(1, "x")).ttl(MINUTE * 525_600_000).await.unwrap();
            assert!(notes.ttl(&1).await.unwrap().unwrap() > MINUTE * 525_000_000);
        })
        .await;
    }
}
