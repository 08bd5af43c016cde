//! Times and dates as other mappers count them.

use super::{Unit, ValueKind};
use crate::model::FieldSchema;
use crate::model::value::decimal;
use crate::{Error, ErrorKind, Result};

const DAY: i128 = 86_400;
const SECOND: i128 = 1_000_000_000;

impl Unit {
    /// How many nanoseconds it tells apart.
    fn step(self) -> i128 {
        match self {
            Unit::Own => 1,
            Unit::Milliseconds => 1_000_000,
            Unit::Seconds(digits) => SECOND / 10_i128.pow(digits),
        }
    }
}

fn unit(kind: ValueKind, field: &FieldSchema) -> Unit {
    let forms = field.layout.forms();
    if kind == ValueKind::Date { forms.dates } else { forms.times }
}

/// What our own form counts, in nanoseconds.
fn own_step(kind: ValueKind) -> i128 {
    if kind == ValueKind::Date { DAY * SECOND } else { 1 }
}

/// Appends what our own form counts (nanoseconds, or days of dates) as the field's layout does.
///
/// # Errors
/// `Value` for a time that the layout has no number for.
pub(in crate::model) fn write_time(
    kind: ValueKind,
    own: i128,
    field: &FieldSchema,
    json: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    let unit = unit(kind, field);
    let nanos = own.checked_mul(own_step(kind)).ok_or_else(|| too_far(field))?;
    if nanos % unit.step() != 0 {
        let message = format!(
            "{} keeps {} of a time: round it to them before",
            field.layout.name(),
            match unit {
                Unit::Seconds(6) => "microseconds",
                _ => "milliseconds",
            }
        );
        return Err(Error::new(ErrorKind::Value, message));
    }
    let steps = i64::try_from(nanos / unit.step()).map_err(|_| too_far(field))?;
    let Unit::Seconds(digits) = unit else {
        out.extend_from_slice(itoa::Buffer::new().format(steps).as_bytes());
        return Ok(());
    };
    let start = out.len();
    #[expect(clippy::cast_precision_loss, reason = "what it loses is told of below")]
    let seconds = steps as f64 / f64::from(10_i32.pow(digits));
    if json {
        decimal::write_f64(seconds, out);
        if field.layout.forms().doubles && out.ends_with(b".0") {
            out.truncate(out.len() - 2);
        }
    } else {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(seconds);
        let keep = field.layout.forms().point_zero;
        let text = if keep { text } else { text.strip_suffix(".0").unwrap_or(text) };
        out.extend_from_slice(text.as_bytes());
    }
    let written = out.get(start..).and_then(|text| std::str::from_utf8(text).ok());
    match written.map(|text| nanoseconds(unit, text)) {
        Some(Some(same)) if same == nanos => Ok(()),
        _ => Err(too_far(field)),
    }
}

fn too_far(field: &FieldSchema) -> Error {
    let message = format!("{} has no exact number for a time so far away", field.layout.name());
    Error::new(ErrorKind::Value, message)
}

/// Reads what [`write_time`] writes: what our own form counts.
///
/// # Errors
/// `Decode` for what is no such number.
pub(in crate::model) fn read_time<T: TryFrom<i128>>(
    kind: ValueKind,
    bytes: &[u8],
    field: &FieldSchema,
) -> Result<T> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    read_time_text(kind, text, field)
}

/// The same of JSON text.
///
/// # Errors
/// The same.
pub(in crate::model) fn read_time_text<T: TryFrom<i128>>(
    kind: ValueKind,
    text: &str,
    field: &FieldSchema,
) -> Result<T> {
    let nanos = nanoseconds(unit(kind, field), text.trim());
    // A date's own zone may have moved it: its day is the one that UTC had then.
    let own = nanos.map(|nanos| nanos.div_euclid(own_step(kind)));
    own.and_then(|own| T::try_from(own).ok()).ok_or_else(|| {
        let expected = match unit(kind, field) {
            Unit::Seconds(_) => "seconds since 1970",
            _ => "milliseconds since 1970",
        };
        Error::decode(expected, "something else")
    })
}

fn nanoseconds(unit: Unit, text: &str) -> Option<i128> {
    if let Some(steps) = decimal::whole_number(text).filter(|_| unit == Unit::Milliseconds) {
        return steps.parse::<i64>().ok().map(|steps| i128::from(steps) * unit.step());
    }
    let number: f64 = text.parse().ok()?;
    // Further away a double has no milliseconds.
    if !decimal::is_number(text) || number.abs() > 1e12 || unit == Unit::Milliseconds {
        return None;
    }
    let whole = number.trunc();
    // To the finest step that there is: further down a double has noise.
    let digits = match unit {
        Unit::Seconds(digits @ 1..) => digits,
        _ => 6,
    };
    let steps = 10_i32.pow(digits);
    #[expect(clippy::cast_possible_truncation, reason = "both are far inside of their range")]
    let (whole, part) = (whole as i64, ((number - whole) * f64::from(steps)).round() as i64);
    Some(i128::from(whole) * SECOND + i128::from(part) * (SECOND / i128::from(steps)))
}

/// RFC 3339 text as .NET's round-trip format: seven digits of a second, and the offset in numbers.
///
/// # Errors
/// `Value` for what has more digits.
#[cfg_attr(
    not(any(feature = "chrono", feature = "time")),
    expect(dead_code, reason = "only types of these features have offsets")
)]
pub(in crate::model) fn layout_offset(text: &str, field: &FieldSchema) -> Result<String> {
    if field.layout.is_native() {
        return Ok(text.to_owned());
    }
    const BEFORE: usize = "2024-01-02T03:04:05".len();
    let (time, rest) = text.split_at_checked(BEFORE).unwrap_or((text, ""));
    let end = rest.find(|letter: char| letter != '.' && !letter.is_ascii_digit());
    let (digits, offset) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
    let digits = digits.trim_start_matches('.').trim_end_matches('0');
    if digits.len() > 7 {
        let message = format!("{} keeps ten millionths of a second", field.layout.name());
        return Err(Error::new(ErrorKind::Value, message));
    }
    let offset = if offset == "Z" { "+00:00" } else { offset };
    Ok(format!("{time}.{digits:0<7}{offset}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Layout;
    use super::*;

    const fn field(layout: Layout) -> FieldSchema {
        FieldSchema { layout, ..FieldSchema::plain("at") }
    }

    const PYTHON: FieldSchema = field(Layout::RedisOmPython);
    const NODE: FieldSchema = field(Layout::RedisOmNode);
    const SPRING: FieldSchema = field(Layout::RedisOmSpring);
    const DOTNET: FieldSchema = field(Layout::RedisOmDotnet);

    fn written(kind: ValueKind, own: i128, field: &FieldSchema) -> Result<String> {
        let (mut hash, mut json) = (Vec::new(), Vec::new());
        write_time(kind, own, field, false, &mut hash)?;
        write_time(kind, own, field, true, &mut json)?;
        for text in [&hash, &json] {
            assert_eq!(read_time::<i128>(kind, text, field)?, own);
        }
        Ok(String::from_utf8(hash).unwrap())
    }

    #[test]
    fn seconds_and_milliseconds() {
        let time = 1_704_169_445_678_000_000;
        let text = |own, field| written(ValueKind::Time, own, field).unwrap();
        assert_eq!(text(time, &PYTHON), "1704169445.678");
        assert_eq!(text(time, &NODE), "1704169445.678");
        assert_eq!(text(time, &SPRING), "1704169445678");
        assert_eq!(text(-1_500_000_000, &PYTHON), "-1.5");
        assert_eq!(text(2_000_000_000, &PYTHON), "2.0");
        assert_eq!(text(2_000_000_000, &NODE), "2");
        assert_eq!(written(ValueKind::Date, 5_512, &PYTHON).unwrap(), "476236800.0");
        // A day that was midnight elsewhere.
        let day = read_time::<i32>(ValueKind::Date, b"476240400.0", &PYTHON).unwrap();
        assert_eq!(day, 5_512);
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        for (own, field) in [(1, &PYTHON), (1_000, &NODE), (999_999, &SPRING)] {
            let error = written(ValueKind::Time, own, field).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value, "{error}");
            assert!(error.message().contains(field.layout.name()), "{error}");
        }
        for text in ["", "x", "inf", "nan", "1e300", "1e-", "0x1", "\"1\"", "1,5"] {
            for field in [&PYTHON, &NODE, &SPRING, &DOTNET] {
                let error = read_time_text::<i64>(ValueKind::Time, text, field).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Decode, "{text}");
            }
        }
        assert!(read_time_text::<i64>(ValueKind::Time, "1.5", &SPRING).is_err());
        assert!(read_time_text::<i32>(ValueKind::Date, "1e12", &PYTHON).is_ok());
    }

    #[test]
    fn offsets_as_dotnet_prints_them() {
        let text = |text| layout_offset(text, &DOTNET);
        assert_eq!(text("2024-01-02T03:04:05Z").unwrap(), "2024-01-02T03:04:05.0000000+00:00");
        let half = "2024-01-02T03:04:05.500+05:30";
        assert_eq!(text(half).unwrap(), "2024-01-02T03:04:05.5000000+05:30");
        assert!(text("2024-01-02T03:04:05.123456789Z").is_err());
        assert_eq!(layout_offset(half, &field(Layout::Alizarin)).unwrap(), half);
    }

    proptest! {
        #[test]
        fn times_come_back_or_are_refused(micros in -9_000_000_000_000_000..9_000_000_000_000_000_i64) {
            let micros = i128::from(micros);
            match written(ValueKind::Time, micros * 1_000, &PYTHON) {
                Ok(_) => {}
                // A double is too coarse there.
                Err(error) => prop_assert!(micros.abs() > 1 << 52, "{error}"),
            }
            let millis = micros / 1_000;
            for field in [&NODE, &SPRING, &DOTNET] {
                written(ValueKind::Time, millis * 1_000_000, field).unwrap();
            }
        }
    }
}
