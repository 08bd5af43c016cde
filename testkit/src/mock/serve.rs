//! The threads of a mock server: one accepts, one serves each connection.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::expect::{Act, shown};
use super::reply::{MockReply, push};
use super::wire::{Request, request};
use super::{Shared, State};

/// A connection, as other threads see it.
pub(super) struct Peer {
    stream: TcpStream,
    side: Mutex<Side>,
}

#[derive(Default)]
struct Side {
    resp3: bool,
    channels: BTreeSet<Vec<u8>>,
}

impl Peer {
    /// Sends a message, if it has subscribed to the channel.
    pub(super) fn message(&self, channel: &str, message: &[u8]) -> bool {
        let side = self.side.lock().unwrap_or_else(PoisonError::into_inner);
        if !side.channels.contains(channel.as_bytes()) {
            return false;
        }
        let items = [MockReply::bulk("message"), MockReply::bulk(channel), message.into()];
        let mut out = Vec::new();
        push(&items, side.resp3, &mut out);
        // Under the lock, so that no reply is split by it.
        (&self.stream).write_all(&out).is_ok()
    }

    pub(super) fn close(&self) {
        // It may be closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn side<T>(&self, look: impl FnOnce(&mut Side) -> T) -> T {
        look(&mut self.side.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn send(&self, encode: impl FnOnce(bool, &mut Vec<u8>)) -> bool {
        self.side(|side| {
            let mut out = Vec::new();
            encode(side.resp3, &mut out);
            (&self.stream).write_all(&out).is_ok()
        })
    }
}

/// Takes connections until the server is dropped.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(reading) = stream.try_clone() else { continue };
        let _ = stream.set_nodelay(true);
        let peer = Arc::new(Peer { stream, side: Mutex::default() });
        shared.state().peers.push(Arc::clone(&peer));
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            serve(reading, &peer, &shared);
            peer.close();
            shared.state().peers.retain(|other| !Arc::ptr_eq(other, &peer));
        });
    }
}

fn serve(mut stream: TcpStream, peer: &Peer, shared: &Shared) {
    let (mut inbox, mut chunk) = (Vec::new(), [0; 16 * 1_024]);
    let mut transaction = None;
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        inbox.extend_from_slice(chunk.get(..read).unwrap_or_default());
        loop {
            match request(&inbox) {
                Request::Partial => break,
                Request::Malformed => return,
                Request::Whole(command, used) => {
                    inbox.drain(..used);
                    if !answer(&command, peer, shared, &mut transaction) {
                        return;
                    }
                }
            }
        }
    }
}

/// The replies of a transaction's commands so far, and whether one was refused.
type Transaction = Option<(Vec<MockReply>, bool)>;

/// Answers one command; whether the connection lives on.
fn answer(
    command: &[Vec<u8>],
    peer: &Peer,
    shared: &Shared,
    transaction: &mut Transaction,
) -> bool {
    let name = command.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let (act, delay) = {
        let mut state = shared.state();
        let expected = state.expected(command);
        let greets = expected.is_none() && is_greeting(&name);
        let list = if greets { &mut state.greetings } else { &mut state.commands };
        list.push(command.to_vec());
        if let Some(expected) = expected {
            expected
        } else if let Some(reply) = by_itself(&name, command, peer, &state, transaction) {
            drop(state);
            return reply.is_none_or(|reply| peer.send(|resp3, out| reply.encode(resp3, out)));
        } else {
            state.unexpected.push(command.to_vec());
            let words: Vec<String> = command.iter().map(|word| shown(word)).collect();
            let text = format!("ERR the test expects no `{}`", words.join(" "));
            if let Some((_, refused)) = transaction {
                *refused = true;
            }
            drop(state);
            let reply = MockReply::Error(text);
            return peer.send(|resp3, out| reply.encode(resp3, out));
        }
    };
    thread::sleep(delay);
    match act {
        Act::Close => false,
        Act::Silence => true,
        Act::Reply(reply) => match transaction {
            Some((replies, _)) => {
                replies.push(reply);
                let queued = MockReply::Simple("QUEUED".to_owned());
                peer.send(|resp3, out| queued.encode(resp3, out))
            }
            None => peer.send(|resp3, out| reply.encode(resp3, out)),
        },
    }
}

/// What clients say by themselves on a new connection, or one that is idle.
fn is_greeting(name: &[u8]) -> bool {
    [&b"HELLO"[..], b"AUTH", b"CLIENT", b"INFO", b"SELECT", b"PING", b"READONLY"].contains(&name)
}

/// The answer to what need not be expected; inside, nothing where it was sent already.
fn by_itself(
    name: &[u8],
    command: &[Vec<u8>],
    peer: &Peer,
    state: &State,
    transaction: &mut Transaction,
) -> Option<Option<MockReply>> {
    let reply = match name {
        b"HELLO" if state.resp2 => MockReply::error("ERR unknown command 'HELLO'"),
        b"HELLO" => {
            let resp3 = command.get(1).is_some_and(|version| version == b"3");
            peer.side(|side| side.resp3 = resp3);
            MockReply::map([
                ("server", MockReply::bulk("redis")),
                ("version", MockReply::bulk(&state.version)),
                ("proto", MockReply::Integer(if resp3 { 3 } else { 2 })),
                ("id", MockReply::Integer(1)),
                ("mode", MockReply::bulk("standalone")),
                ("role", MockReply::bulk("master")),
                ("modules", MockReply::Array(Vec::new())),
            ])
        }
        b"INFO" => {
            let version = &state.version;
            MockReply::bulk(format!(
                "# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\n"
            ))
        }
        b"PING" => {
            command.get(1).map_or_else(|| MockReply::Simple("PONG".to_owned()), MockReply::bulk)
        }
        b"AUTH" | b"CLIENT" | b"SELECT" | b"READONLY" | b"WATCH" | b"UNWATCH" => MockReply::ok(),
        b"MULTI" => {
            *transaction = Some((Vec::new(), false));
            MockReply::ok()
        }
        b"EXEC" => match transaction.take() {
            Some((_, true)) => MockReply::error("EXECABORT Transaction discarded"),
            Some((replies, false)) => MockReply::Array(replies),
            None => MockReply::error("ERR EXEC without MULTI"),
        },
        b"DISCARD" => {
            *transaction = None;
            MockReply::ok()
        }
        b"SUBSCRIBE" | b"UNSUBSCRIBE" => {
            subscribe(name == b"SUBSCRIBE", command, peer);
            return Some(None);
        }
        _ => return None,
    };
    Some(Some(reply))
}

fn subscribe(on: bool, command: &[Vec<u8>], peer: &Peer) {
    let verb = if on { "subscribe" } else { "unsubscribe" };
    let mut channels = command.get(1..).unwrap_or_default().to_vec();
    // Without names it leaves them all.
    if channels.is_empty() {
        channels = peer.side(|side| side.channels.iter().cloned().collect());
    }
    for channel in &channels {
        let count = peer.side(|side| {
            if on {
                side.channels.insert(channel.clone());
            } else {
                side.channels.remove(channel);
            }
            side.channels.len()
        });
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let items = [MockReply::bulk(verb), MockReply::bulk(channel), MockReply::Integer(count)];
        peer.send(|resp3, out| push(&items, resp3, out));
    }
}
