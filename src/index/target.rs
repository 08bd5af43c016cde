//! What a model wants of its index.

use super::entry::{Entry, entries, push_step};
use crate::model::{IndexKind, IndexOption, IndexSchema, ModelSchema, RedisModel, Storage};
use crate::query::scope;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// An index as the model says it.
#[derive(Debug)]
pub(crate) struct Target {
    /// The name that queries use.
    pub(crate) alias: String,
    /// What the keys begin with, the model's own prefix first.
    pub(crate) prefixes: Vec<String>,
    pub(crate) model: &'static ModelSchema,
    pub(crate) index: &'static IndexSchema,
    pub(crate) entries: Vec<Entry>,
}

impl Target {
    /// That of a repository's model, under the repository's namespace.
    pub(crate) fn of<M: RedisModel>(repository: &Repository<M>) -> Result<Target> {
        let alias = scope::index_name(repository)?;
        let Some(index) = &M::SCHEMA.index else {
            return Err(Error::new(ErrorKind::Usage, "the model has no index"));
        };
        Target::new(alias, scope::prefixes(repository), M::SCHEMA, index)
    }

    pub(crate) fn new(
        alias: String,
        prefixes: Vec<String>,
        model: &'static ModelSchema,
        index: &'static IndexSchema,
    ) -> Result<Target> {
        let entries = entries(model);
        if entries.is_empty() {
            let message = format!(
                "{} has `index`, but none of its fields is indexed: add `tag`, `text`, `numeric`, … \
                 to one",
                model.name
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(Target { alias, prefixes, model, index, entries })
    }

    /// `HASH` or `JSON`.
    pub(crate) fn storage(&self) -> &'static str {
        match self.model.storage {
            Storage::Hash => "HASH",
            Storage::Json => "JSON",
        }
    }

    /// Where a stored field lies: its name in a hash, its path in JSON.
    pub(crate) fn path(&self, name: &str) -> String {
        let mut path = match self.model.storage {
            Storage::Hash => String::new(),
            Storage::Json => "$".to_owned(),
        };
        if let Some(field) = self.model.fields.iter().find(|field| field.name == name) {
            push_step(&mut path, field, self.model.storage);
        }
        path
    }

    pub(crate) fn has(&self, option: IndexOption) -> bool {
        self.index.options.contains(&option)
    }

    /// How many TEXT fields there are; with more than 32 the server needs a wider index.
    pub(crate) fn text_fields(&self) -> usize {
        let text = |entry: &&Entry| matches!(entry.attribute.kind, IndexKind::Text { .. });
        self.entries.iter().filter(text).count()
    }
}

/// How many TEXT fields an index has room for without `MAXTEXTFIELDS`.
pub(crate) const TEXT_FIELDS: usize = 32;
