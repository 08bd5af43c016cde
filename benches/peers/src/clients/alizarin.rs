//! Alizarin.

use alizarin::FromReply;
use alizarin::command::each;
use alizarin::commands;
use alizarin::prelude::*;
use alizarin::resp::{Frame, Reader};
use bytes::Bytes;

use super::{Outcome, Peer};
use crate::data::{Order, Profile};

#[derive(Clone)]
pub struct Alizarin {
    client: Client,
    profiles: Repository<Profile>,
    url: String,
}

impl Peer for Alizarin {
    const NAME: &'static str = "alizarin";

    async fn connect(url: &str) -> Outcome<Self> {
        let client = Client::connect(url).await?;
        let profiles = client.repository();
        Ok(Alizarin { client, profiles, url: url.to_owned() })
    }

    async fn get(&self, key: &str) -> Outcome<String> {
        Ok(self.client.get(key).await?)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.client.set(key, value).await?;
        Ok(())
    }

    async fn set_many(&self, keys: &[String], value: &[u8]) -> Outcome<()> {
        let batch = each(keys.iter().map(|key| commands::set(key, value)));
        self.client.pipeline(batch).await?;
        Ok(())
    }

    async fn get_many(&self, keys: &[String]) -> Outcome<Vec<String>> {
        let batch = each(keys.iter().map(commands::get));
        Ok(self.client.pipeline(batch).await?)
    }

    async fn hash(&self, key: &str) -> Outcome<Profile> {
        let id = key.strip_prefix("profile:").unwrap_or(key).to_owned();
        Ok(self.profiles.get(&id).await?.ok_or("no such profile")?)
    }

    async fn save(&self, model: &Profile) -> Outcome<()> {
        self.profiles.save(model).await?;
        Ok(())
    }

    async fn hashes(&self, keys: &[String]) -> Outcome<Vec<Profile>> {
        let id = |key: &String| key.strip_prefix("profile:").unwrap_or(key).to_owned();
        let ids: Vec<String> = keys.iter().map(id).collect();
        let found = self.profiles.get_many(&ids).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn blob(&self, key: &str) -> Outcome<Bytes> {
        Ok(self.client.get(key).await?)
    }

    async fn set_blob(&self, key: &str, value: &Bytes) -> Outcome<()> {
        self.client.set(key, value).await?;
        Ok(())
    }

    async fn list(&self) -> Outcome<Vec<String>> {
        Ok(self.client.lrange("list", 0, -1).await?)
    }

    async fn scores(&self) -> Outcome<Vec<(String, f64)>> {
        let range = self.client.command("ZRANGE").key("scores").arg((0, -1, "WITHSCORES"));
        Ok(range.await?)
    }

    async fn json(&self, key: &str) -> Outcome<Order> {
        let json: String = self.client.command("JSON.GET").key(key).await?;
        Ok(serde_json::from_str(&json)?)
    }

    async fn search(&self) -> Outcome<Vec<Profile>> {
        Ok(self.profiles.find(|p| p.age.between(20, 59)).limit(100).all().await?)
    }

    async fn knn(&self, vector: &[u8]) -> Outcome<Vec<(String, f64)>> {
        let words = "vectors,*=>[KNN 10 @v $q AS d],RETURN,1,d,LIMIT,0,10,PARAMS,2,q";
        let search = self.client.command("FT.SEARCH").arg(words.split(',').collect::<Vec<_>>());
        let found: Found = search.arg(vector).arg(("DIALECT", 2)).await?;
        Ok(found.0)
    }

    async fn messages(
        &self,
        channel: &str,
        count: usize,
        publish: impl FnOnce() + Send + 'static,
    ) -> Outcome<usize> {
        let mut subscription =
            Client::connect(self.url.as_str()).await?.subscribe([channel]).await?;
        let publisher = std::thread::spawn(publish);
        let mut received = 0;
        while received < count {
            subscription.next().await.ok_or("the subscription ended")??;
            received += 1;
        }
        publisher.join().map_err(|_| "the publisher failed")?;
        Ok(received)
    }
}

/// The keys and distances of a search's reply under RESP3.
struct Found(Vec<(String, f64)>);

impl FromReply for Found {
    fn from_reply(reader: &mut Reader<'_>) -> alizarin::Result<Self> {
        let mut found = Vec::new();
        for _ in 0..len(reader)? {
            if String::from_reply(reader)? != "results" {
                reader.skip()?;
                continue;
            }
            for _ in 0..len(reader)? {
                let (mut id, mut distance) = (String::new(), 0.0);
                for _ in 0..len(reader)? {
                    match reader.next()? {
                        Frame::Bulk(b"id") | Frame::Simple("id") => {
                            id = String::from_reply(reader)?
                        }
                        Frame::Bulk(b"extra_attributes") | Frame::Simple("extra_attributes") => {
                            let pairs: Vec<(String, f64)> = Vec::from_reply(reader)?;
                            distance = pairs.first().map_or(0.0, |(_, distance)| *distance);
                        }
                        _ => reader.skip()?,
                    }
                }
                found.push((id, distance));
            }
        }
        Ok(Found(found))
    }
}

/// The number of pairs or elements that follow.
fn len(reader: &mut Reader<'_>) -> alizarin::Result<usize> {
    match reader.next()? {
        Frame::Map(n) | Frame::Array(n) => Ok(n),
        frame => Err(Error::new(ErrorKind::Decode, format!("not a search: {}", frame.describe()))),
    }
}
