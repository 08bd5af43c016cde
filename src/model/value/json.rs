//! Any `serde` type as a field.

use std::io;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::ser::{CompactFormatter, Formatter};

use super::{
    super::{FieldSchema, ValueKind},
    ListItem, RedisValue, decimal, refused, utf8,
};
use crate::{Error, Result};

/// A `serde` type as one field: a part of the document in JSON, JSON text in a hash. Not indexed.
///
/// As `serde_json` writes it: NaN and infinities become `null`, which a float does not read back.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::Json;
///
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(hash, prefix = "report")]
/// struct Report {
///     #[redis(id)]
///     id: u32,
///     rows: Json<Vec<(u32, String)>>,
/// }
///
/// # let reports = client.repository::<Report>().with_namespace(namespace);
/// let report = Report { id: 7, rows: Json(vec![(1, "one".to_owned())]) };
/// reports.save(&report).await?;
/// let stored: String = client.command("HGET").key(reports.key(&7)).arg("rows").await?;
/// assert_eq!(stored, r#"[[1,"one"]]"#);
/// # assert_eq!(reports.get(&7).await?, Some(report));
/// # Ok(()) });
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "a newtype")]
pub struct Json<T>(
    /// The value.
    pub T,
);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Json<T> {
        Json(value)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> RedisValue for Json<T> {
    type Item = Json<T>;
    const KIND: ValueKind = ValueKind::Json;

    fn to_hash(&self, _field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(out, &self.0)
            .map_err(|error| refused("the value has no form in JSON").with_source(error))
    }

    fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Json<T>> {
        Json::from_json(utf8(bytes, "JSON text")?, field)
    }

    fn to_json(&self, _field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(out, Numbers);
        self.0
            .serialize(&mut serializer)
            .map_err(|error| refused("the value has no form in JSON").with_source(error))
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<Json<T>> {
        serde_json::from_str(json).map(Json).map_err(|error| {
            Error::decode("JSON of the field's type", "other JSON").with_source(error)
        })
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> ListItem for Json<T> {}

/// Compact, with numbers in the forms that the server keeps.
struct Numbers;

impl Formatter for Numbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let mut text = Vec::new();
        decimal::write_f64(value, &mut text);
        writer.write_all(&text)
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => CompactFormatter.write_i64(writer, value),
            (_, Ok(value)) => CompactFormatter.write_u64(writer, value),
            _ => Err(too_wide()),
        }
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        match u64::try_from(value) {
            Ok(value) => CompactFormatter.write_u64(writer, value),
            Err(_) => Err(too_wide()),
        }
    }
}

fn too_wide() -> io::Error {
    io::Error::other("the server makes floats of integers beyond 64 bits; use a string")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::check::{PLAIN, json, no, round_trip};
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_part_of_the_document() {
        let value = Json(BTreeMap::from([("a".to_owned(), vec![0.1_f64, 2.0])]));
        round_trip(&value, &PLAIN);
        assert_eq!(json(&value, &PLAIN), r#"{"a":[0.1,2.0]}"#);
        no::<Json<Vec<u8>>>("{}", &PLAIN);
        round_trip(&Json((i64::MIN, u64::MAX, i128::from(u64::MAX))), &PLAIN);
    }

    #[test]
    fn what_the_server_would_round_is_refused() {
        let error = Json(u128::MAX).to_json(&PLAIN, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
    }
}
