//! Which cores the client and the server may use.

use std::fmt;
use std::fs;

use alizarin_testkit::Server;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde::Serialize;

use crate::clients::Outcome;

/// Where a row's client and server run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Both on one core: a round trip takes as long as the work of both.
    Same,
    /// One core each.
    Split,
    /// A runtime of two workers and the server, anywhere.
    Threads,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Same => "same",
            Place::Split => "split",
            Place::Threads => "mt2",
        })
    }
}

/// The cores there are for us, and the servers' processes.
pub struct Machine {
    cores: Vec<usize>,
    pub servers: Vec<Pid>,
}

impl Machine {
    pub fn new(servers: &[&Server]) -> Outcome<Machine> {
        let ours = sched_getaffinity(Pid::from_raw(0))?;
        let cores = (0..CpuSet::count()).filter(|core| ours.is_set(*core).unwrap_or(false));
        let servers = servers.iter().map(|server| process(server)).collect::<Outcome<_>>()?;
        Ok(Machine { cores: cores.collect(), servers })
    }

    /// Whether there are cores enough.
    pub fn has(&self, place: Place) -> bool {
        place == Place::Same || self.cores.len() >= 2
    }

    /// Moves the calling thread, and what it will start, and all threads of the servers.
    pub fn pin(&self, place: Place) -> Outcome<()> {
        let (client, server): (&[usize], &[usize]) = match place {
            Place::Same => (&self.cores[..1], &self.cores[..1]),
            Place::Split => (&self.cores[..1], &self.cores[1..2]),
            Place::Threads => (&self.cores, &self.cores),
        };
        sched_setaffinity(Pid::from_raw(0), &set(client)?)?;
        for process in &self.servers {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let number = thread?.file_name().to_string_lossy().parse()?;
                sched_setaffinity(Pid::from_raw(number), &set(server)?)?;
            }
        }
        Ok(())
    }
}

fn set(cores: &[usize]) -> Outcome<CpuSet> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    Ok(set)
}

/// The number of the server's process.
fn process(server: &Server) -> Outcome<Pid> {
    let info = server.command(&["INFO", "server"])?;
    let number = info.lines().find_map(|line| line.strip_prefix("process_id:"));
    let number = number.ok_or("the server does not say its process")?.trim().parse()?;
    let command = fs::read_to_string(format!("/proc/{number}/cmdline")).unwrap_or_default();
    if !command.contains("redis") {
        return Err("the server runs elsewhere: it cannot be pinned".into());
    }
    Ok(Pid::from_raw(number))
}
