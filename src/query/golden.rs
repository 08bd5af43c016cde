//! What each operator sends, word for word.

use super::sample::{Fields, Film};
use super::{AssertQuerySafe, Filter, Node, Unit, everything, raw};
use crate::model::{GeoPoint, GeoShape, Vector};
use crate::{Error, ErrorKind, Result};

fn sent<E: Node>(filter: impl FnOnce(Fields) -> Filter<Film, E>) -> (String, Vec<String>) {
    let query = filter(Fields::default()).render().unwrap();
    let params: Vec<String> =
        query.params().map(|param| String::from_utf8_lossy(param).into_owned()).collect();
    for (at, name) in params.iter().step_by(2).enumerate() {
        assert_eq!(*name, format!("p{at}"));
    }
    (query.text().to_owned(), params.into_iter().skip(1).step_by(2).collect())
}

fn refused<E: Node>(filter: impl FnOnce(Fields) -> Filter<Film, E>) -> Error {
    filter(Fields::default()).render().unwrap_err()
}

macro_rules! golden {
    ($($filter:expr => $text:literal $params:tt;)+) => {$({
        let (text, params) = sent($filter);
        assert_eq!(text, $text);
        let expected: &[&str] = &$params;
        assert_eq!(params, expected);
    })+};
}

#[test]
fn tags() {
    let genres = ["Drama", "a|b"];
    golden! {
        |m: Fields| m.genre.eq("Drama") => "(@genre:{$p0})" ["Drama"];
        |m: Fields| m.genre.eq("Drama".to_owned()) => "(@genre:{$p0})" ["Drama"];
        |m: Fields| m.genre.eq(r"a\-b") => "(@genre:{$p0})" [r"a\\-b"];
        |m: Fields| m.genre.ne("*") => "(-(@genre:{$p0}))" ["*"];
        |m: Fields| m.genre.is_in(genres) => "(@genre:{$p0|$p1})" ["Drama", "a|b"];
        |m: Fields| m.genre.not_in(genres) => "(-(@genre:{$p0|$p1}))" ["Drama", "a|b"];
        |m: Fields| m.genre.starts_with("Dr") => "(@genre:{$p0*})" ["Dr"];
        |m: Fields| m.genre.ends_with("ma") => "(@genre:{*$p0})" ["ma"];
        |m: Fields| m.genre.contains("ra") => "(@genre:{*$p0*})" ["ra"];
        |m: Fields| m.tags.has("new") => "(@tags:{$p0})" ["new"];
        |m: Fields| m.tags.has_any(["x", "y"]) => "(@tags:{$p0|$p1})" ["x", "y"];
        |m: Fields| m.tags.has_all(["x", "y"]) => "((@tags:{$p0}) (@tags:{$p1}))" ["x", "y"];
        |m: Fields| m.seen.eq(true) => "(@seen:{$p0})" ["true"];
        |m: Fields| m.address_city.eq("Rome") => "(@address_city:{$p0})" ["Rome"];
        |m: Fields| m.major_genre.eq("Drama") => r"(@Major\ Genre:{$p0})" ["Drama"];
    }
}

#[test]
fn numbers() {
    golden! {
        |m: Fields| m.id.eq(7) => "(@id:[$p0 $p1])" ["7", "7"];
        |m: Fields| m.votes.eq(7) => "(@votes:[$p0 $p1])" ["7", "7"];
        |m: Fields| m.votes.ne(7) => "(-(@votes:[$p0 $p1]))" ["7", "7"];
        |m: Fields| m.rating.lt(7) => "(@rating:[-inf ($p0])" ["7"];
        |m: Fields| m.rating.le(7.1) => "(@rating:[-inf $p0])" ["7.1"];
        |m: Fields| m.rating.gt(7.1f32) => "(@rating:[($p0 +inf])" ["7.1"];
        |m: Fields| m.rating.ge(-0.5) => "(@rating:[$p0 +inf])" ["-0.5"];
        |m: Fields| m.rating.ge(f32::NEG_INFINITY) => "(@rating:[$p0 +inf])" ["-inf"];
        |m: Fields| m.rating.between(7, 8.5) => "(@rating:[$p0 $p1])" ["7", "8.5"];
        |m: Fields| m.votes.is_in([1, 2]) =>
            "((@votes:[$p0 $p1])|(@votes:[$p2 $p3]))" ["1", "1", "2", "2"];
        |m: Fields| m.votes.not_in(&[1]) => "(-((@votes:[$p0 $p1])))" ["1", "1"];
    }
}

#[test]
fn text() {
    golden! {
        |m: Fields| m.title.matches("Star-Wars, the new") =>
            "(@title:(($p0) ($p1) ($p2)))" ["Star", "Wars", "new"];
        |m: Fields| m.title.matches("alien") => "(@title:(($p0)))" ["alien"];
        |m: Fields| m.title.matches_any(String::from("a b c")) => "(@title:(($p0)|($p1)))" ["b", "c"];
        |m: Fields| m.title.phrase("apollo 13") =>
            "(@title:(($p0) ($p1))=>{$inorder:true;$slop:0})" ["apollo", "13"];
        |m: Fields| m.title.phrase("apollo") => "(@title:(($p0)))" ["apollo"];
        |m: Fields| m.title.prefix("the") => "(@title:($p0*))" ["the"];
        |m: Fields| m.title.suffix("ing") => "(@title:(*$p0))" ["ing"];
        |m: Fields| m.title.infix("in") => "(@title:(*$p0*))" ["in"];
        |m: Fields| m.title.fuzzy("alein", 2) => "(@title:(%%$p0%%))" ["alein"];
        |m: Fields| !m.title.matches("alien") => "(-(@title:(($p0))))" ["alien"];
        |m: Fields| m.note.is_missing() => "(ismissing(@note))" [];
        |m: Fields| m.note.is_present() => "(-(ismissing(@note)))" [];
        |m: Fields| m.note.is_empty() => "(@note:($p0))" [""];
    }
}

#[test]
fn places_and_vectors() -> Result<()> {
    let rome = GeoPoint::new(12.5, 41.9)?;
    let vector = Vector::from([1.0f32, 0.0]);
    let shape: GeoShape = "POINT (1 2)".parse()?;
    golden! {
        |m: Fields| m.place.within_radius(rome, 50, Unit::Kilometers) =>
            "(@place:[$p0 $p1 $p2 km])" ["12.5", "41.9", "50.0"];
        |m: Fields| m.place.within_radius(&rome, 0.5, Unit::Miles) =>
            "(@place:[$p0 $p1 $p2 mi])" ["12.5", "41.9", "0.5"];
        |m: Fields| m.area.within(&shape) => "(@area:[WITHIN $p0])" ["POINT(1 2)"];
        |m: Fields| m.area.encloses(&shape) => "(@area:[CONTAINS $p0])" ["POINT(1 2)"];
        |m: Fields| m.area.intersects(&shape) => "(@area:[INTERSECTS $p0])" ["POINT(1 2)"];
        |m: Fields| m.area.disjoint(&shape) => "(@area:[DISJOINT $p0])" ["POINT(1 2)"];
    }
    let query = Fields::default().plot.near(&vector, 0.2).render()?;
    assert_eq!(query.text(), "(@plot:[VECTOR_RANGE $p0 $p1])");
    assert_eq!(query.params().nth(3), Some(&[0, 0, 0x80, 0x3f, 0, 0, 0, 0][..]));
    Ok(())
}

#[test]
fn nodes_join_and_simplify() {
    let none: [&str; 0] = [];
    golden! {
        |m: Fields| m.genre.eq("a") & m.votes.gt(1) | !m.seen.eq(false) =>
            "(((@genre:{$p0}) (@votes:[($p1 +inf]))|(-(@seen:{$p2})))" ["a", "1", "false"];
        |_| everything() => "*" [];
        |m: Fields| everything() & m.votes.eq(1) => "(@votes:[$p0 $p1])" ["1", "1"];
        |m: Fields| everything() | m.votes.eq(1) => "*" [];
        |m: Fields| m.genre.is_in(none) => "($p0)" ["\u{1f}nothing"];
        |m: Fields| m.genre.not_in(none) => "*" [];
        |m: Fields| m.genre.is_in(none) | m.votes.eq(1) => "(@votes:[$p0 $p1])" ["1", "1"];
        |m: Fields| m.genre.is_in(none) & m.votes.eq(1) => "($p0)" ["\u{1f}nothing"];
        |m: Fields| m.tags.has_all(none) => "*" [];
        |m: Fields| !everything() | m.seen.eq(true) => "(@seen:{$p0})" ["true"];
    }
}

#[test]
fn boxed_filters_are_of_one_type_and_keep_their_parameters() {
    let wanted = [("genre", "Drama"), ("city", "Rome")];
    golden! {
        |m: Fields| {
            let mut filter = m.votes.ge(1).boxed();
            for (name, value) in wanted {
                filter = match name {
                    "genre" => (filter & m.genre.eq(value)).boxed(),
                    _ => (filter & !m.address_city.eq(value)).boxed(),
                };
            }
            filter
        } => "(((@votes:[$p0 +inf]) (@genre:{$p1})) (-(@address_city:{$p2})))" ["1", "Drama", "Rome"];
        |m: Fields| m.genre.eq("$p0").boxed() | m.genre.eq("b").boxed() =>
            "((@genre:{$p0})|(@genre:{$p1}))" ["$p0", "b"];
        |m: Fields| everything().boxed() & m.seen.eq(true) => "(@seen:{$p0})" ["true"];
    }
    let boxed = Fields::default().genre.eq("").boxed();
    let error = refused(|m| boxed.clone() & m.votes.eq(1));
    assert!(boxed.render().is_err());
    assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("genre")));
}

#[test]
fn raw_clauses_take_parameters() {
    golden! {
        |_| raw("@title:($a $b)=>{$weight:5.0}").param("b", "x").param("a", b"y\0") =>
            "(@title:($p0 $p1)=>{$weight:5.0})" ["y\0", "x"];
        |m: Fields| m.votes.gt(1) & raw(AssertQuerySafe("@code:{abc}".to_owned())) =>
            "((@votes:[($p0 +inf]) (@code:{abc}))" ["1"];
    }
    assert_eq!(refused(|_| raw("*").param("a", "b")).kind(), ErrorKind::Usage);
}

#[test]
fn what_cannot_be_searched_for_is_refused_by_name() {
    macro_rules! refuse {
        ($($field:literal: $filter:expr;)+) => {$({
            let error = refused($filter);
            assert_eq!(error.field(), Some($field), "{error}");
            assert!(matches!(error.kind(), ErrorKind::Value | ErrorKind::Usage), "{error}");
        })+};
    }
    refuse! {
        "genre": |m| m.genre.eq("");
        "genre": |m| m.genre.eq(" a");
        "genre": |m| m.genre.eq("a\x0b");
        "genre": |m| m.genre.eq("a\0b");
        "genre": |m| m.genre.eq("a\u{1f}b");
        "code": |m| m.code.eq("a;b");
        "genre": |m| m.genre.starts_with("a");
        "genre": |m| m.genre.contains("a\0b");
        "rating": |m| m.rating.ge(f32::NAN);
        "votes": |m| m.votes.eq(9_007_199_254_740_993);
        "title": |m| m.title.matches("the of -- !");
        "title": |m| m.title.phrase("");
        "title": |m| m.title.prefix("a");
        "title": |m| m.title.prefix("a b");
        "title": |m| m.title.fuzzy("word", 4);
        "title": |m| m.title.fuzzy("", 1);
        "plot": |m| m.plot.near([1.0, 0.0], -1.0);
        "plot": |m| m.plot.near([f32::NAN, 0.0], 1.0);
        "address_city": |m| m.address_city.eq("");
    }
}

#[test]
fn a_filter_is_sent_between_threads() {
    fn check<T: Send + Sync>(_: &T) {}
    let m = Fields::default();
    check(&(m.title.matches("x") & m.votes.gt(1)));
    check(&m.genre.eq("x").boxed());
}
