//! One connection through a proxy: a thread for each direction.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use socket2::SockRef;

use super::fuse::Verdict;
use super::{Direction, Shared};

/// Both ends. The last thread that lets go of it closes them.
pub(super) struct Pair {
    pub(super) client: TcpStream,
    pub(super) server: TcpStream,
    /// Nothing more is said to either side.
    pub(super) broken: AtomicBool,
    /// It ends before the next reply.
    pub(super) mute: AtomicBool,
}

impl Pair {
    /// Ends both sides; `hard` with a reset.
    pub(super) fn end(&self, hard: bool) {
        for stream in [&self.client, &self.server] {
            if hard {
                self.broken.store(true, Ordering::SeqCst);
                break_off(stream);
                // nothing is said to the peer by that, but the thread that reads wakes up
                let _ = stream.shutdown(Shutdown::Read);
            } else {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

/// Lets the stream end with a reset once it is closed.
pub(super) fn break_off(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Passes on what comes, as the rules of the moment have it.
pub(super) fn pump(pair: &Pair, direction: Direction, shared: &Shared) {
    let (mut from, mut to) = match direction {
        Direction::ToServer => (&pair.client, &pair.server),
        Direction::ToClient => (&pair.server, &pair.client),
    };
    let mut room = [0; 16 * 1024];
    loop {
        let read = from.read(&mut room).unwrap_or(0);
        let way = *shared.rules().way(direction);
        if read == 0 {
            if !way.swallow && !pair.broken.load(Ordering::SeqCst) {
                let _ = to.shutdown(Shutdown::Write);
            }
            return;
        }
        shared.counter(direction).fetch_add(read as u64, Ordering::SeqCst);
        let verdict = match (direction, shared.fuse()) {
            (Direction::ToServer, Some(fuse)) => fuse.request(),
            (Direction::ToClient, Some(_)) if pair.mute.load(Ordering::SeqCst) => Verdict::Cut,
            _ => Verdict::Pass,
        };
        if verdict == Verdict::CutAtReply {
            pair.mute.store(true, Ordering::SeqCst);
        }
        if verdict == Verdict::Cut {
            pair.end(false);
            return;
        }
        if !way.delay.is_zero() {
            thread::sleep(way.delay);
        }
        if way.swallow {
            continue;
        }
        let mut bytes = room.get(..read).unwrap_or_default();
        let mut cut = false;
        if let Some(left) = &mut shared.rules().way(direction).left {
            let passes = usize::try_from(*left).unwrap_or(usize::MAX);
            if bytes.len() > passes {
                cut = true;
                bytes = bytes.get(..passes).unwrap_or_default();
            }
            *left = left.saturating_sub(read as u64);
        }
        let piece = way.piece.unwrap_or(usize::MAX).min(bytes.len().max(1));
        for piece in bytes.chunks(piece) {
            if to.write_all(piece).is_err() {
                pair.end(false);
                return;
            }
        }
        if cut {
            // it holds for one connection
            shared.rules().way(direction).left = None;
            pair.end(false);
            return;
        }
    }
}
