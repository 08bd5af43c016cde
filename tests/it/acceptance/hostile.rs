//! What is stored and is not what the model says.

use alizarin::prelude::*;

use super::both_storages;
use crate::common::everywhere;

both_storages! {
    async fn what_does_not_parse_is_told_with_its_field_and_value() {
        with(&[member(1)], async |members| {
            let key = members.key(&1);
            // The field, what is put there in a hash and in JSON, where it is wrong, what was wanted.
            let cases = [
                ("place", "200,95", "\"200,95\"", "place", "longitude"),
                ("place", "here", "\"here\"", "place", "longitude,latitude"),
                ("active", "maybe", "\"maybe\"", "active", "true"),
                ("badge", "1234", "\"1234\"", "badge", "a UUID"),
                ("rank", "king", "\"king\"", "rank", "king"),
                ("ranks", "guest,king", "[\"guest\",\"king\"]", "ranks.1", "king"),
                ("home.zip", "12a", "\"12a\"", "home.zip", ""),
            ];
            for (field, hash, json, at, why) in cases {
                members.save(&member(1)).await.unwrap();
                let client = members.client();
                let put = match STORAGE {
                    "hash" => {
                        let hash = hash.replace("guest,king", "guest\u{1f}king");
                        client.command::<alizarin::Value>("HSET").arg((&key, field, hash))
                    }
                    _ => client.command("JSON.SET").arg((&key, format!("$.{field}"), json)),
                };
                put.await.unwrap();
                let error = members.get(&1).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some(at)), "{error}");
                assert!(error.message().contains(&key), "{error}");
                assert!(error.to_string().contains(why), "{error}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_in_the_middle_of_a_list_is_named_by_its_place() {
    use super::json::{Member, member};
    everywhere(async |members: Repository<Member>| {
        members.save(&member(1)).await.unwrap();
        let key = members.key(&1);
        for list in ["[\"a\",null]", "[\"a\",7]", "[\"a\",[]]"] {
            let set = members.client().command::<alizarin::Value>("JSON.SET");
            set.arg((&key, "$.hobbies", list)).await.unwrap();
            let error = members.get(&1).await.unwrap_err();
            let (kind, field) = (error.kind(), error.field());
            assert_eq!((kind, field), (ErrorKind::Decode, Some("hobbies.1")), "{list}: {error}");
        }
    })
    .await;
}
