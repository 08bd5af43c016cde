//! Maps, lists of numbers, and lists of structs, looked into by the index.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alizarin::prelude::*;

use crate::common::everywhere;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "item", index)]
struct Item {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    labels: HashMap<String, String>,
    #[redis(numeric)]
    sizes: BTreeMap<u32, f64>,
    #[redis(text)]
    texts: BTreeMap<String, Option<String>>,
    #[redis(tag)]
    groups: BTreeMap<String, Vec<String>>,
    #[redis(numeric)]
    marks: Vec<i32>,
    #[redis(tag)]
    set: BTreeSet<String>,
    #[redis(nested)]
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Part {
    #[redis(tag)]
    sku: String,
    #[redis(numeric)]
    count: u32,
    #[redis(text)]
    what: String,
}

fn item(id: u32) -> Item {
    let part = |sku: &str, count, what: &str| Part { sku: sku.into(), count, what: what.into() };
    Item {
        id,
        labels: [("colour".into(), format!("shade {id}")), ("a\"b.*".into(), "x|y".into())].into(),
        sizes: [(id, 0.5), (10, f64::from(id) * 10.0)].into(),
        texts: [("en".into(), Some(format!("word{id} of them"))), ("de".into(), None)].into(),
        groups: [("g".into(), vec!["one".into(), format!("two{id}")]), ("h".into(), vec![])].into(),
        marks: vec![id as i32, -5],
        set: ["s".into(), format!("s{id}")].into(),
        parts: vec![part("pen", id, "blue pens"), part("ink", 9, "black ink")],
    }
}

macro_rules! found {
    ($items:expr, $filter:expr, $want:expr) => {
        let mut found = $items.find($filter).ids().await.unwrap();
        found.sort();
        let want: Vec<u32> = $want.to_vec();
        assert_eq!(found, want, "{}", stringify!($filter));
    };
}

#[tokio::test]
async fn values_inside_are_found_whatever_their_key() {
    everywhere(async |items: Repository<Item>| {
        items.index().sync().await.unwrap();
        assert!(items.index().drift().await.unwrap().is_empty());
        let mut all: Vec<Item> = (1..=3).map(item).collect();
        all[2].labels.clear();
        all[2].marks.clear();
        items.save_all(&all).await.unwrap();
        items.index().wait().await.unwrap();
        assert_eq!(items.index().info().await.unwrap().hash_indexing_failures, 0);
        for item in &all {
            assert_eq!(items.get(&item.id).await.unwrap().as_ref(), Some(item));
        }
        found!(items, |i| i.labels.has("shade 2"), [2]);
        found!(items, |i| i.labels.has("x|y"), [1, 2]);
        found!(items, |i| i.sizes.between(9.0, 21.0), [1, 2]);
        found!(items, |i| i.texts.matches("word3"), [3]);
        found!(items, |i| i.groups.has_all(["one", "two1"]), [1]);
        found!(items, |i| i.marks.eq(2) | i.marks.gt(2), [2]);
        found!(items, |i| i.marks.lt(0), [1, 2]);
        found!(items, |i| i.set.has_any(["s1", "s3"]), [1, 3]);
        found!(items, |i| i.parts.what.matches("pen") & i.parts.sku.has("ink"), [1, 2, 3]);
        let error = items.set(&1, |i| i.labels.to("x")).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("labels")));
        items.set(&1, |i| i.sizes.to_value([(1, 99.0)].into())).await.unwrap();
        items.index().wait().await.unwrap();
        found!(items, |i| i.sizes.gt(90), [1]);
    })
    .await;
}

/// Two conditions on one element, which the index cannot tell from two on two elements.
#[tokio::test]
async fn conditions_on_one_element_do_not_match_across_elements() {
    everywhere(async |items: Repository<Item>| {
        items.index().sync().await.unwrap();
        let all: Vec<Item> = (1..=12).map(item).collect();
        items.save_all(&all).await.unwrap();
        items.index().wait().await.unwrap();
        let search = || items.find(|i| i.parts.sku.has("pen") & i.parts.count.gt(8));
        assert_eq!(search().count().await.unwrap(), 12, "the ink has the 9");
        let of_pens =
            |item: &Item| item.parts.iter().any(|part| part.sku == "pen" && part.count > 8);
        let mut ids: Vec<u32> = Vec::new();
        for item in search().keep(of_pens).await.unwrap() {
            ids.push(item.id);
        }
        ids.sort();
        assert_eq!(ids, [9, 10, 11, 12]);
        assert_eq!(search().keep(of_pens).count().await.unwrap(), 4);
        assert_eq!(search().limit(3).keep(of_pens).all().await.unwrap().len(), 3);
        assert_eq!(search().limit(0).keep(of_pens).all().await.unwrap().len(), 0);
        assert_eq!(search().offset(3).keep(of_pens).all().await.unwrap().len(), 1);
        let mut stream = search().offset(1).limit(2).keep(of_pens).stream().unwrap();
        let mut count = 0;
        while let Some(item) = stream.next().await {
            assert!(of_pens(&item.unwrap()));
            count += 1;
        }
        assert_eq!(count, 2);
        let none = search().keep(|_| false).first().await.unwrap();
        assert_eq!(none, None);
    })
    .await;
}
