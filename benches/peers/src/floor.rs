//! The bound: a plain socket, requests encoded beforehand, reply bytes counted and dropped.
//!
//! It is no client: it knows how long each reply is, because it asked once before.

use std::io::{Read, Write};

use alizarin::resp::{Limits, Scan, Scanner};

use crate::clients::Outcome;
use crate::contender::{Contender, Laps};
use crate::encode::{command, requests};
use crate::publish::publish;
use crate::wire::{Wire, connect};
use crate::workload::Workload;

/// How much one read can take.
const BUFFER: usize = 256 << 10;

/// A connection, and the work it does.
pub struct Floor {
    stream: Wire,
    buffer: Vec<u8>,
    /// Bytes read that belong to the next batch.
    ahead: usize,
    batches: Vec<Batch>,
    workload: Workload,
    url: String,
}

/// Calls that are sent in one write.
struct Batch {
    request: Vec<u8>,
    /// How long their replies are.
    reply: usize,
}

impl Floor {
    pub fn new(url: &str, workload: Workload) -> Outcome<Floor> {
        let buffer = vec![0; BUFFER];
        let (stream, batches) = (connect(url)?, Vec::new());
        let mut floor = Floor { stream, buffer, ahead: 0, batches, workload, url: url.to_owned() };
        floor.learn(&command(&[b"HELLO", b"3"]), 1)?;
        let (requests, replies) = requests(workload);
        if let Workload::Messages { count } = workload {
            floor.subscribe(requests, count)?;
            return Ok(floor);
        }
        let mut calls = Vec::with_capacity(requests.len());
        for request in requests {
            let reply = floor.learn(&request, replies)?;
            calls.push(Batch { request, reply });
        }
        floor.batches = match workload.tasks() {
            1 => calls,
            tasks => halves(&calls, tasks / 2),
        };
        Ok(floor)
    }

    /// Learns how long a message is.
    fn subscribe(&mut self, requests: Vec<Vec<u8>>, count: usize) -> Outcome<()> {
        let request = requests.concat();
        self.learn(&request, 1)?;
        publish(&self.url, "news", 1)?;
        let reply = self.learn(&[], 1)? * count;
        self.batches = vec![Batch { request, reply }];
        Ok(())
    }

    /// How long the replies to `request` are.
    fn learn(&mut self, request: &[u8], replies: usize) -> Outcome<usize> {
        self.stream.write_all(request)?;
        let mut scanner = Scanner::new(Limits::default());
        let (mut bytes, mut at) = (Vec::new(), 0);
        for _ in 0..replies {
            at += loop {
                match scanner.scan(&bytes[at..])? {
                    Scan::Frame { len, .. } => break len,
                    _ => match self.stream.read(&mut self.buffer)? {
                        0 => return Err("the connection ended".into()),
                        read => bytes.extend_from_slice(&self.buffer[..read]),
                    },
                }
            };
        }
        match bytes.first() {
            Some(b'-') => Err(String::from_utf8_lossy(&bytes).into()),
            _ if at < bytes.len() => Err("more came than was asked for".into()),
            _ => Ok(at),
        }
    }

    fn send(&mut self, batch: usize) -> Outcome<()> {
        let batch = batch % self.batches.len();
        Ok(self.stream.write_all(&self.batches[batch].request)?)
    }

    fn take(&mut self, batch: usize) -> Outcome<()> {
        self.drop_bytes(self.batches[batch % self.batches.len()].reply)
    }

    fn drop_bytes(&mut self, count: usize) -> Outcome<()> {
        while self.ahead < count {
            match self.stream.read(&mut self.buffer)? {
                0 => return Err("the connection ended".into()),
                read => self.ahead += read,
            }
        }
        self.ahead -= count;
        Ok(())
    }

    fn one_after_the_other(&mut self, calls: usize, mut laps: Option<&mut Laps>) -> Outcome<()> {
        for call in 0..calls {
            if let Workload::Messages { count } = self.workload {
                self.receive(count)?;
            } else {
                self.send(call)?;
                self.take(call)?;
            }
            if let Some(laps) = &mut laps {
                laps.lap();
            }
        }
        Ok(())
    }

    /// Keeps two batches in flight.
    fn in_halves(&mut self, batches: usize) -> Outcome<()> {
        self.send(0)?;
        for batch in 1..batches {
            self.send(batch)?;
            self.take(batch - 1)?;
        }
        self.take(batches - 1)
    }

    fn receive(&mut self, count: usize) -> Outcome<()> {
        let mut stream = connect(&self.url)?;
        std::mem::swap(&mut self.stream, &mut stream);
        self.learn(&command(&[b"HELLO", b"3"]), 1)?;
        let request = self.batches[0].request.clone();
        self.learn(&request, 1)?;
        let url = self.url.clone();
        let publisher = std::thread::spawn(move || publish(&url, "news", count));
        self.drop_bytes(self.batches[0].reply)?;
        publisher.join().map_err(|_| "the publisher failed")?
    }
}

/// `calls`, cyclically, in batches of `size`; at least two.
fn halves(calls: &[Batch], size: usize) -> Vec<Batch> {
    let batches = (calls.len() / size).max(2);
    let batch = |number: usize| {
        let of = |at| &calls[(number * size + at) % calls.len()];
        Batch {
            request: (0..size).flat_map(|at| of(at).request.iter().copied()).collect(),
            reply: (0..size).map(|at| of(at).reply).sum(),
        }
    };
    (0..batches).map(batch).collect()
}

impl Contender for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    /// What came was looked at when its length was learned.
    fn check(&mut self) -> Outcome<()> {
        Ok(())
    }

    fn run(&mut self, calls: usize, laps: Option<&mut Laps>) -> Outcome<()> {
        match self.workload.tasks() {
            1 => self.one_after_the_other(calls, laps),
            tasks => self.in_halves((calls / (tasks / 2)).max(1)),
        }
    }
}
