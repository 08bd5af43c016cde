//! A hand-written document and nested struct, and what becomes of them in both storages.

use super::super::stored::members;
use super::super::{NestedSchema, accept_struct, finish_struct, missing, write_struct};
use super::*;
use crate::query::FieldPath;

/// A struct nested in another, as the derive would write it.
#[derive(Debug, Clone, PartialEq)]
struct Inner {
    city: Option<String>,
    zip: Option<u32>,
}

impl Inner {
    const CITY: FieldSchema = FieldSchema::plain("city");
    const ZIP: FieldSchema = FieldSchema::plain("zip");
}

impl Document for Inner {
    const FIELDS: &'static [FieldSchema] = &[Inner::CITY, Inner::ZIP];
    type Partial = (Option<Option<String>>, Option<Option<u32>>);

    fn write(&self, out: &mut DocumentWriter) -> Result<()> {
        out.field(&Inner::CITY, &self.city)?;
        out.field(&Inner::ZIP, &self.zip)
    }

    fn accept(partial: &mut Self::Partial, name: &[u8], value: StoredValue<'_>) -> Result<bool> {
        match name {
            b"city" => partial.0 = Some(value.read(&Inner::CITY)?),
            b"zip" => partial.1 = Some(value.read(&Inner::ZIP)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(partial: Self::Partial) -> Result<Inner> {
        Ok(Inner { city: partial.0.flatten(), zip: partial.1.flatten() })
    }
}

#[derive(Clone, Copy, Default)]
struct NoFields;

impl Nested for Inner {
    type Item = Inner;
    type Fields<P: FieldPath> = NoFields;
    type Slot = Option<<Inner as Document>::Partial>;
    const MANY: bool = false;

    fn write(&self, field: &FieldSchema, out: &mut DocumentWriter) -> Result<()> {
        write_struct(self, field, out)
    }

    fn accept(slot: &mut Self::Slot, rest: &[u8], value: StoredValue<'_>) -> Result<bool> {
        accept_struct::<Inner>(slot, rest, value)
    }

    fn finish(slot: Self::Slot, field: &FieldSchema) -> Result<Inner> {
        finish_struct(slot, field)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Outer {
    name: String,
    home: Inner,
    work: Option<Inner>,
    /// JSON only.
    past: Vec<Inner>,
}

impl Outer {
    const NAME: FieldSchema = FieldSchema::plain("name");
    const HOME: FieldSchema = nested("home", false);
    const WORK: FieldSchema = nested("work", false);
    const PAST: FieldSchema = nested("past", true);
}

const fn nested(name: &'static str, many: bool) -> FieldSchema {
    let nested = Some(NestedSchema { fields: Inner::FIELDS, many, flat: false });
    FieldSchema { nested, many, ..FieldSchema::plain(name) }
}

type Slot<T> = <T as Nested>::Slot;

impl Document for Outer {
    const FIELDS: &'static [FieldSchema] = &[Outer::NAME, Outer::HOME, Outer::WORK, Outer::PAST];
    type Partial = (Option<String>, Slot<Inner>, Slot<Option<Inner>>, Slot<Vec<Inner>>);

    fn write(&self, out: &mut DocumentWriter) -> Result<()> {
        out.field(&Outer::NAME, &self.name)?;
        out.nested(&Outer::HOME, &self.home)?;
        out.nested(&Outer::WORK, &self.work)?;
        match out.storage() {
            Storage::Hash => Ok(()),
            Storage::Json => out.nested(&Outer::PAST, &self.past),
        }
    }

    fn accept(partial: &mut Self::Partial, name: &[u8], value: StoredValue<'_>) -> Result<bool> {
        let at = name.iter().position(|byte| *byte == b'.').unwrap_or(name.len());
        let (first, rest) = (&name[..at], name.get(at + 1..).unwrap_or_default());
        match first {
            b"name" => partial.0 = Some(value.read(&Outer::NAME)?),
            b"home" => return <Inner as Nested>::accept(&mut partial.1, rest, value),
            b"work" => return <Option<Inner> as Nested>::accept(&mut partial.2, rest, value),
            b"past" => return <Vec<Inner> as Nested>::accept(&mut partial.3, rest, value),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(partial: Self::Partial) -> Result<Outer> {
        Ok(Outer {
            name: partial.0.ok_or_else(|| missing(&Outer::NAME))?,
            home: <Inner as Nested>::finish(partial.1, &Outer::HOME)?,
            work: <Option<Inner> as Nested>::finish(partial.2, &Outer::WORK)?,
            past: partial.3.unwrap_or_default(),
        })
    }
}

fn inner(city: Option<&str>, zip: Option<u32>) -> Inner {
    Inner { city: city.map(str::to_owned), zip }
}

fn samples() -> Vec<Outer> {
    let empty = inner(None, None);
    let full = inner(Some("Wien \"1\""), Some(1010));
    let homes = [empty.clone(), full.clone()];
    let works = [None, Some(empty), Some(full), Some(inner(None, Some(1)))];
    let mut all = Vec::new();
    for home in &homes {
        for work in &works {
            all.push(Outer {
                name: "Ann".to_owned(),
                home: home.clone(),
                work: work.clone(),
                past: Vec::new(),
            });
        }
    }
    all
}

fn written(document: &Outer, storage: Storage) -> DocumentWriter {
    let mut out = DocumentWriter::new(storage);
    out.document(document).unwrap();
    out
}

fn texts(packed: &Packed) -> Vec<String> {
    packed.arguments().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
}

fn read_hash(set: &[String]) -> Result<Outer> {
    let mut partial = Default::default();
    for pair in set.chunks(2) {
        let value = StoredValue::Hash(pair[1].as_bytes());
        assert!(
            <Outer as Document>::accept(&mut partial, pair[0].as_bytes(), value)?,
            "{}",
            pair[0]
        );
    }
    <Outer as Document>::finish(partial)
}

/// Reads a whole JSON document.
fn from_json<D: Document>(json: &str) -> Result<D> {
    let mut partial = D::Partial::default();
    members(json, |name, value| D::accept(&mut partial, name.as_bytes(), value))?;
    D::finish(partial)
}

#[test]
fn hashes_come_back() {
    for document in samples() {
        let (set, absent) = written(&document, Storage::Hash).into_hash();
        let (set, absent) = (texts(&set), texts(&absent));
        assert_eq!(read_hash(&set).unwrap(), document);
        // Each name is set or removed, so that nothing of an older document stays.
        let mut names: Vec<_> = set.iter().step_by(2).chain(&absent).map(String::as_str).collect();
        names.sort_unstable();
        let all = ["home", "home.city", "home.zip", "name", "work", "work.city", "work.zip"];
        assert_eq!(names, all);
    }
}

#[test]
fn a_struct_without_fields_is_told_from_none() {
    let mut document = samples().swap_remove(0);
    document.work = Some(inner(None, None));
    let (set, _) = written(&document, Storage::Hash).into_hash();
    assert_eq!(texts(&set), ["name", "Ann", "home", "", "work", ""]);
    document.work = None;
    let (set, _) = written(&document, Storage::Hash).into_hash();
    assert_eq!(texts(&set), ["name", "Ann", "home", ""]);
}

#[test]
fn json_comes_back() {
    for mut document in samples() {
        for past in [vec![], vec![inner(None, None), inner(Some("Graz"), None)]] {
            document.past = past;
            let json = String::from_utf8(written(&document, Storage::Json).into_json()).unwrap();
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
            assert_eq!(from_json::<Outer>(&json).unwrap(), document, "{json}");
        }
    }
}

#[test]
fn errors_name_the_way_to_the_field() {
    let error = from_json::<Outer>(r#"{"name":1}"#).unwrap_err();
    assert_eq!(error.field(), Some("name"));
    let error = from_json::<Outer>(r#"{"name":"a","past":[{},{"zip":"x"}]}"#).unwrap_err();
    assert_eq!(error.field(), Some("1.zip"));
    assert_eq!(from_json::<Outer>(r#"{"name":"a"}"#).unwrap_err().field(), Some("home"));
    for text in ["", "[]", "{", "null", "{}x", "{\"name\":}"] {
        assert!(from_json::<Outer>(text).is_err(), "{text}");
    }
    let error = read_hash(&["home.zip".to_owned(), "x".to_owned()]).unwrap_err();
    assert_eq!(error.field(), Some("zip"));
}

#[test]
fn null_is_no_nested_struct() {
    let read = from_json::<Outer>(r#"{"name":"a","home":{},"work":null,"other":[1]}"#).unwrap();
    assert_eq!(read.work, None);
}
