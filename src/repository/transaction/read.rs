//! What a transaction reads, and has to find unchanged.

use alizarin_core::resp::Packed;

use super::step::{About, Prepared};
use super::{Transaction, explain};
use crate::model::RedisModel;
use crate::repository::get::{load, load_marked};
use crate::repository::script::{Call, Expected, TRANSACTION, WATCH, document_call};
use crate::repository::{Lock, Repository};
use crate::{FromReply, Result};

impl Transaction {
    /// Reads a document, which [`commit`](Transaction::commit) has to find unchanged, or absent where
    /// there is none: else the commit is a `Conflict`, and nothing is written.
    ///
    /// A change is known by the version field, or where there is none by the whole content (its
    /// SHA-1), as in [`update`](Repository::update). No connection is held and nothing watched: what
    /// was read is compared in the same step that writes.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut tx = accounts.client().begin();
    /// let ann = tx.get(&accounts, &1).await?.expect("an account of Ann");
    /// tx.push(accounts.set(&2, |a| a.cents.to(ann.cents)));
    /// // Another one writes in between.
    /// accounts.update(&1, |ann| ann.cents = 0).await?;
    /// let late = tx.commit().await.unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// assert_eq!(late.step().map(|step| step.number), Some(1));
    /// assert_eq!(accounts.get(&2).await?.map(|bob| bob.cents), Some(100));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Repository::get`]. What the client knows to be wrong (a key in another slot of a cluster)
    /// is said by `commit`.
    ///
    /// # Cancel safety
    /// It only reads. Dropped before it is done, the document is not part of the transaction.
    pub async fn get<M: RedisModel>(
        &mut self,
        repository: &Repository<M>,
        id: &M::Id,
    ) -> Result<Option<M>> {
        let key = repository.key(id);
        let (model, expected) = read::<M>(repository, &key).await?;
        let mut call = match &expected {
            Some(expected) => document_call::<M>(&TRANSACTION, &key, expected),
            None => document_call::<M>(&TRANSACTION, &key, &Expected::Anything),
        };
        if expected.is_none() {
            call.section("absent", &[""; 0]);
        }
        self.check_with::<M>(About::at::<M>("get", key), repository, call)?;
        Ok(model)
    }

    /// Lets the commit take place only if this key, of whatever type, holds then what it holds now,
    /// or is still not there; else the commit is a `Conflict`. For what is no document: read it by
    /// the client afterwards.
    ///
    /// What it holds is compared by the SHA-1 of its `DUMP`, which the server computes now and with
    /// the commit: that takes as long as the value is large. Its time to live is not looked at.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::commands::set;
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// # let key = format!("{namespace}stock");
    /// client.set(&key, 3).await?;
    /// let (left, _) = client
    ///     .transact(async |tx| {
    ///         tx.watch(&key).await?;
    ///         let stock: u32 = client.get(&key).await?;
    ///         tx.push(set(&key, stock - 1));
    ///         Ok(stock - 1)
    ///     })
    ///     .await?;
    /// assert_eq!(left, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// Those of the connection, and `Server(NoPerm)` where the user may not `DUMP` the key.
    ///
    /// # Cancel safety
    /// It only reads. Dropped before it is done, the key is not part of the transaction.
    pub async fn watch(&mut self, key: impl AsRef<[u8]>) -> Result<()> {
        let bytes = key.as_ref().to_vec();
        let key = String::from_utf8_lossy(&bytes).into_owned();
        let mut call = Call::without_keys(&WATCH);
        call.key(&bytes);
        let held: String = call.run(&self.client).await.map_err(|error| explain(error, &key))?;
        let mut arguments = Packed::new();
        arguments.push(held.as_bytes());
        let about = About { name: "watch".to_owned(), model: None, key: Some(key) };
        let prepared = Prepared {
            client: None,
            body: "watched",
            keys: vec![bytes],
            scattered: false,
            arguments,
            after: None,
            decode: <()>::from_reply,
        };
        self.add(about, prepared);
        Ok(())
    }

    /// Lets the commit take place only if this lock is still held then; else it is `LockLost`, and
    /// nothing is written. The lock stays held: give it back when the transaction is done.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let lock = accounts.lock(&1).await?;
    /// let mut tx = accounts.client().begin();
    /// tx.holding(&lock);
    /// tx.push(accounts.set(&1, |a| a.cents.add(-1)));
    /// tx.push(accounts.set(&2, |a| a.cents.add(1)));
    /// tx.commit().await?;
    /// assert!(lock.release().await?);
    /// # Ok(()) });
    /// ```
    pub fn holding<M: RedisModel>(&mut self, lock: &Lock<M>) {
        let (repository, key, (lock, token)) = lock.place();
        let mut call = document_call::<M>(&TRANSACTION, key, &Expected::Anything);
        let number = call.key(lock);
        call.section("lock", &[&number.to_string(), token]);
        let about = About::at::<M>("lock", key.to_owned());
        // A lock of another client is refused with the commit.
        drop(self.check_with::<M>(about, repository, call));
    }

    fn check_with<M: RedisModel>(
        &mut self,
        about: About,
        repository: &Repository<M>,
        call: Call,
    ) -> Result<()> {
        let prepared = Prepared::document(repository, "check", call, <()>::from_reply)?;
        self.add(about, prepared);
        Ok(())
    }
}

/// Reads a document and what the commit has to find unchanged; of none, that there is none.
async fn read<M: RedisModel>(
    repository: &Repository<M>,
    key: &str,
) -> Result<(Option<M>, Option<Expected>)> {
    let client = repository.client();
    if M::SCHEMA.version.is_some() {
        let Some(model) = load::<M>(client, key).await? else { return Ok((None, None)) };
        // Version 0 was never written by a repository: the document may have none.
        if let Some(version @ 1..) = model.version() {
            return Ok((Some(model), Some(Expected::Version(version))));
        }
    }
    Ok(match load_marked(client, key).await? {
        Some((model, fingerprint)) => (Some(model), Some(Expected::Fingerprint(fingerprint))),
        None => (None, None),
    })
}
