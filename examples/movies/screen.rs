//! How the answers are shown.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use crate::Movie;

/// Prints titled blocks of rows.
pub(crate) struct Screen;

impl Screen {
    /// Begins with what answers.
    pub(crate) fn new(server: &str) -> Screen {
        println!("Alizarin on {server}");
        Screen
    }

    /// A block's title, with the time its answer took.
    pub(crate) fn title(&mut self, text: &str, started: Instant) {
        println!("\n{text}  ({:.1} ms)", started.elapsed().as_secs_f64() * 1e3);
    }

    /// A block's rows.
    pub(crate) fn rows(&mut self, rows: impl IntoIterator<Item = String>) {
        for row in rows {
            println!("  {row}");
        }
    }

    /// Bars, longest first.
    pub(crate) fn chart(&mut self, bars: impl Iterator<Item = (String, f64, u64)>) {
        let mut bars: Vec<_> = bars.collect();
        bars.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (name, mean, films) in bars {
            println!(
                "  {name:20} {mean:.2} {:40} {films:>4} films",
                "█".repeat((mean * 5.0) as usize)
            );
        }
    }
}

/// A film in one row.
pub(crate) fn film(film: &Movie) -> String {
    let year = film.year.map_or("    ".into(), |year| year.to_string());
    let rating = film.rating.map_or("  –".into(), |rating| format!("{rating:.1}"));
    let votes = film.votes.unwrap_or(0);
    format!("{year}  {:40}  {rating}  {votes:>8} votes", shortened(&film.title, 40))
}

/// A progress bar that redraws itself; a single line where the output is no terminal.
pub(crate) fn bar(done: usize, all: usize) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let filled = done * 40 / all.max(1);
        let _ = write!(
            out,
            "\r  saving [{}{}] {done}/{all}",
            "█".repeat(filled),
            " ".repeat(40 - filled.min(40))
        );
        if done >= all {
            let _ = writeln!(out);
        }
    } else if done >= all {
        let _ = writeln!(out, "  saving: {done} of {all}");
    }
}

fn shortened(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some((end, _)) => {
            format!("{}…", &text[..end - text[..end].chars().last().map_or(0, char::len_utf8)])
        }
        None => text.to_owned(),
    }
}
