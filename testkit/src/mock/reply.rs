//! What a mock server answers, in either protocol.

/// A reply for a [`MockServer`](crate::MockServer): text, bytes, numbers, `None` and lists turn into
/// one; maps, errors and what has no Rust type are made by name.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::MockReply;
///
/// assert_eq!(MockReply::from("hello"), MockReply::bulk("hello"));
/// assert_eq!(MockReply::from(3), MockReply::Integer(3));
/// assert_eq!(MockReply::from(None::<&str>), MockReply::Null);
/// let fields = MockReply::map([("name", "Ann"), ("cents", "500")]);
/// assert_eq!(MockReply::from(vec![fields.clone()]), MockReply::Array(vec![fields]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MockReply {
    /// A list.
    Array(Vec<MockReply>),
    /// `true` or `false`; RESP2 has 1 and 0 for it.
    Boolean(bool),
    /// Bytes.
    Bulk(Vec<u8>),
    /// A floating point number; RESP2 has text for it.
    Double(f64),
    /// An error: its code, a space, and what it says.
    Error(String),
    /// A whole number.
    Integer(i64),
    /// Names and values; RESP2 has a flat list for it.
    Map(Vec<(MockReply, MockReply)>),
    /// Nothing.
    Null,
    /// A list without order; RESP2 has a list for it.
    Set(Vec<MockReply>),
    /// A word such as `OK`.
    Simple(String),
}

impl MockReply {
    /// `+OK`
    #[must_use]
    pub fn ok() -> MockReply {
        MockReply::Simple("OK".to_owned())
    }

    /// Bytes.
    pub fn bulk(bytes: impl AsRef<[u8]>) -> MockReply {
        MockReply::Bulk(bytes.as_ref().to_vec())
    }

    /// An error: `"WRONGTYPE Operation against a key holding the wrong kind of value"`.
    pub fn error(text: impl Into<String>) -> MockReply {
        MockReply::Error(text.into())
    }

    /// Names and values.
    pub fn map<N: Into<MockReply>, V: Into<MockReply>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> MockReply {
        MockReply::Map(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Appends the reply as it travels.
    pub(super) fn encode(&self, resp3: bool, out: &mut Vec<u8>) {
        match self {
            MockReply::Array(items) => list('*', items, resp3, out),
            MockReply::Set(items) => list(if resp3 { '~' } else { '*' }, items, resp3, out),
            MockReply::Boolean(is) if resp3 => line('#', if *is { "t" } else { "f" }, out),
            MockReply::Boolean(is) => line(':', &u8::from(*is).to_string(), out),
            MockReply::Bulk(bytes) => bulk(bytes, out),
            MockReply::Double(number) if resp3 => line(',', &double(*number), out),
            MockReply::Double(number) => bulk(double(*number).as_bytes(), out),
            MockReply::Error(text) => line('-', &text.replace(['\r', '\n'], " "), out),
            MockReply::Integer(number) => line(':', &number.to_string(), out),
            MockReply::Map(pairs) => {
                let (sign, count) = if resp3 { ('%', pairs.len()) } else { ('*', 2 * pairs.len()) };
                line(sign, &count.to_string(), out);
                for (name, value) in pairs {
                    name.encode(resp3, out);
                    value.encode(resp3, out);
                }
            }
            MockReply::Null => out.extend_from_slice(if resp3 { b"_\r\n" } else { b"$-1\r\n" }),
            MockReply::Simple(text) => line('+', &text.replace(['\r', '\n'], " "), out),
        }
    }
}

/// A message that nobody asked for: RESP3 tells it from replies, RESP2 does not.
pub(super) fn push(items: &[MockReply], resp3: bool, out: &mut Vec<u8>) {
    list(if resp3 { '>' } else { '*' }, items, resp3, out);
}

fn list(sign: char, items: &[MockReply], resp3: bool, out: &mut Vec<u8>) {
    line(sign, &items.len().to_string(), out);
    for item in items {
        item.encode(resp3, out);
    }
}

fn bulk(bytes: &[u8], out: &mut Vec<u8>) {
    line('$', &bytes.len().to_string(), out);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn line(sign: char, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{sign}{text}\r\n").as_bytes());
}

fn double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number.is_nan() { "nan".to_owned() } else { number.to_string() }
}

macro_rules! from {
    ($($type:ty, $value:ident => $reply:expr;)+) => {$(
        impl From<$type> for MockReply {
            fn from($value: $type) -> MockReply {
                $reply
            }
        }
    )+};
}

from! {
    &str, text => MockReply::bulk(text);
    String, text => MockReply::Bulk(text.into_bytes());
    &[u8], bytes => MockReply::bulk(bytes);
    Vec<u8>, bytes => MockReply::Bulk(bytes);
    i64, number => MockReply::Integer(number);
    i32, number => MockReply::Integer(number.into());
    u32, number => MockReply::Integer(number.into());
    f64, number => MockReply::Double(number);
    bool, is => MockReply::Boolean(is);
}

impl<T: Into<MockReply>> From<Option<T>> for MockReply {
    fn from(value: Option<T>) -> MockReply {
        value.map_or(MockReply::Null, Into::into)
    }
}

impl From<Vec<MockReply>> for MockReply {
    fn from(items: Vec<MockReply>) -> MockReply {
        MockReply::Array(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &MockReply, resp3: bool) -> String {
        let mut out = Vec::new();
        reply.encode(resp3, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn speaks_both_protocols() {
        let map = MockReply::map([("a", MockReply::Boolean(true)), ("b", MockReply::Null)]);
        assert_eq!(text(&map, true), "%2\r\n$1\r\na\r\n#t\r\n$1\r\nb\r\n_\r\n");
        assert_eq!(text(&map, false), "*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$-1\r\n");
        assert_eq!(text(&MockReply::Double(f64::NEG_INFINITY), true), ",-inf\r\n");
        assert_eq!(text(&MockReply::Double(1.5), false), "$3\r\n1.5\r\n");
        assert_eq!(text(&MockReply::Set(vec![1.into()]), false), "*1\r\n:1\r\n");
    }

    #[test]
    fn an_error_stays_one_line() {
        assert_eq!(text(&MockReply::error("ERR a\r\n+OK"), true), "-ERR a  +OK\r\n");
    }
}
