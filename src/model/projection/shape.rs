//! What a projection asks the server for.

use super::Path;
use crate::model::{FieldSchema, IndexKind, RedisModel, Storage, json_path};

/// The names of a projection's fields in a document, and where each belongs. Made by derived code.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// use alizarin::model::RedisProjection as _;
///
/// #[derive(RedisProjection)]
/// #[redis(of = Film)]
/// struct Card {
///     title: String,
/// }
/// # let _ = |card: Card| card.title;
///
/// assert_eq!(Card::shape().names().collect::<Vec<_>>(), ["id", "title"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug)]
pub struct Shape {
    /// Hash fields or JSON paths; the first is that of the id, or of its first part, which tells a
    /// document without the other fields from none.
    names: Vec<String>,
    routes: Vec<Route>,
    exact: bool,
}

/// From a name to a field of the projection.
#[derive(Debug)]
struct Route {
    name: usize,
    column: usize,
    /// The name within a nested struct of a hash.
    rest: String,
}

impl Shape {
    /// The shape of these columns. Called by derived code.
    pub fn new<M: RedisModel>(columns: &[Path]) -> Shape {
        let storage = M::SCHEMA.storage;
        let mut shape = Shape { names: Vec::new(), routes: Vec::new(), exact: true };
        if let Some(id) = M::SCHEMA.ids.first() {
            shape.name(in_document(storage, &[id]));
        }
        for (at, column) in columns.iter().enumerate() {
            shape.add(storage, at, *column);
        }
        shape
    }

    /// What is asked for: hash fields or JSON paths, the id's first.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether a search gives all values as they are stored. The index of hashes gives those of
    /// some fields that it sorts by in a form of its own.
    pub(crate) fn is_exact_in_search(&self) -> bool {
        self.exact
    }

    /// The number of a name.
    pub(super) fn position(&self, name: &[u8]) -> Option<usize> {
        self.names.iter().position(|known| known.as_bytes() == name)
    }

    /// Calls `each` with the columns that want the value under the name `at`, and the rest of the
    /// name.
    pub(super) fn route<E>(
        &self,
        at: usize,
        mut each: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let routes = self.routes.iter().filter(|route| route.name == at);
        routes.into_iter().try_for_each(|route| each(route.column, route.rest.as_bytes()))
    }

    fn add(&mut self, storage: Storage, column: usize, path: Path) {
        let mut steps = Vec::new();
        (path.walk)(&mut |step| steps.push(step));
        // The fields of a flattened struct stand among those around it.
        steps.retain(|step| step.nested.is_none_or(|nested| !nested.flat));
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        let Some(last) = steps.last() else { return };
        match (storage, &last.nested) {
            (Storage::Hash, Some(nested)) => {
                let whole = names.join(".");
                self.leaves(column, &whole, "", nested.fields);
            }
            _ => {
                if storage == Storage::Hash && steps.len() == 1 {
                    self.exact &= path.exact || !is_changed(last);
                }
                let name = self.name(in_document(storage, &names));
                self.routes.push(Route { name, column, rest: String::new() });
            }
        }
    }

    /// All fields of a struct in a hash, and the marker of one without fields.
    fn leaves(&mut self, column: usize, whole: &str, rest: &str, fields: &[FieldSchema]) {
        let name = if rest.is_empty() { whole.to_owned() } else { [whole, ".", rest].concat() };
        let name = self.name(name);
        self.routes.push(Route { name, column, rest: rest.to_owned() });
        self.fields(column, whole, rest, fields);
    }

    fn fields(&mut self, column: usize, whole: &str, before: &str, fields: &[FieldSchema]) {
        for field in fields {
            let rest = match before {
                "" => field.name.to_owned(),
                before => [before, ".", field.name].concat(),
            };
            match &field.nested {
                Some(nested) if nested.flat => self.fields(column, whole, before, nested.fields),
                Some(nested) => self.leaves(column, whole, &rest, nested.fields),
                None => {
                    let name = self.name([whole, ".", &rest].concat());
                    self.routes.push(Route { name, column, rest });
                }
            }
        }
    }

    fn name(&mut self, name: String) -> usize {
        match self.position(name.as_bytes()) {
            Some(at) => at,
            None => {
                self.names.push(name);
                self.names.len() - 1
            }
        }
    }
}

fn in_document(storage: Storage, steps: &[&str]) -> String {
    match storage {
        Storage::Hash => steps.join("."),
        Storage::Json => json_path(steps.iter().copied()),
    }
}

/// Whether a search gives the value in a form of the index: numbers of twelve digits, text up to
/// a NUL.
fn is_changed(field: &FieldSchema) -> bool {
    // An entry under another name does not stand in the field's way.
    let mut entries = field.attributes.iter().filter(|entry| entry.alias.is_none());
    entries.any(|entry| match entry.kind {
        IndexKind::Numeric => entry.sortable,
        IndexKind::Text { .. } => entry.sortable && entry.unf,
        _ => false,
    })
}
