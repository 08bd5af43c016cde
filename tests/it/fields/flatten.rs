//! Structs whose fields stand among those of their owner.

use alizarin::prelude::*;

use crate::common::everywhere;

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Audit {
    #[redis(tag)]
    author: String,
    note: Option<String>,
    #[redis(nested)]
    place: Option<Place>,
    #[redis(flatten)]
    count: Count,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Count {
    #[redis(numeric, sortable)]
    changes: u32,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Place {
    #[redis(tag)]
    city: String,
}

macro_rules! pages {
    ($($name:ident $storage:ident $test:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "page", index)]
        struct $name {
            #[redis(id)]
            id: u32,
            title: String,
            #[redis(flatten)]
            audit: Audit,
        }

        #[tokio::test]
        async fn $test() {
            everywhere(async |pages: Repository<$name>| {
                pages.index().sync().await.unwrap();
                let page = |id, author: &str, city: Option<&str>, changes| $name {
                    id,
                    title: format!("page {id}"),
                    audit: Audit {
                        author: author.to_owned(),
                        note: city.map(str::to_owned),
                        place: city.map(|city| Place { city: city.to_owned() }),
                        count: Count { changes },
                    },
                };
                let mut all = [page(1, "ann", None, 7), page(2, "bob", Some("Rome"), 3)];
                pages.save_all(&all).await.unwrap();
                pages.index().wait().await.unwrap();
                for page in &all {
                    assert_eq!(pages.get(&page.id).await.unwrap().as_ref(), Some(page));
                }
                let client = pages.client();
                let stored = client.command::<alizarin::Value>(match stringify!($storage) {
                    "hash" => "HGETALL",
                    _ => "JSON.GET",
                });
                let stored = format!("{:?}", stored.key(pages.key(&2)).await.unwrap());
                assert!(stored.contains("author") && !stored.contains("audit"), "{stored}");
                let ids = pages.find(|p| p.audit.author.eq("bob") & p.audit.place.city.eq("rome"));
                assert_eq!(ids.ids().await.unwrap(), [2]);
                let order = pages.find(|p| p.audit.count.changes.gt(1));
                let order = order.sort_by(|p| p.audit.count.changes.asc());
                assert_eq!(order.ids().await.unwrap(), [2, 1]);
                // Single fields, those of a struct that goes, and those that come back.
                pages.set(&1, |p| p.audit.count.changes.to(8)).await.unwrap();
                assert_eq!(pages.get(&1).await.unwrap().unwrap().audit.count.changes, 8);
                (all[1].audit.place, all[1].audit.note) = (None, None);
                pages.save(&all[1]).await.unwrap();
                assert_eq!(pages.get(&2).await.unwrap().as_ref(), Some(&all[1]));
                let error = pages.update(&2, |page| page.id = 3).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Usage);
            })
            .await;
        }
    )+};
}

pages! {
    AsHash hash flattened_fields_of_a_hash_stand_beside_its_own;
    AsJson json flattened_fields_of_a_document_stand_beside_its_own;
}
