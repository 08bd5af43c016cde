//! What an application makes of its models: secrets among the values of documents, filters, entries.

use std::time::Duration;

use alizarin::CacheConfig;
use alizarin::migrate::{Migration, Migrations};
use alizarin::model::{DocumentWriter, Storage};
use alizarin::prelude::*;
use alizarin::query::raw;
use alizarin::repository::Changes;
use alizarin::streams::StreamSource as _;
use alizarin::vectors::attribute;
use alizarin_samples::{Facts, Temperature};
use alizarin_testkit::Server;

use crate::shown::{SECRET, Shown};

/// Something that knows a secret.
#[derive(Debug, Clone, RedisModel)]
#[redis(json, prefix = "safe", index, events)]
struct Safe {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    word: String,
    #[redis(text)]
    text: String,
    #[redis(numeric, sortable)]
    count: i64,
    #[redis(vector(flat, l2))]
    at: Vector<f32, 2>,
    #[redis(version)]
    version: u64,
}

/// The same in a hash.
#[derive(Debug, Clone, RedisModel)]
#[redis(hash, prefix = "plain_safe")]
struct PlainSafe {
    #[redis(id)]
    id: u32,
    #[redis(unique)]
    word: String,
}

#[derive(Debug, RedisRow)]
#[expect(dead_code, reason = "no row is read")]
struct Row {
    word: String,
    count: u64,
}

/// An entry of a stream.
#[derive(Debug, RedisNested)]
struct Note {
    word: String,
}

fn safe() -> Safe {
    Safe {
        id: 1,
        word: SECRET.into(),
        text: SECRET.into(),
        count: 1,
        at: [1.0, 2.0].into(),
        version: 0,
    }
}

/// Looks at all that is made of a client whose server has a password.
pub(crate) async fn visit(shown: &mut Shown) {
    let server = Server::builder().password(SECRET).start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let things: Repository<Safe> = client.repository();
    things.index().sync().await.unwrap();
    shown.look(&things);
    documents(shown, &things).await;
    queries(shown, &things);
    others(shown, &client);
    migrations(shown, &client).await;
    let plain: Repository<PlainSafe> = client.repository();
    plain.save(&PlainSafe { id: 1, word: SECRET.into() }).await.unwrap();
    shown.error(&plain.insert(&PlainSafe { id: 2, word: SECRET.into() }).await.unwrap_err());
}

async fn documents(shown: &mut Shown, things: &Repository<Safe>) {
    let (client, thing) = (things.client(), safe());
    shown.look(&things.save(&thing));
    things.save(&thing).await.unwrap();
    shown.error(&things.insert(&thing).await.unwrap_err());
    shown.error(&things.save(&thing).if_version(9).await.unwrap_err());
    shown.look(&things.set(&1, |t| t.word.to(SECRET)));
    shown.look(&things.set(&1, |t| t.word.to(SECRET)).returning(|t| t.word));
    shown.look(&things.upsert(&thing, |t| t.word.to(SECRET)));
    shown.look(&things.get(&1));
    shown.look(&things.delete(&1));
    shown.look(&things.delete(&1).report());
    shown.look(&things.ttl(&1));
    shown.look(&things.expire(&1, Duration::from_secs(9)));
    shown.look(&things.persist(&1));
    let mut all = (things.scan(), things.scan_ids());
    shown.look(&all.0);
    all.0.next().await.unwrap().unwrap();
    all.1.next().await.unwrap().unwrap();
    shown.look(&all.0);
    shown.look(&all.1);
    shown.look(&things.lock(&1).await.unwrap());
    let mut changes = Changes::<Safe>::new();
    changes.push(|t| t.word.to(SECRET)).unwrap();
    shown.look(&changes);
    shown.look(&things.changes());
    shown.look(&things.changes().await.unwrap());
    let cache = client.cache(CacheConfig::new()).await.unwrap();
    let cached = things.cached(&cache);
    cached.get(&1).await.unwrap();
    shown.look(&cached);
    shown.look(&cached.get(&1));
    let mut tx = client.begin();
    tx.push(things.save(&thing));
    tx.push(alizarin::commands::set("{safe:1}k", SECRET));
    shown.look(&tx);
    shown.look(&tx.commit());
    let wrong = [Safe { at: [f32::NAN, 1.0].into(), ..thing.clone() }];
    shown.look(&things.save_all(&wrong).report());
    let report = things.save_all(&wrong).report().await.unwrap();
    shown.look(&report);
    shown.look(&report.failures[0]);
    shown.look(&alizarin::repository::Item::Failed(&report.failures[0].error));
    for storage in [Storage::Hash, Storage::Json] {
        let mut writer = DocumentWriter::new(storage);
        alizarin::model::Document::write(&thing, &mut writer).unwrap();
        shown.look(&writer);
    }
}

fn queries(shown: &mut Shown, things: &Repository<Safe>) {
    shown.look(&things.index().adopt("old"));
    let filter = || things.find(|t| t.word.eq(SECRET) & t.text.matches(SECRET));
    shown.look(&filter());
    shown.look(&filter().stream().unwrap());
    shown.look(&things.find(|_| raw("@word:{$word}").param("word", SECRET)));
    shown.look(&things.nearest(1, |t| t.at.to([1.0, 2.0])).filter(|t| t.word.eq(SECRET)));
    shown.look(&things.delete_where(|t| t.word.eq(SECRET)));
    shown.look(&things.set_where(|t| t.word.eq(SECRET), |t| t.text.to(SECRET)));
    let groups = || things.aggregate(|t| t.word.eq(SECRET)).group_by(|t| t.word);
    shown.look(&groups());
    shown.look(&count::<Safe>());
    shown.look(&groups().reduce(|_| count()));
    shown.look(&groups().reduce(|_| count()).rows::<Row>());
}

fn others(shown: &mut Shown, client: &Client) {
    let series = client.series::<Temperature>();
    shown.look(&series);
    let across = |city: &'static str| series.across(move |l| l.city.eq(city));
    shown.look(&across(SECRET));
    shown.look(&across("hunter2()"));
    let labels = alizarin::series::SeriesLabel::<()>::new("city");
    shown.look(&labels.eq(SECRET));
    let here = Temperature::new("Oslo", 1, 9.0).labels();
    shown.look(&series.range(&here, ..));
    shown.look(&series.range(&here, ..).models());
    let notes = client.stream::<Note>("notes");
    shown.look(&notes);
    let note = Note { word: SECRET.into() };
    shown.look(&notes.add(&note));
    shown.look(&notes.range());
    let group = notes.group("readers");
    shown.look(&group);
    shown.look(&group.create());
    let reader = group.consumer("one");
    shown.look(&reader);
    shown.look(&reader.read());
    shown.look(&reader.claim(Duration::ZERO));
    let posters = client.vector_set::<u32, Facts>("posters");
    shown.look(&posters);
    let facts = Facts::new(1990, SECRET, SECRET);
    shown.look(&posters.add(&1, &[1.0, 2.0]).attributes(&facts));
    let filter = || attribute::<String>("style").eq(SECRET) & (attribute::<i32>("year") - 9).gt(1);
    shown.look(&filter());
    shown.look(&(attribute::<i32>("year") - 9));
    shown.look(&posters.similar_to(&[1.0, 2.0]).matching(filter()));
}

async fn migrations(shown: &mut Shown, client: &Client) {
    let step =
        || Migration::new(1, "note").step(async |client| client.set("k", SECRET).await.map(drop));
    shown.look(&step());
    shown.look(&Migration::new(1, "note"));
    let failing = Migration::new(2, "auth")
        .step(async |client| client.command("AUTH").arg("hunter22").exec().await);
    let all = Migrations::new(client).add(failing);
    shown.error(&all.apply().await.unwrap_err());
    let all = Migrations::new(client).add(step());
    shown.look(&all);
    shown.look(&all.apply());
    shown.look(&all.apply().await.unwrap());
    shown.look(&all.status().await.unwrap()[0]);
}
