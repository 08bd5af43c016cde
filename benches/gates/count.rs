//! Counting by callgrind.

use std::process::Command;

/// Why nothing can be counted here.
pub(crate) fn available() -> Result<(), String> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("callgrind (valgrind) is not installed".to_owned()),
    }
}

/// The compiler's version.
pub(crate) fn compiler() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output =
        Command::new(rustc).arg("--version").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split_ascii_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// What one iteration of a path costs: the difference of two runs, so that starting costs nothing.
pub(crate) fn per_iteration(name: &str) -> Result<u64, String> {
    let (few, many) = (200, 1_200);
    let counted = [few, many].map(|times| instructions(name, times));
    let [few_cost, many_cost] = counted;
    Ok(many_cost?.saturating_sub(few_cost?) / (many - few))
}

/// What the work of some kind and size costs.
pub(crate) fn growth(name: &str, piece: usize, size: usize) -> Result<u64, String> {
    callgrind(
        &["--toggle-collect=*growth::measured*"],
        &["grow", name, &piece.to_string(), &size.to_string()],
    )
}

fn instructions(name: &str, times: u64) -> Result<u64, String> {
    callgrind(&[], &["run", name, &times.to_string()])
}

/// Runs this program with these words; gives what is collected.
fn callgrind(options: &[&str], words: &[&str]) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(options)
        .arg(program)
        .args(words)
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{words:?} failed under callgrind: {said}"));
    }
    let counted = said.lines().find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
    counted.ok_or_else(|| format!("callgrind gave no count: {said}"))
}
