//! Values of every sort: saved, found by, and read back as what they were.

use alizarin::model::Json;
use alizarin::prelude::*;

use super::{Address, Contact, Note, Points, Rank, both_storages, finds};

both_storages! {
    async fn enums_ids_and_newtypes_are_found_and_come_back_typed() {
        let badges: Vec<Uuid> = (0..6).map(|_| Uuid::new_v4()).collect();
        let contacts = [
            Contact::None,
            Contact::Phone(u64::MAX),
            Contact::Mail { name: "a.b".into(), host: "c|d".into() },
        ];
        let all = several(6, |number, member| {
            let at = number as usize;
            member.rank = [None, Some(Rank::Guest), Some(Rank::Chair)][at % 3];
            member.ranks = [Rank::Guest, Rank::FullMember, Rank::Chair][at % 3..].to_vec();
            member.badge = badges[at];
            member.points = Points(i64::from(number) - 3);
            member.contact = Json(contacts[at % 3].clone());
        });
        with(&all, async |members| {
            for want in &all {
                assert_eq!(members.get(&want.number).await.unwrap().as_ref(), Some(want));
                let found = members.find(|m| m.badge.eq(want.badge)).all().await.unwrap();
                assert_eq!(found, std::slice::from_ref(want));
            }
            finds!(members, |m| m.rank.eq(Rank::Chair), [2, 5]);
            finds!(members, |m| m.rank.ne(Rank::Chair), [0, 1, 3, 4]);
            finds!(members, |m| m.rank.is_in([Rank::Chair, Rank::Guest]), [1, 2, 4, 5]);
            finds!(members, |m| m.rank.is_in([Rank::FullMember]), []);
            finds!(members, |m| m.ranks.has(Rank::Guest), [0, 3]);
            finds!(members, |m| m.ranks.has_all([Rank::FullMember, Rank::Chair]), [0, 1, 3, 4]);
            finds!(members, |m| m.points.is_in([Points(-3), Points(2)]), [0, 5]);
            finds!(members, |m| m.points.eq(Points(-1)), [2]);
            finds!(members, |m| m.badge.not_in(&badges[1..]), [0]);
        })
        .await;
    }

    async fn both_truth_values_are_found() {
        let all = several(4, |number, member| member.active = number > 1);
        with(&all, async |members| {
            finds!(members, |m| m.active.eq(true), [2, 3]);
            finds!(members, |m| m.active.eq(false), [0, 1]);
            finds!(members, |m| m.active.ne(false), [2, 3]);
            finds!(members, |m| m.active.is_in([true, false]), [0, 1, 2, 3]);
        })
        .await;
    }

    async fn all_bytes_survive_in_every_place() {
        let bytes: Vec<u8> = (0..=255).collect();
        let note = |raw: Option<&[u8]>| Note {
            raw: raw.map(<[u8]>::to_vec),
            ..Note::default()
        };
        let all = several(4, |number, member| {
            member.raw = bytes.repeat(number as usize);
            member.home.note = (number > 0).then(|| note(Some(&bytes)));
            let inside = [None, Some(&bytes[..0]), Some(&bytes[..]), Some(&bytes[..])];
            let note = Some(note(inside[number as usize]));
            member.work = Some(Address { city: "w".into(), zip: 1, note });
        });
        with(&all, async |members| {
            for want in &all {
                assert_eq!(members.get(&want.number).await.unwrap().as_ref(), Some(want));
            }
            let mut found =
                members.find(|m| m.number.ge(0)).sort_by(|m| m.number.asc()).all().await.unwrap();
            assert_eq!(found, all);
            found = members.get_many(&[0, 1, 2, 3]).await.unwrap().into_iter().flatten().collect();
            assert_eq!(found, all);
        })
        .await;
    }

    async fn nothing_the_empty_text_and_words_for_nothing_are_told_apart() {
        let nicks = [None, Some(""), Some("None"), Some("null"), Some("nil"), Some("Bo")];
        let all = several(6, |number, member| {
            member.nick = nicks[number as usize].map(str::to_owned);
        });
        with(&all, async |members| {
            finds!(members, |m| m.nick.is_missing(), [0]);
            finds!(members, |m| m.nick.is_present(), [1, 2, 3, 4, 5]);
            finds!(members, |m| m.nick.is_empty(), [1]);
            finds!(members, |m| m.nick.is_present() & !m.nick.is_empty(), [2, 3, 4, 5]);
            for (number, nick) in (2..).zip(["None", "null", "nil", "Bo"]) {
                finds!(members, |m| m.nick.eq(nick), [number]);
            }
            finds!(members, |m| m.nick.ne("Bo"), [0, 1, 2, 3, 4]);
            members.set(&5, |m| m.nick.clear()).await.unwrap();
            members.set(&0, |m| m.nick.to("None")).await.unwrap();
            finds!(members, |m| m.nick.is_missing(), [5]);
            finds!(members, |m| m.nick.eq("None"), [0, 2]);
            assert_eq!(members.get(&5).await.unwrap().unwrap().nick, None);
        })
        .await;
    }
}
