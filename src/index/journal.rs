//! An index's journal: which version is being built, which one was live before, and what the server
//! does not show. It says what a process that was killed meant to do; what is so, the server says.

use std::collections::BTreeMap;

use alizarin_core::commands::Script;

use super::hidden::Hidden;
use crate::repository::lease::Lease;
use crate::repository::{Call, companion, explain};
use crate::{Client, Command, Result};

static SWAP: Script = Script::new(include_str!("swap.lua"));

/// The journal as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Journal {
    /// The version that was made live last.
    pub(crate) live: Option<String>,
    /// The one before, kept for a rollback.
    pub(crate) previous: Option<String>,
    /// The one that is being built, or was when a process ended.
    pub(crate) building: Option<String>,
    /// What the server does not show, by index.
    pub(crate) kept: BTreeMap<String, Hidden>,
}

/// What the records of [`Journal::kept`] are named with.
const KEPT: &str = "kept:";

impl Journal {
    /// Where the journal of an index lies: not among the documents.
    pub(crate) fn key(namespace: &str, alias: &str) -> String {
        companion(namespace, "index", alias)
    }

    /// The command that reads it.
    pub(crate) fn read(key: &str) -> Command<BTreeMap<String, String>> {
        Command::new("HGETALL").key(key)
    }

    pub(crate) fn parse(mut fields: BTreeMap<String, String>) -> Journal {
        let (live, previous) = (fields.remove("live"), fields.remove("previous"));
        let building = fields.remove("building");
        let kept = fields.into_iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(KEPT)?.to_owned(), Hidden::parse(&text)?))
        });
        Journal { live, previous, building, kept: kept.collect() }
    }

    /// Says before it is done that an index is being made.
    pub(crate) async fn begin(lease: &Lease, index: &str, hidden: &Hidden) -> Result<()> {
        let kept = [KEPT, index].concat();
        let set = [("building", index.to_owned()), (kept.as_str(), hidden.text())];
        lease.note(&set, &[]).await
    }

    /// Keeps what the server does not show.
    pub(crate) async fn keep(lease: &Lease, index: &str, hidden: &Hidden) -> Result<()> {
        let kept = [KEPT, index].concat();
        lease.note(&[(kept.as_str(), hidden.text())], &[]).await
    }

    /// Forgets indexes that are gone.
    pub(crate) async fn forget(lease: &Lease, gone: &[String], names: &[&str]) -> Result<()> {
        let kept: Vec<String> = gone.iter().map(|index| [KEPT, index.as_str()].concat()).collect();
        let names: Vec<&str> =
            kept.iter().map(String::as_str).chain(names.iter().copied()).collect();
        lease.note(&[], &names).await
    }

    /// Lets `alias` name `index` instead of `previous`.
    ///
    /// On one server this is one step. In a cluster the module tells all nodes itself, which a
    /// script cannot wait for: there the journal is written after the alias, and whoever comes next
    /// sees by the alias what happened.
    pub(crate) async fn swap(
        client: &Client,
        key: &str,
        lease: &Lease,
        alias: &str,
        index: &str,
        previous: Option<&str>,
    ) -> Result<()> {
        if !client.is_cluster() {
            let (lock, token) = lease.lock();
            let mut call = Call::new(&SWAP, key);
            call.key(lock);
            call.arg(token).arg(alias).arg(index).arg(previous.unwrap_or_default());
            return call.run(client).await.map_err(|error| explain(error, index));
        }
        let names: Vec<String> = client.run(Command::new("FT._LIST")).await?;
        if names.iter().any(|name| name == alias) {
            let added = client.run::<Command<()>>(Command::new("FT.ALIASADD").arg((alias, index)));
            match added.await {
                Err(error) if !error.message().contains("already exists") => return Err(error),
                _ => {}
            }
            client.run::<Command<()>>(Command::new("FT.DROPINDEX").arg(alias)).await?;
        }
        client.run::<Command<()>>(Command::new("FT.ALIASUPDATE").arg((alias, index))).await?;
        let mut set = vec![("live", index.to_owned())];
        let mut gone = vec!["building"];
        match previous.filter(|previous| *previous != alias) {
            Some(previous) => set.push(("previous", previous.to_owned())),
            None => gone.push("previous"),
        }
        lease.note(&set, &gone).await
    }
}
