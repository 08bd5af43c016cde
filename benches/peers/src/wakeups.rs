//! System calls by which the threads of a runtime of two workers wake each other, counted by strace.

use std::fs;
use std::process::Command;

use crate::Failure;
use crate::ground::Ground;
use crate::instructions::CLIENTS;
use crate::options::Table;

/// A write to the runtime's own descriptor, or to a sleeping thread: sockets are written by others.
const WAKING: [&str; 2] = ["write", "futex"];

/// Prints a Markdown table.
pub fn table(options: &Table, clients: Option<&str>) -> Result<(), Failure> {
    let ground = Ground::prepare(&options.workloads)?;
    let wanted = |name: &&str| clients.is_none_or(|list| list.split(',').any(|one| one == *name));
    let clients: Vec<&str> = CLIENTS.into_iter().filter(wanted).collect();
    println!("Wake-ups of a command on a runtime of two workers (all system calls)\n");
    println!("| workload | {} |", clients.join(" | "));
    println!("|---|{}", "--:|".repeat(clients.len()));
    let threads = |workload: &&(&str, crate::workload::Workload)| {
        workload.1.threads() && !workload.1.is_beside()
    };
    for (name, workload) in options.workloads.iter().filter(threads) {
        print!("| {name} |");
        for client in &clients {
            let (calls, url) = (workload.few_calls() * 4, ground.url(*workload)?);
            // What more calls cost more, so that start and connection do not count.
            let few = calls_of(name, client, calls, &url)?;
            let many = calls_of(name, client, 3 * calls, &url)?;
            let each = |few: u64, many: u64| (many as f64 - few as f64) / (2 * calls) as f64;
            print!(" {:.3} ({:.3}) |", each(few.0, many.0), each(few.1, many.1));
        }
        println!();
    }
    Ok(())
}

/// How many wake one of the client's threads, and how many there are in all.
fn calls_of(name: &str, client: &str, calls: usize, url: &str) -> Result<(u64, u64), Failure> {
    let file = std::env::temp_dir().join(format!("peers-{}.strace", std::process::id()));
    let status = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&file)
        .arg(std::env::current_exe()?)
        .args(["count", name, client, &calls.to_string(), url, "mt2"])
        .status()
        .map_err(|error| format!("strace is needed: {error}"))?;
    let said = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    if !status.success() {
        return Err(format!("{client} failed at {name}").into());
    }
    let (mut waking, mut all) = (0, 0);
    for line in said.lines() {
        let mut words = line.split_ascii_whitespace();
        let (count, name) = (words.nth(3), words.next_back());
        // Its last line is the sum.
        let Some(count) = count.and_then(|count| count.parse::<u64>().ok()) else { continue };
        let Some(name) = name.filter(|name| *name != "total") else { continue };
        all += count;
        waking += if WAKING.contains(&name) { count } else { 0 };
    }
    Ok((waking, all))
}
