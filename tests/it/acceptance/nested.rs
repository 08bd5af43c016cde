//! Fields of structs inside structs.

use alizarin::prelude::*;

use super::{Address, Note, both_storages, finds};
use crate::common::everywhere;

fn address(city: &str, zip: u32, description: Option<&str>) -> Address {
    let note =
        description.map(|description| Note { description: description.into(), ..Note::default() });
    Address { city: city.into(), zip, note }
}

both_storages! {
    async fn two_structs_of_one_type_do_not_mix() {
        let all = several(4, |number, member| {
            let cities = ["Bonn", "Rome", "Bonn", "Oslo"];
            let at = number as usize;
            member.home = address(cities[at], number, Some("by the river"));
            member.work = (number != 1).then(|| address(cities[3 - at], number * 10, None));
        });
        with(&all, async |members| {
            finds!(members, |m| m.home.city.eq("Bonn"), [0, 2]);
            finds!(members, |m| m.work.city.eq("Bonn"), [3]);
            finds!(members, |m| m.home.city.eq("Bonn") & m.work.city.eq("Rome"), [2]);
            finds!(members, |m| m.work.zip.ge(20), [2, 3]);
            finds!(members, |m| m.home.zip.ge(2), [2, 3]);
            finds!(members, |m| !m.work.city.eq("Oslo"), [1, 2, 3]);
            let found = members.find(|m| m.home.zip.le(2)).sort_by(|m| m.work.zip.desc());
            // The one without comes last, whichever way.
            assert_eq!(found.ids().await.unwrap(), [2, 0, 1]);
            for want in &all {
                assert_eq!(members.get(&want.number).await.unwrap().as_ref(), Some(want));
            }
        })
        .await;
    }

    async fn fields_two_structs_deep_are_found() {
        let all = several(3, |number, member| {
            let what = ["old stone bridge", "new bridge", "harbour"][number as usize];
            member.home = address("x", 1, Some(what));
            member.work = Some(address("y", 2, (number == 2).then_some("stone steps")));
        });
        with(&all, async |members| {
            finds!(members, |m| m.home.note.description.matches("bridges"), [0, 1]);
            finds!(members, |m| m.home.note.description.phrase("stone bridge"), [0]);
            finds!(members, |m| m.work.note.description.matches("stone"), [2]);
            finds!(
                members,
                |m| m.home.note.description.matches("stone") | m.work.note.description.matches("step"),
                [0, 2]
            );
            members.set(&1, |m| m.home.note.description.to("stone wall")).await.unwrap();
            finds!(members, |m| m.home.note.description.matches("stone"), [0, 1]);
        })
        .await;
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "cart", index)]
struct Cart {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    orders: Vec<Order>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Order {
    #[redis(tag)]
    code: String,
    #[redis(nested)]
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Item {
    #[redis(tag)]
    name: String,
    #[redis(numeric)]
    price: f64,
    #[redis(text)]
    words: Option<String>,
}

#[tokio::test]
async fn lists_of_structs_in_lists_of_structs_are_found() {
    let item = |name: &str, price| Item {
        name: name.into(),
        price,
        words: (price > 4.0).then(|| format!("fine {name}s")),
    };
    let order = |code: &str, items: &[Item]| Order { code: code.into(), items: items.to_vec() };
    let all = [
        Cart { id: 0, orders: vec![] },
        Cart { id: 1, orders: vec![order("a", &[item("cup", 3.5), item("pot", 9.0)])] },
        Cart { id: 2, orders: vec![order("a", &[]), order("b", &[item("cup", 4.5)])] },
        Cart { id: 3, orders: vec![order("c, d", &[item("jug", 0.25)])] },
    ];
    everywhere(async |carts: Repository<Cart>| {
        carts.index().sync().await.unwrap();
        carts.save_all(&all).await.unwrap();
        carts.index().wait().await.unwrap();
        finds!(carts, |m| m.orders.code.eq("a"), [1, 2]);
        finds!(carts, |m| m.orders.code.eq("c, d"), [3]);
        finds!(carts, |m| m.orders.items.name.eq("cup"), [1, 2]);
        finds!(carts, |m| m.orders.items.name.eq("pot") | m.orders.items.price.lt(1), [1, 3]);
        finds!(carts, |m| m.orders.items.price.gt(4), [1, 2]);
        finds!(carts, |m| m.orders.items.words.matches("pot"), [1]);
        finds!(carts, |m| !m.orders.items.name.eq("cup"), [0, 3]);
        for want in &all {
            assert_eq!(carts.get(&want.id).await.unwrap().as_ref(), Some(want));
        }
    })
    .await;
}

#[derive(Debug, Clone, PartialEq, Default, RedisModel)]
#[redis(hash, prefix = "chest")]
struct Chest {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    drawer: Drawer,
}

#[derive(Debug, Clone, PartialEq, Default, RedisNested)]
struct Drawer {
    label: Option<String>,
    #[redis(nested)]
    lock: Option<Lock>,
}

#[derive(Debug, Clone, PartialEq, Default, RedisNested)]
struct Lock {
    code: u32,
}

#[tokio::test]
async fn a_struct_that_loses_the_last_struct_in_it_stays() {
    everywhere(async |chests: Repository<Chest>| {
        let drawer = Drawer { label: None, lock: Some(Lock { code: 7 }) };
        let full = Chest { id: 1, drawer: drawer.clone() };
        chests.save(&full).await.unwrap();
        chests.set(&1, |c| c.drawer.lock.clear()).await.unwrap();
        let empty = Chest { id: 1, ..Chest::default() };
        assert_eq!(chests.get(&1).await.unwrap(), Some(empty));
        chests.set(&1, |c| c.drawer.lock.to_value(drawer.lock.clone())).await.unwrap();
        assert_eq!(chests.get(&1).await.unwrap(), Some(full.clone()));
    })
    .await;
}
