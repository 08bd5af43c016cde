//! Ids and the keys they make.

use alizarin::Value;
use alizarin::prelude::*;

use super::{both_storages, finds};
use crate::common::everywhere;

macro_rules! identified {
    ($($name:ident $storage:ident $id:ty;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "thing", index)]
        struct $name {
            text: String,
            #[redis(id, rename = "card-number", tag)]
            card: $id,
        }
    )+};
}

identified! {
    UlidHash hash Ulid; UlidJson json Ulid;
    UuidHash hash Uuid; UuidJson json Uuid;
    TextHash hash String; TextJson json String;
    SmallHash hash i8; SmallJson json i8;
}

/// Saves one with each id, and asks for it in each way there is.
macro_rules! reached {
    ($model:ident: $ids:expr) => {
        everywhere(async |things: Repository<$model>| {
            things.index().sync().await.unwrap();
            let ids = $ids;
            for id in &ids {
                things.insert(&$model { text: format!("{id}!"), card: id.clone() }).await.unwrap();
                assert!(things.key(id).ends_with(&format!("thing:{id}")), "{id}");
            }
            things.index().wait().await.unwrap();
            for id in &ids {
                let want = $model { text: format!("{id}!"), card: id.clone() };
                assert_eq!(things.get(id).await.unwrap().as_ref(), Some(&want));
                let found = things.find(|m| m.card.eq(id)).ids().await.unwrap();
                assert_eq!(found, std::slice::from_ref(id));
            }
            let (mut listed, mut scan) = (Vec::new(), things.scan_ids());
            while let Some(id) = scan.next().await {
                listed.push(id.unwrap().to_string());
            }
            let mut want: Vec<String> = ids.iter().map(ToString::to_string).collect();
            (listed.sort(), want.sort());
            listed.dedup();
            assert_eq!(listed, want);
        })
        .await
    };
}

#[tokio::test]
async fn ids_of_every_sort_are_the_end_of_the_key_and_come_back_whole() {
    reached!(UlidHash: [Ulid::generate(), Ulid(0), Ulid(u128::MAX)]);
    reached!(UlidJson: [Ulid::generate(), Ulid(0), Ulid(u128::MAX)]);
    reached!(UuidHash: [Uuid::new_v4(), Uuid::nil(), Uuid::max()]);
    reached!(UuidJson: [Uuid::new_v4(), Uuid::nil(), Uuid::max()]);
    let texts = ["ca:on:toronto", "0", "false", "None", "thing:1", "{x}", "Łódź", "a b"];
    reached!(TextHash: texts.map(str::to_owned));
    reached!(TextJson: texts.map(str::to_owned));
    reached!(SmallHash: [0, 1, -1, i8::MIN, i8::MAX]);
    reached!(SmallJson: [0, 1, -1, i8::MIN, i8::MAX]);
}

both_storages! {
    async fn an_indexed_key_that_no_id_writes_is_named() {
        with(&[member(7)], async |members| {
            let stray = format!("{}member:007", members.namespace());
            let key = members.key(&7);
            let copied: Value = members.client().command("COPY").key(&key).key(&stray).await.unwrap();
            assert_eq!(copied, Value::Integer(1));
            members.index().wait().await.unwrap();
            let error = members.find(|m| m.number.eq(7)).ids().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.message().contains("member:007"), "{error}");
            assert_eq!(members.find(|m| m.number.eq(7)).count().await.unwrap(), 2);
        })
        .await;
    }

    async fn what_is_deleted_one_by_one_is_gone_from_the_index_too() {
        with(&several(6, |_, _| {}), async |members| {
            for number in [1, 3, 5] {
                assert!(members.delete(&number).await.unwrap());
                assert!(!members.delete(&number).await.unwrap());
            }
            let left = members.get_many(&[0, 1, 2, 3, 4, 5]).await.unwrap();
            let left: Vec<bool> = left.iter().map(Option::is_some).collect();
            assert_eq!(left, [true, false, true, false, true, false]);
            finds!(members, |m| m.age.eq(0), [0, 2, 4]);
        })
        .await;
    }

    async fn each_document_that_a_search_finds_can_be_changed() {
        let all = several(6, |number, member| member.active = number % 2 == 0);
        with(&all, async |members| {
            for number in members.find(|m| m.active.eq(true)).ids().await.unwrap() {
                members.set(&number, |m| (m.age.to(50), m.home.city.to("Bern"))).await.unwrap();
            }
            finds!(members, |m| m.age.eq(50) & m.home.city.eq("Bern"), [0, 2, 4]);
            for old in &all {
                let mut want = old.clone();
                if want.active {
                    want.age = 50;
                    want.home.city = "Bern".into();
                }
                assert_eq!(members.get(&old.number).await.unwrap(), Some(want));
            }
        })
        .await;
    }
}
