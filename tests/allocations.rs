//! What a load allocates: what the model itself owns, and next to nothing else.

use alizarin::prelude::*;
use alizarin_testkit::Server;

/// Twenty fields, ten of which own memory.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "wide")]
struct Wide {
    #[redis(id)]
    id: u64,
    name: String,
    street: String,
    city: String,
    country: String,
    phone: String,
    mail: String,
    job: String,
    company: String,
    motto: String,
    notes: String,
    age: u8,
    height: f32,
    weight: f64,
    visits: u32,
    balance: i64,
    active: bool,
    rank: Option<u16>,
    score: Option<f32>,
    color: char,
}

const OWNED: u64 = 10;

fn wide() -> Wide {
    let text = |word: &str| format!("{word} of the record");
    Wide {
        id: 1,
        name: text("name"),
        street: text("street"),
        city: text("city"),
        country: text("country"),
        phone: text("phone"),
        mail: text("mail"),
        job: text("job"),
        company: text("company"),
        motto: text("motto"),
        notes: text("notes"),
        age: 41,
        height: 1.8,
        weight: 80.5,
        visits: 7_000,
        balance: -12,
        active: true,
        rank: Some(3),
        score: None,
        color: 'r',
    }
}

#[test]
fn a_load_allocates_what_the_model_owns() {
    let server = Server::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let records: Repository<Wide> = runtime.block_on(async {
        let client = Client::connect(server.url().as_str()).await.unwrap();
        client.repository().with_namespace(server.namespace())
    });
    let record = wide();
    let load = async |times: u64| {
        for _ in 0..times {
            assert_eq!(records.get(&1).await.unwrap().as_ref(), Some(&record));
        }
    };
    runtime.block_on(async {
        records.save(&record).await.unwrap();
        load(100).await;
    });
    let info = allocation_counter::measure(|| runtime.block_on(load(1_000)));
    // Beside what the model owns: the key's text. A tick of the clock may allocate in between.
    let allowed = 1_000 * (OWNED + 1) + 20;
    assert!(info.count_total <= allowed, "{} allocations for 1000 loads", info.count_total);
}
