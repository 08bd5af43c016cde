//! Fields: what the derive's attributes store, index and read back.

mod entries;
mod flatten;
mod maps;
mod types;
mod written;
