//! The encoded arguments of one command.

use std::fmt;

/// Room for small commands without a heap allocation.
const INLINE: usize = 120;

/// Arguments in wire form (`$3\r\nGET\r\n…`), without the `*n` header, which is written when the
/// command joins a connection's buffer: so arguments can be added one by one.
///
/// Up to 120 bytes live inside the value itself; more move to the heap.
///
/// ```
/// use alizarin_core::resp::Packed;
/// let mut packed = Packed::new();
/// packed.push(b"GET");
/// packed.push_key(b"k");
/// let mut wire = Vec::new();
/// packed.write_to(&mut wire);
/// assert_eq!(wire, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
/// assert_eq!(packed.first_key(), Some(&b"k"[..]));
/// ```
#[derive(Clone, Default)]
pub struct Packed {
    argc: u32,
    /// Where the first key stands in the bytes.
    /// Invariant: `start <= end <= bytes().len()`.
    key: Option<(u32, u32)>,
    buffer: Buffer,
}

#[derive(Clone)]
enum Buffer {
    /// Invariant: `len <= INLINE`.
    Inline {
        len: u8,
        bytes: [u8; INLINE],
    },
    Heap(Vec<u8>),
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer::Inline { len: 0, bytes: [0; INLINE] }
    }
}

impl Packed {
    /// No arguments yet.
    pub fn new() -> Packed {
        Packed::default()
    }

    /// The number of arguments, the command's name included.
    pub fn argc(&self) -> usize {
        self.argc as usize
    }

    /// The arguments in wire form, without the header.
    pub fn bytes(&self) -> &[u8] {
        match &self.buffer {
            Buffer::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Buffer::Heap(bytes) => bytes,
        }
    }

    /// Adds one argument.
    pub fn push(&mut self, argument: &[u8]) {
        self.argc += 1;
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(argument.len()).as_bytes();
        self.extend(&[b"$", digits, b"\r\n", argument, b"\r\n"]);
    }

    /// Adds one argument that is a key; the first one decides where the command is sent.
    pub fn push_key(&mut self, key: &[u8]) {
        self.push(key);
        if self.key.is_none() {
            let end = self.bytes().len() - 2;
            // A command past 4 GiB is refused by every server; saturating keeps the range inside.
            let range = (u32::try_from(end - key.len()), u32::try_from(end));
            if let (Ok(start), Ok(end)) = range {
                self.key = Some((start, end));
            }
        }
    }

    /// Adds an integer.
    pub fn push_int(&mut self, value: impl itoa::Integer) {
        self.push(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Adds a float in its shortest form that reads back as the same value; `inf`, `-inf`, `nan`
    /// as Redis spells them.
    pub fn push_f64(&mut self, value: f64) {
        if value.is_finite() {
            self.push(trim_zero(ryu::Buffer::new().format_finite(value)).as_bytes());
        } else if value.is_nan() {
            self.push(b"nan");
        } else {
            self.push(if value > 0.0 { b"inf" } else { b"-inf" });
        }
    }

    /// Adds a float in the shortest form that reads back as the same `f32`.
    pub fn push_f32(&mut self, value: f32) {
        if value.is_finite() {
            self.push(trim_zero(ryu::Buffer::new().format_finite(value)).as_bytes());
        } else {
            self.push_f64(f64::from(value));
        }
    }

    /// Adds all arguments of another command's list.
    pub fn append(&mut self, other: &Packed) {
        self.argc += other.argc;
        self.extend(&[other.bytes()]);
    }

    /// The first key, by which a cluster finds the node.
    pub fn first_key(&self) -> Option<&[u8]> {
        let (start, end) = self.key?;
        self.bytes().get(start as usize..end as usize)
    }

    /// The arguments one by one.
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes();
        std::iter::from_fn(move || {
            let line = rest.iter().position(|byte| *byte == b'\r')?;
            let len: usize = std::str::from_utf8(rest.get(1..line)?).ok()?.parse().ok()?;
            let argument = rest.get(line + 2..line + 2 + len)?;
            rest = rest.get(line + 4 + len..)?;
            Some(argument)
        })
    }

    /// The command's name as given, for errors and traces.
    pub fn name(&self) -> String {
        let name = self.arguments().next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// The size of the whole request on the wire, header included.
    pub fn wire_len(&self) -> usize {
        self.bytes().len() + 3 + itoa::Buffer::new().format(self.argc).len()
    }

    /// Appends the whole request, header included.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.push(b'*');
        out.extend_from_slice(itoa::Buffer::new().format(self.argc).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.bytes());
    }

    fn extend(&mut self, parts: &[&[u8]]) {
        let more: usize = parts.iter().map(|part| part.len()).sum();
        match &mut self.buffer {
            Buffer::Heap(heap) => {
                for part in parts {
                    heap.extend_from_slice(part);
                }
            }
            Buffer::Inline { len, bytes } => {
                let old = usize::from(*len);
                if let Some(mut room) = bytes.get_mut(old..old + more) {
                    for part in parts {
                        let (head, tail) = room.split_at_mut(part.len());
                        head.copy_from_slice(part);
                        room = tail;
                    }
                    *len += more as u8;
                } else {
                    let mut heap = Vec::with_capacity((old + more).max(2 * INLINE));
                    heap.extend_from_slice(&bytes[..old]);
                    for part in parts {
                        heap.extend_from_slice(part);
                    }
                    self.buffer = Buffer::Heap(heap);
                }
            }
        }
    }
}

/// `3.0` travels as `3`, as Redis itself writes it.
fn trim_zero(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

impl fmt::Debug for Packed {
    /// The command's name and the number of arguments: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed").field("name", &self.name()).field("argc", &self.argc).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_from_inline_to_heap_without_losing_a_byte() {
        let mut packed = Packed::new();
        let arguments: Vec<Vec<u8>> = (0..40).map(|n| vec![b'x'; n]).collect();
        for argument in &arguments {
            packed.push(argument);
        }
        assert!(packed.arguments().eq(arguments.iter().map(Vec::as_slice)));
        let mut wire = Vec::new();
        packed.write_to(&mut wire);
        assert_eq!(wire.len(), packed.wire_len());
    }

    #[test]
    fn floats_are_shortest_and_exact() {
        let mut packed = Packed::new();
        packed.push_f64(3.0);
        packed.push_f32(0.1);
        packed.push_f64(f64::NEG_INFINITY);
        let arguments: Vec<&[u8]> = packed.arguments().collect();
        assert_eq!(arguments, [&b"3"[..], b"0.1", b"-inf"]);
    }

    #[test]
    fn debug_shows_no_value() {
        let mut packed = Packed::new();
        packed.push(b"AUTH");
        packed.push(b"hunter2");
        assert!(!format!("{packed:?}").contains("hunter2"));
    }
}
