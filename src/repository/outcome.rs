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
    let number = |digits: &str| digits.parse::<u64>().ok();
    let since = match text.split_at_checked(text.len().saturating_sub(2)) {
        Some((digits, "ms")) => number(digits).map(Duration::from_millis),
        Some((digits, "ns")) => number(digits).map(Duration::from_nanos),
        _ => None,
    };
    since
        .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
        .ok_or_else(|| Error::decode("a time since 1970", &format!("{text:?}")))
}
