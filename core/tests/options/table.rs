//! The options in rows, each with what proves them; and that no option is without a row.

use std::collections::BTreeSet;

use alizarin_core::{Config, Tls};
use tokio::runtime::Runtime;

use crate::topology::{Kind, Topology};
use crate::{encryption, limits, login, lost, nodes, pool, sentinels, silence, sockets, traffic};

/// Options, and what proves of a deployment that they hold there.
pub(crate) struct Row {
    /// As `Config` shows them; those of the [`GROUPS`] behind the group's name.
    options: &'static [&'static str],
    proof: fn(&Runtime, &mut Topology),
    /// Where they mean nothing, and why.
    idle: Option<Idle>,
}

type Idle = (fn(Kind) -> bool, &'static str);

impl Row {
    pub(crate) const fn new(
        options: &'static [&'static str],
        proof: fn(&Runtime, &mut Topology),
    ) -> Row {
        Row { options, proof, idle: None }
    }

    /// Says where the options mean nothing, and why.
    pub(crate) const fn except(mut self, there: fn(Kind) -> bool, why: &'static str) -> Row {
        self.idle = Some((there, why));
        self
    }

    fn reason(&self, kind: Kind) -> Option<&'static str> {
        self.idle.filter(|(there, _)| there(kind)).map(|(_, why)| why)
    }
}

/// The last ones leave no server running.
const TABLE: [&[Row]; 10] = [
    login::ROWS,
    sockets::ROWS,
    encryption::ROWS,
    silence::ROWS,
    limits::ROWS,
    traffic::ROWS,
    pool::ROWS,
    nodes::ROWS,
    sentinels::ROWS,
    lost::ROWS,
];

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.into_iter().flatten()
}

/// Proves every row.
pub(crate) fn every_option_holds(kind: Kind) {
    let runtime = Runtime::new().unwrap();
    let mut topology = Topology::start(kind);
    for row in rows() {
        let begun = std::time::Instant::now();
        match row.reason(kind) {
            Some(why) => println!("{kind:?}: {:?} mean nothing: {why}", row.options),
            None => {
                (row.proof)(&runtime, &mut topology);
                println!("{kind:?}: {:?} hold ({:?})", row.options, begun.elapsed());
            }
        }
    }
}

/// Options that hold others.
const GROUPS: [&str; 5] = ["endpoint", "limits", "pool", "tcp", "tls"];

/// The names of all options, by what `Config` shows of itself.
fn options(config: &Config) -> BTreeSet<String> {
    let shown = format!("{config:#?}");
    let (mut options, mut group) = (BTreeSet::new(), String::new());
    // Where the fields of the present group stand.
    let mut inside = None;
    for line in shown.lines() {
        let depth = line.len() - line.trim_start().len();
        let Some((name, _)) = line.trim_start().split_once(": ") else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            continue;
        }
        match depth {
            4 if GROUPS.contains(&name) => (group, inside) = (name.to_owned(), None),
            4 => {
                options.insert(name.to_owned());
                group.clear();
            }
            _ if !group.is_empty() && depth == *inside.get_or_insert(depth) => {
                options.insert(format!("{group}.{name}"));
            }
            _ => {}
        }
    }
    options
}

#[test]
fn every_option_has_a_row_and_every_row_has_options() {
    let config = Config::new().sentinels([("h", 1)], "name").tls(Tls::new());
    let claimed: Vec<&str> = rows().flat_map(|row| row.options).copied().collect();
    let mut once = BTreeSet::new();
    for option in &claimed {
        assert!(once.insert((*option).to_owned()), "two rows claim {option}");
    }
    assert_eq!(once, options(&config), "left: what the rows claim, right: what Config shows");
    for row in rows() {
        let proven = Kind::ALL.iter().any(|kind| row.reason(*kind).is_none());
        assert!(proven, "{:?} are proven nowhere", row.options);
    }
}
