//! The budgets: the compiler they were counted with, then a name and a number a line.

use std::path::PathBuf;

pub(crate) struct Budgets {
    pub(crate) compiler: String,
    lines: Vec<(String, u64)>,
}

impl Budgets {
    pub(crate) fn of(&self, name: &str) -> Result<u64, String> {
        let found = self.lines.iter().find(|(known, _)| known == name);
        found.map(|(_, budget)| *budget).ok_or_else(|| format!("{name} has no budget"))
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/gates/budgets.txt")
}

pub(crate) fn read() -> Result<Budgets, String> {
    let text = std::fs::read_to_string(file()).map_err(|error| format!("no budgets: {error}"))?;
    let mut lines = text.lines();
    let compiler = lines.next().unwrap_or_default().to_owned();
    let lines = lines.map(|line| {
        let parsed = line
            .split_once(' ')
            .and_then(|(name, budget)| Some((name.to_owned(), budget.parse().ok()?)));
        parsed.ok_or_else(|| format!("not a budget: {line:?}"))
    });
    Ok(Budgets { compiler, lines: lines.collect::<Result<_, _>>()? })
}

pub(crate) fn write(lines: &[String]) -> Result<(), String> {
    let text = lines.join("\n") + "\n";
    std::fs::write(file(), text).map_err(|error| error.to_string())
}
