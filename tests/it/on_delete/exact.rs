//! Whom references mean, in both storages at once.

use alizarin::prelude::*;
use alizarin_testkit::Server;

use super::elsewhere;
use crate::common::on;

/// Referred to from both storages.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "country")]
struct Country {
    #[redis(id)]
    code: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "visit", index)]
struct Visit {
    #[redis(id)]
    id: u32,
    #[redis(tag, on_delete = "cascade")]
    country: Ref<Country>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "passport", index)]
struct Passport {
    #[redis(id)]
    id: u32,
    #[redis(tag, on_delete = "unset")]
    country: Option<Ref<Country>>,
    #[redis(tag, on_delete = "unset")]
    stamps: Vec<Ref<Country>>,
}

#[tokio::test]
async fn ids_are_compared_exactly_in_both_storages() {
    let codes = ["at", "AT", "a\"b", "ü:1", "a b", "x,y", "\\", "{z}*"];
    let country = |code: &str| Ref::<Country>::new(code.to_owned());
    let countries = on::<Country>(Server::shared().unwrap(), 2).await;
    let countries = countries.referred_by::<(Visit, Passport)>();
    let (client, space) = (countries.client(), countries.namespace());
    let visits = client.repository::<Visit>().with_namespace(space);
    let passports = client.repository::<Passport>().with_namespace(space);
    visits.index().sync().await.unwrap();
    passports.index().sync().await.unwrap();
    for (id, code) in (1..).zip(codes) {
        countries.save(&Country { code: code.to_owned() }).await.unwrap();
        visits.save(&Visit { id, country: country(code) }).await.unwrap();
        let stamps = codes.iter().map(|code| country(code)).collect();
        passports.save(&Passport { id, country: Some(country(code)), stamps }).await.unwrap();
    }
    // An index takes this for "at": spaces around a tag are nothing to it.
    let spaces = ["HSET", &passports.key(&99), "id", "99", "country", " at", "stamps", ""];
    elsewhere(&spaces.map(str::to_owned));
    visits.index().wait().await.unwrap();
    passports.index().wait().await.unwrap();
    assert_eq!(passports.find(|p| p.country.eq("at".to_owned())).count().await.unwrap(), 2);
    for (at, code) in codes.into_iter().enumerate() {
        let id = at as u32 + 1;
        let done = countries.delete(&code.to_owned()).report().await.unwrap();
        assert_eq!(done.deleted, [visits.key(&id)], "{code}");
        assert_eq!(done.unset.len(), codes.len(), "{code}: each has a stamp of it");
        for (other, passport) in
            (1..).zip(passports.get_many(&[1, 2, 3, 4, 5, 6, 7, 8]).await.unwrap())
        {
            let passport = passport.unwrap();
            assert_eq!(passport.country.is_none(), other <= id, "{code}");
            let left: Vec<_> = codes[at + 1..].iter().map(|code| country(code)).collect();
            assert_eq!(passport.stamps, left, "{code}");
        }
    }
    let apart = passports.get(&99).await.unwrap().unwrap();
    assert_eq!(apart.country, Some(country(" at")));
}
