//! What the server says to a connection that is told of changes.

use std::sync::Arc;

use bytes::Bytes;

use super::store::Store;
use crate::connection::PushSink;
use crate::error::Result;
use crate::resp::{Frame, Reader};

/// One connection's way to the cache.
pub(super) struct Sink {
    store: Arc<Store>,
    /// Which connection it is.
    source: u64,
}

impl Sink {
    pub(super) fn new(store: Arc<Store>) -> Sink {
        let source = store.new_source();
        Sink { store, source }
    }
}

impl PushSink for Sink {
    fn push(&self, frame: Bytes) {
        if take(&self.store, &frame).is_err() {
            // What it would have said is unknown: anything may have changed.
            self.store.clear();
        }
    }

    fn lost(&self) {
        self.store.lost(self.source);
    }

    fn source(&self) -> u64 {
        self.source
    }
}

/// Takes one push; those of other kinds say nothing of keys.
fn take(store: &Store, frame: &[u8]) -> Result<()> {
    let mut reader = Reader::new(frame);
    if !matches!(reader.next()?, Frame::Push(2)) {
        return Ok(());
    }
    if !matches!(reader.next()?, Frame::Bulk(b"invalidate") | Frame::Simple("invalidate")) {
        return Ok(());
    }
    match reader.next()? {
        Frame::Array(keys) => {
            for _ in 0..keys {
                match reader.next_bytes()? {
                    Ok(key) => store.invalidate(key),
                    Err(_) => store.clear(),
                }
            }
        }
        // Everything: the database was flushed.
        _ => store.clear(),
    }
    Ok(())
}
