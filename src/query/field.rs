//! Typed handles of a model's fields, and what each field's index allows.

use std::fmt;
use std::marker::PhantomData;

use crate::model::{Attribute, FieldSchema, IndexKind, RedisModel};

/// One field of a model, in queries: what `|m| m.title` is. Takes no space.
///
/// Its methods are those that the field's index can answer; others do not compile:
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// assert_eq!(films.find(|f| f.director.eq("Ron Howard")).count().await?, 1);
/// # Ok(()) });
/// ```
/// ```compile_fail
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// // A tag has no size.
/// assert_eq!(films.find(|f| f.director.lt("Ron Howard")).count().await?, 1);
/// # Ok(()) });
/// ```
pub struct Field<S>(PhantomData<fn() -> S>);

impl<S> Field<S> {
    /// The handle. Called by derived code.
    pub const fn new() -> Field<S> {
        Field(PhantomData)
    }
}

impl<S> Clone for Field<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Field<S> {}

impl<S> Default for Field<S> {
    fn default() -> Self {
        Field::new()
    }
}

impl<S: FieldPath> fmt::Debug for Field<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&attribute_name::<S>()).finish()
    }
}

/// Where a field stands: the model, and the way from its root. Implemented by derived code.
pub trait FieldPath: Send + Sync + 'static {
    /// The model it belongs to.
    type Model: RedisModel;

    /// Calls `each` with the schema of each step, outermost first. Called by derived code.
    fn walk(each: &mut dyn FnMut(&'static FieldSchema));
}

/// A field that holds a value (and no nested struct). Implemented by derived code.
///
/// A function that takes any field of some sort names it with the traits of its indexes:
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{Field, FieldSpec, Filter, IsTag, Node};
///
/// fn one_of<S>(field: Field<S>, list: &str) -> Filter<S::Model, impl Node>
/// where
///     S: FieldSpec<Value = String> + IsTag,
/// {
///     field.has_any(list.split(',').map(str::trim))
/// }
/// # alizarin_samples::films(async |films| {
/// assert_eq!(films.find(|f| one_of(f.genres, "drama, comedy")).count().await?, 2);
/// # Ok(()) });
/// ```
pub trait FieldSpec: FieldPath {
    /// The field's Rust type.
    type Stored: crate::model::RedisValue<Item = Self::Value>;

    /// What filters compare it with: the type inside options and lists.
    type Value;

    /// Whether the field has `validate`.
    const CHECKED: bool = false;

    /// Holds a value to the field's `validate`.
    ///
    /// # Errors
    /// That of the function.
    fn check(_value: &Self::Stored) -> crate::Result<()> {
        Ok(())
    }

    /// What stands for the field in a document that lacks it: its default, or `None`.
    fn absent() -> Option<Self::Stored> {
        crate::model::RedisValue::absent()
    }
}

/// A field that holds a nested struct. Implemented by derived code.
pub trait NestedSpec: FieldPath {
    /// The field's Rust type: the struct, an `Option` of it, or a list.
    type Stored: crate::model::Nested;

    /// Whether the field has `validate`.
    const CHECKED: bool = false;

    /// Holds a value to the field's `validate`.
    ///
    /// # Errors
    /// That of the function.
    fn check(_value: &Self::Stored) -> crate::Result<()> {
        Ok(())
    }

    /// What stands for the struct in a document that lacks it, where that is not what its type says.
    fn absent() -> Option<Self::Stored> {
        None
    }
}

/// The field's own schema: that of the last step.
pub(crate) fn field_schema<S: FieldPath>() -> &'static FieldSchema {
    const NONE: FieldSchema = FieldSchema::plain("");
    let mut last: &'static FieldSchema = &NONE;
    S::walk(&mut |step| last = step);
    last
}

/// The field's name in the index: the steps joined by `_`. Of several entries, the first one's.
pub(crate) fn attribute_name<S: FieldPath>() -> String {
    let mut name = String::new();
    index_names::<S>(false, |step| {
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(step);
    });
    name
}

/// Calls `each` with the parts of the field's name in the index: of its first entry there, or of
/// its full-text one.
pub(crate) fn index_names<S: FieldPath>(text: bool, mut each: impl FnMut(&'static str)) {
    S::walk(&mut |step| match &step.nested {
        // Its fields stand among those around it.
        Some(nested) if nested.flat || step.layout.forms().bare_names => {}
        Some(_) => each(step.name),
        None => {
            let is_text = |entry: &&Attribute| matches!(entry.kind, IndexKind::Text { .. });
            let entry = match text {
                true => step.attributes.iter().find(is_text),
                false => step.attribute(),
            };
            each(entry.and_then(|entry| entry.alias).unwrap_or(step.name));
        }
    });
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident: $message:literal, $remedy:literal;)+) => {$(
        $(#[$doc])*
        #[diagnostic::on_unimplemented(message = $message, label = $remedy)]
        pub trait $name {}
    )+};
}

capabilities! {
    /// Fields with `text`: they have [`Field::matches`], [`Field::phrase`], [`Field::fuzzy`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, Filter, IsText, Node};
    ///
    /// fn typed<S: FieldSpec + IsText>(text: Field<S>, word: &str) -> Filter<S::Model, impl Node> {
    ///     text.prefix(word) | text.fuzzy(word, 1)
    /// }
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| typed(f.title, "apolo")).count().await?, 1);
    /// # Ok(()) });
    /// ```
    IsText: "field `{Self}` has no full-text index, so it cannot be searched for words",
        "add `text` to the field's attribute: `#[redis(text)]`";
    /// Fields with `tag`: they have [`Field::has`], [`Field::starts_with`].
    ///
    /// ```
    /// use alizarin::query::{Field, FieldSpec, Filter, IsTag, Node};
    /// # use alizarin_samples::FilmFields;
    ///
    /// fn initials<S: FieldSpec + IsTag>(f: Field<S>, text: &str) -> Filter<S::Model, impl Node> {
    ///     f.starts_with(text)
    /// }
    /// # let made = format!("{:?}", initials(FilmFields::default().director, "ri"));
    /// # assert_eq!(made, r#"Filter("(@director:{$p0*})")"#);
    /// ```
    IsTag: "field `{Self}` has no tag index, so it cannot be compared with exact values",
        "add `tag` to the field's attribute: `#[redis(tag)]`";
    /// Fields with `numeric`: they have [`Field::lt`], [`Field::between`], [`Field::avg`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, Filter, IsNumeric, Node};
    ///
    /// fn around<S>(field: Field<S>, middle: f64) -> Filter<S::Model, impl Node>
    /// where
    ///     S: FieldSpec<Value = f64> + IsNumeric,
    /// {
    ///     field.between(middle - 0.5, middle + 0.5)
    /// }
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| around(f.rating, 8.0)).count().await?, 4);
    /// # Ok(()) });
    /// ```
    IsNumeric: "field `{Self}` has no numeric index, so it cannot be compared by size",
        "add `numeric` to the field's attribute: `#[redis(numeric)]`";
    /// Fields with `tag` or `numeric`: they have [`Field::eq`], [`Field::is_in`].
    ///
    /// ```
    /// use alizarin::query::{Field, FieldSpec, Filter, IsExact, Node, Operand};
    /// # use alizarin_samples::FilmFields;
    ///
    /// fn both<S>(field: Field<S>, a: S::Value, b: S::Value) -> Filter<S::Model, impl Node>
    /// where
    ///     S: FieldSpec<Value: Operand<S::Value>> + IsExact,
    /// {
    ///     field.eq(a) | field.eq(b)
    /// }
    /// # let made = format!("{:?}", both(FilmFields::default().year, 1979, 1982));
    /// # assert_eq!(made, r#"Filter("((@year:[$p0 $p1])|(@year:[$p2 $p3]))")"#);
    /// ```
    IsExact: "field `{Self}` has neither a tag nor a numeric index, so it cannot be compared with a value",
        "add `tag` or `numeric` to the field's attribute: `#[redis(tag)]`";
    /// Fields with `geo`: they have [`Field::within_radius`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, Filter, IsGeo, Node};
    ///
    /// fn near<S>(field: Field<S>, home: GeoPoint) -> Filter<S::Model, impl Node>
    /// where
    ///     S: FieldSpec<Value = GeoPoint> + IsGeo,
    /// {
    ///     field.within_radius(home, 1, Unit::Kilometers)
    /// }
    /// # alizarin_samples::cafes(async |cafes| {
    /// let home = GeoPoint::new(16.365, 48.210)?;
    /// assert_eq!(cafes.find(|c| near(c.place, home)).count().await?, 2);
    /// # Ok(()) });
    /// ```
    IsGeo: "field `{Self}` has no geo index, so it cannot be searched by distance",
        "add `geo` to the field's attribute: `#[redis(geo)]`";
    /// Fields with `geoshape`: they have [`Field::encloses`], [`Field::intersects`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, Filter, IsGeoShape, Node};
    ///
    /// fn at<S>(field: Field<S>, home: &GeoShape) -> Filter<S::Model, impl Node>
    /// where
    ///     S: FieldSpec<Value = GeoShape> + IsGeoShape,
    /// {
    ///     field.encloses(home)
    /// }
    /// # alizarin_samples::cafes(async |cafes| {
    /// let home = GeoShape::point(16.37, 48.21)?;
    /// assert_eq!(cafes.find(|c| at(c.delivers, &home)).count().await?, 1);
    /// # Ok(()) });
    /// ```
    IsGeoShape: "field `{Self}` has no shape index, so it cannot be searched by shape",
        "add `geoshape` to the field's attribute: `#[redis(geoshape)]`";
    /// Fields with `vector(..)`: they have [`Field::near`], and `nearest` searches by them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, Filter, IsVector, Node};
    ///
    /// fn like<S>(field: Field<S>, mood: [f32; 3]) -> Filter<S::Model, impl Node>
    /// where
    ///     S: FieldSpec<Value = Vector<f32, 3>> + IsVector,
    /// {
    ///     field.near(mood, 0.1)
    /// }
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| like(f.mood, [0.0, 1.0, 0.0])).count().await?, 1);
    /// # Ok(()) });
    /// ```
    IsVector: "field `{Self}` has no vector index, so it has no nearest neighbours",
        "add `vector` to the field's attribute: `#[redis(vector(hnsw, cosine))]`";
    /// Fields with `sortable`: they have [`Field::asc`], [`Field::desc`].
    ///
    /// ```
    /// use alizarin::query::{Field, FieldSpec, IsSortable, Order};
    /// # use alizarin_samples::FilmFields;
    ///
    /// fn order<S: FieldSpec + IsSortable>(field: Field<S>, up: bool) -> Order<S::Model> {
    ///     if up { field.asc() } else { field.desc() }
    /// }
    /// # let made = format!("{:?}", order(FilmFields::default().year, true));
    /// # assert_eq!(made, r#"year ASC"#);
    /// ```
    IsSortable: "field `{Self}` is not sortable, so results cannot be ordered by it",
        "add `sortable` to the field's attribute: `#[redis(.., sortable)]`";
    /// Fields with `unique`: [`Repository::by`](crate::Repository::by) finds by them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, IsUnique};
    ///
    /// async fn known<S>(all: &Repository<S::Model>, field: fn() -> Field<S>, value: &str) -> Result<bool>
    /// where
    ///     S: FieldSpec<Stored = String, Value = String> + IsUnique,
    /// {
    ///     Ok(all.by(|_| field(), value).await?.is_some())
    /// }
    /// # use alizarin_samples::MemberFields;
    /// # alizarin_samples::members(async |members| {
    /// assert!(known(&members, || MemberFields::default().email, "ann@example.com").await?);
    /// # Ok(()) });
    /// ```
    IsUnique: "field `{Self}` is not unique, so no document can be found by it alone",
        "add `unique` to the field's attribute: `#[redis(unique)]`";
    /// Fields with `index_missing`: they have [`Field::is_missing`], [`Field::is_present`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{Field, FieldSpec, Filter, HasMissing, IsExact, Node};
    ///
    /// fn unless_known<S>(field: Field<S>, value: &str) -> Filter<S::Model, impl Node>
    /// where
    ///     S: FieldSpec<Value = String> + IsExact + HasMissing,
    /// {
    ///     field.is_missing() | field.eq(value)
    /// }
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| unless_known(f.director, "Ron Howard")).count().await?, 2);
    /// # Ok(()) });
    /// ```
    HasMissing: "field `{Self}` does not index missing values, so they cannot be searched for",
        "add `index_missing` to the field's attribute: `#[redis(.., index_missing)]`";
    /// Fields with `ttl`, which can expire alone: what [`Ttl::of`](crate::repository::Ttl::of) and
    /// its like take.
    ///
    /// ```
    /// use alizarin::query::{CanExpire, Field, FieldSpec};
    ///
    /// fn expires<S: FieldSpec + CanExpire>(_: Field<S>) {}
    /// ```
    CanExpire: "field `{Self}` cannot expire alone",
        "add `ttl` to the field's attribute: `#[redis(ttl)]`, or with a time, `#[redis(ttl = \"1h\")]`";
    /// Fields with `index_empty`: they have [`Field::is_empty`].
    ///
    /// ```
    /// use alizarin::query::{Field, FieldSpec, Filter, HasEmpty, Node};
    ///
    /// fn blank<S: FieldSpec + HasEmpty>(field: Field<S>) -> Filter<S::Model, impl Node> {
    ///     field.is_empty()
    /// }
    /// ```
    HasEmpty: "field `{Self}` does not index empty values, so they cannot be searched for",
        "add `index_empty` to the field's attribute: `#[redis(.., index_empty)]`";
}
