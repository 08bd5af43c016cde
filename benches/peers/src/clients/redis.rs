//! redis-rs: `MultiplexedConnection`, RESP3.

use std::time::Duration;

use ::redis as driver;
use bytes::Bytes;
use driver::aio::MultiplexedConnection;
use driver::io::tcp::TcpSettings;
use driver::{
    AsyncCommands, AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, IntoConnectionInfo,
    ParsingError, RedisError, TlsCertificates, Value, from_redis_value,
};
use futures_util::StreamExt;

use super::{Outcome, Peer, secure};
use crate::data::{Order, Profile, fields as fields_of};

#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: MultiplexedConnection,
}

/// A client for `url`, with RESP3 and NODELAY, which are not its defaults.
pub fn client(url: &str) -> Outcome<Client> {
    let (url, authority) = secure::apart(url);
    let info = format!("{url}?protocol=resp3").into_connection_info()?;
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let Some(authority) = authority else { return Ok(Client::open(info)?) };
    let root_cert = Some(std::fs::read(authority)?);
    Ok(Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })?)
}

impl Peer for Redis {
    const NAME: &'static str = "redis";

    async fn connect(url: &str) -> Outcome<Self> {
        let client = client(url)?;
        // Of its 500 ms a stall of this machine could make an error.
        let patience = Some(Duration::from_secs(10));
        let config = AsyncConnectionConfig::new().set_response_timeout(patience);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Redis { client, connection })
    }

    async fn get(&self, key: &str) -> Outcome<String> {
        Ok(self.connection.clone().get(key).await?)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Outcome<()> {
        Ok(self.connection.clone().set(key, value).await?)
    }

    async fn set_many(&self, keys: &[String], value: &[u8]) -> Outcome<()> {
        let mut pipeline = driver::pipe();
        for key in keys {
            pipeline.set(key, value).ignore();
        }
        Ok(pipeline.exec_async(&mut self.connection.clone()).await?)
    }

    async fn get_many(&self, keys: &[String]) -> Outcome<Vec<String>> {
        let mut pipeline = driver::pipe();
        for key in keys {
            pipeline.get(key);
        }
        Ok(pipeline.query_async(&mut self.connection.clone()).await?)
    }

    async fn hash(&self, key: &str) -> Outcome<Profile> {
        Ok(self.connection.clone().hgetall(key).await?)
    }

    async fn save(&self, model: &Profile) -> Outcome<()> {
        let key = format!("profile:{}", model.id);
        Ok(self.connection.clone().hset_multiple(key, &fields_of(model)).await?)
    }

    async fn hashes(&self, keys: &[String]) -> Outcome<Vec<Profile>> {
        let mut pipeline = driver::pipe();
        for key in keys {
            pipeline.hgetall(key);
        }
        Ok(pipeline.query_async(&mut self.connection.clone()).await?)
    }

    async fn blob(&self, key: &str) -> Outcome<Bytes> {
        Ok(self.connection.clone().get(key).await?)
    }

    async fn set_blob(&self, key: &str, value: &Bytes) -> Outcome<()> {
        Ok(self.connection.clone().set(key, &value[..]).await?)
    }

    async fn list(&self) -> Outcome<Vec<String>> {
        Ok(self.connection.clone().lrange("list", 0, -1).await?)
    }

    async fn scores(&self) -> Outcome<Vec<(String, f64)>> {
        Ok(self.connection.clone().zrange_withscores("scores", 0, -1).await?)
    }

    async fn json(&self, key: &str) -> Outcome<Order> {
        let mut connection = self.connection.clone();
        let json: String = driver::cmd("JSON.GET").arg(key).query_async(&mut connection).await?;
        Ok(serde_json::from_str(&json)?)
    }

    async fn search(&self) -> Outcome<Vec<Profile>> {
        let mut search = driver::cmd("FT.SEARCH");
        search.arg("profiles").arg("@age:[20 59]").arg("LIMIT").arg(0).arg(100);
        search.arg("DIALECT").arg(2);
        let reply = search.query_async(&mut self.connection.clone()).await?;
        hits(reply)?.into_iter().map(|hit| Ok(from_redis_value(hit.attributes)?)).collect()
    }

    async fn knn(&self, vector: &[u8]) -> Outcome<Vec<(String, f64)>> {
        let mut search = driver::cmd("FT.SEARCH");
        search.arg("vectors").arg("*=>[KNN 10 @v $q AS d]").arg("RETURN").arg(1).arg("d");
        search.arg("LIMIT").arg(0).arg(10).arg("PARAMS").arg(2).arg("q").arg(vector);
        search.arg("DIALECT").arg(2);
        let reply = search.query_async(&mut self.connection.clone()).await?;
        let distance = |hit: Hit| -> Outcome<(String, f64)> {
            let (_, distance) = fields(hit.attributes)?.next().ok_or("no distance")?;
            Ok((hit.id, from_redis_value(distance)?))
        };
        hits(reply)?.into_iter().map(distance).collect()
    }

    async fn messages(
        &self,
        channel: &str,
        count: usize,
        publish: impl FnOnce() + Send + 'static,
    ) -> Outcome<usize> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        let mut messages = subscription.into_on_message();
        let publisher = std::thread::spawn(publish);
        let mut received = 0;
        while received < count {
            messages.next().await.ok_or("the subscription ended")?;
            received += 1;
        }
        publisher.join().map_err(|_| "the publisher failed")?;
        Ok(received)
    }
}

impl FromRedisValue for Profile {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut profile = Profile::default();
        for (name, value) in fields(value)? {
            let Value::BulkString(name) = name else { continue };
            match name.as_slice() {
                b"id" => profile.id = from_redis_value(value)?,
                b"email" => profile.email = from_redis_value(value)?,
                b"first_name" => profile.first_name = from_redis_value(value)?,
                b"last_name" => profile.last_name = from_redis_value(value)?,
                b"country" => profile.country = from_redis_value(value)?,
                b"city" => profile.city = from_redis_value(value)?,
                b"street" => profile.street = from_redis_value(value)?,
                b"phone" => profile.phone = from_redis_value(value)?,
                b"company" => profile.company = from_redis_value(value)?,
                b"about" => profile.about = from_redis_value(value)?,
                b"age" => profile.age = from_redis_value(value)?,
                b"height" => profile.height = from_redis_value(value)?,
                b"logins" => profile.logins = from_redis_value(value)?,
                b"created" => profile.created = from_redis_value(value)?,
                b"updated" => profile.updated = from_redis_value(value)?,
                b"balance" => profile.balance = from_redis_value(value)?,
                b"score" => profile.score = from_redis_value(value)?,
                b"ratio" => profile.ratio = from_redis_value(value)?,
                b"level" => profile.level = from_redis_value(value)?,
                b"rank" => profile.rank = from_redis_value(value)?,
                _ => {}
            }
        }
        Ok(profile)
    }
}

fn fields(value: Value) -> Result<impl Iterator<Item = (Value, Value)>, ParsingError> {
    value.into_map_iter().map_err(|_| ParsingError::from("not a map"))
}

/// One document found.
struct Hit {
    id: String,
    attributes: Value,
}

/// The documents of a search's reply.
fn hits(reply: Value) -> Outcome<Vec<Hit>> {
    let results = named(reply, b"results")?.ok_or_else(strange)?;
    let hit = |result: Value| -> Outcome<Hit> {
        let mut hit = Hit { id: String::new(), attributes: Value::Nil };
        for (name, value) in fields(result)? {
            match text(&name) {
                b"id" => hit.id = from_redis_value(value)?,
                b"extra_attributes" => hit.attributes = value,
                _ => {}
            }
        }
        Ok(hit)
    };
    results.into_sequence().map_err(|_| strange())?.into_iter().map(hit).collect()
}

fn named(map: Value, wanted: &[u8]) -> Outcome<Option<Value>> {
    Ok(fields(map)?.find(|(name, _)| text(name) == wanted).map(|(_, value)| value))
}

fn text(name: &Value) -> &[u8] {
    match name {
        Value::BulkString(name) => name,
        Value::SimpleString(name) => name.as_bytes(),
        _ => b"",
    }
}

fn strange() -> RedisError {
    RedisError::from((ErrorKind::UnexpectedReturnType, "not the reply of a search"))
}
