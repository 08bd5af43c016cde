//! Whoever takes turns: the floor, an asynchronous client with its runtime, a blocking client.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

use crate::clients::blocking::{self, BlockingPeer};
use crate::clients::{Outcome, Peer, alizarin, cluster, fred, redis, rustis, secure};
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
    !workload.is_blocking() || ["floor", "alizarin", "redis"].contains(&name)
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
    if workload.is_blocking() {
        return blocking(name, url, workload);
    }
    if workload.is_routed() {
        return cluster::contender(name, url, workload.tasks());
    }
    if workload.is_encrypted() {
        secure::prepare();
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

fn blocking(name: &str, url: &str, workload: Workload) -> Outcome<Option<Box<dyn Contender>>> {
    Ok(match name {
        "alizarin" => Some(Box::new(Blocking::<blocking::Alizarin>::new(url, workload)?)),
        "redis" => Some(Box::new(Blocking::<blocking::Redis>::new(url, workload)?)),
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
    workload: Workload,
}

impl<B: BlockingPeer> Blocking<B> {
    fn new(url: &str, workload: Workload) -> Outcome<Blocking<B>> {
        let key = |n| match workload {
            Workload::BlockingHash => format!("profile:{n:04}"),
            _ => data::key(Self::SIZE, n),
        };
        let keys = (0..data::keys(Self::SIZE)).map(key).collect();
        Ok(Blocking { peer: B::connect(url)?, keys, workload })
    }

    /// Of all values.
    const SIZE: usize = 100;

    fn call(&mut self, n: usize) -> Outcome<usize> {
        let key = &self.keys[n % self.keys.len()];
        Ok(match self.workload {
            Workload::BlockingHash => self.peer.hash(key)?.about.len(),
            Workload::BlockingGetMany { count } => self.peer.get_many(&self.keys[..count])?.len(),
            _ => self.peer.get(key)?.len(),
        })
    }
}

impl<B: BlockingPeer> Contender for Blocking<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn check(&mut self) -> Outcome<()> {
        let expected = data::value(Self::SIZE, 1);
        let right = match self.workload {
            Workload::BlockingHash => self.peer.hash(&self.keys[1])? == data::profile(1),
            Workload::BlockingGetMany { count } => {
                let found = self.peer.get_many(&self.keys[..count])?;
                found.len() == count && found[1].as_bytes() == expected
            }
            _ => self.peer.get(&self.keys[1])?.as_bytes() == expected,
        };
        if right { Ok(()) } else { Err(format!("{} gives something else", B::NAME).into()) }
    }

    fn run(&mut self, calls: usize, mut laps: Option<&mut Laps>) -> Outcome<()> {
        for call in 0..calls {
            std::hint::black_box(self.call(call)?);
            if let Some(laps) = &mut laps {
                laps.lap();
            }
        }
        Ok(())
    }
}
