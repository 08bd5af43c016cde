//! Both clients, whose methods are the same: what is proven of one is proven of the other.

use std::time::Duration;

use alizarin_core::{Client, Config, Result, Run as _};
use tokio::runtime::Runtime;

/// Nothing takes longer.
const LONG: Duration = Duration::from_secs(30);

/// The async client, then the blocking one; each connects when it is its turn.
pub(crate) fn clients(runtime: &Runtime, config: &Config) -> impl Iterator<Item = Client> {
    [false, true].into_iter().map(move |blocking| connect(runtime, config, blocking).unwrap())
}

/// One of them, where it may be refused.
pub(crate) fn connect(runtime: &Runtime, config: &Config, blocking: bool) -> Result<Client> {
    match blocking {
        false => runtime.block_on(within(Client::connect(config))),
        true => Client::connect_blocking(config),
    }
}

/// Runs on either client.
pub(crate) fn run<T>(
    runtime: &Runtime,
    client: &Client,
    future: impl IntoFuture<Output = Result<T>>,
) -> Result<T> {
    match client.is_blocking() {
        true => future.run(),
        false => runtime.block_on(within(future)),
    }
}

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(LONG, future.into_future()).await.expect("hangs")
}
