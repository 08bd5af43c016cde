//! Transactions: writes of several repositories and raw commands, together or not at all.

mod attempts;
mod broken_off;
mod conflicts;
mod members;
mod raw;
mod slots;
mod uniques;

use alizarin::prelude::*;
use alizarin::repository::{Replies, Transaction};
use alizarin::{Command, FailedStep, Sent};
use alizarin_testkit::unique;
use bytes::Bytes;

/// The repository with a namespace of its own, all of whose keys are in one slot.
fn in_one_slot<M: RedisModel>(repository: &Repository<M>) -> Repository<M> {
    repository.with_namespace(format!("{{{}{}}}:", repository.namespace(), unique("tx")))
}

/// The repository of another model beside this one.
fn beside<M, T: RedisModel>(repository: &Repository<M>) -> Repository<T> {
    repository.client().repository().with_namespace(repository.namespace())
}

/// Everything that is stored under these keys, byte for byte, and for how long.
async fn stored(client: &Client, keys: &[String]) -> Vec<(Option<Bytes>, i64)> {
    let mut all = Vec::new();
    for key in keys {
        let dump = Command::<Option<Bytes>>::new("DUMP").key(key);
        let until = Command::<i64>::new("PEXPIRETIME").key(key);
        all.push((client.run(dump).await.unwrap(), client.run(until).await.unwrap()));
    }
    all
}

/// Commits what has to be refused: the error of this step, and nothing done.
async fn refused(tx: Transaction, number: usize) -> (Error, FailedStep) {
    let error = tx.commit().await.unwrap_err();
    let step = error.step().unwrap_or_else(|| panic!("no step in {error:?}")).clone();
    assert_eq!((step.number, step.done.is_empty()), (number, true), "{error}");
    assert_ne!(error.sent(), Sent::Unknown, "{error}");
    (error, step)
}

/// Commits what has to succeed.
async fn commit(tx: Transaction) -> Replies {
    tx.commit().await.unwrap()
}
