//! A row's samples: contenders take turns, round by round.

use std::time::Instant;

use crate::clients::Outcome;
use crate::contender::{Contender, Laps};
use crate::options::Table;
use crate::place::Machine;
use crate::quiet::{Used, own};
use crate::workload::Workload;

/// Others may use that share of a core in a round that is kept.
const QUIET: f64 = 0.2;

/// So many rounds are made, however late it is.
const FEWEST: usize = 3;

/// What one turn took, in seconds.
#[derive(Debug, Clone)]
pub struct Sample {
    pub calls: usize,
    pub elapsed: f64,
    /// User and system time of this process.
    pub cpu: f64,
    /// Of every call in nanoseconds, where one task works.
    pub times: Vec<u64>,
}

/// All samples of a row.
pub struct Samples {
    /// By contender, then by round.
    pub kept: Vec<Vec<Sample>>,
    /// How many of the rounds kept were quiet.
    pub quiet: usize,
    /// How many there were.
    pub rounds: usize,
}

/// Lets every contender take its turn in every round, until there are enough quiet rounds. After
/// three times as many rounds, or when it is late, the quietest are kept.
pub fn row(
    contenders: &mut [Box<dyn Contender>],
    workload: Workload,
    machine: &Machine,
    options: &Table,
    until: Option<Instant>,
) -> Outcome<Samples> {
    let mut calls = Vec::with_capacity(contenders.len());
    for contender in &mut *contenders {
        calls.push(calls_per_turn(contender, workload, options.turn)?);
    }
    let mut rounds: Vec<(f64, Vec<Sample>)> = Vec::new();
    let mut quiet = 0;
    let late = |rounds| rounds >= FEWEST && until.is_some_and(|until| Instant::now() >= until);
    while quiet < options.rounds
        && rounds.len() < options.rounds * options.patience
        && !late(rounds.len())
    {
        let before = Used::now(&machine.servers)?;
        let mut round = Vec::with_capacity(contenders.len());
        for (contender, calls) in contenders.iter_mut().zip(&calls) {
            round.push(turn(contender, *calls, workload)?);
        }
        let others = Used::now(&machine.servers)?.others_since(&before);
        quiet += usize::from(others <= QUIET);
        rounds.push((others, round));
    }
    let all = rounds.len();
    rounds.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    rounds.truncate(options.rounds);
    let mut kept: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
    for (_, round) in rounds {
        for (samples, sample) in kept.iter_mut().zip(round) {
            samples.push(sample);
        }
    }
    Ok(Samples { kept, quiet, rounds: all })
}

/// How many calls take about `turn` milliseconds.
fn calls_per_turn(
    contender: &mut Box<dyn Contender>,
    workload: Workload,
    turn: u64,
) -> Outcome<usize> {
    let turn = turn as f64 / 1_000.0;
    let mut calls = workload.tasks();
    loop {
        let begun = Instant::now();
        contender.run(calls, None)?;
        let elapsed = begun.elapsed().as_secs_f64();
        if elapsed >= turn / 4.0 {
            let wanted = calls as f64 * turn / elapsed;
            return Ok((wanted as usize).max(1).next_multiple_of(workload.tasks()));
        }
        calls *= 2;
    }
}

fn turn(contender: &mut Box<dyn Contender>, calls: usize, workload: Workload) -> Outcome<Sample> {
    let mut laps = Laps::new(if workload.tasks() == 1 { calls } else { 0 });
    let (cpu, begun) = (own()?, Instant::now());
    laps.begin();
    contender.run(calls, Some(&mut laps))?;
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), own()? - cpu);
    Ok(Sample { calls, elapsed, cpu, times: laps.times })
}
