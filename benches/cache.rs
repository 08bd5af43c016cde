//! What a read from the cache costs beside one of the server, in one run: `cargo bench --bench cache`.
//!
//! Rounds of all take turns; what is printed is the middle one, and how it compares.

use std::hint::black_box;
use std::time::{Duration, Instant};

use alizarin::commands::get;
use alizarin::prelude::*;
use alizarin::{Cache, CacheConfig};
use alizarin_samples::Account;
use alizarin_testkit::Server;

const ROUNDS: usize = 9;

/// What one call takes, on average over a round.
async fn round<T>(calls: u32, mut call: impl AsyncFnMut() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(call().await?);
    }
    Ok(start.elapsed() / calls)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn show(what: &str, server: Vec<Duration>, cache: Vec<Duration>) {
    let (server, cache) = (middle(server), middle(cache));
    let ratio = server.as_secs_f64() / cache.as_secs_f64();
    println!("{what:<36} server {server:>10.2?}   cache {cache:>10.2?}   {ratio:>6.1} times");
}

async fn measure(client: Client, cache: Cache, space: &str) -> Result<()> {
    let key = format!("{space}value");
    client.set(&key, "x".repeat(100)).await?;
    let accounts = client.repository::<Account>().with_namespace(space);
    accounts.save(&Account::new(1, "Ann", 500)).await?;
    let cached = accounts.cached(&cache);
    let (mut plain, mut hit, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    let (mut document, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        plain.push(round(5_000, async || client.get::<String>(&key).await).await?);
        hit.push(round(200_000, async || cache.get::<String>(&key).await).await?);
        shared.push(round(200_000, async || cache.shared(get::<String>(&key)).await).await?);
        document.push(round(5_000, async || accounts.get(&1).await).await?);
        kept.push(round(200_000, async || cached.get(&1).await).await?);
    }
    show("GET of 100 B into a String", plain.clone(), hit);
    show("the same, decoded once", plain, shared);
    show("a model of five fields, decoded once", document, kept);
    println!("{:?}", cache.metrics());
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::connect(server.url().as_str()).await?;
        let cache = client.cache(CacheConfig::new()).await?;
        measure(client, cache, server.namespace()).await
    })?;
    Ok(())
}
