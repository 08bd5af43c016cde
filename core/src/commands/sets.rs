//! Sets.

use super::commands;
use crate::command::{Flags, named};
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
        named!("SADD", key key, arg members)
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
        named!("SMEMBERS", key key)
    }

    /// Removes members; gives how many there were (`SREM`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.srem("tags", "none").await?, 0);
    /// # });
    /// ```
    fn srem(key: impl ToArgs, members: impl ToArgs) -> u64 {
        named!("SREM", key key, arg members)
    }

    /// Whether a value is a member (`SISMEMBER`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert!(!client.sismember("tags", "none").await?);
    /// # });
    /// ```
    fn sismember(key: impl ToArgs, member: impl ToArgs) -> bool {
        named!("SISMEMBER", key key, arg member, flags Flags::READ)
    }
}
