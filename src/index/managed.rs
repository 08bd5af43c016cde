//! The indexes of a server that have versions.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{number, version};
use super::{IndexInfo, state};
use crate::query::scope;
use crate::{Client, Command, ErrorKind, Result};

/// An index with its versions: from [`managed`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let all = alizarin::index::managed(films.client()).await?;
/// let name = films.index().name()?;
/// let one = all.iter().find(|managed| managed.name == name).expect("that of the films");
/// assert_eq!((one.live.as_ref(), one.documents), (one.versions.first(), 4));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Managed {
    /// The name that queries use.
    pub name: String,
    /// The version that it stands for now.
    pub live: Option<String>,
    /// How many documents the live version has.
    pub documents: u64,
    /// All versions, the oldest first.
    pub versions: Vec<String>,
}

/// The indexes of a server that [`Index::sync`](super::Index::sync) has made, of whatever model
/// (`FT._LIST`, and an `FT.INFO` each).
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// for index in alizarin::index::managed(films.client()).await? {
///     println!("{}: {:?}, {} documents", index.name, index.live, index.documents);
/// }
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Unsupported` when the server has no RediSearch; else those of the connection.
///
/// # Cancel safety
/// It only reads.
pub async fn managed(client: &Client) -> Result<Vec<Managed>> {
    let client = client.steady();
    let names: Result<BTreeSet<String>> = client.run(Command::new("FT._LIST")).await;
    let names = names.map_err(|error| scope::explain(error, ""))?;
    let mut versions: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for name in &names {
        let split = name.rsplit_once(":v").map(|(alias, _)| (alias, number(alias, name)));
        if let Some((alias, Some(number))) = split {
            versions.entry(alias.to_owned()).or_default().insert(number);
        }
    }
    let mut all = Vec::with_capacity(versions.len());
    for (name, numbers) in versions {
        let live: Result<IndexInfo> = client.run(state::info(&name)).await;
        let live = match live.map_err(|error| scope::explain(error, &name)) {
            Ok(live) => Some(live),
            Err(error) if error.kind() == ErrorKind::Index => None,
            Err(error) => return Err(error),
        };
        all.push(Managed {
            versions: numbers.into_iter().map(|number| version(&name, number)).collect(),
            documents: live.as_ref().map_or(0, |live| live.num_docs),
            live: live.map(|live| live.name),
            name,
        });
    }
    Ok(all)
}
