//! Label values: what can be stored, and what can be asked for.

use std::fmt;
use std::ops::BitAnd;

use super::SeriesLabel;
use crate::model::RedisValue;
use crate::{Error, ErrorKind, Result};

/// The label that every series of a model carries besides its own: its value is what the
/// keys begin with.
pub(super) const MODEL_LABEL: &str = "alizarin:series";

/// Checks a value that becomes a label: the server refuses commas, brackets and empty text, and
/// cuts text at a NUL.
pub(super) fn check_stored(label: &str, value: &str) -> Result<()> {
    let reason = if value.is_empty() {
        "a label's value cannot be empty".to_owned()
    } else if let Some(c) = value.chars().find(|c| matches!(c, ',' | '(' | ')' | '\0')) {
        format!("a label's value cannot hold {c:?}: {value:?}")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Value, reason).with_field(label))
}

/// The key of the series with these label values.
pub(super) fn series_key(prefix: &str, values: &[String]) -> String {
    let mut key = prefix.to_owned();
    for value in values {
        key.push(':');
        for c in value.chars() {
            match c {
                ':' => key.push_str("%3A"),
                '%' => key.push_str("%25"),
                c => key.push(c),
            }
        }
    }
    key
}

/// Which series are meant, by their labels: made by the methods of [`SeriesLabel`], joined by `&`.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::temperatures(async |series| {
/// let both = series.across(|l| l.city.is_in(["Oslo", "Rome"]) & l.height.eq(2)).await?;
/// assert_eq!((both.len(), both[0].labels.city.as_str()), (1, "Oslo"));
/// # Ok(()) });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct LabelFilter {
    /// One `FILTER` argument each, or what is wrong.
    terms: Result<Vec<String>, String>,
}

impl LabelFilter {
    /// All series of the model.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::series::LabelFilter;
    /// # alizarin_samples::temperatures(async |series| {
    /// assert_eq!(series.across(|_| LabelFilter::any()).await?.len(), 2);
    /// # Ok(()) });
    /// ```
    pub const fn any() -> LabelFilter {
        LabelFilter { terms: Ok(Vec::new()) }
    }

    fn new(label: &str, operator: &str, values: Option<Vec<String>>) -> LabelFilter {
        LabelFilter { terms: term(label, operator, values).map(|term| vec![term]) }
    }

    /// The `FILTER` arguments, the model's own first.
    pub(super) fn arguments(self, prefix: &str) -> Result<Vec<String>> {
        let own = term(MODEL_LABEL, "=", Some(vec![prefix.to_owned()]));
        let terms = own.and_then(|own| {
            let mut all = vec![own];
            all.extend(self.terms?);
            Ok(all)
        });
        terms.map_err(|reason| Error::new(ErrorKind::Value, reason))
    }
}

/// Writes `label=value`, `label=(a,b)` or `label=`. The server splits such text at `=`, `!=`,
/// commas and brackets and knows no escapes: a value that holds one of these would be misread.
fn term(label: &str, operator: &str, values: Option<Vec<String>>) -> Result<String, String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | ' ');
    if label.is_empty() || !label.chars().all(plain) {
        return Err(format!(
            "a label named {label:?} cannot be filtered by: only letters, digits and _ - . : are safe"
        ));
    }
    let Some(values) = values else { return Ok(format!("{label}{operator}")) };
    for value in &values {
        // `!=` is found by its first character, so there `!` ends the label's name.
        let negated = operator == "!=";
        let bad = |c: &char| matches!(c, ',' | '(' | ')' | '=' | '\0') || (negated && *c == '!');
        if let Some(c) = value.chars().find(bad) {
            return Err(format!(
                "label {label:?} cannot be compared with {value:?}: the server's label filters have no way to write {c:?}"
            ));
        }
        if value.is_empty() {
            return Err(format!(
                "label {label:?} is never empty: use .is_missing() for series without it"
            ));
        }
    }
    Ok(match &values[..] {
        [] => return Err(format!("an empty list of values for label {label:?} matches no series")),
        [one] => format!("{label}{operator}{one}"),
        several => format!("{label}{operator}({})", several.join(",")),
    })
}

/// What a label can be compared with: whatever can be a label, in the text it is stored as.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::temperatures(async |series| {
/// let city = String::from("Oslo");
/// assert_eq!(series.across(|l| l.city.eq(&city) & l.height.ne(100)).await?.len(), 1);
/// # Ok(()) });
/// ```
pub trait LabelOperand {
    /// The label's text.
    #[doc(hidden)]
    fn label_text(&self) -> String;
}

impl<T: RedisValue> LabelOperand for T {
    fn label_text(&self) -> String {
        super::label_text(self)
    }
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl LabelOperand for $type {
            fn label_text(&self) -> String {
                (*self).to_string()
            }
        }
    )+};
}

texts!(&str, &&str, &String);

impl<X> SeriesLabel<X> {
    /// Series whose label is `value`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// let oslo = series.across(|l| l.city.eq("Oslo")).await?;
    /// assert_eq!((oslo.len(), oslo[0].labels.city.as_str()), (1, "Oslo"));
    /// # Ok(()) });
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "literals and owned values both read well")]
    pub fn eq(self, value: impl LabelOperand) -> LabelFilter {
        LabelFilter::new(self.name(), "=", Some(vec![value.label_text()]))
    }

    /// Series whose label is not `value`; those without the label too.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// let others = series.across(|l| l.city.ne("Oslo")).await?;
    /// assert_eq!((others.len(), others[0].labels.city.as_str()), (1, "Lisbon"));
    /// # Ok(()) });
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "literals and owned values both read well")]
    pub fn ne(self, value: impl LabelOperand) -> LabelFilter {
        LabelFilter::new(self.name(), "!=", Some(vec![value.label_text()]))
    }

    /// Series whose label is one of these.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// assert_eq!(series.across(|l| l.city.is_in(["Oslo", "Lisbon"])).await?.len(), 2);
    /// # Ok(()) });
    /// ```
    pub fn is_in(self, values: impl IntoIterator<Item: LabelOperand>) -> LabelFilter {
        LabelFilter::new(self.name(), "=", Some(texts(values)))
    }

    /// Series whose label is none of these.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// let others = series.across(|l| l.city.not_in(["Oslo", "Rome"])).await?;
    /// assert_eq!((others.len(), others[0].labels.city.as_str()), (1, "Lisbon"));
    /// # Ok(()) });
    /// ```
    pub fn not_in(self, values: impl IntoIterator<Item: LabelOperand>) -> LabelFilter {
        LabelFilter::new(self.name(), "!=", Some(texts(values)))
    }

    /// Series that have the label.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// assert_eq!(series.across(|l| l.city.exists()).await?.len(), 2);
    /// # Ok(()) });
    /// ```
    pub fn exists(self) -> LabelFilter {
        LabelFilter::new(self.name(), "!=", None)
    }

    /// Series that do not have the label: made before the model had it, where it is an `Option`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, prefix| {
    /// # use alizarin_samples::Temperature;
    /// # let old = client.series::<Temperature>().with_namespace(prefix);
    /// # old.add(&Temperature::new("Oslo", 0, 1.0)).await?;
    /// #[derive(RedisTimeSeries)]
    /// #[redis(prefix = "temperature")]
    /// struct NewTemperature {
    ///     #[redis(label)]
    ///     city: String,
    ///     #[redis(label)]
    ///     station: Option<String>,
    ///     #[redis(timestamp)]
    ///     at: i64,
    ///     #[redis(value)]
    ///     celsius: f64,
    /// }
    ///
    /// let series = client.series::<NewTemperature>().with_namespace(prefix);
    /// let old = series.across(|l| l.station.is_missing()).await?;
    /// assert_eq!((old[0].labels.city.as_str(), &old[0].labels.station), ("Oslo", &None));
    /// # Ok(()) });
    /// ```
    pub fn is_missing(self) -> LabelFilter {
        LabelFilter::new(self.name(), "=", None)
    }
}

fn texts(values: impl IntoIterator<Item: LabelOperand>) -> Vec<String> {
    values.into_iter().map(|value| value.label_text()).collect()
}

impl BitAnd for LabelFilter {
    type Output = LabelFilter;

    /// Series that both mean.
    fn bitand(self, other: LabelFilter) -> LabelFilter {
        let terms = self.terms.and_then(|mut terms| {
            terms.extend(other.terms?);
            Ok(terms)
        });
        LabelFilter { terms }
    }
}

impl fmt::Debug for LabelFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values stay out of it: they may be anybody's data.
        let terms = self.terms.as_ref().map_or(0, Vec::len);
        f.debug_struct("LabelFilter").field("terms", &terms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station() -> SeriesLabel<()> {
        SeriesLabel::new("station")
    }

    #[test]
    fn keys_are_unambiguous() {
        let key = |a: &str, b: &str| series_key("weather", &[a.into(), b.into()]);
        assert_eq!(key("SEA", "wind"), "weather:SEA:wind");
        assert_eq!(key("a:b", "50%"), "weather:a%3Ab:50%25");
        assert_ne!(key("a:b", "c"), key("a", "b:c"));
    }

    #[test]
    fn filters_are_arguments() {
        let filter =
            station().eq("SEA") & SeriesLabel::<()>::new("measure").not_in(["wind", "rain"]);
        assert_eq!(
            filter.arguments("weather").unwrap(),
            ["alizarin:series=weather", "station=SEA", "measure!=(wind,rain)"]
        );
        assert_eq!(LabelFilter::any().arguments("weather").unwrap().len(), 1);
        assert_eq!(
            (station().exists() & station().is_missing()).arguments("weather").unwrap()[1..],
            ["station!=", "station="]
        );
    }

    #[test]
    fn what_the_server_would_misread_is_refused() {
        for value in ["a,b", "(a", "a)", "a=b", "a!=b", "", "a\0b"] {
            assert!(station().eq(value).arguments("weather").is_err(), "{value:?}");
            assert!(station().ne(value).arguments("weather").is_err(), "{value:?}");
        }
        assert!(station().eq("a!").arguments("weather").is_ok());
        assert!(station().ne("a!").arguments("weather").is_err());
        assert!(station().is_in(Vec::<String>::new()).arguments("weather").is_err());
        for value in ["", "a,b", "(", ")", "\0"] {
            assert!(check_stored("station", value).is_err(), "{value:?}");
        }
        assert!(check_stored("station", "it's \"= \\ fine!").is_ok());
    }
}
