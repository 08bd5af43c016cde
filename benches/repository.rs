//! Repositories against a real server: a save, a load, a bulk save, a query.

use alizarin::prelude::*;
use alizarin_testkit::Server;
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;

#[derive(Debug, Clone, RedisModel)]
#[redis(hash, prefix = "bench", index)]
struct Item {
    #[redis(id)]
    id: u32,
    #[redis(text)]
    title: String,
    #[redis(tag)]
    kind: String,
    #[redis(numeric, sortable)]
    size: u32,
}

fn item(id: u32) -> Item {
    Item { id, title: format!("item number {id}"), kind: format!("k{}", id % 7), size: id * 3 }
}

fn repository(c: &mut Criterion) {
    let server = Server::start().expect("a server");
    let runtime = Runtime::new().expect("a runtime");
    let items: Repository<Item> = runtime.block_on(async {
        let client = Client::connect(server.url().as_str()).await.expect("a client");
        let items = client.repository().with_namespace(server.namespace());
        items.index().sync().await.expect("an index");
        let all: Vec<Item> = (0..2_000).map(item).collect();
        items.save_all(&all).await.expect("saved");
        items.index().wait().await.expect("indexed");
        items
    });
    let one = item(7);
    let hundred: Vec<Item> = (0..100).map(item).collect();

    c.bench_function("repository/save", |b| {
        b.iter(|| runtime.block_on(async { items.save(&one).await.expect("saved") }));
    });
    c.bench_function("repository/get", |b| {
        b.iter(|| runtime.block_on(async { items.get(&7).await.expect("loaded") }));
    });
    c.bench_function("repository/save_all 100", |b| {
        b.iter(|| runtime.block_on(async { items.save_all(&hundred).await.expect("saved") }));
    });
    c.bench_function("repository/find 100", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let found = items.find(|m| m.size.ge(300)).limit(100).all().await;
                assert_eq!(found.expect("found").len(), 100);
            });
        });
    });
}

criterion_group!(benches, repository);
criterion_main!(benches);
