//! rustis: RESP3, replies straight into serde structs.

use std::sync::Arc;

use ::rustis as driver;
use bytes::Bytes;
use driver::client::{BatchPreparedCommand, Client, Config, IntoConfig, TlsConfig};
use driver::commands::{
    HashCommands, JsonCommands, JsonGetOptions, ListCommands, PubSubCommands, SortedSetCommands,
    StringCommands, ZRangeOptions,
};
use driver::resp::{BulkString, Json, RefBulkString, cmd};
use futures_util::StreamExt;
use serde::Deserialize;

use super::{Outcome, Peer, secure};
use crate::data::{Order, Profile, fields};

#[derive(Clone)]
pub struct Rustis {
    client: Client,
    url: String,
}

pub fn config(url: &str) -> Outcome<Config> {
    let (url, authority) = secure::apart(url);
    let mut config = url.into_config()?;
    config.no_delay = true;
    if let Some(authority) = authority {
        config.tls_config = Some(TlsConfig::new(Arc::new(secure::trusting(authority)?)));
    }
    Ok(config)
}

impl Peer for Rustis {
    const NAME: &'static str = "rustis";

    async fn connect(url: &str) -> Outcome<Self> {
        Ok(Rustis { client: Client::connect(config(url)?).await?, url: url.to_owned() })
    }

    async fn get(&self, key: &str) -> Outcome<String> {
        Ok(self.client.get(key).await?)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Outcome<()> {
        Ok(self.client.set(key, RefBulkString::new(value)).await?)
    }

    async fn set_many(&self, keys: &[String], value: &[u8]) -> Outcome<()> {
        let mut pipeline = self.client.create_pipeline();
        pipeline.reserve(keys.len());
        for key in keys {
            pipeline.set(key, RefBulkString::new(value)).queue();
        }
        let _: Vec<()> = pipeline.execute().await?;
        Ok(())
    }

    async fn get_many(&self, keys: &[String]) -> Outcome<Vec<String>> {
        let mut pipeline = self.client.create_pipeline();
        pipeline.reserve(keys.len());
        for key in keys {
            pipeline.get::<()>(key).queue();
        }
        Ok(pipeline.execute().await?)
    }

    async fn hash(&self, key: &str) -> Outcome<Profile> {
        Ok(self.client.hgetall(key).await?)
    }

    async fn save(&self, model: &Profile) -> Outcome<()> {
        self.client.hset(format!("profile:{}", model.id), fields(model)).await?;
        Ok(())
    }

    async fn hashes(&self, keys: &[String]) -> Outcome<Vec<Profile>> {
        let mut pipeline = self.client.create_pipeline();
        pipeline.reserve(keys.len());
        for key in keys {
            pipeline.hgetall::<()>(key).queue();
        }
        Ok(pipeline.execute().await?)
    }

    async fn blob(&self, key: &str) -> Outcome<Bytes> {
        let value: BulkString = self.client.get(key).await?;
        Ok(Vec::from(value).into())
    }

    async fn set_blob(&self, key: &str, value: &Bytes) -> Outcome<()> {
        Ok(self.client.set(key, RefBulkString::new(value)).await?)
    }

    async fn list(&self) -> Outcome<Vec<String>> {
        Ok(self.client.lrange("list", 0, -1).await?)
    }

    async fn scores(&self) -> Outcome<Vec<(String, f64)>> {
        let all = ZRangeOptions::default();
        Ok(self.client.zrange_with_scores("scores", 0, -1, all).await?)
    }

    async fn json(&self, key: &str) -> Outcome<Order> {
        let Json(order) = self.client.json_get(key, JsonGetOptions::default()).await?;
        Ok(order)
    }

    async fn search(&self) -> Outcome<Vec<Profile>> {
        let search = cmd("FT.SEARCH").arg("profiles").arg("@age:[20 59]");
        let search = search.arg("LIMIT").arg(0).arg(100).arg("DIALECT").arg(2);
        let found: Found<Profile> = self.client.send(search, None).await?;
        Ok(found.results.into_iter().map(|hit| hit.extra_attributes).collect())
    }

    async fn knn(&self, vector: &[u8]) -> Outcome<Vec<(String, f64)>> {
        let search = cmd("FT.SEARCH").arg("vectors").arg("*=>[KNN 10 @v $q AS d]");
        let search = search.arg("RETURN").arg(1).arg("d").arg("LIMIT").arg(0).arg(10);
        let search = search.arg("PARAMS").arg(2).arg("q").arg(RefBulkString::new(vector));
        let found: Found<Distance> = self.client.send(search.arg("DIALECT").arg(2), None).await?;
        Ok(found.results.into_iter().map(|hit| (hit.id, hit.extra_attributes.d)).collect())
    }

    async fn messages(
        &self,
        channel: &str,
        count: usize,
        publish: impl FnOnce() + Send + 'static,
    ) -> Outcome<usize> {
        let mut config = config(&self.url)?;
        // What does not fit is lost.
        config.backpressure.max_pubsub_bytes = 0;
        let mut messages = Client::connect(config).await?.subscribe(channel).await?;
        let publisher = std::thread::spawn(publish);
        let mut received = 0;
        while received < count {
            messages.next().await.ok_or("the subscription ended")??;
            received += 1;
        }
        publisher.join().map_err(|_| "the publisher failed")?;
        messages.close().await?;
        Ok(received)
    }
}

/// A search's reply, as far as it is wanted.
#[derive(Deserialize)]
struct Found<T> {
    results: Vec<Hit<T>>,
}

#[derive(Deserialize)]
struct Hit<T> {
    id: String,
    extra_attributes: T,
}

#[derive(Deserialize)]
struct Distance {
    d: f64,
}
