//! The other side of the pub/sub workload: a plain socket that publishes.

use std::io::{Read, Write};

use crate::Failure;
use crate::encode::command;
use crate::wire::connect;

/// How many messages go out in one write.
const BATCH: usize = 500;

/// What every message holds: 100 bytes.
pub const MESSAGE: [u8; 100] = [b'm'; 100];

/// Publishes `count` messages to `channel` (`PUBLISH`), pipelined, and waits for the last reply.
pub fn publish(url: &str, channel: &str, count: usize) -> Result<(), Failure> {
    let mut stream = connect(url)?;
    let one = command(&[b"PUBLISH", channel.as_bytes(), &MESSAGE]);
    let batch = one.repeat(BATCH.min(count));
    let mut buffer = [0; 16 << 10];
    let mut left = count;
    while left > 0 {
        let now = left.min(BATCH);
        stream.write_all(&batch[..now * one.len()])?;
        let mut replies = 0;
        while replies < now {
            let read = stream.read(&mut buffer)?;
            if read == 0 || buffer[0] == b'-' {
                return Err("the publisher's connection failed".into());
            }
            replies += buffer[..read].iter().filter(|byte| **byte == b'\n').count();
        }
        left -= now;
    }
    Ok(())
}
