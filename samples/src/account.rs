//! A model with a version, for updates that must not be lost.

use alizarin::prelude::*;

use crate::Outcome;

/// An account.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "account", events)]
pub struct Account {
    /// Its number.
    #[redis(id)]
    pub id: u32,
    /// Whose it is.
    pub owner: String,
    /// What is on it.
    pub cents: i64,
    /// A remark, if there is one.
    pub note: Option<String>,
    /// Counted up by the server with each write.
    #[redis(version)]
    pub version: u64,
}

/// Runs an example with the accounts 1, of Ann with 500 cents, and 2, of Bob with 100 cents.
pub fn accounts(example: impl AsyncFnOnce(Repository<Account>) -> Outcome) {
    crate::client(async |client, namespace| {
        let accounts = client.repository::<Account>().with_namespace(namespace);
        for (id, owner, cents) in [(1, "Ann", 500), (2, "Bob", 100)] {
            let owner = owner.to_owned();
            accounts.save(&Account { id, owner, cents, note: None, version: 0 }).await?;
        }
        example(accounts).await
    });
}
