//! Counts what one call of a client allocates: `allocations WORKLOAD CLIENT URL`.

use allocation_counter::{AllocationInfo, measure};
use peers::Failure;
use peers::contender::{Contender, named};
use peers::place::Place;
use peers::workload::Workload;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, client, url] = arguments.as_slice() else {
        return Err("usage: allocations WORKLOAD CLIENT URL".into());
    };
    let workload = Workload::named(workload).ok_or("no such workload")?;
    let contender = named(client, url, workload, Place::Same)?;
    let mut contender = contender.ok_or("it has no part in this workload")?;
    let calls = workload.few_calls();
    contender.run(calls, None)?;
    // What twice as many calls cost more, so that starting the tasks does not count.
    let few = counted(&mut *contender, calls)?;
    let many = counted(&mut *contender, 3 * calls)?;
    let each = |few: u64, many: u64| (many as f64 - few as f64) / (2 * calls) as f64;
    let count = each(few.count_total, many.count_total);
    println!("{count} {}", each(few.bytes_total, many.bytes_total));
    Ok(())
}

fn counted(contender: &mut dyn Contender, calls: usize) -> Result<AllocationInfo, Failure> {
    let mut outcome = Ok(());
    let info = measure(|| outcome = contender.run(calls, None));
    outcome.map(|()| info)
}
