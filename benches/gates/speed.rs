//! How fast replies are scanned, and decoded into models, in memory.

use std::hint::black_box;
use std::time::Instant;

use alizarin::__private::decode_document;
use alizarin::resp::{Limits, Scan, Scanner};

use crate::paths::{Profile, bulk, fields};

/// How many maps there are.
const MAPS: usize = 1_000;

/// How often each is measured; the best one counts, which nothing disturbed.
const TIMES: usize = 50;

/// Prints megabytes a second.
pub(crate) fn print() -> Result<(), String> {
    let short: Vec<u8> = (0..MAPS).flat_map(strings).collect();
    let models: Vec<u8> = (0..MAPS).flat_map(fields).collect();
    best("scan of 1,000 maps of 20 short strings", &short, scanned)?;
    best("scan of 1,000 models of 20 fields", &models, scanned)?;
    best("scan and decode of 1,000 models of 20 fields", &models, |frame| {
        let model = decode_document::<Profile>(frame).map_err(|error| error.to_string())?;
        model.map(|model| drop(black_box(model))).ok_or_else(|| "no document".to_owned())
    })
}

/// A map of 20 short strings.
fn strings(n: usize) -> Vec<u8> {
    let field = |at: usize| [bulk(&format!("field{at:02}")), bulk(&format!("value-{}", at * n))];
    [b"%20\r\n".to_vec(), (0..20).flat_map(field).flatten().collect()].concat()
}

/// Nothing but the scan.
fn scanned(frame: &[u8]) -> Result<(), String> {
    black_box(frame);
    Ok(())
}

fn best(
    name: &str,
    wire: &[u8],
    mut each: impl FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let mut least = f64::INFINITY;
    for _ in 0..TIMES {
        let begun = Instant::now();
        let mut scanner = Scanner::new(Limits::default());
        let mut rest = black_box(wire);
        while !rest.is_empty() {
            let found = scanner.scan(rest).map_err(|error| error.to_string())?;
            let Scan::Frame { len, .. } = found else { return Err("half a reply".to_owned()) };
            let (frame, behind) = rest.split_at(len);
            each(frame)?;
            rest = behind;
        }
        least = least.min(begun.elapsed().as_secs_f64());
    }
    println!("{name}: {:.0} MB/s", wire.len() as f64 / least / 1e6);
    Ok(())
}
