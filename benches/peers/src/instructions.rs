//! User-space instructions per unit of work, counted by callgrind: they do not depend on what else
//! the machine does.

use std::process::Command;

use crate::Failure;
use crate::contender::does;
use crate::ground::Ground;
use crate::options::Table;
use crate::workload::Workload;

/// The clients counted.
pub const CLIENTS: [&str; 4] = ["alizarin", "redis", "fred", "rustis"];

/// Prints a Markdown table.
pub fn table(options: &Table, clients: Option<&str>) -> Result<(), Failure> {
    let ground = Ground::prepare(&options.workloads)?;
    let wanted = |name: &&str| clients.is_none_or(|list| list.split(',').any(|one| one == *name));
    let clients: Vec<&str> = CLIENTS.into_iter().filter(wanted).collect();
    println!("| workload | unit | {} |", clients.join(" | "));
    println!("|---|---|{}", "--:|".repeat(clients.len()));
    for (name, workload) in options.workloads.iter().filter(|(_, workload)| !workload.is_beside()) {
        let (unit, units) = workload.unit();
        print!("| {name} | {unit} |");
        for client in &clients {
            if !does(client, *workload) {
                print!(" - |");
                continue;
            }
            let url = ground.url(*workload)?;
            print!(" {:.0} |", per_call(name, *workload, client, &url)? / units as f64);
        }
        println!();
    }
    Ok(())
}

/// What twice as many calls cost more, so that start and connection do not count.
fn per_call(name: &str, workload: Workload, client: &str, url: &str) -> Result<f64, Failure> {
    let calls = workload.few_calls();
    let few = instructions(name, client, calls, url)?;
    let many = instructions(name, client, 3 * calls, url)?;
    Ok((many - few) / (2 * calls) as f64)
}

fn instructions(name: &str, client: &str, calls: usize, url: &str) -> Result<f64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["count", name, client, &calls.to_string(), url])
        .output()
        .map_err(|error| format!("valgrind is needed: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{client} failed at {name}: {said}").into());
    }
    let counted = said.lines().find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
    counted.ok_or_else(|| format!("callgrind gave no count: {said}").into())
}
