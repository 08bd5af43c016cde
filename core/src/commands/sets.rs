//! Sets.

use super::commands;
use crate::command::{Command, Flags};
use crate::resp::ToArgs;

commands! {
    /// Adds members; gives how many are new (`SADD`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.sadd("tags", ["a", "b", "a"]).await?, 2);
    /// # });
    /// ```
    fn sadd(key: impl ToArgs, members: impl ToArgs) -> u64 {
        Command::new("SADD").key(key).arg(members)
    }

    /// All members, in no order (`SMEMBERS`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::collections::BTreeSet;
    /// client.sadd("tags", ["b", "a"]).await?;
    /// let tags: BTreeSet<String> = client.smembers("tags").await?;
    /// assert_eq!(tags.len(), 2);
    /// # });
    /// ```
    fn smembers<R>(key: impl ToArgs) -> R {
        Command::new("SMEMBERS").key(key)
    }

    /// Removes members; gives how many there were (`SREM`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.srem("tags", "none").await?, 0);
    /// # });
    /// ```
    fn srem(key: impl ToArgs, members: impl ToArgs) -> u64 {
        Command::new("SREM").key(key).arg(members)
    }

    /// Whether a value is a member (`SISMEMBER`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert!(!client.sismember("tags", "none").await?);
    /// # });
    /// ```
    fn sismember(key: impl ToArgs, member: impl ToArgs) -> bool {
        Command::new("SISMEMBER").key(key).arg(member).flags(Flags::READ)
    }
}
