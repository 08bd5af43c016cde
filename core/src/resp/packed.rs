//! The encoded arguments of one command.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::pieces::{LARGE, Pieces, View};

/// Room for small commands without a heap allocation.
const INLINE: usize = 160;

/// Most commands have no more bytes.
const FEW: usize = 64;

/// Arguments in wire form (`$3\r\nGET\r\n…`), without the `*n` header, which is written when the
/// command joins a connection's buffer: so arguments can be added one by one.
///
/// Up to 160 bytes live inside the value itself; more move to the heap. An argument of 32 KiB or
/// more is kept apart, and is not copied again on its way to the socket.
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
    /// How many arguments are known as keys.
    keys: u32,
    buffer: Buffer,
}

#[derive(Clone)]
enum Buffer {
    /// Invariant: `len <= INLINE`.
    Inline {
        len: u8,
        bytes: [u8; INLINE],
    },
    Heap(Pieces),
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

    /// One argument that is encoded already, in the first `len` bytes.
    #[inline]
    pub(crate) fn named(wire: &[u8; 32], len: u8) -> Packed {
        let mut bytes = [0; INLINE];
        bytes[..32].copy_from_slice(wire);
        Packed { argc: 1, key: None, keys: 0, buffer: Buffer::Inline { len, bytes } }
    }

    /// The number of arguments, the command's name included.
    #[inline]
    pub fn argc(&self) -> usize {
        self.argc as usize
    }

    /// The arguments in wire form, without the header; copied if there are large ones among them.
    #[inline]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        self.view().joined()
    }

    #[inline]
    fn view(&self) -> View<'_> {
        match &self.buffer {
            Buffer::Inline { len, bytes } => {
                View::from(bytes.get(..usize::from(*len)).unwrap_or_default())
            }
            Buffer::Heap(pieces) => pieces.view(),
        }
    }

    /// Everything but the large arguments' own bytes.
    #[inline]
    fn small(&self) -> &[u8] {
        match &self.buffer {
            Buffer::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Buffer::Heap(pieces) => pieces.small(),
        }
    }

    /// Adds one argument.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`short` gives no more than the room that is left; 2^32 arguments are more than memory holds"
    )]
    pub fn push(&mut self, argument: &[u8]) {
        if let Buffer::Inline { len, bytes } = &mut self.buffer
            && let Some(more) = short(&mut bytes[usize::from(*len)..], argument)
        {
            *len += more;
            self.argc += 1;
            return;
        }
        self.push_long(argument);
    }

    fn push_long(&mut self, argument: &[u8]) {
        match argument.len() >= LARGE {
            true => self.push_large(Bytes::copy_from_slice(argument)),
            false => self.push_here(argument),
        }
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    fn push_here(&mut self, argument: &[u8]) {
        self.argc += 1;
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(argument.len()).as_bytes();
        let heap = self.heap(argument.len() + digits.len() + 5).small_mut();
        heap.push(b'$');
        heap.extend_from_slice(digits);
        heap.extend_from_slice(b"\r\n");
        heap.extend_from_slice(argument);
        heap.extend_from_slice(b"\r\n");
    }

    /// Adds one argument; a large one (32 KiB or more) without a copy.
    pub fn push_bytes(&mut self, argument: Bytes) {
        match argument.len() >= LARGE {
            true => self.push_large(argument),
            false => self.push(&argument),
        }
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    fn push_large(&mut self, argument: Bytes) {
        self.argc += 1;
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(argument.len()).as_bytes();
        let heap = self.heap(digits.len() + 5);
        heap.small_mut().push(b'$');
        heap.small_mut().extend_from_slice(digits);
        heap.small_mut().extend_from_slice(b"\r\n");
        heap.push_large(argument);
        heap.small_mut().extend_from_slice(b"\r\n");
    }

    /// The buffer on the heap, moved there if need be, with room for `more` bytes.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`len` is at most INLINE; lengths of what is held in memory cannot overflow"
    )]
    fn heap(&mut self, more: usize) -> &mut Pieces {
        if let Buffer::Inline { len, bytes } = &self.buffer {
            let inline = &bytes[..usize::from(*len)];
            let mut heap = Pieces::with_capacity((inline.len() + more).max(2 * INLINE));
            heap.small_mut().extend_from_slice(inline);
            self.buffer = Buffer::Heap(heap);
        }
        match &mut self.buffer {
            Buffer::Heap(heap) => {
                heap.small_mut().reserve(more);
                heap
            }
            #[expect(clippy::unreachable, reason = "it was moved to the heap above")]
            Buffer::Inline { .. } => unreachable!("it was moved to the heap"),
        }
    }

    /// Adds one argument that is a key; the first one decides where the command is sent.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a pushed argument ends in CRLF and has its bytes before it"
    )]
    pub fn push_key(&mut self, key: &[u8]) {
        self.keys += 1;
        if key.len() >= LARGE {
            // In one piece with the rest, since it decides where the command goes.
            self.push_here(key);
        } else {
            self.push(key);
        }
        if self.key.is_none() {
            let end = self.small().len() - 2;
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
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "what was copied fits INLINE, and so a byte"
    )]
    pub fn append(&mut self, other: &Packed) {
        self.argc += other.argc;
        let view = other.view();
        if let Buffer::Inline { len, bytes } = &mut self.buffer
            && let Some(more) = view.as_one()
            && let Some(room) = bytes.get_mut(usize::from(*len)..usize::from(*len) + more.len())
        {
            room.copy_from_slice(more);
            *len += more.len() as u8;
            return;
        }
        self.heap(other.small().len()).extend(view);
    }

    /// The first key, by which a cluster finds the node.
    pub fn first_key(&self) -> Option<&[u8]> {
        let (start, end) = self.key?;
        self.small().get(start as usize..end as usize)
    }

    /// How many arguments were added as keys.
    pub(crate) fn keys(&self) -> u32 {
        self.keys
    }

    /// The arguments one by one.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        let (view, mut at) = (self.view(), 0);
        std::iter::from_fn(move || {
            let (header, _) = view.at(at);
            let line = header.iter().position(|byte| *byte == b'\r')?;
            let len: usize = std::str::from_utf8(header.get(1..line)?).ok()?.parse().ok()?;
            at += line + 2;
            let argument = match view.at(at) {
                (_, Some(large)) => large,
                (small, None) => {
                    at += len;
                    small.get(..len)?
                }
            };
            at += 2;
            Some(argument)
        })
    }

    /// The command's name as given, for errors and traces.
    pub fn name(&self) -> String {
        let name = self.arguments().next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// The size of the whole request on the wire, header included.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    pub fn wire_len(&self) -> usize {
        let digits = match self.argc {
            0..=9 => 1,
            10..=99 => 2,
            _ => itoa::Buffer::new().format(self.argc).len(),
        };
        self.view().len() + 3 + digits
    }

    /// Appends the whole request, header included.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let view = self.view();
        self.write_header(out, view.len());
        view.write_to(out);
    }

    /// Appends the whole request, the large arguments without a copy.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "ten arguments at most; lengths of what is held in memory cannot overflow"
    )]
    pub(crate) fn write_pieces(&self, out: &mut Pieces) {
        if let Buffer::Inline { len, bytes } = &self.buffer
            && self.argc < 10
        {
            let out = out.small_mut();
            out.reserve(INLINE + 4);
            out.extend_from_slice(&[b'*', b'0' + self.argc as u8, b'\r', b'\n']);
            let end = out.len() + usize::from(*len);
            // To copy some bytes too many costs less than to ask how many there are.
            match bytes.first_chunk::<FEW>() {
                Some(start) if usize::from(*len) <= FEW => out.extend_from_slice(start),
                _ => out.extend_from_slice(bytes),
            }
            out.truncate(end);
            return;
        }
        self.write_header(out.small_mut(), self.small().len());
        out.extend(self.view());
    }

    /// The header, and room for what follows.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    fn write_header(&self, out: &mut Vec<u8>, room: usize) {
        out.reserve(room + 13);
        if self.argc < 10 {
            out.extend_from_slice(&[b'*', b'0' + self.argc as u8, b'\r', b'\n']);
        } else {
            out.push(b'*');
            out.extend_from_slice(itoa::Buffer::new().format(self.argc).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// The headers of all arguments that fit into the room inside of a command (`$3\r\n`), with zeros behind
/// them; the last byte is their length.
static HEADERS: [[u8; 8]; INLINE] = headers();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "numbers of three digits at most, when the program is compiled"
)]
const fn headers() -> [[u8; 8]; INLINE] {
    let (mut headers, mut length) = ([[0; 8]; INLINE], 0);
    while length < INLINE {
        let (mut header, mut at, mut power) = ([0; 8], 1, 100);
        header[0] = b'$';
        while power > 0 {
            if length >= power || power == 1 {
                header[at] = b'0' + (length / power % 10) as u8;
                at += 1;
            }
            power /= 10;
        }
        (header[at], header[at + 1], header[7]) = (b'\r', b'\n', at as u8 + 2);
        headers[length] = header;
        length += 1;
    }
    headers
}

/// Writes an argument to the front of `room`, if it fits, with all eight bytes of its header's; gives
/// its size.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "INLINE bytes at most fit the room"
)]
fn short(room: &mut [u8], argument: &[u8]) -> Option<u8> {
    let header = HEADERS.get(argument.len())?;
    let start = usize::from(header[7]);
    let end = start + argument.len();
    *room.first_chunk_mut()? = *header;
    let (front, behind) = room.split_at_mut_checked(end)?;
    *behind.first_chunk_mut()? = *b"\r\n";
    front.get_mut(start..)?.copy_from_slice(argument);
    Some((end + 2) as u8)
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
    fn large_arguments_are_kept_apart_and_found_again() {
        let large = Bytes::from(vec![b'L'; LARGE]);
        let mut packed = Packed::new();
        packed.push(b"MSET");
        packed.push_key(b"k");
        packed.push_bytes(large.clone());
        packed.push_key(&large);
        packed.push(&large);
        packed.push(b"");
        let mut more = Packed::new();
        more.push_bytes(large.clone());
        more.push(b"end");
        packed.append(&more);
        let expected = [b"MSET", &b"k"[..], &large, &large, &large, b"", &large, b"end"];
        assert!(packed.arguments().eq(expected));
        assert_eq!((packed.argc(), packed.first_key()), (8, Some(&b"k"[..])));
        let mut wire = Vec::new();
        packed.write_to(&mut wire);
        let mut pieces = Pieces::default();
        packed.write_pieces(&mut pieces);
        assert_eq!((wire.len(), &*pieces.view().joined()), (packed.wire_len(), &*wire));
        assert!(wire.ends_with(&packed.bytes()));
        // Three of them are the one that was handed in, or its only copy.
        assert!(pieces.small().len() < 2 * LARGE);
        let shared = packed.arguments().filter(|argument| argument.as_ptr() == large.as_ptr());
        assert_eq!(shared.count(), 2);
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
