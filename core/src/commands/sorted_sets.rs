//! Sorted sets.

use super::commands;
use crate::command::named;
use crate::resp::ToArgs;

commands! {
    /// Adds members, given as pairs of score and member, or changes their scores; gives how many are
    /// new (`ZADD`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.zadd("top", [(8.5, "Alien"), (8.4, "Aliens")]).await?, 2);
    /// # });
    /// ```
    fn zadd(key: impl ToArgs, members: impl ToArgs) -> u64 {
        named!("ZADD", key key, arg members)
    }

    /// The members from one rank to another, lowest score first, both included; negative ranks count
    /// from the highest score (`ZRANGE`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.zadd("top", [(2, "b"), (1, "a")]).await?;
    /// let members: Vec<String> = client.zrange("top", 0, -1).await?;
    /// assert_eq!(members, ["a", "b"]);
    /// # });
    /// ```
    fn zrange<R>(key: impl ToArgs, start: i64, stop: i64) -> Vec<R> {
        named!("ZRANGE", key key, arg (start, stop))
    }

    /// As [`zrange`](Self::zrange), each member with its score.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.zadd("top", [(2, "b"), (1, "a")]).await?;
    /// let members: Vec<(String, f64)> = client.zrange_with_scores("top", 0, 0).await?;
    /// assert_eq!(members, [("a".to_owned(), 1.0)]);
    /// # });
    /// ```
    fn zrange_with_scores<R>(key: impl ToArgs, start: i64, stop: i64) -> Vec<(R, f64)> {
        named!("ZRANGE", key key, arg (start, stop, "WITHSCORES"))
    }

    /// The score of a member; `None` when it is no member (`ZSCORE`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.zadd("top", (1.5, "a")).await?;
    /// assert_eq!(client.zscore("top", "a").await?, Some(1.5));
    /// # });
    /// ```
    fn zscore(key: impl ToArgs, member: impl ToArgs) -> Option<f64> {
        named!("ZSCORE", key key, arg member)
    }
}
