//! Names of commands, encoded when the program is compiled.

use super::Flags;

/// The most bytes of an encoded name: `$24\r\n`, 24 letters, `\r\n`.
pub(crate) const ROOM: usize = 32;

/// A command's name in wire form, with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    /// Invariant: `len` bytes of it are the name's frame.
    pub(crate) wire: [u8; ROOM],
    pub(crate) len: u8,
    pub(crate) flags: Flags,
}

impl Name {
    /// Does not compile for names of more than 24 letters.
    pub(crate) const fn new(name: &str) -> Name {
        let letters = name.as_bytes();
        assert!(letters.len() <= 24, "no command has so long a name");
        let mut wire = [0; ROOM];
        wire[0] = b'$';
        let mut at = 1;
        if letters.len() >= 10 {
            wire[at] = b'0' + (letters.len() / 10) as u8;
            at += 1;
        }
        wire[at] = b'0' + (letters.len() % 10) as u8;
        wire[at + 1] = b'\r';
        wire[at + 2] = b'\n';
        at += 3;
        let mut letter = 0;
        while letter < letters.len() {
            wire[at] = letters[letter];
            at += 1;
            letter += 1;
        }
        wire[at] = b'\r';
        wire[at + 1] = b'\n';
        Name { wire, len: at as u8 + 2, flags: Flags::of(name) }
    }
}

/// A [`Command`](super::Command) with a name that is known when the program is compiled, and with
/// `key`, `arg` and `flags` added in place.
macro_rules! named {
    ($name:literal $(,)?) => {
        $crate::command::Command::named(const { &$crate::command::Name::new($name) })
    };
    ($name:literal $(, $part:ident $value:expr)+ $(,)?) => {{
        let mut command = $crate::command::named!($name);
        $($crate::command::named!(@$part command, $value);)+
        command
    }};
    (@key $command:ident, $value:expr) => {
        $crate::resp::ToArgs::write_keys(&$value, $command.packed_mut())
    };
    (@arg $command:ident, $value:expr) => {
        $crate::resp::ToArgs::into_args($value, $command.packed_mut())
    };
    (@flags $command:ident, $value:expr) => {
        $command.set_flags($value)
    };
}
pub(crate) use named;
