//! Moving slots from one node to another.

use super::{Cluster, lines, wait};
use crate::error::Error;

impl Cluster {
    /// Begins to move a slot: the new node imports it, the old one migrates it. Keys that the old
    /// one does not have are asked for at the new one (`ASK`).
    ///
    /// # Errors
    ///
    /// What the nodes refuse.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// cluster.begin_move(0, 0, 1)?;
    /// cluster.move_keys(0, 0, 1)?;
    /// cluster.end_move(0, 0, 1)?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) -> Result<(), Error> {
        let (from_id, to_id, slot) = (self.id(from)?, self.id(to)?, slot.to_string());
        self.node(to).command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id])?;
        self.node(from).command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id])?;
        Ok(())
    }

    /// Moves the keys of a slot whose move has begun.
    ///
    /// # Errors
    ///
    /// What the nodes refuse.
    ///
    /// # Examples
    ///
    /// See [`Cluster::begin_move`].
    pub fn move_keys(&self, slot: u16, from: usize, to: usize) -> Result<(), Error> {
        let (slot, port) = (slot.to_string(), self.node(to).port().unwrap_or_default().to_string());
        loop {
            let keys = self.node(from).command(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"])?;
            let keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
            if keys.is_empty() {
                return Ok(());
            }
            let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000"];
            if let Some(password) = &self.password {
                migrate.extend(["AUTH", password]);
            }
            migrate.push("KEYS");
            migrate.extend(keys);
            self.node(from).command(&migrate)?;
        }
    }

    /// Ends the move of a slot: the new node serves it, and all nodes that answer know so.
    ///
    /// # Errors
    ///
    /// What the nodes refuse; when they do not agree within a minute.
    ///
    /// # Examples
    ///
    /// See [`Cluster::begin_move`].
    pub fn end_move(&self, slot: u16, from: usize, to: usize) -> Result<(), Error> {
        let (to_id, slot) = (self.id(to)?, slot.to_string());
        // the new owner first: so nobody is sent back and forth
        for node in [to, from] {
            self.node(node).command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id])?;
        }
        self.agree(&slot, to, &to_id)
    }

    /// Waits until every node that answers says of the owner of a slot what it says of itself.
    ///
    /// A node that takes the slot back before it has heard of the owner's epoch claims it with an
    /// older one: the others take its claim for out of date, and it drops the slot's keys.
    fn agree(&self, slot: &str, owner: usize, id: &str) -> Result<(), Error> {
        let claim = |node: usize| {
            let said = lines(self.node(node));
            let line = said.into_iter().find(|line| line.starts_with(id))?;
            let words: Vec<&str> = line.split(' ').collect();
            let epoch = words.get(6)?.to_string();
            Some((epoch, words.iter().skip(8).any(|range| covers(range, slot))))
        };
        wait("all nodes know the new owner of the slot", || {
            let Some((epoch, true)) = claim(owner) else { return false };
            let expected = (epoch, true);
            (0..self.len()).all(|node| claim(node).is_none_or(|claim| claim == expected))
        })
    }

    /// Moves a slot and its keys, as `redis-cli --cluster reshard` does; all nodes know of it then.
    ///
    /// # Errors
    ///
    /// What the nodes refuse.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// let home = cluster.primary_of("{b}")?;
    /// cluster.move_slot(3300, home, (home + 1) % 3)?;
    /// assert_ne!(cluster.primary_of("{b}")?, home);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn move_slot(&self, slot: u16, from: usize, to: usize) -> Result<(), Error> {
        self.begin_move(slot, from, to)?;
        self.move_keys(slot, from, to)?;
        self.end_move(slot, from, to)
    }

    /// Moves slots with all their keys in one step (`CLUSTER MIGRATION IMPORT`, Redis 8.4), and
    /// waits until it is done; `false` where the server cannot do so.
    ///
    /// # Errors
    ///
    /// When the move fails, or takes longer than a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// if cluster.migrate(0, 99, 1)? {
    ///     assert!(cluster.node(1).command(&["CLUSTER", "GETKEYSINSLOT", "0", "1"]).is_ok());
    /// }
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn migrate(&self, first: u16, last: u16, to: usize) -> Result<bool, Error> {
        let (first, last) = (first.to_string(), last.to_string());
        let target = self.node(to);
        let begun = target.command(&["CLUSTER", "MIGRATION", "IMPORT", &first, &last]);
        let Ok(task) = begun else { return Ok(false) };
        let mut failed = None;
        wait("the slots have moved", || {
            let status = target.command(&["CLUSTER", "MIGRATION", "STATUS", "ID", &task]);
            let status = status.unwrap_or_default();
            failed = status.contains("failed").then(|| status.clone());
            failed.is_some() || status.contains("completed")
        })?;
        match failed {
            Some(status) => Err(Error::start(format!("the slots have not moved: {status}"), "")),
            None => Ok(true),
        }
    }
}

/// Whether `7` or `0-5460` names the slot.
fn covers(range: &str, slot: &str) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let numbers = (first.parse::<u16>(), last.parse::<u16>(), slot.parse::<u16>());
    matches!(numbers, (Ok(first), Ok(last), Ok(slot)) if (first..=last).contains(&slot))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn slots_are_named_alone_and_in_ranges() {
        assert!(covers("3300", "3300"));
        assert!(covers("0-5460", "5460"));
        assert!(!covers("0-5460", "5461"));
        assert!(!covers("[3300->-0123abcd]", "3300"));
    }
}
