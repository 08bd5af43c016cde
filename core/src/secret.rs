//! Passwords that no `Debug` output shows, and no error.

use std::borrow::Cow;
use std::fmt;

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value itself, for the handshake alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Where servers quote an argument that may be a password: what stands before it and behind it.
const QUOTES: [(&str, &str); 3] = [
    ("ACL SETUSER modifier '", "': "),
    ("Syntax error in HELLO option '", "'"),
    ("Invalid argument '", "' for SENTINEL SET"),
];

/// An error line without the values that it quotes.
pub(crate) fn unquoted(line: &str) -> Cow<'_, str> {
    if let Some((head, _)) = line.split_once(", with args beginning with") {
        return Cow::Borrowed(head);
    }
    for (before, behind) in QUOTES {
        let Some((head, rest)) = line.split_once(before) else { continue };
        let (quoted, rest) = rest.rsplit_once(behind).unwrap_or((rest, ""));
        // A rule of what a user may do is no password, and tells what to mend.
        if !quoted.starts_with(['+', '-', '~', '%', '&']) {
            return Cow::Owned(format!("{head}{before}…{behind}{rest}"));
        }
    }
    Cow::Borrowed(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_quotes_is_left_out_of_it() {
        let acl = "ERR Error in ACL SETUSER modifier '";
        for (line, shown) in [
            (
                "ERR unknown command 'LOGIN', with args beginning with: 'a' 'b' ",
                "ERR unknown command 'LOGIN'",
            ),
            (&format!("{acl}>it's': ': Syntax error"), &format!("{acl}…': Syntax error")),
            (&format!("{acl}+@red': Unknown command"), &format!("{acl}+@red': Unknown command")),
            (&format!("{acl}cut off"), &format!("{acl}…': ")),
            ("ERR Syntax error in HELLO option 'x'", "ERR Syntax error in HELLO option '…'"),
            (
                "ERR Invalid argument 'x' for SENTINEL SET 'auth-pass'",
                "ERR Invalid argument '…' for SENTINEL SET 'auth-pass'",
            ),
            ("WRONGTYPE Operation against a key", "WRONGTYPE Operation against a key"),
        ] {
            assert_eq!(unquoted(line), shown);
        }
    }
}
