//! Whoever takes turns: the floor, an asynchronous client with its runtime, a blocking client.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

use crate::clients::blocking::{self, BlockingPeer};
use crate::clients::{Outcome, Peer, alizarin, cluster, fred, redis, rustis};
use crate::data;
use crate::floor::Floor;
use crate::job::Job;
use crate::place::Place;
use crate::workload::Workload;

/// Everybody's name, in the order of turns.
pub const NAMES: [&str; 5] = ["floor", "alizarin", "redis", "fred", "rustis"];

/// One who does a workload, ready to begin.
pub trait Contender {
    fn name(&self) -> &'static str;

    /// Looks at what comes, once.
    fn check(&mut self) -> Outcome<()>;

    /// Does the work `calls` times; notes the time of each call where one task works.
    fn run(&mut self, calls: usize, laps: Option<&mut Laps>) -> Outcome<()>;
}

/// The times of calls that follow each other.
pub struct Laps {
    last: Instant,
    /// In nanoseconds.
    pub times: Vec<u64>,
}

impl Laps {
    /// With room for `calls` times.
    pub fn new(calls: usize) -> Laps {
        Laps { last: Instant::now(), times: Vec::with_capacity(calls) }
    }

    /// The first call begins.
    pub fn begin(&mut self) {
        self.last = Instant::now();
    }

    pub fn lap(&mut self) {
        let now = Instant::now();
        self.times.push((now - self.last).as_nanos() as u64);
        self.last = now;
    }
}

/// Whether the contender of that name does this workload at all.
pub fn does(name: &str, workload: Workload) -> bool {
    !matches!(workload, Workload::BlockingGet { .. })
        || ["floor", "alizarin", "redis"].contains(&name)
}

/// The contender of that name; `None` when it has no part in this workload at this place.
pub fn named(
    name: &str,
    url: &str,
    workload: Workload,
    place: Place,
) -> Outcome<Option<Box<dyn Contender>>> {
    if name == "floor" {
        let has_part = place != Place::Threads && !workload.is_routed() && !workload.is_beside();
        return Ok(if has_part { Some(Box::new(Floor::new(url, workload)?)) } else { None });
    }
    if let Workload::BlockingGet { size } = workload {
        return blocking(name, url, size);
    }
    if workload.is_routed() {
        return cluster::contender(name, url, workload.tasks());
    }
    let lanes = match (name, workload) {
        ("alizarin", Workload::Beside { connections: 2.. }) => "?connections=2",
        _ => "",
    };
    let url = format!("{url}{lanes}");
    let url = url.as_str();
    Ok(Some(match name {
        "alizarin" => asynchronous::<alizarin::Alizarin>(url, workload, place)?,
        "redis" => asynchronous::<redis::Redis>(url, workload, place)?,
        "fred" => asynchronous::<fred::Fred>(url, workload, place)?,
        "rustis" => asynchronous::<rustis::Rustis>(url, workload, place)?,
        _ => return Err("no such client".into()),
    }))
}

fn blocking(name: &str, url: &str, size: usize) -> Outcome<Option<Box<dyn Contender>>> {
    Ok(match name {
        "alizarin" => Some(Box::new(Blocking::<blocking::Alizarin>::new(url, size)?)),
        "redis" => Some(Box::new(Blocking::<blocking::Redis>::new(url, size)?)),
        _ => None,
    })
}

fn asynchronous<P: Peer>(
    url: &str,
    workload: Workload,
    place: Place,
) -> Outcome<Box<dyn Contender>> {
    let runtime = match place {
        Place::Threads => Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
        _ => Builder::new_current_thread().enable_all().build()?,
    };
    let job = Arc::new(runtime.block_on(Job::<P>::new(url, workload))?);
    Ok(Box::new(Asynchronous { job, runtime, workload }))
}

struct Asynchronous<P> {
    job: Arc<Job<P>>,
    runtime: Runtime,
    workload: Workload,
}

impl<P: Peer> Contender for Asynchronous<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn check(&mut self) -> Outcome<()> {
        self.runtime.block_on(self.job.check())
    }

    fn run(&mut self, calls: usize, laps: Option<&mut Laps>) -> Outcome<()> {
        match self.workload.tasks() {
            _ if self.workload.is_beside() => self.runtime.block_on(self.job.beside(calls, laps)),
            1 => self.runtime.block_on(self.job.one_after_the_other(calls, laps)),
            tasks => self.runtime.block_on(self.job.in_tasks(calls, tasks)),
        }
    }
}

struct Blocking<B> {
    peer: B,
    keys: Vec<String>,
    size: usize,
}

impl<B: BlockingPeer> Blocking<B> {
    fn new(url: &str, size: usize) -> Outcome<Blocking<B>> {
        let keys = (0..data::keys(size)).map(|n| data::key(size, n)).collect();
        Ok(Blocking { peer: B::connect(url)?, keys, size })
    }
}

impl<B: BlockingPeer> Contender for Blocking<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn check(&mut self) -> Outcome<()> {
        let value = self.peer.get(&self.keys[1])?;
        let right = value.as_bytes() == data::value(self.size, 1);
        if right { Ok(()) } else { Err(format!("{} gives something else", B::NAME).into()) }
    }

    fn run(&mut self, calls: usize, mut laps: Option<&mut Laps>) -> Outcome<()> {
        for call in 0..calls {
            let key = &self.keys[call % self.keys.len()];
            std::hint::black_box(self.peer.get(key)?);
            if let Some(laps) = &mut laps {
                laps.lap();
            }
        }
        Ok(())
    }
}
