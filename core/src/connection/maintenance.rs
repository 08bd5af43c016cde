//! Notices of planned maintenance, which Redis Software and Redis Cloud push: the client moves to
//! the named server before its connection is cut, and waits longer while a server is busy moving.

use std::time::Duration;

use tokio::time::Instant;

use super::link::Link;
use super::state::State;
use crate::config::{Address, Config, Endpoint};
use crate::error::Error;
use crate::resp::{Frame, FromReply, Reader};

/// What a server says that it is about to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The connection will be cut.
    Moving(Moving),
    /// Answers may take longer.
    Busy,
    /// They no longer do.
    Calm,
    /// Slots of a cluster are served by others, of which these were named.
    Moved(Vec<Address>),
}

/// Where to be, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moving {
    /// The notice's number: it may come twice.
    id: i64,
    /// How long the old connection is served yet.
    time: Duration,
    /// The new address; the old one when there is none.
    to: Option<(String, u16)>,
}

impl Moving {
    /// To another connection to the same place, at once.
    pub(super) fn here() -> Moving {
        Moving::here_after(Duration::ZERO)
    }

    /// The same, a while later.
    pub(super) fn here_after(pause: Duration) -> Moving {
        // Half of the time is waited for.
        Moving { id: -1, time: pause.saturating_mul(2), to: None }
    }

    /// Whether this process decided it, and nothing else has to move.
    pub(super) fn is_here(&self) -> bool {
        self.id == -1 && self.to.is_none()
    }
}

/// Where connections are made for now, and until when.
pub(crate) type Elsewhere = (Endpoint, Instant);

impl Moving {
    /// Which notice it is.
    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// Where to be while the move lasts, where it says so.
    #[expect(clippy::arithmetic_side_effects, reason = "a day at most from now, by `read`")]
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere> {
        let (host, port) = self.to.clone()?;
        Some((Endpoint::Tcp { host, port }, Instant::now() + self.time))
    }
}

/// So many of the servers that a notice names are asked.
const MOST_NAMED: usize = 16;

/// What a connection knows of maintenance.
#[derive(Default)]
pub(crate) struct Maintenance {
    /// The tick up to which answers may take longer.
    relaxed: Option<u32>,
    /// The tick up to which the server is known to keep answers back.
    pub(crate) withheld: Option<u32>,
    /// A move that the driver has not begun.
    pub(crate) moving: Option<Moving>,
    last: Option<i64>,
    /// Where connections are made for now.
    elsewhere: Option<Elsewhere>,
    /// The tick up to which answers over the connection that is to be cut may take longer.
    pub(super) leaving: Option<u32>,
    /// A new connection is there: nothing more is written to the old one.
    pub(crate) draining: bool,
}

/// Reads a push; `None` when it is about something else.
pub(crate) fn read(push: &[u8]) -> Option<Notice> {
    let mut reader = Reader::new(push);
    let Ok(Frame::Push(1..)) = reader.next() else { return None };
    let kind = match reader.next() {
        Ok(Frame::Bulk(kind)) => kind,
        Ok(Frame::Simple(kind)) => kind.as_bytes(),
        _ => return None,
    };
    match kind {
        b"MIGRATING" | b"FAILING_OVER" | b"SMIGRATING" => Some(Notice::Busy),
        b"MIGRATED" | b"FAILED_OVER" => Some(Notice::Calm),
        b"SMIGRATED" => Some(Notice::Moved(named(&mut reader))),
        b"MOVING" => {
            let id = i64::from_reply(&mut reader).ok()?;
            let seconds = u64::from_reply(&mut reader).ok()?;
            let to = <Option<String>>::from_reply(&mut reader).ok().flatten();
            let to = to.and_then(|to| address(&to)).map(|to| (to.host, to.port));
            // A day is long enough for any move, and for no overflow.
            let time = Duration::from_secs(seconds.min(86_400));
            Some(Notice::Moving(Moving { id, time, to }))
        }
        _ => None,
    }
}

/// `host:port`, as a server writes it.
fn address(text: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().ok().filter(|port| *port != 0)?;
    (!host.is_empty()).then(|| Address { host: host.to_owned(), port })
}

/// The servers that the rest of a notice names, wherever it does.
fn named(reader: &mut Reader<'_>) -> Vec<Address> {
    let mut named = Vec::new();
    // To the end of the push, or as far as it can be read.
    while let Ok(frame) = reader.next() {
        let text = match frame {
            Frame::Bulk(text) => std::str::from_utf8(text).unwrap_or_default(),
            Frame::Simple(text) => text,
            _ => continue,
        };
        named.extend(text.split([' ', ',']).filter_map(address));
    }
    named.truncate(MOST_NAMED);
    named
}

impl Link {
    /// Takes note of what the server announced; tells whether the driver has to see to it.
    pub(crate) fn announced(&self, state: &mut State, notice: &Notice) -> bool {
        tracing::debug!(address = %self.config.address(), ?notice, "maintenance");
        let tick = state.tick;
        let maintenance = &mut state.maintenance;
        match notice {
            Notice::Busy => {
                let more = self.ticks(self.config.relaxed_timeout);
                maintenance.relaxed = Some(tick.wrapping_add(more));
            }
            Notice::Calm => maintenance.relaxed = None,
            Notice::Moved(named) => {
                maintenance.relaxed = None;
                if let Some(alarm) = &self.alarm {
                    alarm.name(named.iter().map(|server| self.config.reach(server)));
                }
            }
            Notice::Moving(moving) if maintenance.last == Some(moving.id) => {}
            Notice::Moving(moving) => {
                maintenance.last = Some(moving.id);
                // Only the newest counts, also where that names no server.
                maintenance.elsewhere = moving.elsewhere();
                maintenance.leaving = Some(tick.wrapping_add(self.ticks(moving.time)));
                maintenance.moving = Some(moving.clone());
                return true;
            }
        }
        false
    }

    /// How many ticks the server may take to answer.
    pub(crate) fn patience(&self, state: &State) -> u32 {
        let limit = self.ticks(self.config.response_timeout);
        let lasts = |until: Option<u32>| {
            until.is_some_and(|until| until.wrapping_sub(state.tick).cast_signed() > 0)
        };
        let Maintenance { relaxed, withheld, leaving, .. } = &state.maintenance;
        match [relaxed, withheld, leaving].into_iter().any(|until| lasts(*until)) {
            true => limit.max(self.ticks(self.config.relaxed_timeout)),
            false => limit,
        }
    }

    /// Where connections are made for now, if not where they always are.
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere> {
        self.state().maintenance.elsewhere.clone()
    }

    /// What to connect to now.
    pub(crate) fn destination(&self) -> Config {
        let mut config = Config::clone(&self.config);
        if let Some((endpoint, until)) = &self.state().maintenance.elsewhere
            && Instant::now() < *until
        {
            config.endpoint = endpoint.clone();
        }
        config
    }

    /// Connects to where the server has announced to be, when it is time.
    #[expect(clippy::arithmetic_side_effects, reason = "a Duration divided by two")]
    pub(crate) async fn prepare_move(
        &self,
        moving: Moving,
    ) -> Result<super::dedicated::Dedicated, Error> {
        if moving.to.is_none() {
            // The same name leads elsewhere soon.
            tokio::time::sleep(moving.time / 2).await;
        }
        super::dedicated::Dedicated::connect(&self.destination(), &self.connector).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_read_and_others_are_not() {
        let moving = |to: Option<(&str, u16)>| {
            let to = to.map(|(host, port)| (host.to_owned(), port));
            Some(Notice::Moving(Moving { id: 7, time: Duration::from_secs(15), to }))
        };
        for (push, notice) in [
            (">4|+MOVING|:7|:15|$8|h.a:6380|", moving(Some(("h.a", 6380)))),
            (">4|$6|MOVING|:7|:15|$10|[::1]:6380|", moving(Some(("::1", 6380)))),
            (">4|$6|MOVING|:7|:15|_|", moving(None)),
            (">3|+MIGRATING|:1|:5|", Some(Notice::Busy)),
            (">3|+FAILING_OVER|:1|:5|", Some(Notice::Busy)),
            (">2|+MIGRATED|:1|", Some(Notice::Calm)),
            (">3|+SMIGRATED|:1|+x|", Some(Notice::Moved(vec![]))),
            (
                ">3|+SMIGRATED|:1|*1|*3|$5|h.a:1|$7|[::2]:2|$5|0-100|",
                Some(Notice::Moved(vec![
                    Address { host: "h.a".into(), port: 1 },
                    Address { host: "::2".into(), port: 2 },
                ])),
            ),
            (">2|+invalidate|_|", None),
            (">2|+MOVING|+x|", None),
            ("*2|+MOVING|:7|", None),
        ] {
            assert_eq!(read(push.replace('|', "\r\n").as_bytes()), notice, "{push}");
        }
    }
}
