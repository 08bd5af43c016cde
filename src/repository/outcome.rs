//! What the write script gives back.

use std::time::{Duration, SystemTime};

use alizarin_core::resp::{Frame, Reader};
use bytes::Bytes;

use super::Written;
use crate::{Error, FromReply, Result};

/// What the write script gives back: names and values.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) written: Written,
    /// Those of the section `returned`.
    pub(crate) values: Vec<Option<Bytes>>,
}

impl FromReply for Outcome {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Outcome> {
        let frame = reader.next()?;
        let (Frame::Array(_) | Frame::Map(_)) = frame else {
            return Err(match frame {
                Frame::Error(line) => Error::server(line),
                frame => Error::decode("what a write did", &frame.describe()),
            });
        };
        let mut out = Outcome::default();
        for _ in 0..frame.children() / 2 {
            match &*String::from_reply(reader)? {
                "created" => out.written.created = bool::from_reply(reader)?,
                "version" => out.written.version = Some(u64::from_reply(reader)?),
                "created_at" => out.written.created_at = Some(time(&String::from_reply(reader)?)?),
                "updated_at" => out.written.updated_at = Some(time(&String::from_reply(reader)?)?),
                "values" => out.values = Vec::from_reply(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(out)
    }
}

/// A stamp: milliseconds or nanoseconds since 1970, told apart by the unit behind them.
fn time(text: &str) -> Result<SystemTime> {
    let unit: Option<fn(u64) -> Duration> = match text.get(text.len().saturating_sub(2)..) {
        Some("ms") => Some(Duration::from_millis),
        Some("ns") => Some(Duration::from_nanos),
        _ => None,
    };
    let number = text.trim_end_matches(|letter: char| !letter.is_ascii_digit()).parse::<i64>();
    let time = unit.zip(number.ok()).and_then(|(unit, number)| {
        let distance = unit(number.unsigned_abs());
        match number {
            0.. => SystemTime::UNIX_EPOCH.checked_add(distance),
            _ => SystemTime::UNIX_EPOCH.checked_sub(distance),
        }
    });
    time.ok_or_else(|| Error::decode("a time since 1970", &format!("{text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read() {
        let since = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(time("1500ms").unwrap(), since(1500));
        assert_eq!(time("1500000000ns").unwrap(), since(1500));
        assert_eq!(time("-2ms").unwrap(), SystemTime::UNIX_EPOCH - Duration::from_millis(2));
        for wrong in ["", "ms", "1500", "1500us", "1.5ms", "\u{e9}"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
