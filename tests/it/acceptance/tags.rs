//! Tags are found whole: punctuation, separators and letter case are part of them.

use alizarin::prelude::*;

use super::{both_storages, finds};

both_storages! {
    async fn punctuation_is_a_part_of_the_tag() {
        const NAMES: [&str; 9] = [
            "Andrew, the Michael",
            "Andrew",
            "the Michael",
            "St. Brookins-on-Pier",
            "St",
            "a|b@example.com",
            "b@example.com",
            "tab\there",
            "back\\slash",
        ];
        let all = several(9, |number, member| {
            member.name = NAMES[number as usize].into();
            member.nick = Some(NAMES[number as usize].to_uppercase());
        });
        with(&all, async |members| {
            for (number, name) in (0..).zip(NAMES) {
                finds!(members, |m| m.name.eq(name), [number]);
                finds!(members, |m| m.nick.eq(name), [number]);
                finds!(members, |m| m.name.ne(name), (0..9).filter(|other| *other != number));
            }
            for part in ["Brookins", "example.com", "Pier", "a", "the", "slash"] {
                finds!(members, |m| m.name.eq(part), []);
            }
            let error = members.find(|m| m.name.eq("nul\0")).ids().await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("name")));
        })
        .await;
    }

    async fn a_separator_of_its_own_never_splits_a_value() {
        // `group` has `|`, `hobbies` has `,`: each may hold the other's.
        let groups = ["a,b", "a", "b", "a;b", "a b", "\\a", "a\\,b"];
        let all = several(7, |number, member| {
            let at = number as usize;
            member.group = groups[at].into();
            member.hobbies = vec![groups[at].replace(',', "|"), "z".into()];
        });
        with(&all, async |members| {
            for (number, group) in (0..).zip(groups) {
                finds!(members, |m| m.group.eq(group), [number]);
                let hobby = group.replace(',', "|");
                finds!(members, |m| m.hobbies.has(&hobby), [number]);
                finds!(members, |m| m.hobbies.has_all([hobby.as_str(), "z"]), [number]);
            }
            finds!(members, |m| m.hobbies.has("z"), 0..7);
            // What holds the separator could not be told from two values.
            let mut bad = member(90);
            bad.group = "a|b".into();
            let error = members.save(&bad).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("group")), "{error}");
            let mut bad = member(90);
            bad.hobbies = vec!["fine".into(), "a,b".into()];
            let error = members.save(&bad).await.unwrap_err();
            let (kind, field) = (error.kind(), error.field());
            assert_eq!((kind, field), (ErrorKind::Value, Some("hobbies.1")), "{error}");
            let error = members.set(&0, |m| m.group.to("|")).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("group")), "{error}");
            let error = members.find(|m| m.group.eq("a|b")).ids().await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("group")), "{error}");
            let error = members.find(|m| m.hobbies.has("a,b")).ids().await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("hobbies")));
            assert!(!members.exists(&90).await.unwrap());
        })
        .await;
    }
}
