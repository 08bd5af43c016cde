//! fred: RESP3.

use ::fred as driver;
use bytes::Bytes;
use driver::cmd;
use driver::prelude::*;
use driver::types::RespVersion;

use super::{Outcome, Peer, secure};
use crate::data::{Order, Profile, fields};

#[derive(Clone)]
pub struct Fred {
    client: Client,
    url: String,
}

/// RESP3 and NODELAY, which are not its defaults.
pub fn builder(url: &str) -> Outcome<Builder> {
    let (url, authority) = secure::apart(url);
    let mut config = Config::from_url(&url.replacen("rediss:", "redis:", 1))?;
    config.version = RespVersion::RESP3;
    if let Some(authority) = authority {
        config.tls = Some(TlsConnector::from(secure::trusting(authority)?).into());
    }
    let mut builder = Builder::from_config(config);
    builder.with_connection_config(|connection| {
        connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
    });
    Ok(builder)
}

impl Peer for Fred {
    const NAME: &'static str = "fred";

    async fn connect(url: &str) -> Outcome<Self> {
        let client = builder(url)?.build()?;
        client.init().await?;
        Ok(Fred { client, url: url.to_owned() })
    }

    async fn get(&self, key: &str) -> Outcome<String> {
        Ok(self.client.get(key).await?)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Outcome<()> {
        Ok(self.client.set(key, value, None, None, false).await?)
    }

    async fn set_many(&self, keys: &[String], value: &[u8]) -> Outcome<()> {
        let value = Bytes::copy_from_slice(value);
        let pipeline = self.client.pipeline();
        for key in keys {
            let _: () = pipeline.set(key, value.clone(), None, None, false).await?;
        }
        let _: Vec<Value> = pipeline.all().await?;
        Ok(())
    }

    async fn get_many(&self, keys: &[String]) -> Outcome<Vec<String>> {
        let pipeline = self.client.pipeline();
        for key in keys {
            let _: () = pipeline.get(key).await?;
        }
        Ok(pipeline.all().await?)
    }

    async fn hash(&self, key: &str) -> Outcome<Profile> {
        Ok(self.client.hgetall(key).await?)
    }

    async fn save(&self, model: &Profile) -> Outcome<()> {
        let fields: Vec<(&str, String)> =
            fields(model).into_iter().map(|(name, value)| (name, value.into_owned())).collect();
        let _: i64 = self.client.hset(format!("profile:{}", model.id), fields).await?;
        Ok(())
    }

    async fn hashes(&self, keys: &[String]) -> Outcome<Vec<Profile>> {
        let pipeline = self.client.pipeline();
        for key in keys {
            let _: () = pipeline.hgetall(key).await?;
        }
        Ok(pipeline.all().await?)
    }

    async fn blob(&self, key: &str) -> Outcome<Bytes> {
        Ok(self.client.get(key).await?)
    }

    async fn set_blob(&self, key: &str, value: &Bytes) -> Outcome<()> {
        Ok(self.client.set(key, value.clone(), None, None, false).await?)
    }

    async fn list(&self) -> Outcome<Vec<String>> {
        Ok(self.client.lrange("list", 0, -1).await?)
    }

    async fn scores(&self) -> Outcome<Vec<(String, f64)>> {
        Ok(self.client.zrange("scores", 0, -1, None, false, None, true).await?)
    }

    async fn json(&self, key: &str) -> Outcome<Order> {
        let none = driver::util::NONE;
        let whole = Vec::<String>::new();
        let json: String =
            self.client.json_get(key, none.clone(), none.clone(), none, whole).await?;
        Ok(serde_json::from_str(&json)?)
    }

    async fn search(&self) -> Outcome<Vec<Profile>> {
        let options = driver::types::redisearch::FtSearchOptions {
            limit: Some((0, 100)),
            dialect: Some(2),
            ..Default::default()
        };
        let reply = self.client.ft_search("profiles", "@age:[20 59]", options).await?;
        hits(reply)?.into_iter().map(|hit| Ok(hit.attributes.convert()?)).collect()
    }

    async fn knn(&self, vector: &[u8]) -> Outcome<Vec<(String, f64)>> {
        // Its options take parameters of text only.
        let words = "vectors,*=>[KNN 10 @v $q AS d],RETURN,1,d,LIMIT,0,10,PARAMS,2,q";
        let mut arguments: Vec<Value> = words.split(',').map(Value::from).collect();
        arguments.extend([vector.into(), "DIALECT".into(), 2.into()]);
        let reply = self.client.custom(cmd!("FT.SEARCH"), arguments).await?;
        let distance = |hit: Hit| -> Outcome<(String, f64)> {
            let attributes = hit.attributes.into_map()?.inner();
            let distance = attributes.into_values().next().ok_or("no distance")?;
            Ok((hit.id, distance.convert()?))
        };
        hits(reply)?.into_iter().map(distance).collect()
    }

    async fn messages(
        &self,
        channel: &str,
        count: usize,
        publish: impl FnOnce() + Send + 'static,
    ) -> Outcome<usize> {
        let mut builder = builder(&self.url)?;
        // What does not fit is lost.
        builder.with_performance_config(|config| config.broadcast_channel_capacity = count);
        let subscriber = builder.build_subscriber_client()?;
        subscriber.init().await?;
        let mut messages = subscriber.message_rx();
        subscriber.subscribe(channel).await?;
        let publisher = std::thread::spawn(publish);
        let mut received = 0;
        while received < count {
            messages.recv().await?;
            received += 1;
        }
        publisher.join().map_err(|_| "the publisher failed")?;
        subscriber.quit().await?;
        Ok(received)
    }
}

impl FromValue for Profile {
    fn from_value(value: Value) -> Result<Self, Error> {
        let mut profile = Profile::default();
        for (name, value) in value.into_map()?.inner() {
            match name.as_bytes() {
                b"id" => profile.id = value.convert()?,
                b"email" => profile.email = value.convert()?,
                b"first_name" => profile.first_name = value.convert()?,
                b"last_name" => profile.last_name = value.convert()?,
                b"country" => profile.country = value.convert()?,
                b"city" => profile.city = value.convert()?,
                b"street" => profile.street = value.convert()?,
                b"phone" => profile.phone = value.convert()?,
                b"company" => profile.company = value.convert()?,
                b"about" => profile.about = value.convert()?,
                b"age" => profile.age = value.convert()?,
                b"height" => profile.height = value.convert()?,
                b"logins" => profile.logins = value.convert()?,
                b"created" => profile.created = value.convert()?,
                b"updated" => profile.updated = value.convert()?,
                b"balance" => profile.balance = value.convert()?,
                b"score" => profile.score = value.convert()?,
                b"ratio" => profile.ratio = value.convert()?,
                b"level" => profile.level = value.convert()?,
                b"rank" => profile.rank = value.convert()?,
                _ => {}
            }
        }
        Ok(profile)
    }
}

/// One document found.
struct Hit {
    id: String,
    attributes: Value,
}

/// The documents of a search's reply.
fn hits(reply: Value) -> Outcome<Vec<Hit>> {
    let results = reply.into_map()?.inner().remove(&Key::from_static_str("results"));
    let hit = |result: Value| -> Outcome<Hit> {
        let mut hit = Hit { id: String::new(), attributes: Value::Null };
        for (name, value) in result.into_map()?.inner() {
            match name.as_bytes() {
                b"id" => hit.id = value.convert()?,
                b"extra_attributes" => hit.attributes = value,
                _ => {}
            }
        }
        Ok(hit)
    };
    results.ok_or("no results")?.into_array().into_iter().map(hit).collect()
}
