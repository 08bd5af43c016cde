//! Keys of any type.

use std::time::Duration;

use super::commands;
use crate::command::{Flags, named};
use crate::error::Result;
use crate::resp::{Frame, FromReply, Reader, ToArgs};

commands! {
    /// Deletes keys; gives how many there were (`DEL`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("a", 1).await?;
    /// assert_eq!(client.del(["a", "b"]).await?, 1);
    /// # });
    /// ```
    fn del(keys: impl ToArgs) -> u64 {
        named!("DEL", key keys)
    }

    /// Deletes keys, their memory freed in the background; gives how many there were (`UNLINK`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("a", 1).await?;
    /// assert_eq!(client.unlink("a").await?, 1);
    /// # });
    /// ```
    fn unlink(keys: impl ToArgs) -> u64 {
        named!("UNLINK", key keys)
    }

    /// How many of the keys exist; one named twice counts twice (`EXISTS`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.exists("none").await?, 0);
    /// # });
    /// ```
    fn exists(keys: impl ToArgs) -> u64 {
        named!("EXISTS", key keys)
    }

    /// Lets a key expire after a time, in whole milliseconds; `false` when there is no such key
    /// (`PEXPIRE`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::time::Duration;
    /// client.set("k", "v").await?;
    /// assert!(client.expire("k", Duration::from_secs(60)).await?);
    /// # });
    /// ```
    fn expire(key: impl ToArgs, after: Duration) -> bool {
        named!("PEXPIRE", key key, arg after)
    }

    /// Lets a key expire at a time, in milliseconds since the Unix epoch; `false` when there is no
    /// such key (`PEXPIREAT`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("k", "v").await?;
    /// assert!(client.expire_at("k", 4_000_000_000_000).await?);
    /// # });
    /// ```
    fn expire_at(key: impl ToArgs, unix_millis: u64) -> bool {
        named!("PEXPIREAT", key key, arg unix_millis)
    }

    /// Keeps a key for ever; `false` when it had no time to live (`PERSIST`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("k", "v").await?;
    /// assert!(!client.persist("k").await?);
    /// # });
    /// ```
    fn persist(key: impl ToArgs) -> bool {
        named!("PERSIST", key key)
    }

    /// How long a key has left to live (`PTTL`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::commands::Ttl;
    /// assert_eq!(client.ttl("none").await?, Ttl::Missing);
    /// client.set("k", "v").await?;
    /// assert_eq!(client.ttl("k").await?, Ttl::Forever);
    /// # });
    /// ```
    fn ttl(key: impl ToArgs) -> Ttl {
        named!("PTTL", key key, flags Flags::READ)
    }

    /// The type of the value at a key: `string`, `hash`, `ReJSON-RL`, ...; `none` when there is no
    /// such key (`TYPE`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert_eq!(client.key_type("none").await?, "none");
    /// # });
    /// ```
    fn key_type(key: impl ToArgs) -> String {
        named!("TYPE", key key)
    }

    /// One page of the keys that match a pattern, from a cursor that is 0 at first, and 0 again
    /// after the last page (`SCAN`). Keys may come twice; those that exist throughout come at least
    /// once, on a cluster too, whatever its slots do, but for keys of a slot that is half moved when the
    /// scan ends.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.set("movie:1", "x").await?;
    /// let (next, keys): (u64, Vec<String>) = client.scan(0, "movie:*", 1_000).await?;
    /// assert_eq!((next, keys), (0, vec!["movie:1".to_owned()]));
    /// # });
    /// ```
    fn scan<R>(cursor: u64, pattern: &str, count: u32) -> (u64, Vec<R>) {
        named!("SCAN", arg cursor, arg ("MATCH", pattern, "COUNT", count))
    }
}

/// How long a key has left to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth case")]
pub enum Ttl {
    /// There is no such key.
    Missing,
    /// It does not expire.
    Forever,
    /// It expires after this time, in whole milliseconds.
    Left(Duration),
}

impl FromReply for Ttl {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Ttl> {
        Ok(match reader.peek()? {
            Frame::Integer(-2) => {
                reader.skip()?;
                Ttl::Missing
            }
            Frame::Integer(-1) => {
                reader.skip()?;
                Ttl::Forever
            }
            _ => Ttl::Left(Duration::from_millis(u64::from_reply(reader)?)),
        })
    }
}
