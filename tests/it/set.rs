//! Writing single fields.

use alizarin::prelude::*;

use crate::common::everywhere;

crate::each_storage! {
    async fn only_the_named_fields_change() {
        everywhere(async |notes: Repository<Note>| {
            let before = Note {
                count: 1,
                label: Some("l".into()),
                place: Place { city: "Ulm".into(), zip: Some(89_073) },
                ..note(1, "a")
            };
            notes.save(&before).await.unwrap();
            notes.set(&1, |m| m.text.to("b")).await.unwrap();
            notes.set(&1, |m| m.place.city.to("Bonn")).await.unwrap();
            let mut after = Note { text: "b".into(), ..before };
            after.place.city = "Bonn".into();
            assert_eq!(notes.get(&1).await.unwrap(), Some(after.clone()));
            notes.set(&1, |m| (m.count.to(u64::MAX), m.label.clear(), m.place.zip.clear())).await.unwrap();
            (after.count, after.label, after.place.zip) = (u64::MAX, None, None);
            assert_eq!(notes.get(&1).await.unwrap(), Some(after.clone()));
            notes.set(&1, |m| m.label.to_value(Some("x".into()))).await.unwrap();
            after.label = Some("x".into());
            assert_eq!(notes.get(&1).await.unwrap(), Some(after.clone()));
            notes.set(&1, |m| m.label.to_value(None)).await.unwrap();
            assert_eq!(notes.get(&1).await.unwrap(), Some(Note { label: None, ..after }));
        })
        .await;
    }

    async fn another_field_set_at_the_same_time_survives() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let tasks: Vec<_> = (0..50u64)
                .map(|number| {
                    let notes = notes.clone();
                    tokio::spawn(async move {
                        match number % 3 {
                            0 => notes.set(&1, |m| m.text.to("b")).await,
                            1 => notes.set(&1, |m| m.count.to(7)).await,
                            _ => notes.set(&1, |m| m.place.zip.to(5)).await,
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let place = Place { zip: Some(5), ..Place::default() };
            assert_eq!(notes.get(&1).await.unwrap(), Some(Note { count: 7, place, ..note(1, "b") }));
        })
        .await;
    }

    async fn a_document_that_is_not_there_is_not_made() {
        everywhere(async |notes: Repository<Note>| {
            let error = notes.set(&1, |m| m.text.to("x")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(!notes.exists(&1).await.unwrap());
        })
        .await;
    }

    async fn the_version_is_counted_and_can_be_demanded() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            assert_eq!(drafts.set(&1, |m| m.count.to(1)).await.unwrap().version, Some(2));
            let written = drafts.set(&1, |m| m.count.to(2)).if_version(2).await.unwrap();
            assert_eq!(written.version, Some(3));
            let error = drafts.set(&1, |m| m.count.to(3)).if_version(2).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert_eq!(drafts.get(&1).await.unwrap(), Some(Draft { count: 2, version: 3, ..draft(1, "a") }));
        })
        .await;
    }

    async fn ids_versions_and_doubles_are_refused() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            for (error, field) in [
                (drafts.set(&1, |m| m.id.to(2)).await.unwrap_err(), "id"),
                (drafts.set(&1, |m| m.version.to(2)).await.unwrap_err(), "version"),
                (drafts.set(&1, |m| (m.count.to(1), m.count.to(2))).await.unwrap_err(), "count"),
            ] {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some(field)));
            }
            assert_eq!(drafts.get(&1).await.unwrap(), Some(Draft { version: 1, ..draft(1, "a") }));
        })
        .await;
    }

    async fn a_field_of_a_struct_that_is_not_there_leaves_no_half_of_it() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let outcome = notes.set(&1, |m| m.second.zip.to(1)).await;
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.message().contains("second"), "{error}");
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
        })
        .await;
    }

    async fn a_struct_whose_last_field_is_cleared_is_still_there() {
        everywhere(async |boxes: Repository<Case>| {
            for inner in [Some(Inner { a: Some(1), b: None }), Some(Inner::default())] {
                let whole = Case { id: 1, must: inner.clone().unwrap(), may: inner };
                boxes.save(&whole).await.unwrap();
                boxes.set(&1, |m| (m.must.a.clear(), m.may.a.clear())).await.unwrap();
                let empty = Case { id: 1, must: Inner::default(), may: Some(Inner::default()) };
                assert_eq!(boxes.get(&1).await.unwrap(), Some(empty));
                boxes.set(&1, |m| (m.must.b.to(2), m.may.b.to(3))).await.unwrap();
                let [must, may] = [2, 3].map(|b| Inner { a: None, b: Some(b) });
                assert_eq!(boxes.get(&1).await.unwrap(), Some(Case { id: 1, must, may: Some(may) }));
            }
            // What is not there is not made by clearing a field of it.
            boxes.save(&Case { id: 1, ..Case::default() }).await.unwrap();
            boxes.set(&1, |m| m.may.a.clear()).await.unwrap();
            assert_eq!(boxes.get(&1).await.unwrap(), Some(Case { id: 1, ..Case::default() }));
        })
        .await;
    }

    async fn values_that_the_field_cannot_hold_change_nothing() {
        everywhere(async |coins: Repository<Coin>| {
            let before = Coin { id: 1, kind: "gold".into(), weight: 1.5, parts: vec!["a".into()] };
            coins.save(&before).await.unwrap();
            let error = coins.set(&1, |m| (m.weight.to(2.0), m.kind.to(" silver"))).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("kind")));
            let error = coins.set(&1, |m| m.weight.to(f64::NAN)).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("weight")));
            let error = coins.update(&1, |coin| coin.weight = f64::NAN).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("weight")));
            assert_eq!(coins.get(&1).await.unwrap(), Some(before.clone()));
            let parts: Vec<String> = vec!["b".into(), "c".into()];
            coins.set(&1, |m| m.parts.to_value(parts.clone())).await.unwrap();
            assert_eq!(coins.get(&1).await.unwrap(), Some(Coin { parts, ..before }));
        })
        .await;
    }
}
