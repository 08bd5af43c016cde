//! Error replies that say where else, or when, a command is to be sent. No I/O.

use crate::config::Address;
use crate::error::{Error, ServerCode};
use crate::resp::{Frame, Reader};

/// What a reply asks of whoever sent the command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the answer.
    Answer,
    /// The slot is served elsewhere for good. Without an address: by the node that was asked.
    Moved { slot: u16, to: Option<Address> },
    /// This one command is to be sent elsewhere, after `ASKING`.
    Ask { to: Option<Address> },
    /// Nothing ran; the same node may take it in a moment.
    Wait,
    /// Nothing ran, and the node is no longer what the map says.
    Stale,
}

impl Verdict {
    /// The verdict on the reply that begins with these bytes.
    pub(super) fn of(reply: &[u8]) -> Verdict {
        if !matches!(reply.first(), Some(b'-' | b'!')) {
            return Verdict::Answer;
        }
        match Reader::new(reply).next() {
            Ok(Frame::Error(line)) => Verdict::of_line(line),
            _ => Verdict::Answer,
        }
    }

    fn of_line(line: &str) -> Verdict {
        match ServerCode::parse(line) {
            ServerCode::Moved | ServerCode::Ask => redirect(line).unwrap_or(Verdict::Answer),
            ServerCode::TryAgain | ServerCode::Loading => Verdict::Wait,
            ServerCode::ClusterDown | ServerCode::ReadOnly => Verdict::Stale,
            _ if line.starts_with("MASTERDOWN") => Verdict::Stale,
            // It waited on a primary that is none any more.
            _ if line.starts_with("UNBLOCKED force") => Verdict::Stale,
            _ => Verdict::Answer,
        }
    }
}

/// `MOVED 3999 127.0.0.1:6381`; the host may be empty, or an IPv6 address without brackets.
fn redirect(line: &str) -> Option<Verdict> {
    let mut words = line.split(' ');
    let moved = words.next()? == "MOVED";
    let slot = words.next()?.parse().ok().filter(|slot| *slot < crate::command::SLOTS)?;
    let (host, port) = words.next()?.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let to = (port != 0).then(|| Address { host: host.to_owned(), port });
    Some(match moved {
        true => Verdict::Moved { slot, to },
        false => Verdict::Ask { to },
    })
}

/// The error reply as an error, for those who give up.
pub(super) fn error(reply: &[u8]) -> Error {
    match Reader::new(reply).next() {
        Ok(Frame::Error(line)) => Error::server(line),
        Ok(frame) => Error::decode("an error", &frame.describe()),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_read_in_all_their_forms() {
        let to = |host: &str, port| Some(Address { host: host.to_owned(), port });
        for (line, verdict) in [
            (
                "-MOVED 3999 127.0.0.1:6381",
                Verdict::Moved { slot: 3999, to: to("127.0.0.1", 6381) },
            ),
            ("-MOVED 1 ::1:7000", Verdict::Moved { slot: 1, to: to("::1", 7000) }),
            ("-MOVED 1 [::1]:7000", Verdict::Moved { slot: 1, to: to("::1", 7000) }),
            ("-MOVED 1 :7000", Verdict::Moved { slot: 1, to: to("", 7000) }),
            ("-ASK 16383 h.local:6379", Verdict::Ask { to: to("h.local", 6379) }),
            ("-ASK 16384 h.local:6379", Verdict::Answer),
            ("-MOVED", Verdict::Answer),
            ("-MOVED x y:1", Verdict::Answer),
            ("-TRYAGAIN Multiple keys", Verdict::Wait),
            ("-LOADING x", Verdict::Wait),
            ("-CLUSTERDOWN x", Verdict::Stale),
            ("-READONLY x", Verdict::Stale),
            ("-MASTERDOWN x", Verdict::Stale),
            ("-UNBLOCKED force unblock from blocking operation", Verdict::Stale),
            ("-UNBLOCKED client unblocked via CLIENT UNBLOCK", Verdict::Answer),
            ("-ERR x", Verdict::Answer),
            ("+MOVED 1 h:1", Verdict::Answer),
        ] {
            assert_eq!(Verdict::of(format!("{line}\r\n").as_bytes()), verdict, "{line}");
        }
    }
}
