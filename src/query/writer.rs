//! Query text and its parameters: the only place where a value becomes a `PARAM`.

use alizarin_core::resp::Packed;

use super::{FieldPath, index_names};

/// Query text in RediSearch's syntax under `DIALECT 2`, with the parameters it names.
///
/// The text is the program's own: values travel as `PARAMS`, named `$p0`, `$p1` …. Queries make
/// it; [`Find::to_command`](super::Find::to_command) shows what came of it:
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let command = films.find(|f| f.year.eq(1979) & f.director.eq("} | *")).to_command()?;
/// let sent: Vec<_> = command.packed().arguments().map(String::from_utf8_lossy).collect();
/// assert_eq!(sent[2], "((@year:[$p0 $p1]) (@director:{$p2}))");
/// assert_eq!(sent[6..14], ["PARAMS", "6", "p0", "1979", "p1", "1979", "p2", "} | *"]);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Default)]
pub struct QueryWriter {
    text: String,
    /// Name, value, name, value …
    params: Packed,
    /// Where in the text each parameter's name stands, with its `$`.
    marks: Vec<(usize, usize)>,
}

impl QueryWriter {
    /// Nothing yet.
    pub(crate) fn new() -> QueryWriter {
        QueryWriter::default()
    }

    /// The query text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parameters so far: name, value, name, value ….
    pub fn params(&self) -> impl Iterator<Item = &[u8]> {
        self.params.arguments()
    }

    /// The parameters as arguments, and the text.
    pub(crate) fn packed_params(&self) -> &Packed {
        &self.params
    }

    /// Appends text that the program wrote.
    pub(crate) fn push(&mut self, literal: &str) {
        self.text.push_str(literal);
    }

    /// Appends a parameter's name to the text and its value to the parameters.
    pub(crate) fn param(&mut self, value: &[u8]) {
        let start = self.text.len();
        let mut digits = itoa::Buffer::new();
        self.text.push_str("$p");
        self.text.push_str(digits.format(self.marks.len()));
        self.marks.push((start, self.text.len()));
        let name = self.text.get(start + 1..).unwrap_or_default();
        self.params.push(name.as_bytes());
        self.params.push(value);
    }

    /// Appends a TAG or TEXT parameter: the server eats a backslash before punctuation, so each
    /// one is doubled.
    pub(crate) fn word(&mut self, value: &[u8]) {
        if !value.contains(&b'\\') {
            return self.param(value);
        }
        let mut escaped = Vec::with_capacity(value.len() + 2);
        for byte in value {
            if *byte == b'\\' {
                escaped.push(b'\\');
            }
            escaped.push(*byte);
        }
        self.param(&escaped);
    }

    /// Appends `@attribute`, with every character escaped that the syntax would misread.
    pub(crate) fn attribute<S: FieldPath>(&mut self) {
        self.name::<S>(false);
    }

    /// The same with the name of the field's full-text entry, where it has another one too.
    pub(crate) fn text_attribute<S: FieldPath>(&mut self) {
        self.name::<S>(true);
    }

    fn name<S: FieldPath>(&mut self, text: bool) {
        self.text.push('@');
        let start = self.text.len();
        index_names::<S>(text, |step| {
            if self.text.len() > start {
                self.text.push('_');
            }
            for letter in step.chars() {
                if letter.is_ascii() && !letter.is_ascii_alphanumeric() && letter != '_' {
                    self.text.push('\\');
                }
                self.text.push(letter);
            }
        });
    }

    /// Appends another query's text, its parameters renamed to follow this one's.
    pub(crate) fn append(&mut self, other: &QueryWriter) {
        let mut at = 0;
        let values = other.params.arguments().skip(1).step_by(2);
        for ((start, end), value) in other.marks.iter().zip(values) {
            self.push(other.text.get(at..*start).unwrap_or_default());
            self.param(value);
            at = *end;
        }
        self.push(other.text.get(at..).unwrap_or_default());
    }
}
