//! One field of references with what becomes of its documents, and its types taken away.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use alizarin_core::command::each;

use super::super::call::{CHANGE_REFERRER, DELETE_REFERRER};
use super::super::changes::script_name;
use super::super::delete::scripted;
use super::super::get::at_key;
use super::super::prepare::prepare_part;
use super::super::scan::{PAGE, page_of_keys};
use super::super::script::{Call, Expected, Expiry, Mode, Plan, place};
use super::super::{Changes, Repository};
use crate::model::Unsettable;
use crate::model::{ModelSchema, OwnField, RedisModel, RedisValue, Ref, References, Storage};
use crate::query::FieldPath;
use crate::query::scope::index_name;
use crate::query::{Field, FieldSpec, IsExact, KeyPages, Operand, QueryWriter, field_schema};
use crate::{Command, Error, ErrorKind, Result};

/// An id of some model.
pub(super) type AnyId = Arc<dyn Any + Send + Sync>;

/// The repository of no model yet: client, namespace, tenant.
pub(super) type Place = Repository<()>;

/// What a document is deleted for, as `refers.lua` takes it: kind, place, value, separator.
pub(super) type Reference = [Vec<u8>; 4];

pub(super) type Working<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What becomes of the documents that refer to one which is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Cascade,
    Restrict,
    Unset,
}

/// A field with `on_delete`. Made by derived code.
#[doc(hidden)]
#[derive(Clone)]
pub struct Rule {
    pub(super) policy: Policy,
    pub(super) via: Arc<dyn Via>,
}

/// The model that a field refers to, and its id.
type Target<S> = <<S as FieldSpec>::Stored as References>::Target;
type TargetId<S> = <Target<S> as RedisModel>::Id;
type Referring<S> = <S as FieldPath>::Model;

impl Rule {
    /// The referring documents are deleted too.
    pub fn cascade<S>() -> Rule
    where
        S: OwnField<Stored: References> + IsExact,
        TargetId<S>: RedisValue + Operand<S::Value>,
    {
        Rule { policy: Policy::Cascade, via: Arc::new(Through::<S>(PhantomData)) }
    }

    /// While there are referring documents nothing is deleted.
    pub fn restrict<S>() -> Rule
    where
        S: OwnField<Stored: References> + IsExact,
        TargetId<S>: RedisValue + Operand<S::Value>,
    {
        Rule { policy: Policy::Restrict, via: Arc::new(Through::<S>(PhantomData)) }
    }

    /// The reference is taken out of the referring documents.
    pub fn unset<S>() -> Rule
    where
        S: OwnField<Stored: Unsettable> + IsExact,
        TargetId<S>: RedisValue + Operand<S::Value>,
    {
        Rule { policy: Policy::Unset, via: Arc::new(Through::<S>(PhantomData)) }
    }
}

impl Rule {
    /// Whether it is of the same field.
    pub(super) fn is(&self, other: &Rule) -> bool {
        self.via.field_type() == other.via.field_type()
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("model", &self.via.schema().name)
            .field("field", &self.via.field())
            .field("policy", &self.policy)
            .finish()
    }
}

/// A document that refers to some that are deleted.
pub(super) struct Found {
    pub(super) key: String,
    pub(super) id: AnyId,
    /// The numbers of these.
    pub(super) targets: Vec<usize>,
}

/// What a search for referring documents gives.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    /// Keys that the index has and the model does not write.
    pub(super) foreign: Vec<String>,
}

/// What is asked for: documents with their numbers.
pub(super) struct Wanted<'a> {
    pub(super) targets: Vec<(usize, &'a AnyId)>,
    /// Keys that are passed over.
    pub(super) gone: &'a HashSet<String>,
    /// Whether all documents are gone through, instead of the index.
    pub(super) scan: bool,
    /// After so many the search ends.
    pub(super) most: usize,
}

/// A search as `referred.lua` makes it once more.
pub(super) struct Search {
    pub(super) index: String,
    pub(super) query: QueryWriter,
}

/// A field of references of some model.
pub(super) trait Via: Send + Sync {
    /// The model that is referred to, and the referring one.
    fn target(&self) -> TypeId;
    fn model(&self) -> TypeId;
    /// The field's marker.
    fn field_type(&self) -> TypeId;
    fn schema(&self) -> &'static ModelSchema;
    fn field(&self) -> &'static str;

    /// Who refers to these documents, by what is stored.
    fn find<'a>(&'a self, place: &'a Place, wanted: Wanted<'a>) -> Working<'a, Findings>;
    fn search(&self, place: &Place, target: &AnyId) -> Result<Search>;
    fn reference(&self, target: &AnyId) -> Result<Reference>;

    /// The deletion of a referring document.
    fn deletion(&self, place: &Place, id: &AnyId, because: &Reference) -> Result<Call>;
    /// No changes yet of a referring document.
    fn no_changes(&self) -> Box<dyn Any + Send + Sync>;
    /// Takes references out of one.
    fn unset(&self, changes: &mut (dyn Any + Send + Sync), targets: &[&AnyId]) -> Result<()>;
    fn change(
        &self,
        place: &Place,
        id: &AnyId,
        changes: &(dyn Any + Send + Sync),
        because: &[Reference],
    ) -> Result<Call>;

    fn before_delete(&self, id: &AnyId) -> Result<()>;
    fn after_delete(&self, id: &AnyId);
}

struct Through<S>(PhantomData<fn() -> S>);

impl<S> Via for Through<S>
where
    S: OwnField<Stored: References> + IsExact,
    TargetId<S>: RedisValue + Operand<S::Value>,
{
    fn target(&self) -> TypeId {
        TypeId::of::<Target<S>>()
    }

    fn model(&self) -> TypeId {
        TypeId::of::<Referring<S>>()
    }

    fn field_type(&self) -> TypeId {
        TypeId::of::<S>()
    }

    fn schema(&self) -> &'static ModelSchema {
        Referring::<S>::SCHEMA
    }

    fn field(&self) -> &'static str {
        field_schema::<S>().name
    }

    fn find<'a>(&'a self, place: &'a Place, wanted: Wanted<'a>) -> Working<'a, Findings> {
        Box::pin(find::<S>(place, wanted))
    }

    fn search(&self, place: &Place, target: &AnyId) -> Result<Search> {
        let repository = place.beside::<Referring<S>>();
        let query = query::<S>(known::<TargetId<S>>(target)?)?;
        Ok(Search { index: index_name(&repository)?, query })
    }

    fn reference(&self, target: &AnyId) -> Result<Reference> {
        let field = field_schema::<S>();
        let value = stored::<S>(target)?;
        let storage = Referring::<S>::SCHEMA.storage;
        let kind = match (storage, S::Stored::MANY) {
            (Storage::Hash, false) => "hash",
            (Storage::Hash, true) => "tags",
            (Storage::Json, false) => "json",
            (Storage::Json, true) => "items",
        };
        let separator = field.tag_separator().map(String::from).unwrap_or_default();
        Ok([kind.into(), script_name::<S>().into_bytes(), value, separator.into_bytes()])
    }

    fn deletion(&self, place: &Place, id: &AnyId, because: &Reference) -> Result<Call> {
        let repository = place.beside::<Referring<S>>();
        let id = known::<<Referring<S> as RedisModel>::Id>(id)?;
        let call = scripted(&repository, id, &Expected::Anything);
        let mut call = call.with_script(&DELETE_REFERRER);
        call.section("refers", because);
        Ok(call)
    }

    fn no_changes(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(Changes::<Referring<S>>::new())
    }

    fn unset(&self, changes: &mut (dyn Any + Send + Sync), targets: &[&AnyId]) -> Result<()> {
        let changes = changes.downcast_mut::<Changes<Referring<S>>>().ok_or_else(unknown)?;
        if !S::Stored::MANY {
            return changes.remove::<S>();
        }
        let values: Vec<_> = targets.iter().map(|id| stored::<S>(id)).collect::<Result<_>>()?;
        let separator = field_schema::<S>().tag_separator().map(String::from).unwrap_or_default();
        let how = match Referring::<S>::SCHEMA.storage {
            Storage::Hash => "drop",
            Storage::Json => "without",
        };
        changes.edit::<S>(
            how,
            |_, out| {
                values.iter().for_each(|value| out.push(value));
                Ok(())
            },
            |first, count| [first.to_owned(), count.to_owned(), separator],
        )
    }

    fn change(
        &self,
        place: &Place,
        id: &AnyId,
        changes: &(dyn Any + Send + Sync),
        because: &[Reference],
    ) -> Result<Call> {
        let repository = place.beside::<Referring<S>>();
        let id = known::<<Referring<S> as RedisModel>::Id>(id)?;
        let changes = changes.downcast_ref::<Changes<Referring<S>>>().ok_or_else(unknown)?;
        let plan = Plan {
            mode: Mode::Replace,
            expected: Expected::Anything,
            expiry: Expiry::Keep,
            lock: None,
            tell: false,
            edits: changes.has_edits(),
        };
        let call = prepare_part(&repository, id, changes, None, &plan)?;
        let mut call = call.with_script(&CHANGE_REFERRER);
        call.section("refers", &because.concat());
        Ok(call)
    }

    fn before_delete(&self, id: &AnyId) -> Result<()> {
        Referring::<S>::hook_before_delete(known::<<Referring<S> as RedisModel>::Id>(id)?)
    }

    fn after_delete(&self, id: &AnyId) {
        if let Ok(id) = known::<<Referring<S> as RedisModel>::Id>(id) {
            Referring::<S>::hook_after_delete(id);
        }
    }
}

/// The id as the one it is.
fn known<I: 'static>(id: &AnyId) -> Result<&I> {
    id.downcast_ref().ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::new(ErrorKind::Usage, "an id of another model was put to a field of references")
}

/// One reference as the field stores it.
fn stored<S>(target: &AnyId) -> Result<Vec<u8>>
where
    S: OwnField<Stored: References>,
    TargetId<S>: RedisValue,
{
    let reference = Ref::<Target<S>>::new(known::<TargetId<S>>(target)?.clone());
    let (field, mut out) = (field_schema::<S>(), Vec::new());
    match Referring::<S>::SCHEMA.storage {
        Storage::Hash => reference.to_hash(field, &mut out),
        Storage::Json => reference.to_json(field, &mut out),
    }
    .map_err(|error| error.with_field(field.name))?;
    Ok(out)
}

fn query<S>(id: &TargetId<S>) -> Result<QueryWriter>
where
    S: OwnField<Stored: References> + IsExact,
    TargetId<S>: Operand<S::Value>,
{
    Field::<S>::new().eq(id.clone()).render()
}

async fn find<S>(place: &Place, wanted: Wanted<'_>) -> Result<Findings>
where
    S: OwnField<Stored: References> + IsExact,
    TargetId<S>: RedisValue + Operand<S::Value>,
{
    let repository = place.beside::<Referring<S>>().steady();
    let targets = place.beside::<Target<S>>();
    let mut numbers = HashMap::new();
    for (number, id) in &wanted.targets {
        numbers.insert(targets.key(known::<TargetId<S>>(id)?), *number);
    }
    let mut findings = Findings::default();
    if wanted.scan {
        let mut cursor = "0".to_owned();
        loop {
            let (next, mut keys) = page_of_keys(&repository, &cursor, PAGE).await?;
            keys.retain(|(key, _)| !wanted.gone.contains(key));
            verify::<S>(&repository, keys, &numbers, &mut findings).await?;
            if next == "0" || findings.found.len() >= wanted.most {
                return Ok(findings);
            }
            cursor = next;
        }
    }
    for (_, id) in &wanted.targets {
        let query = query::<S>(known::<TargetId<S>>(id)?)?;
        let mut pages = KeyPages::sorted(&repository, &query, None)?;
        while let Some(keys) = pages.next().await? {
            let mut own = Vec::with_capacity(keys.len());
            for key in keys {
                match (repository.id_of(&key), String::from_utf8(key)) {
                    (Some(_), Ok(key)) if wanted.gone.contains(&key) => {}
                    (Some(id), Ok(key)) => own.push((key, id)),
                    (_, key) => findings.foreign.extend(key.ok()),
                }
            }
            verify::<S>(&repository, own, &numbers, &mut findings).await?;
            if findings.found.len() >= wanted.most {
                return Ok(findings);
            }
        }
    }
    Ok(findings)
}

/// Keeps those documents that refer to one of the numbered ones, by what they hold: an index takes
/// more for alike than is, and may be behind.
async fn verify<S>(
    repository: &Repository<Referring<S>>,
    keys: Vec<(String, <Referring<S> as RedisModel>::Id)>,
    numbers: &HashMap<String, usize>,
    findings: &mut Findings,
) -> Result<()>
where
    S: OwnField<Stored: References>,
{
    let (storage, field) = (Referring::<S>::SCHEMA.storage, field_schema::<S>());
    let targets = repository.beside::<Target<S>>();
    for keys in keys.chunks(PAGE) {
        let name = match storage {
            Storage::Hash => "HGET",
            Storage::Json => "JSON.GET",
        };
        let at = place(storage, field.name);
        let read = |key| Command::<Result<Option<Vec<u8>>>>::new(name).key(key).arg(&at);
        let reads = keys.iter().map(|(key, _)| read(key));
        let values = repository.client().pipeline(each(reads)).await?;
        for ((key, id), value) in keys.iter().zip(values) {
            let value = value.and_then(|value| decode::<S>(storage, value.as_deref()));
            let value = value.map_err(|error| at_key(error.with_field(field.name), key))?;
            let mut found = Vec::new();
            let mut value = value;
            if let Some(value) = &mut value {
                value.each(&mut |reference| {
                    let number = numbers.get(&targets.key(reference.id())).copied();
                    found.extend(number.filter(|number| !found.contains(number)));
                });
            }
            if !found.is_empty() {
                let (key, id) = (key.clone(), Arc::new(id.clone()) as AnyId);
                findings.found.push(Found { key, id, targets: found });
            }
        }
    }
    Ok(())
}

fn decode<S>(storage: Storage, value: Option<&[u8]>) -> Result<Option<S::Stored>>
where
    S: OwnField<Stored: References>,
{
    let field = field_schema::<S>();
    let Some(value) = value else { return Ok(None) };
    if storage == Storage::Hash {
        return S::Stored::from_hash(value, field).map(Some);
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    // What a path leads to stands in a list.
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        None | Some("" | "null") => Ok(None),
        Some(text) => S::Stored::from_json(text, field).map(Some),
    }
}
