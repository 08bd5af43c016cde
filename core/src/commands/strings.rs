//! Strings and counters.

use super::commands;
use crate::command::{Flags, named};
use crate::resp::ToArgs;

commands! {
    /// The value at a key (`GET`); `Option` for what may be missing.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("k", "v").await?;
    /// let value: String = client.get("k").await?;
    /// let missing: Option<String> = client.get("none").await?;
    /// assert_eq!((value.as_str(), missing), ("v", None));
    /// # });
    /// ```
    fn get<R>(key: impl ToArgs) -> R {
        named!("GET", key key)
    }

    /// The values at several keys, in order (`MGET`); `Option` for those that may be missing.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("a", 1).await?;
    /// let values: Vec<Option<u64>> = client.mget(["a", "b"]).await?;
    /// assert_eq!(values, [Some(1), None]);
    /// # });
    /// ```
    fn mget<R>(keys: impl ToArgs) -> Vec<R> {
        named!("MGET", key keys)
    }

    /// Adds one to the integer at a key, which begins as 0; gives the sum (`INCR`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.incr("visits").await?, 1);
    /// # });
    /// ```
    fn incr(key: impl ToArgs) -> i64 {
        named!("INCR", key key)
    }

    /// Adds to the integer at a key; gives the sum (`INCRBY`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.incr_by("stock", -3).await?, -3);
    /// # });
    /// ```
    fn incr_by(key: impl ToArgs, by: i64) -> i64 {
        named!("INCRBY", key key, arg by)
    }

    /// Appends to the string at a key; gives its new length in bytes (`APPEND`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.append("log", "abc").await?, 3);
    /// # });
    /// ```
    fn append(key: impl ToArgs, value: impl ToArgs) -> u64 {
        named!("APPEND", key key, arg value)
    }

    /// The length in bytes of the string at a key; 0 when there is none (`STRLEN`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.strlen("none").await?, 0);
    /// # });
    /// ```
    fn strlen(key: impl ToArgs) -> u64 {
        named!("STRLEN", key key, flags Flags::READ)
    }
}
