//! The server itself, its connections, and channels.

use std::collections::BTreeMap;

use super::commands;
use crate::command::{Flags, named};
use crate::resp::ToArgs;

commands! {
    /// Asks for a sign of life (`PING`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.ping().await?;
    /// # });
    /// ```
    fn ping() -> () {
        named!("PING")
    }

    /// Sends a message to a channel; gives how many subscribers received it (`PUBLISH`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.publish("news", "nobody listens").await?, 0);
    /// # });
    /// ```
    fn publish(channel: impl ToArgs, message: impl ToArgs) -> u64 {
        named!("PUBLISH", arg channel, arg message)
    }

    /// What the server tells of itself, one `name:value` a line, of one section or of all when that
    /// is empty (`INFO`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert!(client.info("server").await?.contains("redis_version:"));
    /// # });
    /// ```
    fn info(section: &str) -> String {
        named!("INFO", arg Some(section).filter(|section| !section.is_empty()))
    }

    /// Settings whose names match a pattern (`CONFIG GET`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// let settings = client.config_get("maxmemory").await?;
    /// assert!(settings.contains_key("maxmemory"));
    /// # });
    /// ```
    fn config_get(pattern: &str) -> BTreeMap<String, String> {
        named!("CONFIG", arg "GET", arg pattern, flags Flags::READ)
    }

    /// Changes a setting until the server restarts (`CONFIG SET`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.config_set("slowlog-max-len", 128).await?;
    /// # });
    /// ```
    fn config_set(name: &str, value: impl ToArgs) -> () {
        named!("CONFIG", arg "SET", arg name, arg value)
    }

    /// Deletes every key of the database (`FLUSHDB`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.flushdb().await?;
    /// # });
    /// ```
    fn flushdb() -> () {
        named!("FLUSHDB")
    }

    /// The number of keys in the database (`DBSIZE`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.dbsize().await?, 0);
    /// # });
    /// ```
    fn dbsize() -> u64 {
        named!("DBSIZE")
    }

    /// The server's number for this connection (`CLIENT ID`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert!(client.client_id().await? > 0);
    /// # });
    /// ```
    fn client_id() -> u64 {
        named!("CLIENT", arg "ID", flags Flags::READ)
    }

    /// The server's clock: seconds since the Unix epoch, and the microseconds beyond (`TIME`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// let (seconds, micros) = client.time().await?;
    /// assert!(seconds > 1_700_000_000 && micros < 1_000_000);
    /// # });
    /// ```
    fn time() -> (u64, u32) {
        named!("TIME")
    }
}
