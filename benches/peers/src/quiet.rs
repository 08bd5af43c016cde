//! Whether other processes were at work meanwhile.

use std::fs;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::clients::Outcome;

/// Processor time used so far, in seconds.
pub struct Used {
    at: Instant,
    everybody: f64,
    /// Of all servers.
    server: f64,
    own: f64,
}

impl Used {
    pub fn now(servers: &[Pid]) -> Outcome<Used> {
        let tick = 1.0 / sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100) as f64;
        let all = fs::read_to_string("/proc/stat")?;
        let all: Vec<f64> = numbers(all.lines().next().unwrap_or_default());
        // user, nice, system; and steal, which is another machine's work on our cores. Interrupts
        // are left out: most of them are our own packets.
        let everybody: f64 = [0, 1, 2, 7].iter().filter_map(|at| all.get(*at)).sum();
        let mut server = 0.0;
        for process in servers {
            let process = fs::read_to_string(format!("/proc/{process}/stat"))?;
            let process = numbers(process.rsplit(')').next().unwrap_or_default());
            // utime and stime, behind the state and ten others.
            server += process.iter().skip(10).take(2).sum::<f64>();
        }
        Ok(Used {
            at: Instant::now(),
            everybody: everybody * tick,
            server: server * tick,
            own: own()?,
        })
    }

    /// What share of one core processes other than ours and the server used since `earlier`.
    pub fn others_since(&self, earlier: &Used) -> f64 {
        let everybody = self.everybody - earlier.everybody;
        let ours = self.server - earlier.server + self.own - earlier.own;
        (everybody - ours).max(0.0) / (self.at - earlier.at).as_secs_f64()
    }
}

/// The processor time of this process, user and system, in seconds.
pub fn own() -> Outcome<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(microseconds as f64 / 1e6)
}

/// The numbers of a line, without the word before them.
fn numbers(line: &str) -> Vec<f64> {
    line.split_ascii_whitespace().skip(1).filter_map(|number| number.parse().ok()).collect()
}
