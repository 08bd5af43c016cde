//! The cache of a blocking client: one connection, which whoever reads looks at first.
//!
//! There is no task that listens. So each read, under a lock, takes in what the server has said
//! before it looks at what is kept: what had arrived is never disregarded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::SILENCE;
use super::config::Tracking;
use super::fill::{Decode, Fill, Waiter};
use super::keys::Keys;
use super::request::{Answer, Request};
use super::shard::Value;
use super::store::{Found, Name, Store};
use crate::config::Config;
use crate::connection::{Connector, Dedicated, PushSink, Work};
use crate::direct::{block, is_timeout};
use crate::error::{Error, ErrorKind, Result, Sent};

/// The one connection, for one read at a time.
pub(super) struct Seat {
    config: Config,
    tracking: Tracking,
    line: Mutex<Option<Line>>,
}

struct Line {
    connection: Dedicated,
    sink: Arc<dyn PushSink>,
    /// When the server last said something.
    heard: Instant,
}

impl Seat {
    /// Without a connection yet.
    pub(super) fn new(config: Config, tracking: Tracking) -> Seat {
        Seat { config, tracking, line: Mutex::new(None) }
    }

    /// Connects.
    pub(super) fn connect(config: Config, tracking: Tracking) -> Result<Seat> {
        let seat = Seat::new(config, tracking);
        let line = seat.open()?;
        *seat.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
        Ok(seat)
    }

    fn open(&self) -> Result<Line> {
        let sink = self.tracking.sink();
        let mut connection = block(Dedicated::log_in(&self.config, &Connector::Blocking))?;
        connection.stream.limit(Some(self.config.response_timeout));
        Ok(Line { connection, sink, heard: Instant::now() })
    }

    /// Answers from the store, or asks the server; `check` may make something else of its answer.
    pub(super) fn read(
        &self,
        store: &Arc<Store>,
        name: Name<'_>,
        keys: &Keys<'_>,
        request: impl FnOnce() -> Request,
        decode: Decode,
        check: impl FnOnce(Request, Result<Answer>) -> Result<Answer>,
    ) -> Result<Value> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = line.as_mut().map(Line::look);
        if let Some(Err(_)) = alive {
            hang_up(&mut line);
        }
        let own = line.as_ref().map(|line| line.sink.source());
        let begin = |part, node| Fill::new(part, node, name.size, decode);
        let fill = match store.find(name, keys, |source| own == Some(source), begin) {
            Found::Hit(value) => return Ok(value),
            Found::Join(fill) | Found::Begun(fill) => fill,
        };
        let _waiter = Waiter::new(store, Arc::clone(&fill));
        let request = request();
        let answer = self.ask(&mut line, &request);
        drop(line);
        fill.finish(store, check(request, answer))
    }

    fn ask(&self, line: &mut Option<Line>, request: &Request) -> Result<Answer> {
        let mut retries = self.config.retries;
        let until = Instant::now() + self.config.total_timeout;
        loop {
            let used = match line {
                Some(used) => used,
                None => line.insert(self.open()?),
            };
            let error = match used.exchange(request.bytes(), request.frames()) {
                Ok(reply) => {
                    let answer = request.decode(&mut reply.reader())?;
                    return Ok(Answer { source: Some(used.sink.source()), ..answer });
                }
                Err(error) => error,
            };
            hang_up(line);
            let last = retries == 0 || Instant::now() >= until;
            if last || error.kind() != ErrorKind::Disconnected || is_timeout(&error) {
                return Err(self.explain(error, request));
            }
            retries -= 1;
        }
    }

    fn explain(&self, error: Error, request: &Request) -> Error {
        let error = match is_timeout(&error) {
            true => {
                let limit = self.config.response_timeout;
                let text = format!("the server gave no answer within {limit:?}");
                Error::new(ErrorKind::Timeout, text)
            }
            false => error,
        };
        error.with_sent(Sent::Unknown).with_command(request.name())
    }
}

/// Gives the connection up: what it would have been told is unknown.
fn hang_up(line: &mut Option<Line>) {
    if let Some(line) = line.take() {
        line.sink.lost();
    }
}

impl Line {
    /// Takes in what has arrived; after a long silence, makes sure that there is somebody.
    fn look(&mut self) -> Result<()> {
        let sink = Arc::clone(&self.sink);
        if self.connection.arrived(|frame| sink.push(frame))? {
            self.heard = Instant::now();
        }
        if self.heard.elapsed() >= SILENCE {
            self.exchange(b"*1\r\n$4\r\nPING\r\n", 1)?;
        }
        Ok(())
    }

    fn exchange(&mut self, bytes: &[u8], frames: u32) -> Result<crate::connection::Reply> {
        let Line { connection, sink, heard } = self;
        let exchange = async {
            connection.send(bytes).await?;
            connection.reply_and_pushes(frames, |frame| sink.push(frame)).await
        };
        let reply = block(exchange)?;
        *heard = Instant::now();
        Ok(reply)
    }
}
