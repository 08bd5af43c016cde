//! Nested structs without values: other mappers store nothing for them in a hash.

use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::on;

macro_rules! layouts {
    ($($module:ident, $layout:literal, [$id:literal, $city:literal, $inner:literal];)+) => {$(
        mod $module {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisNested)]
            #[redis(layout = $layout)]
            struct Street {
                name: Option<String>,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisNested)]
            #[redis(layout = $layout)]
            struct Address {
                city: Option<String>,
                #[redis(nested)]
                street: Street,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis(hash, layout = $layout, prefix = "House")]
            struct House {
                #[redis(id)]
                id: u32,
                #[redis(nested)]
                address: Address,
                #[redis(nested)]
                former: Option<Address>,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis(json, layout = $layout, prefix = "Hut")]
            struct Hut {
                #[redis(id)]
                id: u32,
                #[redis(nested)]
                address: Address,
                #[redis(nested)]
                former: Option<Address>,
            }

            /// The names of all fields but the class's.
            async fn fields(houses: &Repository<House>) -> Vec<String> {
                let names = houses.client().command::<Vec<String>>("HKEYS").key(houses.key(&1));
                let mut names = names.await.unwrap();
                names.retain(|name| name != "_class");
                names
            }

            #[tokio::test]
            async fn a_hash_holds_nothing_of_them() {
                let houses = on::<House>(Server::shared().unwrap(), 3).await;
                let empty = House { id: 1, address: Address::default(), former: None };
                let some = House { former: Some(Address::default()), ..empty.clone() };
                houses.save(&some).await.unwrap();
                assert_eq!(fields(&houses).await, [$id]);
                assert_eq!(houses.get(&1).await.unwrap(), Some(empty.clone()));

                // A whole document that loses them, fields that are the last of theirs, and structs.
                let city = Some("Ulm".to_owned());
                let street = Street { name: Some("Hof".to_owned()) };
                let full = Address { city: city.clone(), street };
                let house = House { id: 1, address: full.clone(), former: Some(full) };
                houses.save(&house).await.unwrap();
                assert_eq!(houses.get(&1).await.unwrap(), Some(house.clone()));
                houses.save(&some).await.unwrap();
                assert_eq!(fields(&houses).await, [$id]);
                houses.save(&house).await.unwrap();
                houses.set(&1, |h| (h.address.street.name.clear(), h.former.clear())).await.unwrap();
                assert_eq!(fields(&houses).await, [$id, $city]);
                houses.set(&1, |h| h.address.city.clear()).await.unwrap();
                assert_eq!(fields(&houses).await, [$id]);
                assert_eq!(houses.get(&1).await.unwrap(), Some(empty.clone()));
                houses.save(&house).await.unwrap();
                let none = Address::default;
                let set = houses.set(&1, |h| (h.address.to_value(none()), h.former.to_value(Some(none()))));
                set.await.unwrap();
                assert_eq!(fields(&houses).await, [$id]);
                // There is no struct to set a field of, so far.
                let refused = houses.set(&1, |h| h.address.city.to("Ulm")).await.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
                houses.update(&1, |house| house.address.city = city.clone()).await.unwrap();
                assert_eq!(fields(&houses).await, [$id, $city]);
                let street = houses.set(&1, |h| h.address.street.to_value(Street::default()));
                street.await.unwrap();
                let known = House { address: Address { city, ..none() }, ..empty };
                assert_eq!(houses.get(&1).await.unwrap(), Some(known));
                assert_eq!(fields(&houses).await, [$id, $city]);
            }

            #[tokio::test]
            async fn json_tells_them_from_none() {
                let huts = on::<Hut>(Server::shared().unwrap(), 3).await;
                let some = Hut { id: 1, address: Address::default(), former: Some(Address::default()) };
                huts.save(&some).await.unwrap();
                assert_eq!(huts.get(&1).await.unwrap(), Some(some));
                let text: String = huts.client().command("JSON.GET").key(huts.key(&1)).await.unwrap();
                let one = concat!("{\"", $inner, "\":{}}");
                assert_eq!(text.matches(one).count(), 2, "{text}");
            }
        }
    )+};
}

layouts! {
    dotnet, "redis-om-dotnet", ["Id", "Address.City", "Street"];
    spring, "redis-om-spring", ["id", "address.city", "street"];
}
