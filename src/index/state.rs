//! What is on the server: the live index, the others, and the journal.

use std::collections::{BTreeMap, BTreeSet};

use super::hidden::Hidden;
use super::info::IndexInfo;
use super::journal::Journal;
use super::target::Target;
use crate::query::scope;
use crate::{Client, Command, Error, ErrorKind, Result};

/// Everything that a plan is made from, as it was read.
#[derive(Debug)]
pub(crate) struct State {
    /// Where the journal lies.
    pub(crate) key: String,
    /// What queries use now.
    pub(crate) live: Option<IndexInfo>,
    /// The names of all indexes of the server.
    pub(crate) names: BTreeSet<String>,
    pub(crate) journal: Journal,
    /// The index that somebody began to build and did not make live.
    pub(crate) building: Option<IndexInfo>,
}

impl State {
    /// Reads it (`FT.INFO`, `FT._LIST` and `HGETALL` in one pipeline).
    pub(crate) async fn load(client: &Client, namespace: &str, target: &Target) -> Result<State> {
        let alias = target.alias.as_str();
        let key = Journal::key(namespace, alias);
        let (live, names, fields) = client
            .pipeline((
                info(alias).replying::<Result<IndexInfo>>(),
                Command::<Result<BTreeSet<String>>>::new("FT._LIST"),
                Journal::read(&key).replying::<Result<BTreeMap<String, String>>>(),
            ))
            .await
            .map_err(|error| scope::explain(error, alias))?;
        let explained = |error| scope::explain(error, alias);
        let live = found(live.map_err(explained))?;
        let (names, fields) = (names.map_err(explained)?, fields.map_err(explained)?);
        let mut journal = Journal::parse(fields);
        let is_live = |name: &String| live.as_ref().is_some_and(|live| live.name == *name);
        if journal.building.as_ref().is_some_and(is_live) {
            // The swap took place, and whoever did it was not able to note it.
            journal.previous = journal.live.take();
            journal.live = journal.building.take();
        }
        let building = journal.building.as_ref().filter(|name| names.contains(*name));
        let building = match building {
            Some(name) => found(client.run(info(name)).await.map_err(explained))?,
            None => None,
        };
        Ok(State { key, live, names, journal, building })
    }

    /// The name of the index that queries use.
    pub(crate) fn live_name(&self) -> Option<&str> {
        self.live.as_ref().map(|live| live.name.as_str())
    }

    /// The name that a new version gets: a number above all that there are.
    pub(crate) fn next(&self, alias: &str) -> String {
        let known = self.names.iter().chain(&self.journal.live).chain(&self.journal.building);
        let last = known.filter_map(|name| number(alias, name)).max().unwrap_or(0);
        version(alias, last.saturating_add(1))
    }

    /// The versions of an index and the one before the live one, without the live one.
    pub(crate) fn others(&self, alias: &str) -> Vec<String> {
        let ours = |name: &&String| {
            let (previous, building) = (&self.journal.previous, &self.journal.building);
            let noted = previous.as_ref() == Some(*name) || building.as_ref() == Some(*name);
            (noted || number(alias, name).is_some()) && self.live_name() != Some(name.as_str())
        };
        self.names.iter().filter(ours).cloned().collect()
    }

    /// What was kept of an index when it was made.
    pub(crate) fn kept(&self, index: &str) -> Option<&Hidden> {
        self.journal.kept.get(index)
    }
}

pub(crate) fn info(index: &str) -> Command<IndexInfo> {
    Command::new("FT.INFO").arg(index)
}

/// `None` where there is no such index.
fn found(info: Result<IndexInfo>) -> Result<Option<IndexInfo>> {
    match info {
        Ok(info) => Ok(Some(info)),
        Err(error) if error.kind() == ErrorKind::Index => Ok(None),
        Err(error) => Err(error),
    }
}

/// The error that there is no index.
pub(crate) fn absent(alias: &str) -> Error {
    let message = format!("index `{alias}` does not exist: call `repository.index().sync()`");
    Error::new(ErrorKind::Index, message).with_sent(crate::Sent::Yes)
}

/// The name of a version of an index.
pub(crate) fn version(alias: &str, number: u64) -> String {
    format!("{alias}:v{number}")
}

/// The number of a version, if the name is that of one.
pub(crate) fn number(alias: &str, name: &str) -> Option<u64> {
    let digits = name.strip_prefix(alias)?.strip_prefix(":v")?;
    let number = digits.parse().ok()?;
    (version(alias, number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_numbers() {
        assert_eq!(number("film_idx", &version("film_idx", 12)), Some(12));
        for other in ["film_idx", "film_idx:v", "film_idx:v01", "film_idx:v+1", "x:v1"] {
            assert_eq!(number("film_idx", other), None, "{other}");
        }
    }
}
