//! What was applied and what is under way, on the server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::repository::companion;
use crate::repository::lease::Lease;
use crate::{Client, Command, Result};

/// A migration that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) at: u64,
    pub(crate) changed: u64,
    #[serde(default)]
    pub(crate) failed: u64,
}

/// How far a migration is that is under way, or was when its process ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) version: u64,
    pub(crate) undo: bool,
    /// Where the next page begins.
    pub(crate) cursor: String,
    /// How many documents were rewritten so far.
    pub(crate) changed: u64,
}

/// The journal as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Journal {
    pub(crate) applied: BTreeMap<u64, Record>,
    pub(crate) running: Option<Running>,
}

const APPLIED: &str = "applied:";
const RUNNING: &str = "running";

impl Journal {
    /// Where it lies: not among the documents.
    pub(crate) fn key(namespace: &str, name: &str) -> String {
        companion(namespace, "migrations", name)
    }

    pub(crate) async fn load(client: &Client, key: &str) -> Result<Journal> {
        let command: Command<BTreeMap<String, String>> = Command::new("HGETALL").key(key);
        let mut fields = client.run(command).await?;
        let running = fields.remove(RUNNING).and_then(|text| serde_json::from_str(&text).ok());
        let applied = fields.into_iter().filter_map(|(name, text)| {
            let version = name.strip_prefix(APPLIED)?.parse().ok()?;
            Some((version, serde_json::from_str(&text).ok()?))
        });
        Ok(Journal { applied: applied.collect(), running })
    }

    /// Says how far it is.
    pub(crate) async fn progress(lease: &Lease, running: &Running) -> Result<()> {
        lease.note(&[(RUNNING, text(running))], &[]).await
    }

    /// Says that it is applied.
    pub(crate) async fn applied(lease: &Lease, version: u64, record: &Record) -> Result<()> {
        let name = format!("{APPLIED}{version}");
        lease.note(&[(name.as_str(), text(record))], &[RUNNING]).await
    }

    /// Says that it is undone.
    pub(crate) async fn undone(lease: &Lease, version: u64) -> Result<()> {
        let name = format!("{APPLIED}{version}");
        lease.note(&[], &[name.as_str(), RUNNING]).await
    }
}

/// Such structs cannot fail to serialise.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
