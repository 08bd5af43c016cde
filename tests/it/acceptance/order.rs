//! Order, pages, and results that do not fit into one.

use alizarin::prelude::*;
use alizarin_testkit::Server;

use super::both_storages;
use crate::common::{connect, on};

/// A hash's index sorts words in small letters, that of JSON as they are.
fn by_name(storage: &str) -> [&'static str; 5] {
    match storage {
        "hash" => ["Andrew", "anna", "Bo", "Kim", "Zoe"],
        _ => ["Andrew", "Bo", "Kim", "Zoe", "anna"],
    }
}

both_storages! {
    async fn both_directions_by_numbers_and_words() {
        let names = ["Kim", "Andrew", "anna", "Zoe", "Bo"];
        let all = several(5, |number, member| {
            member.name = names[number as usize].into();
            member.age = [38, 34, 100, 9, 34][number as usize];
        });
        with(&all, async |members| {
            let every = || members.find(|m| m.number.ge(0));
            let up = every().sort_by(|m| m.age.asc()).all().await.unwrap();
            let ages: Vec<u32> = up.iter().map(|member| member.age).collect();
            assert_eq!(ages, [9, 34, 34, 38, 100]);
            let down = every().sort_by(|m| m.age.desc()).all().await.unwrap();
            let ages: Vec<u32> = down.iter().map(|member| member.age).collect();
            assert_eq!(ages, [100, 38, 34, 34, 9]);
            let want = by_name(STORAGE);
            let found = every().sort_by(|m| m.name.asc()).all().await.unwrap();
            let found: Vec<&str> = found.iter().map(|member| member.name.as_str()).collect();
            assert_eq!(found, want);
            let last = every().sort_by(|m| m.name.desc()).limit(2).all().await.unwrap();
            assert!(last.iter().map(|member| &*member.name).eq([want[4], want[3]]));
        })
        .await;
    }

    async fn the_nth_result_is_the_nth_however_it_is_asked_for() {
        let all = several(30, |number, member| member.age = 100 - number);
        with(&all, async |members| {
            let sorted = || members.find(|m| m.age.gt(80)).sort_by(|m| m.age.asc());
            let whole = sorted().all().await.unwrap();
            assert_eq!(whole.len(), 20);
            for (at, want) in whole.iter().enumerate() {
                let one = sorted().offset(at).first().await.unwrap();
                assert_eq!(one.as_ref(), Some(want));
                assert_eq!(sorted().page(at, 1).await.unwrap().items, std::slice::from_ref(want));
                assert_eq!(sorted().offset(at).limit(1).ids().await.unwrap(), [want.number]);
            }
            assert_eq!(sorted().offset(20).first().await.unwrap(), None);
            assert_eq!(sorted().page(20, 1).await.unwrap().items, []);
        })
        .await;
    }

    async fn pages_of_a_thousand_documents() {
        let all = several(1_000, |_, _| {});
        with(&all, async |members| {
            let every = || members.find(|m| m.number.ge(0)).sort_by(|m| m.number.asc());
            let mut seen = Vec::new();
            for number in 0..10 {
                let page = every().page(number, 100).await.unwrap();
                assert_eq!((page.total, page.pages(), page.items.len()), (1_000, 10, 100));
                seen.extend(page.items.iter().map(|member| member.number));
            }
            assert!(seen.iter().copied().eq(0..1_000));
            assert!(every().page(10, 100).await.unwrap().items.is_empty());
            assert!(every().offset(100).limit(100).ids().await.unwrap().into_iter().eq(100..200));
        })
        .await;
    }

    async fn documents_that_end_during_a_stream_are_left_out() {
        let all = several(1_600, |_, _| {});
        with(&all, async |members| {
            let mut stream = members.find(|m| m.number.ge(0)).stream().unwrap();
            let first = stream.next().await.unwrap().unwrap().number;
            let gone: Vec<u32> = (0..1_600).filter(|number| number % 3 == 0).collect();
            for number in &gone {
                let _ = members.delete(number).await.unwrap();
            }
            let mut seen = std::collections::BTreeSet::from([first]);
            while let Some(member) = stream.next().await {
                assert!(seen.insert(member.unwrap().number), "each comes once");
            }
            // Of the first page, some were read before they ended.
            assert!((0..1_600).filter(|number| number % 3 != 0).all(|number| seen.contains(&number)));
            assert!(seen.len() < 1_600);
        })
        .await;
    }
}

/// How many: more than a search gives by itself, and than a cursor's pages hold together.
const MANY: u32 = 25_000;

macro_rules! many {
    ($($name:ident $storage:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "many", index)]
        struct $name {
            #[redis(id, numeric, sortable)]
            id: u32,
            #[redis(tag)]
            fifth: bool,
        }
    )+};
}

many!(ManyHash hash; ManyJson json;);

macro_rules! once_each {
    ($model:ident) => {{
        let server = Server::shared().unwrap();
        let all: Repository<$model> = on(server, 3).await;
        all.index().sync().await.unwrap();
        let documents = (0..MANY).map(|id| $model { id, fifth: id % 5 == 0 });
        all.save_all(&documents.collect::<Vec<_>>()).await.unwrap();
        all.index().wait().await.unwrap();
        for protocol in [2, 3] {
            let client = connect(server, protocol).await;
            let all: Repository<$model> = client.repository().with_namespace(all.namespace());
            let mut seen = vec![0u8; MANY as usize];
            let mut stream = all.find(|m| m.id.ge(0)).stream().unwrap();
            while let Some(document) = stream.next().await {
                seen[document.unwrap().id as usize] += 1;
            }
            assert!(seen.iter().all(|times| *times == 1), "each comes once");
            let error = all.find(|m| m.id.ge(0)).all().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooMany);
            assert_eq!(all.find(|m| m.fifth.eq(true)).count().await.unwrap(), 5_000);
            let sorted = all.find(|m| m.id.ge(0)).sort_by(|m| m.id.desc());
            let ids = sorted.limit(MANY as usize).ids().await.unwrap();
            assert!(ids.into_iter().eq((0..MANY).rev()));
        }
    }};
}

#[tokio::test]
async fn twenty_five_thousand_come_once_each() {
    once_each!(ManyHash);
    once_each!(ManyJson);
}
