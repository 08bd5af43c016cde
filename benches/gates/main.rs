//! Instructions that the hot paths cost, against the budgets in `budgets.txt`; and what replies of
//! twice the size cost.
//!
//! `cargo bench --bench gates` counts with callgrind, which the machine's noise does not reach, and
//! fails when a path costs more than its budget. Without callgrind, or with another compiler than
//! the budgets' own, it says so and fails nothing. `cargo bench --bench gates -- write` writes the
//! budgets anew, `-- speed` says how many bytes are scanned and decoded in a second.

mod budgets;
mod count;
mod growth;
mod paths;
mod speed;

use std::process::ExitCode;

/// By how much a path may miss its budget, in hundredths.
const SLACK: u64 = 4;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", name, times] => match times.parse() {
            Ok(times) if paths::run(name, times) => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        },
        ["grow", name, piece, size] => match (piece.parse(), size.parse()) {
            (Ok(piece), Ok(size)) => outcome(growth::run(name, piece, size)),
            _ => ExitCode::FAILURE,
        },
        ["write"] => outcome(write()),
        ["speed"] => outcome(speed::print()),
        _ => outcome(check().and_then(|()| growth::check())),
    }
}

fn outcome(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gates: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), String> {
    if let Err(reason) = count::available() {
        for name in paths::NAMES {
            println!("gate {name}: skipped, {reason}");
        }
        return Ok(());
    }
    let budgets = budgets::read()?;
    let compiler = count::compiler()?;
    let same = budgets.compiler == compiler;
    if !same {
        println!(
            "gates: the budgets are {}'s, this is {compiler}: nothing fails",
            budgets.compiler
        );
    }
    let mut missed = Vec::new();
    for name in paths::NAMES {
        let counted = count::per_iteration(name)?;
        let budget = budgets.of(name)?;
        let change = (counted as f64 / budget as f64 - 1.0) * 100.0;
        println!("gate {name}: {counted} instructions, budget {budget} ({change:+.1} %)");
        if counted * 100 > budget * (100 + SLACK) {
            missed.push(name);
        }
    }
    if same && !missed.is_empty() {
        return Err(format!("over budget by more than {SLACK} %: {}", missed.join(", ")));
    }
    Ok(())
}

fn write() -> Result<(), String> {
    count::available()?;
    let mut lines = vec![count::compiler()?];
    for name in paths::NAMES {
        lines.push(format!("{name} {}", count::per_iteration(name)?));
    }
    budgets::write(&lines)
}
