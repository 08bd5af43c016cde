//! How queries are sent: their last words, and their errors in the words of the model.

use std::time::Duration;

use super::QueryWriter;
use super::hits::{Hits, Keys};
use super::scope::{self, index_name};
use crate::model::RedisModel;
use crate::repository::{Repository, Take, load_page};
use crate::{Client, Command, FromReply, Result};

/// A time as `TIMEOUT` takes it. Rounded up: zero would be no limit.
pub(super) fn whole_milliseconds(time: Duration) -> u64 {
    // The server takes no more than a signed 32-bit number, which is 24 days.
    time.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as u64
}

/// Ends a query command: parameters and dialect.
pub(crate) fn finish<R>(command: &mut Command<R>, query: &QueryWriter, dialect: &str) {
    let params = query.packed_params();
    let out = command.packed_mut();
    if params.argc() > 0 {
        out.push(b"PARAMS");
        out.push_int(params.argc());
        out.append(params);
    }
    out.push(b"DIALECT");
    out.push(dialect.as_bytes());
}

/// Runs a query command, with errors in the words of the model.
pub(crate) async fn run<M: RedisModel, R: FromReply>(
    repository: &Repository<M>,
    command: Command<R>,
) -> Result<R> {
    match repository.client().run(command).await {
        Ok(reply) => Ok(reply),
        Err(error) => Err(scope::explain(error, &index_name(repository)?)),
    }
}

/// Reads what was found by its keys alone, which is what the documents hold and not the index.
pub(super) async fn load<T: Take>(
    client: &Client,
    found: Keys,
    distances: Vec<Option<f64>>,
) -> Result<Hits<T>> {
    let mut items = Vec::with_capacity(found.keys.len());
    let mut distances = distances.into_iter();
    for keys in found.keys.chunks(PAGE) {
        for item in load_page::<T>(client, keys).await? {
            let distance = distances.next().flatten();
            items.extend(item.map(|item| (item, distance)));
        }
    }
    let dropped = found.keys.len() - items.len();
    Ok(Hits { total: found.total, items, dropped })
}

/// How many documents one pipeline reads.
const PAGE: usize = 500;
