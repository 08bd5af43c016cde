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

impl Account {
    /// A new one without a remark.
    pub fn new(id: u32, owner: &str, cents: i64) -> Account {
        Account { id, owner: owner.to_owned(), cents, note: None, version: 0 }
    }
}

/// Runs an example with the accounts 1, of Ann with 500 cents, and 2, of Bob with 100 cents.
pub fn accounts(example: impl AsyncFnOnce(Repository<Account>) -> Outcome) {
    crate::client(async |client, namespace| {
        let accounts = client.repository::<Account>().with_namespace(namespace);
        accounts.save(&Account::new(1, "Ann", 500)).await?;
        accounts.save(&Account::new(2, "Bob", 100)).await?;
        example(accounts).await
    });
}
