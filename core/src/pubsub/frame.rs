//! What arrives on a subscribed connection, in RESP2 arrays and RESP3 pushes alike.

use crate::error::{Error, Result};
use crate::resp::{Frame, Reader};

use super::stream::Message;

/// One frame of a subscribed connection.
#[derive(Debug, PartialEq)]
pub(super) enum Arrival {
    /// A message on a channel.
    Message(Message),
    /// A subscription was confirmed.
    Confirmed,
    /// A subscription that the server ended: the slot is served elsewhere.
    Revoked,
    /// Anything else: `PONG`, other pushes.
    Other,
}

/// Reads one complete frame.
///
/// # Errors
/// `Server` for an error reply (a channel that is not permitted), `Protocol` for broken bytes.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Arrival> {
    let frame = reader.next()?;
    match frame {
        Frame::Error(line) => return Err(Error::server(line).with_command("SUBSCRIBE")),
        Frame::Push(1..) | Frame::Array(1..) => {}
        _ => return Ok(Arrival::Other),
    }
    let kind = bytes(reader)?;
    match kind {
        b"message" | b"smessage" => {
            let channel = text(reader)?;
            Ok(Arrival::Message(Message { channel, pattern: None, payload: payload(reader)? }))
        }
        b"pmessage" => {
            let pattern = Some(text(reader)?);
            let channel = text(reader)?;
            Ok(Arrival::Message(Message { channel, pattern, payload: payload(reader)? }))
        }
        b"subscribe" | b"psubscribe" | b"ssubscribe" => Ok(Arrival::Confirmed),
        b"sunsubscribe" => Ok(Arrival::Revoked),
        _ => Ok(Arrival::Other),
    }
}

fn bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    match reader.next()? {
        Frame::Bulk(bytes) => Ok(bytes),
        Frame::Simple(text) => Ok(text.as_bytes()),
        frame => Err(Error::decode("a string in a push", &frame.describe())),
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String> {
    Ok(String::from_utf8_lossy(bytes(reader)?).into_owned())
}

fn payload(reader: &mut Reader<'_>) -> Result<bytes::Bytes> {
    let payload = bytes(reader)?;
    Ok(reader.slice(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols_give_the_same_message() {
        let message = Message {
            channel: "c".into(),
            pattern: Some("*".into()),
            payload: bytes::Bytes::from_static(b"hi"),
        };
        for sign in ['>', '*'] {
            let wire = format!("{sign}4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$2\r\nhi\r\n");
            let arrival = read(&mut Reader::new(wire.as_bytes())).unwrap();
            assert_eq!(arrival, Arrival::Message(message.clone()));
        }
    }

    #[test]
    fn a_refusal_is_an_error() {
        let wire = b"-NOPERM no permissions to access the 'x' channel\r\n";
        assert!(read(&mut Reader::new(wire)).is_err());
    }
}
