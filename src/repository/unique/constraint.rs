//! A model's constraints: what of a document is reserved, and under which keys.

use std::borrow::Cow;

use alizarin_core::resp::Packed;

use crate::model::{RedisModel, Storage, UniqueSchema, members};
use crate::repository::Repository;
use crate::repository::lock::has_tag;
use crate::repository::script::{Call, place, storage_word};
use crate::{Error, ErrorKind, Result};

/// The constraints of a repository's model.
#[derive(Debug, Clone)]
pub(crate) struct Constraints {
    pub(crate) model: &'static str,
    pub(crate) all: &'static [UniqueSchema],
    pub(crate) namespace: String,
    /// What the keys of reservations begin with.
    pub(crate) base: String,
    /// Whether reservations lie in other slots than their documents.
    pub(crate) apart: bool,
    storage: Storage,
    /// The stored names of the fields concerned, each once.
    names: Vec<&'static str>,
}

/// The values of [`Constraints`]' fields, in order; exact bytes.
pub(crate) type Values = Vec<Option<Vec<u8>>>;

/// What a write does to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Keep,
    Remove,
    Set(Vec<u8>),
}

impl Change {
    /// As the scripts take it.
    pub(crate) fn text(&self) -> Vec<u8> {
        match self {
            Change::Keep => b"=".to_vec(),
            Change::Remove => b"-".to_vec(),
            Change::Set(value) => [b"+", value.as_slice()].concat(),
        }
    }
}

impl Constraints {
    /// Those of the model; `None` where nothing is unique.
    pub(crate) fn of<M: RedisModel>(repository: &Repository<M>) -> Option<Constraints> {
        let schema = M::SCHEMA;
        if schema.unique.is_empty() {
            return None;
        }
        let mut names = Vec::new();
        for name in schema.unique.iter().flat_map(|one| one.fields) {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        let namespace = repository.namespace();
        // A hash tag that the documents' keys have too.
        let alike = schema.key.first().is_some_and(|text| text.starts_with(schema.prefix));
        let tagged = has_tag(namespace) || (alike && has_tag(&[namespace, schema.prefix].concat()));
        Some(Constraints {
            model: schema.name,
            all: schema.unique,
            namespace: namespace.to_owned(),
            base: [namespace, "alizarin:unique:", schema.prefix, ":"].concat(),
            apart: repository.client().is_cluster() && !tagged,
            storage: schema.storage,
            names,
        })
    }

    /// Adds the sections that every script about unique fields has.
    pub(crate) fn write_to(&self, call: &mut Call) {
        let mut arguments = vec![self.model.to_owned(), self.base.clone()];
        for one in self.all {
            arguments.extend([one.name.to_owned(), self.positions(one)]);
        }
        call.section("unique", &arguments).section("places", &self.places());
    }

    /// The same for a script of its own, about one constraint.
    pub(crate) fn write_one(&self, call: &mut Call, one: &UniqueSchema) {
        call.section("storage", &[storage_word(self.storage)]);
        let arguments = [self.model, &self.base, one.name, &self.positions(one)];
        call.section("unique", &arguments).section("places", &self.places());
    }

    /// The same about all of them.
    pub(crate) fn write_all(&self, call: &mut Call) {
        call.section("storage", &[storage_word(self.storage)]);
        self.write_to(call);
    }

    fn places(&self) -> Vec<String> {
        self.names.iter().map(|name| place(self.storage, name)).collect()
    }

    /// Where a constraint's fields stand among the places, counted from 1.
    fn positions(&self, one: &UniqueSchema) -> String {
        let at = |name: &&str| self.names.iter().position(|other| other == name);
        let all: Vec<_> = one.fields.iter().filter_map(at).map(|at| (at + 1).to_string()).collect();
        all.join(",")
    }

    /// What a deletion does.
    pub(crate) fn none(&self) -> Vec<Change> {
        vec![Change::Remove; self.names.len()]
    }

    /// What a whole document holds.
    pub(crate) fn of_hash(&self, set: &Packed) -> Vec<Change> {
        let mut changes = self.none();
        let mut arguments = set.arguments();
        while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
            self.change(&mut changes, name, || Change::Set(value.to_vec()));
        }
        changes
    }

    /// The same, out of JSON text.
    ///
    /// # Errors
    /// `Value` for what has no one exact form.
    pub(crate) fn of_json(&self, json: &[u8]) -> Result<Vec<Change>> {
        let mut changes = self.none();
        let json = std::str::from_utf8(json).unwrap_or_default();
        members(json, |name, value| {
            let at = self.names.iter().position(|other| *other == name);
            if let (Some(at), crate::model::StoredValue::Json(text)) = (at, value) {
                let change = exact(text).map_err(|error| error.with_field(name))?;
                if let Some(slot) = changes.get_mut(at) {
                    *slot = change;
                }
            }
            Ok(true)
        })?;
        Ok(changes)
    }

    /// What the change of single fields does: `set` holds places, parents and values, `removed`
    /// places and parents.
    ///
    /// # Errors
    /// As [`Constraints::of_json`].
    pub(crate) fn of_part(&self, set: &Packed, removed: &Packed) -> Result<Vec<Change>> {
        let mut changes = vec![Change::Keep; self.names.len()];
        let places = self.places();
        let at = |place: &[u8]| places.iter().position(|other| other.as_bytes() == place);
        let mut arguments = set.arguments();
        while let (Some(place), Some(_), Some(value)) =
            (arguments.next(), arguments.next(), arguments.next())
        {
            let Some(at) = at(place) else { continue };
            let change = match self.storage {
                Storage::Hash => Change::Set(value.to_vec()),
                Storage::Json => exact(std::str::from_utf8(value).unwrap_or_default())
                    .map_err(|error| error.with_field(self.names.get(at).unwrap_or(&"")))?,
            };
            if let Some(slot) = changes.get_mut(at) {
                *slot = change;
            }
        }
        let mut arguments = removed.arguments();
        while let (Some(place), Some(_)) = (arguments.next(), arguments.next()) {
            if let Some(slot) = at(place).and_then(|at| changes.get_mut(at)) {
                *slot = Change::Remove;
            }
        }
        Ok(changes)
    }

    fn change(&self, changes: &mut [Change], name: &[u8], change: impl FnOnce() -> Change) {
        let at = self.names.iter().position(|other| other.as_bytes() == name);
        if let Some(slot) = at.and_then(|at| changes.get_mut(at)) {
            *slot = change();
        }
    }

    /// What the fields hold after a write.
    pub(crate) fn after(&self, values: &Values, changes: &[Change]) -> Values {
        let after = values.iter().zip(changes).map(|(value, change)| match change {
            Change::Keep => value.clone(),
            Change::Remove => None,
            Change::Set(value) => Some(value.clone()),
        });
        after.collect()
    }

    /// The key that reserves what a constraint's fields hold; `None` when one of them holds nothing.
    pub(crate) fn reservation(&self, one: &UniqueSchema, values: &Values) -> Option<String> {
        let held = one.fields.iter().map(|name| {
            let at = self.names.iter().position(|other| other == name)?;
            values.get(at)?.as_deref()
        });
        Some(self.key(one, &held.collect::<Option<Vec<_>>>()?))
    }

    /// The same for the values of one constraint.
    pub(crate) fn key(&self, one: &UniqueSchema, values: &[&[u8]]) -> String {
        let mut text = vec![b'?'];
        for value in values {
            text.extend_from_slice(value.len().to_string().as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
        }
        let mut digest = |salt: u8| {
            if let Some(first) = text.first_mut() {
                *first = salt;
            }
            sha1_smol::Sha1::from(&text).digest().to_string()
        };
        // Of two that collide in the one, no pair is known that collides in both.
        let (long, short) = (digest(b'a'), digest(b'b'));
        let short = short.get(..24).unwrap_or_default();
        format!("{}{}:{long}{short}", self.base, one.name)
    }
}

/// The exact bytes of a JSON value, the same that the scripts find on the server.
///
/// # Errors
/// `Value` for floats, lists and objects.
pub(crate) fn exact(json: &str) -> Result<Change> {
    let json = json.trim();
    let whole =
        |text: &str| text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
    match json.as_bytes().first() {
        _ if json == "null" => Ok(Change::Remove),
        Some(b'"') => {
            let text: Cow<'_, str> = serde_json::from_str::<String>(json)
                .map(Cow::Owned)
                .map_err(|error| Error::decode("a JSON string", "other JSON").with_source(error))?;
            Ok(Change::Set(text.as_bytes().to_vec()))
        }
        Some(_) if whole(json) || json == "true" || json == "false" => {
            Ok(Change::Set(json.as_bytes().to_vec()))
        }
        _ => Err(Error::new(
            ErrorKind::Value,
            "a unique field's JSON form is a string, a whole number or a boolean",
        )),
    }
}

/// The document that a reservation is for: it stands behind a token and a time.
pub(crate) fn owner(reservation: &str) -> Option<&str> {
    reservation.splitn(3, ':').nth(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_values_have_one_form() {
        let set = |text: &str| Change::Set(text.as_bytes().to_vec());
        assert_eq!(exact("null").unwrap(), Change::Remove);
        assert_eq!(exact(r#""a\u0041\n""#).unwrap(), set("aA\n"));
        assert_eq!(exact(" -5 ").unwrap(), set("-5"));
        assert_eq!(exact("true").unwrap(), set("true"));
        for refused in ["1.5", "1e3", "[1]", "{}"] {
            assert_eq!(exact(refused).unwrap_err().kind(), ErrorKind::Value, "{refused}");
        }
    }

    #[test]
    fn the_document_stands_last() {
        assert_eq!(owner("t:5:a:b:1"), Some("a:b:1"));
        assert_eq!(owner(":5:a"), Some("a"));
        assert_eq!(owner("x"), None);
    }
}
