//! What is written is what is read: every type of field, in both storages, on both protocols.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alizarin::model::Json;
use alizarin::prelude::*;
use alizarin_testkit::Server;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use half::f16;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::common::{namespace, on};

#[derive(Debug, Clone, Copy, PartialEq, RedisValue)]
#[serde(rename_all = "kebab-case")]
enum Sort {
    Plain,
    #[serde(rename = "with, punctuation|and \"quotes\"")]
    Odd,
    LongName,
}

#[derive(Debug, Clone, PartialEq, RedisValue)]
struct Mail(String);

#[derive(Debug, Clone, PartialEq, RedisValue)]
struct Cents(i64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Free {
    Nothing,
    Number(i64),
    Named { words: Vec<String>, inner: Option<Box<Free>> },
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Deep {
    text: Option<String>,
    number: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Inner {
    #[redis(tag)]
    kind: Sort,
    text: String,
    list: Vec<i64>,
    #[redis(nested)]
    deep: Option<Deep>,
}

macro_rules! everything {
    ($name:ident $storage:ident { $($extra:tt)* }) => {
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, index)]
        struct $name {
            #[redis(id)]
            id: String,
            truth: bool,
            #[redis(tag)]
            tagged_truth: bool,
            i8s: i8,
            i16s: i16,
            i32s: i32,
            i64s: i64,
            i128s: i128,
            u8s: u8,
            u16s: u16,
            u32s: u32,
            u64s: u64,
            u128s: u128,
            #[redis(tag)]
            tagged_number: u64,
            #[redis(numeric)]
            indexed_number: i64,
            f32s: f32,
            #[redis(numeric)]
            f64s: f64,
            letter: char,
            #[redis(text)]
            text: String,
            boxed: Box<str>,
            shared: Arc<str>,
            #[redis(tag)]
            tag: String,
            bytes: Vec<u8>,
            more_bytes: Bytes,
            four_bytes: [u8; 4],
            #[redis(tag)]
            tags: Vec<String>,
            texts: Vec<String>,
            numbers: Vec<i128>,
            lists: Vec<Vec<String>>,
            byte_list: Vec<Vec<u8>>,
            map: BTreeMap<String, i64>,
            hash_map: HashMap<String, Vec<String>>,
            free: Json<Free>,
            #[redis(numeric)]
            time: SystemTime,
            utc: DateTime<Utc>,
            span: Duration,
            date: NaiveDate,
            #[redis(tag)]
            ulid: Ulid,
            #[redis(tag)]
            uuid: Uuid,
            #[redis(geo)]
            point: Option<GeoPoint>,
            #[redis(geoshape(flat))]
            shape: Option<GeoShape>,
            #[redis(vector(flat, l2))]
            vector: Vector<f32, 3>,
            halves: Vector<f16, 2>,
            #[redis(tag)]
            sort: Sort,
            sorts: Vec<Sort>,
            mail: Mail,
            cents: Cents,
            maybe_text: Option<String>,
            maybe_bytes: Option<Vec<u8>>,
            maybe_number: Option<i64>,
            maybe_sort: Option<Sort>,
            #[redis(nested)]
            inner: Inner,
            #[redis(nested)]
            maybe_inner: Option<Inner>,
            $($extra)*
        }
    };
}

everything!(AsHash hash {});
everything!(AsJson json {
    #[redis(nested)]
    inners: Vec<Inner>,
});

/// Text with everything in it: nothing, NUL, quotes, line ends, letters of all planes.
fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => any::<String>(),
        1 => Just(String::new()),
        1 => prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter),
        1 => "[ -~\\x00\\r\\n\\t\"\\\\]{0,12}",
        1 => Just("None".to_owned()),
    ]
}

/// Text that a TAG takes: all punctuation, no white space at the ends.
fn tag() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[!-~]{1,12}", "[a-z|,;]([ -~]{0,6}[é!-~])?", "\\PC{0,4}x"]
        .prop_map(|text| text.trim_matches(|c: char| c.is_ascii_whitespace()).to_owned())
        .prop_filter("an element of a list is not empty", |text| !text.is_empty())
}

fn sort() -> impl Strategy<Value = Sort> + Clone {
    prop_oneof![Just(Sort::Plain), Just(Sort::Odd), Just(Sort::LongName)]
}

fn double() -> impl Strategy<Value = f64> {
    use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE,
        any::<i32>().prop_map(|number| f64::from(number) / 100.0),
        prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(5e-324)],
    ]
}

fn single() -> impl Strategy<Value = f32> {
    use prop::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE,
        prop_oneof![Just(f32::MAX), Just(f32::MIN), Just(f32::MIN_POSITIVE), Just(1e-45)],
    ]
}

/// Any of a whole number's type, its ends more often.
macro_rules! whole {
    ($type:ident) => {
        prop_oneof![4 => any::<$type>(), 1 => Just($type::MAX), 1 => Just($type::MIN), 1 => Just(0)]
    };
}

fn free() -> impl Strategy<Value = Free> {
    let leaf = prop_oneof![Just(Free::Nothing), whole!(i64).prop_map(Free::Number)];
    leaf.prop_recursive(3, 8, 1, |inner| {
        (prop::collection::vec(text(), 0..3), prop::option::of(inner.prop_map(Box::new)))
            .prop_map(|(words, inner)| Free::Named { words, inner })
    })
}

fn deep() -> impl Strategy<Value = Deep> {
    (prop::option::of(text()), prop::option::of(whole!(i64)))
        .prop_map(|(text, number)| Deep { text, number })
}

fn inner() -> impl Strategy<Value = Inner> {
    (sort(), text(), prop::collection::vec(whole!(i64), 0..3), prop::option::of(deep()))
        .prop_map(|(kind, text, list, deep)| Inner { kind, text, list, deep })
}

fn time() -> impl Strategy<Value = SystemTime> {
    whole!(i64).prop_map(|nanoseconds| {
        let span = Duration::from_nanos(nanoseconds.unsigned_abs());
        if nanoseconds < 0 { UNIX_EPOCH - span } else { UNIX_EPOCH + span }
    })
}

fn shape() -> impl Strategy<Value = GeoShape> {
    let coordinate = || -1e6..1e6f64;
    prop_oneof![
        (coordinate(), coordinate()).prop_map(|(x, y)| GeoShape::point(x, y).unwrap()),
        (coordinate(), coordinate(), 1.0..9.0f64).prop_map(|(x, y, side)| {
            let corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)];
            GeoShape::polygon(corners).unwrap()
        }),
    ]
}

/// The hash model; the JSON model is made of it.
fn model() -> impl Strategy<Value = AsHash> {
    let numbers = (
        (whole!(i8), whole!(i16), whole!(i32), whole!(i64), whole!(i128)),
        (whole!(u8), whole!(u16), whole!(u32), whole!(u64), whole!(u128)),
        (whole!(u64), -(1i64 << 53)..=1 << 53, single(), double()),
        (any::<bool>(), any::<bool>()),
    );
    let texts = (
        (any::<char>(), text(), text(), text(), tag(), tag()),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 0..40),
        any::<[u8; 4]>(),
    );
    let lists = (
        prop::collection::vec(tag(), 0..4),
        prop::collection::vec(text(), 0..4),
        prop::collection::vec(whole!(i128), 0..4),
        prop::collection::vec(prop::collection::vec(text(), 0..3), 0..3),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..3),
        prop::collection::btree_map(text(), whole!(i64), 0..4),
        prop::collection::hash_map(text(), prop::collection::vec(text(), 0..3), 0..4),
        free(),
    );
    let times = (
        (time(), whole!(i64), whole!(u64), -200_000..200_000i32, any::<u128>(), any::<u128>()),
        prop::option::of((-180.0..=180.0f64, -85.05..=85.05f64)),
        prop::option::of(shape()),
        (prop::array::uniform3(single()), prop::array::uniform2(-65_000.0..65_000.0f32)),
    );
    let rest = (
        (sort(), prop::collection::vec(sort(), 0..3), prop::option::of(sort())),
        (text(), whole!(i64)),
        prop::option::of(text()),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..9)),
        prop::option::of(whole!(i64)),
        inner(),
        prop::option::of(inner()),
    );
    (numbers, texts, lists, times, rest).prop_map(|(numbers, texts, lists, times, rest)| {
        let ((i8s, i16s, i32s, i64s, i128s), unsigned, others, truths) = numbers;
        let (u8s, u16s, u32s, u64s, u128s) = unsigned;
        let (tagged_number, indexed_number, f32s, f64s) = others;
        let ((letter, text, boxed, shared, tag, id), bytes, more_bytes, four_bytes) = texts;
        let (tags, texts, numbers, lists, byte_list, map, hash_map, free) = lists;
        let ((time, utc, span, days, ulid, uuid), point, shape, (vector, halves)) = times;
        let (
            (sort, sorts, maybe_sort),
            (mail, cents),
            maybe_text,
            maybe_bytes,
            maybe_number,
            inner,
            maybe_inner,
        ) = rest;
        AsHash {
            id,
            truth: truths.0,
            tagged_truth: truths.1,
            i8s,
            i16s,
            i32s,
            i64s,
            i128s,
            u8s,
            u16s,
            u32s,
            u64s,
            u128s,
            tagged_number,
            indexed_number,
            f32s,
            f64s,
            letter,
            text,
            boxed: boxed.into(),
            shared: shared.into(),
            tag,
            bytes,
            more_bytes: more_bytes.into(),
            four_bytes,
            tags,
            texts,
            numbers,
            lists,
            byte_list,
            map,
            hash_map,
            free: Json(free),
            time,
            utc: DateTime::from_timestamp_nanos(utc),
            span: Duration::from_nanos(span),
            date: NaiveDate::from_epoch_days(days).unwrap(),
            ulid: Ulid(ulid),
            uuid: Uuid::from_u128(uuid),
            point: point.map(|(x, y)| GeoPoint::new(x, y).unwrap()),
            shape,
            vector: vector.into(),
            halves: halves.map(f16::from_f32).into(),
            sort,
            sorts,
            mail: Mail(mail),
            cents: Cents(cents),
            maybe_text,
            maybe_bytes,
            maybe_number,
            maybe_sort,
            inner,
            maybe_inner,
        }
    })
}

macro_rules! as_json {
    ($from:expr, $inners:expr; $($field:ident)+) => {{
        let from = $from;
        AsJson { inners: $inners, $($field: from.$field),+ }
    }};
}

fn json_of(from: AsHash) -> AsJson {
    let inners = from.maybe_inner.iter().chain([&from.inner]).cloned().collect();
    as_json!(from, inners;
        id truth tagged_truth i8s i16s i32s i64s i128s u8s u16s u32s u64s u128s tagged_number
        indexed_number f32s f64s letter text boxed shared tag bytes more_bytes four_bytes tags
        texts numbers lists byte_list map hash_map free time utc span date ulid uuid point shape
        vector halves sort sorts mail cents maybe_text maybe_bytes maybe_number maybe_sort inner
        maybe_inner)
}

/// "RedisJSON reads doubles with a rounding error of its own […] one in 400 of the doubles with 16
/// digits or more […] come back with another last bit."
fn next_to(read: f64, written: f64) -> bool {
    read == written || read.next_up() == written || read.next_down() == written
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn any_model_comes_back_equal() {
    let server = Server::shared().unwrap();
    let runtime = runtime();
    let (hashes, jsons) = runtime.block_on(async {
        let mut hashes: Vec<Repository<AsHash>> = Vec::new();
        let mut jsons: Vec<Repository<AsJson>> = Vec::new();
        for protocol in [2, 3] {
            hashes.push(on(server, protocol).await);
            jsons.push(on(server, protocol).await);
            hashes[hashes.len() - 1].index().sync().await.unwrap();
            jsons[jsons.len() - 1].index().sync().await.unwrap();
        }
        (hashes, jsons)
    });
    let mut runner =
        TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&model(), |model| {
        runtime.block_on(async {
            for hashes in &hashes {
                hashes.save(&model).await.unwrap();
                let read = hashes.get(&model.id).await.unwrap().unwrap();
                prop_assert_eq!(read.f64s.to_bits(), model.f64s.to_bits());
                prop_assert_eq!(read.f32s.to_bits(), model.f32s.to_bits());
                prop_assert_eq!(&read, &model);
            }
            let model = json_of(model);
            for jsons in &jsons {
                jsons.save(&model).await.unwrap();
                let mut read = jsons.get(&model.id).await.unwrap().unwrap();
                prop_assert!(next_to(read.f64s, model.f64s), "{} is now {}", model.f64s, read.f64s);
                read.f64s = model.f64s;
                prop_assert_eq!(&read, &model);
            }
            Ok(())
        })
    });
    outcome.unwrap();
    // And the server could index every one of them.
    runtime.block_on(async {
        for hashes in &hashes {
            hashes.index().wait().await.unwrap();
            assert_eq!(hashes.index().failures().await.unwrap().count, 0);
        }
        for jsons in &jsons {
            jsons.index().wait().await.unwrap();
            assert_eq!(jsons.index().failures().await.unwrap().count, 0);
        }
    });
}

crate::each_storage! {
    async fn every_byte_and_huge_text_survive() {
        crate::common::everywhere(async |alerts: Repository<Alert>| {
            let all: String = (0..=0x7f).map(char::from).collect();
            for text in [all.clone(), all.repeat(40_000), "ü".repeat(1 << 20), String::new()] {
                let written = Alert { label: Some(text.clone()), version: 1, ..alert("a", &text) };
                let _ = alerts.delete(&"a".to_owned()).await.unwrap();
                alerts.save(&written).await.unwrap();
                assert!(alerts.get(&"a".to_owned()).await.unwrap() == Some(written), "{}", text.len());
            }
        })
        .await;
    }

    async fn every_punctuation_is_a_tag_of_its_own() {
        let server = Server::shared().unwrap();
        for protocol in [2, 3] {
            let coins: Repository<Coin> = on(server, protocol).await;
            let coins = coins.with_namespace(namespace(server));
            coins.index().sync().await.unwrap();
            let marks: Vec<char> =
                (b'!'..=b'~').map(char::from).filter(char::is_ascii_punctuation).collect();
            assert_eq!(marks.len(), 32);
            let all: Vec<Coin> = (0..)
                .zip(&marks)
                .map(|(id, mark)| Coin {
                    id,
                    kind: format!("{mark}a{mark}{mark} b{mark}"),
                    parts: vec![mark.to_string(), format!("x{mark}y z")],
                    weight: 0.0,
                })
                .collect();
            coins.save_all(&all).await.unwrap();
            coins.index().wait().await.unwrap();
            for coin in &all {
                assert_eq!(coins.get(&coin.id).await.unwrap().as_ref(), Some(coin));
                let found = coins.find(|m| m.kind.eq(&coin.kind)).ids().await.unwrap();
                assert_eq!(found, [coin.id], "{}", coin.kind);
                for part in &coin.parts {
                    let found = coins.find(|m| m.parts.has(part)).ids().await.unwrap();
                    assert_eq!(found, [coin.id], "{part}");
                }
            }
        }
    }

    async fn tags_that_the_index_would_change_are_refused() {
        crate::common::everywhere(async |coins: Repository<Coin>| {
            for kind in ["a\0b", " a", "a ", "\ta", "a\n", "a\u{1f}b"] {
                let coin = Coin { id: 1, kind: kind.into(), ..Coin::default() };
                let error = coins.save(&coin).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("kind")), "{kind:?}");
            }
            assert!(!coins.exists(&1).await.unwrap());
        })
        .await;
    }
}
