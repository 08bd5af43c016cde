//! What is subscribed to.

use crate::resp::Packed;

/// Channels by name and by pattern.
#[derive(Clone, Default)]
pub(super) struct Topics {
    pub(super) channels: Vec<Vec<u8>>,
    pub(super) patterns: Vec<Vec<u8>>,
    /// Channels that belong to a slot.
    pub(super) sharded: Vec<Vec<u8>>,
    /// A sharded channel on which nobody says anything: the server ends its subscription when another
    /// one serves its slot.
    pub(super) sentry: Option<Vec<u8>>,
}

impl Topics {
    /// How many confirmations the server sends, that of the sentry aside.
    pub(super) fn len(&self) -> usize {
        self.channels.len() + self.patterns.len() + self.sharded.len()
    }

    /// The commands that subscribe.
    pub(super) fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        for (name, topics) in [
            ("SUBSCRIBE", &self.channels),
            ("PSUBSCRIBE", &self.patterns),
            ("SSUBSCRIBE", &self.sharded),
        ] {
            if !topics.is_empty() {
                let mut command = Packed::new();
                command.push(name.as_bytes());
                topics.iter().for_each(|topic| command.push(topic));
                command.write_to(&mut wire);
            }
        }
        if let Some(sentry) = &self.sentry {
            let mut command = Packed::new();
            command.push(b"SSUBSCRIBE");
            command.push(sentry);
            command.write_to(&mut wire);
        }
        wire
    }
}
