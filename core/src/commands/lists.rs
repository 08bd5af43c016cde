//! Lists.

use super::commands;
use crate::command::named;
use crate::resp::ToArgs;

commands! {
    /// Adds values at the head, one after the other; gives the new length (`LPUSH`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.lpush("queue", ["a", "b"]).await?, 2);
    /// # });
    /// ```
    fn lpush(key: impl ToArgs, values: impl ToArgs) -> u64 {
        named!("LPUSH", key key, arg values)
    }

    /// Adds values at the tail; gives the new length (`RPUSH`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.rpush("queue", [1, 2, 3]).await?, 3);
    /// # });
    /// ```
    fn rpush(key: impl ToArgs, values: impl ToArgs) -> u64 {
        named!("RPUSH", key key, arg values)
    }

    /// The elements from one position to another, both included; negative ones count from the tail
    /// (`LRANGE`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.rpush("queue", [1, 2, 3]).await?;
    /// let all: Vec<u32> = client.lrange("queue", 0, -1).await?;
    /// assert_eq!(all, [1, 2, 3]);
    /// # });
    /// ```
    fn lrange<R>(key: impl ToArgs, start: i64, stop: i64) -> Vec<R> {
        named!("LRANGE", key key, arg (start, stop))
    }

    /// The number of elements; 0 when there is no such key (`LLEN`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.llen("none").await?, 0);
    /// # });
    /// ```
    fn llen(key: impl ToArgs) -> u64 {
        named!("LLEN", key key)
    }
}
