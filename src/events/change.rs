//! One change, and how it is read from its message.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use crate::model::{ModelId, RedisModel};
use crate::{Error, Result};

/// What happened to a document.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let mut changes = accounts.changes().await?;
/// accounts.set(&1, |a| a.cents.to(0)).await?;
/// accounts.delete(&1).await?;
///
/// let fields = vec!["cents".to_owned()];
/// let saved = Change::Saved { id: 1, version: Some(2), fields };
/// assert_eq!(changes.next().await.transpose()?, Some(saved));
/// assert_eq!(changes.next().await.transpose()?, Some(Change::Deleted { id: 1 }));
/// # Ok(()) });
/// ```
#[non_exhaustive]
pub enum Change<M: RedisModel> {
    /// It was written by a repository.
    Saved {
        /// Its id.
        id: M::Id,
        /// Its new version, for models with `#[redis(version)]`.
        version: Option<u64>,
        /// The fields that were written, dotted where nested; none for a document written as a
        /// whole.
        fields: Vec<String>,
    },
    /// It was deleted by a repository.
    Deleted {
        /// Its id.
        id: M::Id,
    },
    /// Its time to live ended; only where [`Follow::expired`](super::Follow::expired) asked for
    /// it.
    Expired {
        /// Its id.
        id: M::Id,
    },
    /// The connection was lost and made anew: changes in between are not known.
    Gap,
}

impl<M: RedisModel> Change<M> {
    /// The document's id; `None` for a gap.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut changes = accounts.changes().await?;
    /// accounts.delete(&2).await?;
    /// let change = changes.next().await.expect("a stream without end")?;
    /// assert_eq!(change.id(), Some(&2));
    /// # Ok(()) });
    /// ```
    pub fn id(&self) -> Option<&M::Id> {
        match self {
            Change::Saved { id, .. } | Change::Deleted { id } | Change::Expired { id } => Some(id),
            Change::Gap => None,
        }
    }

    /// Reads an event as the scripts publish it; `None` for a sort that came later.
    pub(crate) fn read(payload: &[u8]) -> Result<Option<Change<M>>> {
        let event: Event<'_> = serde_json::from_slice(payload)
            .map_err(|error| Error::decode("a change event", "other bytes").with_source(error))?;
        Ok(match &*event.op {
            "saved" => Some(Change::Saved {
                id: M::Id::parse_id(&event.id)?,
                version: event.version,
                fields: event.fields,
            }),
            "deleted" => Some(Change::Deleted { id: M::Id::parse_id(&event.id)? }),
            _ => None,
        })
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    version: Option<u64>,
    #[serde(default)]
    fields: Vec<String>,
}

impl<M: RedisModel> Clone for Change<M> {
    fn clone(&self) -> Self {
        match self {
            Change::Saved { id, version, fields } => {
                Change::Saved { id: id.clone(), version: *version, fields: fields.clone() }
            }
            Change::Deleted { id } => Change::Deleted { id: id.clone() },
            Change::Expired { id } => Change::Expired { id: id.clone() },
            Change::Gap => Change::Gap,
        }
    }
}

impl<M: RedisModel> PartialEq for Change<M> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Change::Saved { id, version, fields },
                Change::Saved { id: i, version: v, fields: f },
            ) => id == i && version == v && fields == f,
            (Change::Deleted { id }, Change::Deleted { id: i })
            | (Change::Expired { id }, Change::Expired { id: i }) => id == i,
            (Change::Gap, Change::Gap) => true,
            _ => false,
        }
    }
}

impl<M: RedisModel> fmt::Debug for Change<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Saved { id, version, fields } => f
                .debug_struct("Saved")
                .field("id", id)
                .field("version", version)
                .field("fields", fields)
                .finish(),
            Change::Deleted { id } => f.debug_struct("Deleted").field("id", id).finish(),
            Change::Expired { id } => f.debug_struct("Expired").field("id", id).finish(),
            Change::Gap => f.write_str("Gap"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::sample::Film;

    #[test]
    fn events_are_read() {
        let read = |text: &str| Change::<Film>::read(text.as_bytes());
        assert_eq!(
            read(r#"{"op":"saved","id":"7","version":3,"fields":["a.b"]}"#).unwrap(),
            Some(Change::Saved { id: 7, version: Some(3), fields: vec!["a.b".into()] })
        );
        assert_eq!(
            read(r#"{"op":"saved","id":"7","version":null,"fields":[]}"#).unwrap(),
            Some(Change::Saved { id: 7, version: None, fields: vec![] })
        );
        assert_eq!(read(r#"{"op":"deleted","id":"7"}"#).unwrap(), Some(Change::Deleted { id: 7 }));
        assert_eq!(read(r#"{"op":"moved","id":"7"}"#).unwrap(), None);
        assert!(read(r#"{"op":"saved","id":"x"}"#).is_err());
        assert!(read("hello").is_err());
    }
}
