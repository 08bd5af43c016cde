//! Vectors, and places: what is near, what is absent, and what is not what it should be.

use alizarin::Value;
use alizarin::prelude::*;
use half::{bf16, f16};

use super::{Address, Note, both_storages, finds};
use crate::common::everywhere;

macro_rules! exact {
    ($($name:ident $storage:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "exact", index)]
        struct $name {
            #[redis(id, numeric)]
            id: u32,
            #[redis(vector(flat, l2))]
            single: Vector<f32, 8>,
            double: Vector<f64, 6>,
            half: Vector<f16, 3>,
            brain: Option<Vector<bf16, 3>>,
        }
    )+};
}

exact!(ExactHash hash; ExactJson json;);

macro_rules! bits {
    ($model:ident) => {
        everywhere(async |all: Repository<$model>| {
            all.index().sync().await.unwrap();
            let tiny = f32::from_bits(1);
            let wanted = $model {
                id: 1,
                single: [
                    0.1,
                    -0.0,
                    tiny,
                    f32::MIN_POSITIVE,
                    f32::MAX,
                    f32::MIN,
                    1e-7,
                    16_777_217.0,
                ]
                .into(),
                double: [0.1, -0.0, 1.5, f64::from(f32::MAX), 1e15, -2.5e-10].into(),
                half: [f16::MIN, f16::from_bits(1), f16::from_f32(0.1)].into(),
                brain: Some([bf16::MAX, bf16::from_bits(1), bf16::NEG_ONE].into()),
            };
            all.save(&wanted).await.unwrap();
            all.index().wait().await.unwrap();
            for found in
                [all.get(&1).await.unwrap().unwrap(), all.find(|m| m.id.eq(1)).one().await.unwrap()]
            {
                // Equality would take -0.0 for 0.0.
                assert_eq!(found.single.to_le_bytes(), wanted.single.to_le_bytes());
                assert_eq!(found.double.to_le_bytes(), wanted.double.to_le_bytes());
                assert_eq!(found.half.to_le_bytes(), wanted.half.to_le_bytes());
                let brain = |model: &$model| model.brain.as_ref().map(Vector::to_le_bytes);
                assert_eq!(brain(&found), brain(&wanted));
            }
        })
        .await
    };
}

#[tokio::test]
async fn vectors_come_back_bit_by_bit() {
    bits!(ExactHash);
    bits!(ExactJson);
}

macro_rules! other_length {
    ($model:ident, $spoil:expr, $expected:literal) => {
        everywhere(async |all: Repository<$model>| {
            all.index().sync().await.unwrap();
            let good = $model {
                id: 1,
                single: Vector::default(),
                double: Vector::default(),
                half: Vector::default(),
                brain: None,
            };
            all.save(&good).await.unwrap();
            let (client, key) = (all.client(), all.key(&1));
            let spoil: fn(&Client, &str) -> alizarin::Command<Value> = $spoil;
            client.run(spoil(client, &key)).await.unwrap();
            all.index().wait().await.unwrap();
            for error in [
                all.get(&1).await.unwrap_err(),
                all.get_many(&[1]).await.unwrap_err(),
                all.find(|m| m.id.eq(1)).all().await.unwrap_err(),
                all.find(|m| m.id.eq(1)).stream().unwrap().next().await.unwrap().unwrap_err(),
                all.update(&1, |model| model.id = 1).await.unwrap_err(),
                all.scan().next().await.unwrap().unwrap_err(),
            ] {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("double")));
                assert!(error.message().contains($expected), "{error}");
                assert!(error.message().contains(&key), "{error}");
            }
        })
        .await
    };
}

#[tokio::test]
async fn a_vector_of_another_length_is_named_with_both_lengths() {
    other_length!(
        ExactHash,
        |_, key| alizarin::Command::new("HSET").key(key).arg(("double", "twelve bytes")),
        "expected 6 elements of FLOAT64, 48 bytes, got 12 bytes"
    );
    other_length!(
        ExactJson,
        |_, key| alizarin::Command::new("JSON.SET").key(key).arg(("$.double", "[1,2]")),
        "expected a list of 6 numbers, got 2 of them"
    );
}

both_storages! {
    async fn a_vector_that_the_index_refuses_is_counted_and_told_when_it_is_read() {
        let all = several(2, |_, member| {
            let mood = Some(Vector::from([1.0, 0.0]));
            member.home.note = Some(Note { mood, ..Note::default() });
        });
        with(&all, async |members| {
            let (client, key) = (members.client(), members.key(&1));
            let (name, field, value) = match STORAGE {
                "hash" => ("HSET", "home.note.mood", "0123456789ab"),
                _ => ("JSON.SET", "$.home.note.mood", "[1,2,3]"),
            };
            let _: Value = client.command(name).arg((&key, field, value)).await.unwrap();
            members.index().wait().await.unwrap();
            finds!(members, |m| m.number.ge(0), [0]);
            let failures = members.index().failures().await.unwrap();
            assert_eq!((failures.count, failures.last_key.as_deref()), (1, Some(key.as_str())));
            let near = members.nearest(5, |m| m.home.note.mood.to([1.0, 0.0])).await.unwrap();
            assert!(near.iter().map(|hit| hit.number).eq([0]));
            for error in
                [members.get(&1).await.unwrap_err(), members.get_many(&[0, 1]).await.unwrap_err()]
            {
                let (kind, at) = (error.kind(), error.field());
                assert_eq!((kind, at), (ErrorKind::Decode, Some("home.note.mood")), "{error}");
                let lengths = match STORAGE {
                    "hash" => "expected 2 elements of FLOAT32, 8 bytes, got 12 bytes",
                    _ => "expected a list of 2 numbers, got 3 of them",
                };
                assert!(error.message().contains(lengths), "{error}");
            }
        })
        .await;
    }

    async fn nearest_looks_inside_structs_and_only_where_it_may() {
        let mood = |x: f32| Some(Note { mood: Some(Vector::from([x, 0.0])), ..Note::default() });
        let all = several(10, |number, member| {
            member.name = ["Ann", "Bob"][number as usize % 2].into();
            member.age = number;
            member.home.note = (number != 4).then(|| mood(number as f32)).flatten();
            let work = Address { city: "w".into(), zip: 0, note: mood(9.0 - number as f32) };
            member.work = (number > 5).then_some(work);
        });
        with(&all, async |members| {
            let near = members.nearest(3, |m| m.home.note.mood.to([4.2, 0.0])).all().await.unwrap();
            let found: Vec<u32> = near.iter().map(|hit| hit.number).collect();
            assert_eq!(found, [5, 3, 6]);
            assert!((near[0].distance - 0.64).abs() < 1e-4, "{}", near[0].distance);
            assert_eq!(near[0].item, all[5]);
            let near = members.nearest(9, |m| m.work.note.mood.to([0.0, 0.0])).all().await.unwrap();
            assert!(near.iter().map(|hit| hit.number).eq([9, 8, 7, 6]));
            // The whole condition stands before the arrow.
            let near = members
                .nearest(2, |m| m.home.note.mood.to([0.0, 0.0]))
                .filter(|m| m.age.gt(7) | m.name.eq("Bob") & m.age.gt(4))
                .await
                .unwrap();
            assert!(near.iter().map(|hit| hit.number).eq([5, 7]));
            let near = members
                .nearest(2, |m| m.home.note.mood.to([0.0, 0.0]))
                .filter(|m| !(m.name.eq("Ann") | m.age.lt(3)))
                .filter(|m| m.age.ne(5))
                .await
                .unwrap();
            assert!(near.iter().map(|hit| hit.number).eq([3, 7]));
        })
        .await;
    }

    async fn places_inside_outside_absent_and_with_other_conditions() {
        let portland = GeoPoint::new(-122.681_5, 45.526_6).unwrap();
        let places = [
            Some(portland),
            Some(GeoPoint::new(-122.6, 45.5).unwrap()),
            Some(GeoPoint::new(-74.0, 40.7).unwrap()),
            None,
            Some(GeoPoint::new(180.0, -85.0).unwrap()),
        ];
        let all = several(5, |number, member| {
            member.place = places[number as usize];
            member.active = number > 0;
        });
        with(&all, async |members| {
            let near = |km: u32| move |m: MemberFields| {
                m.place.within_radius(portland, km, Unit::Kilometers)
            };
            finds!(members, near(1), [0]);
            finds!(members, near(10), [0, 1]);
            finds!(members, near(10_000), [0, 1, 2]);
            finds!(members, |m| near(10)(m) & m.active.eq(true), [1]);
            finds!(members, |m| !near(10)(m), [2, 3, 4]);
            finds!(members, |m| !near(10)(m) & m.number.lt(3), [2]);
            for want in &all {
                assert_eq!(members.get(&want.number).await.unwrap().as_ref(), Some(want));
            }
            // It moves, and it goes away.
            members.set(&2, |m| m.place.to(portland)).await.unwrap();
            members.set(&0, |m| m.place.clear()).await.unwrap();
            finds!(members, near(1), [2]);
        })
        .await;
    }
}
