//! Values in the filter language of vector sets, which has no escapes.
//!
//! What was found on a real server (8.6): a backslash in a string literal only keeps the
//! character after it from ending the literal, and both stay part of the text; numbers have no
//! negative exponents and end after some 60 characters; a control character in the attributes'
//! JSON never equals anything, except line ends and tabs. So text is put in whichever quotes it
//! does not hold, and what cannot be written is refused.

/// The longest number the server's parser takes, with room to spare.
const NUMBER_LENGTH: usize = 48;
/// Integers up to here are exact in a double.
const EXACT: u64 = 1 << 53;

/// A string literal.
pub(super) fn text(value: &str) -> Result<String, String> {
    if let Some(c) =
        value.chars().find(|c| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t' | '\x7f'))
    {
        return Err(format!(
            "a filter cannot compare with text that holds the control character {c:?}"
        ));
    }
    let quote = match (value.contains('"'), value.contains('\'')) {
        (false, _) => '"',
        (true, false) => '\'',
        (true, true) => {
            return Err("a filter cannot compare with text that holds both sorts of quotes".into());
        }
    };
    let trailing = value.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if trailing % 2 == 1 {
        return Err("a filter cannot compare with text that ends in a backslash".into());
    }
    Ok(format!("{quote}{value}{quote}"))
}

/// A number.
pub(super) fn float(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Err(format!("a filter cannot compare with {value}"));
    }
    let plain = value.to_string();
    if plain.len() <= NUMBER_LENGTH {
        return Ok(plain);
    }
    if value.abs() < 1.0 {
        return Err(format!("a filter cannot compare with a number as small as {value:e}"));
    }
    Ok(format!("{value:e}"))
}

/// A whole number: all are doubles to the server.
pub(super) fn integer(value: i128) -> Result<String, String> {
    if value.unsigned_abs() > u128::from(EXACT) {
        return Err(format!(
            "a filter compares numbers as doubles, which cannot tell {value} from its neighbours"
        ));
    }
    Ok(value.to_string())
}

/// What a type serialises to, where that is text, a number or a boolean.
pub(super) fn serialized<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, String> {
    use serde_json::Value;
    match serde_json::to_value(value).map_err(|error| error.to_string())? {
        Value::String(value) => text(&value),
        Value::Bool(value) => Ok(boolean(value).to_owned()),
        Value::Null => Ok("null".to_owned()),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(n), ..) => integer(n.into()),
            (_, Some(n), _) => integer(n.into()),
            (.., Some(n)) => float(n),
            _ => Err(format!("a filter cannot compare with {number}")),
        },
        Value::Array(_) | Value::Object(_) => {
            Err("a filter cannot compare with a list or an object".to_owned())
        }
    }
}

/// Booleans are 1 and 0 in filters.
pub(super) fn boolean(value: bool) -> &'static str {
    if value { "1" } else { "0" }
}

/// An attribute's selector.
pub(super) fn selector(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!(
            "attribute {name:?} cannot be filtered by: only ASCII letters, digits and _ can be written"
        ));
    }
    Ok(format!(".{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_takes_the_quotes_it_does_not_hold() {
        assert_eq!(text("it's").unwrap(), "\"it's\"");
        assert_eq!(text("say \"hi\"").unwrap(), "'say \"hi\"'");
        assert_eq!(text("a\\b").unwrap(), "\"a\\b\"");
        assert_eq!(text("a\\\\").unwrap(), "\"a\\\\\"");
        for bad in ["both ' and \"", "ends in \\", "\\\\\\", "\0", "\x08"] {
            assert!(text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_have_no_negative_exponents() {
        assert_eq!(float(1e-7).unwrap(), "0.0000001");
        assert_eq!(float(1.5e300).unwrap(), "1.5e300");
        assert_eq!(float(-0.5).unwrap(), "-0.5");
        for bad in [1e-300, f64::NAN, f64::INFINITY] {
            assert!(float(bad).is_err(), "{bad}");
        }
        assert!(integer(1 << 53).is_ok());
        assert!(integer((1 << 53) + 1).is_err());
        assert!(integer(i128::MIN).is_err());
    }

    #[test]
    fn whatever_serialises_to_a_scalar() {
        assert_eq!(serialized(&Some("x")).unwrap(), "\"x\"");
        assert_eq!(serialized(&true).unwrap(), "1");
        assert_eq!(serialized(&1.5).unwrap(), "1.5");
        assert_eq!(serialized(&None::<i32>).unwrap(), "null");
        assert!(serialized(&[1, 2]).is_err());
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(selector("a_1").unwrap(), ".a_1");
        for bad in ["", "a b", "é", "a.b", "a==1 or .b"] {
            assert!(selector(bad).is_err(), "{bad:?}");
        }
    }
}
