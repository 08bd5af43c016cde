//! What every client is asked for, and the types it is decoded into.

use std::borrow::Cow;

use alizarin::RedisModel;
use alizarin_testkit::Server;
use serde::Deserialize;

use crate::Failure;

/// A hash of 20 fields: 10 texts, 10 numbers.
#[derive(Debug, Clone, PartialEq, Default, RedisModel, Deserialize)]
#[redis(hash, prefix = "profile", index = "profiles")]
pub struct Profile {
    #[redis(id)]
    pub id: String,
    #[redis(tag)]
    pub email: String,
    #[redis(text)]
    pub first_name: String,
    #[redis(text)]
    pub last_name: String,
    #[redis(tag)]
    pub country: String,
    pub city: String,
    pub street: String,
    pub phone: String,
    pub company: String,
    pub about: String,
    #[redis(numeric, sortable)]
    pub age: u32,
    pub height: u32,
    pub logins: u64,
    pub created: i64,
    pub updated: i64,
    pub balance: i64,
    pub score: f64,
    pub ratio: f64,
    pub level: u32,
    pub rank: u32,
}

/// A JSON document of about 2 KiB.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize)]
pub struct Order {
    pub id: u64,
    pub customer: String,
    pub address: String,
    pub lines: Vec<Line>,
}

/// One of its lines.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize)]
pub struct Line {
    pub article: String,
    pub name: String,
    pub count: u32,
    pub price: f64,
}

/// How many profiles there are.
pub const PROFILES: usize = 1_000;
/// How many keys of each size are read and written in turn.
pub const KEYS: usize = 1_000;
/// How many elements the list and the sorted set have.
pub const ELEMENTS: usize = 10_000;
/// How many vectors are searched.
pub const VECTORS: usize = 2_000;
/// Their dimension.
pub const DIMENSION: usize = 64;

/// The value sizes of GET and SET.
pub const SIZES: [usize; 6] = [16, 100, 4 << 10, 64 << 10, 1 << 20, 10 << 20];

/// The key number `n` of values of `size` bytes.
pub fn key(size: usize, n: usize) -> String {
    format!("value:{size}:{n:04}")
}

/// How many keys there are of a size.
pub fn keys(size: usize) -> usize {
    if size <= 4 << 10 { KEYS } else { 2 }
}

pub fn value(size: usize, n: usize) -> Vec<u8> {
    (0..size).map(|at| b'a' + ((at * 7 + n) % 26) as u8).collect()
}

pub fn profile(n: usize) -> Profile {
    let text = |name: &str| format!("{name} number {n}");
    Profile {
        id: format!("{n:04}"),
        email: format!("person{n}@example.com"),
        first_name: format!("First{}", n % 50),
        last_name: format!("Last{n}"),
        country: ["AT", "CZ", "DE", "FR", "IT"][n % 5].to_owned(),
        city: text("City"),
        street: text("Street"),
        phone: format!("+43 1 {n:07}"),
        company: text("Company"),
        about: text("Somebody who likes long walks and short queries,"),
        age: 18 + (n % 60) as u32,
        height: 150 + (n % 50) as u32,
        logins: n as u64 * 17,
        created: 1_700_000_000_000 + n as i64,
        updated: 1_710_000_000_000 + n as i64,
        balance: n as i64 * 100 - 5_000,
        score: n as f64 / 8.0,
        ratio: 1.0 / (n + 1) as f64,
        level: (n % 9) as u32,
        rank: n as u32,
    }
}

/// The names and values of a model's fields, for clients that know no models.
pub fn fields(model: &Profile) -> Vec<(&'static str, Cow<'_, str>)> {
    let text = |name, value| (name, Cow::Borrowed(value));
    let number = |name, value: &dyn ToString| (name, Cow::Owned(value.to_string()));
    vec![
        text("id", &*model.id),
        text("email", &*model.email),
        text("first_name", &*model.first_name),
        text("last_name", &*model.last_name),
        text("country", &*model.country),
        text("city", &*model.city),
        text("street", &*model.street),
        text("phone", &*model.phone),
        text("company", &*model.company),
        text("about", &*model.about),
        number("age", &model.age),
        number("height", &model.height),
        number("logins", &model.logins),
        number("created", &model.created),
        number("updated", &model.updated),
        number("balance", &model.balance),
        number("score", &model.score),
        number("ratio", &model.ratio),
        number("level", &model.level),
        number("rank", &model.rank),
    ]
}

pub fn order(n: u64) -> Order {
    let line = |at: u32| Line {
        article: format!("A-{n}-{at:05}"),
        name: format!("Article number {at}, with a name of some length"),
        count: at % 5 + 1,
        price: f64::from(at) * 1.25,
    };
    Order {
        id: n,
        customer: format!("Customer {n}"),
        address: "Herrengasse 14, 1010 Vienna, Austria".to_owned(),
        lines: (0..17).map(line).collect(),
    }
}

pub fn vector(n: usize) -> Vec<f32> {
    (0..DIMENSION).map(|at| ((n * 31 + at * 17) % 101) as f32 / 101.0 + 0.01).collect()
}

pub fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|element| element.to_le_bytes()).collect()
}

/// Fills the server.
pub async fn load(server: &Server) -> Result<(), Failure> {
    use alizarin::prelude::*;

    let client = Client::connect(server.url().as_str()).await?;
    client.command("FLUSHALL").exec().await?;
    for size in SIZES {
        for n in 0..keys(size) {
            client.set(key(size, n), value(size, n)).await?;
        }
    }
    let profiles = client.repository::<Profile>();
    let all: Vec<Profile> = (0..PROFILES).map(profile).collect();
    profiles.save_all(&all).await?;
    profiles.index().sync().await?;
    profiles.index().wait().await?;
    let elements: Vec<String> = (0..ELEMENTS).map(|n| format!("element number {n:05}")).collect();
    client.rpush("list", elements.as_slice()).await?;
    for (n, element) in elements.iter().enumerate() {
        client.command("ZADD").key("scores").arg((n as f64 * 1.5, element)).exec().await?;
    }
    let json = serde_json::to_string(&order(1))?;
    client.command("JSON.SET").key("order:1").arg(("$", json)).exec().await?;
    let schema = "FT.CREATE vectors ON HASH PREFIX 1 vector: SCHEMA v VECTOR FLAT 6 TYPE FLOAT32 \
                  DIM 64 DISTANCE_METRIC L2 n NUMERIC";
    let mut words = schema.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    client.command(name).arg(words.collect::<Vec<_>>()).exec().await?;
    for n in 0..VECTORS {
        let fields = (("v", bytes(&vector(n))), ("n", n));
        client.command("HSET").key(format!("vector:{n}")).arg(fields).exec().await?;
    }
    loop {
        let info = server.command(&["FT.INFO", "vectors"])?;
        if info.contains(&VECTORS.to_string()) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
