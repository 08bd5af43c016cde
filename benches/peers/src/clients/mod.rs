//! The clients, each as its own documentation shows its use.

pub mod alizarin;
pub mod blocking;
pub mod cluster;
pub mod fred;
pub mod redis;
pub mod rustis;
pub mod secure;

use std::future::Future;

use bytes::Bytes;

use crate::Failure;
use crate::data::{Order, Profile};

pub type Outcome<T> = Result<T, Failure>;

/// One connection of one client, which all tasks share.
pub trait Peer: Clone + Send + Sync + 'static {
    const NAME: &'static str;

    fn connect(url: &str) -> impl Future<Output = Outcome<Self>> + Send;
    fn get(&self, key: &str) -> impl Future<Output = Outcome<String>> + Send;
    fn set(&self, key: &str, value: &[u8]) -> impl Future<Output = Outcome<()>> + Send;
    fn set_many(&self, keys: &[String], value: &[u8]) -> impl Future<Output = Outcome<()>> + Send;
    fn get_many(&self, keys: &[String]) -> impl Future<Output = Outcome<Vec<String>>> + Send;
    fn hash(&self, key: &str) -> impl Future<Output = Outcome<Profile>> + Send;
    /// Writes all fields of the model's hash.
    fn save(&self, model: &Profile) -> impl Future<Output = Outcome<()>> + Send;
    fn hashes(&self, keys: &[String]) -> impl Future<Output = Outcome<Vec<Profile>>> + Send;
    fn blob(&self, key: &str) -> impl Future<Output = Outcome<Bytes>> + Send;
    fn set_blob(&self, key: &str, value: &Bytes) -> impl Future<Output = Outcome<()>> + Send;
    fn list(&self) -> impl Future<Output = Outcome<Vec<String>>> + Send;
    fn scores(&self) -> impl Future<Output = Outcome<Vec<(String, f64)>>> + Send;
    fn json(&self, key: &str) -> impl Future<Output = Outcome<Order>> + Send;
    /// `FT.SEARCH profiles "@age:[20 59]" LIMIT 0 100`.
    fn search(&self) -> impl Future<Output = Outcome<Vec<Profile>>> + Send;
    /// The keys of `FT.SEARCH vectors "*=>[KNN 10 @v $q AS d]"` with their distances.
    fn knn(&self, vector: &[u8]) -> impl Future<Output = Outcome<Vec<(String, f64)>>> + Send;
    /// Subscribes to `channel`, has `publish` called, receives `count` messages.
    fn messages(
        &self,
        channel: &str,
        count: usize,
        publish: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output = Outcome<usize>> + Send;
}
