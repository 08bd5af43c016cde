//! Hashes.

use super::commands;
use crate::command::{Flags, named};
use crate::resp::ToArgs;

commands! {
    /// The value of one field (`HGET`); `Option` for what may be missing.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.hset("h", ("title", "Alien")).await?;
    /// let title: Option<String> = client.hget("h", "title").await?;
    /// assert_eq!(title.as_deref(), Some("Alien"));
    /// # });
    /// ```
    fn hget<R>(key: impl ToArgs, field: impl ToArgs) -> R {
        named!("HGET", key key, arg field)
    }

    /// Sets fields, given as pairs or a map; gives how many are new (`HSET`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.hset("h", [("title", "Alien"), ("year", "1979")]).await?, 2);
    /// # });
    /// ```
    fn hset(key: impl ToArgs, fields: impl ToArgs) -> u64 {
        named!("HSET", key key, arg fields, flags Flags::NONE)
    }

    /// All fields with their values (`HGETALL`); empty when there is no such key.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::collections::BTreeMap;
    /// client.hset("h", ("year", 1979)).await?;
    /// let all: BTreeMap<String, u32> = client.hgetall("h").await?;
    /// assert_eq!(all["year"], 1979);
    /// # });
    /// ```
    fn hgetall<R>(key: impl ToArgs) -> R {
        named!("HGETALL", key key)
    }

    /// Deletes fields; gives how many there were (`HDEL`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.hdel("h", ["none"]).await?, 0);
    /// # });
    /// ```
    fn hdel(key: impl ToArgs, fields: impl ToArgs) -> u64 {
        named!("HDEL", key key, arg fields)
    }

    /// The values of several fields, in order (`HMGET`): a list, or a tuple of different types.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.hset("h", (("title", "Alien"), ("year", 1979))).await?;
    /// let (title, year): (String, u32) = client.hmget("h", ["title", "year"]).await?;
    /// assert_eq!((title.as_str(), year), ("Alien", 1979));
    /// # });
    /// ```
    fn hmget<R>(key: impl ToArgs, fields: impl ToArgs) -> R {
        named!("HMGET", key key, arg fields)
    }

    /// Adds to the integer in a field; gives the sum (`HINCRBY`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.hincrby("h", "votes", 2).await?, 2);
    /// # });
    /// ```
    fn hincrby(key: impl ToArgs, field: impl ToArgs, by: i64) -> i64 {
        named!("HINCRBY", key key, arg field, arg by)
    }

    /// The number of fields; 0 when there is no such key (`HLEN`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.hlen("none").await?, 0);
    /// # });
    /// ```
    fn hlen(key: impl ToArgs) -> u64 {
        named!("HLEN", key key)
    }

    /// Whether a field exists (`HEXISTS`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert!(!client.hexists("h", "none").await?);
    /// # });
    /// ```
    fn hexists(key: impl ToArgs, field: impl ToArgs) -> bool {
        named!("HEXISTS", key key, arg field)
    }
}
