//! The clients without a runtime: a call returns when the reply is there.

use ::redis::{Commands, Connection};
use alizarin::blocking::Run;
use alizarin::command::each;
use alizarin::commands;
use alizarin::prelude::{Repositories, Repository};

use super::{Outcome, redis};
use crate::data::Profile;

/// One connection of one blocking client.
pub trait BlockingPeer: Sized {
    const NAME: &'static str;

    fn connect(url: &str) -> Outcome<Self>;
    fn get(&mut self, key: &str) -> Outcome<String>;
    fn hash(&mut self, key: &str) -> Outcome<Profile>;
    fn get_many(&mut self, keys: &[String]) -> Outcome<Vec<String>>;
}

/// redis-rs: `Connection`, RESP3.
pub struct Redis(Connection);

impl BlockingPeer for Redis {
    const NAME: &'static str = "redis";

    fn connect(url: &str) -> Outcome<Self> {
        Ok(Redis(redis::client(url)?.get_connection()?))
    }

    fn get(&mut self, key: &str) -> Outcome<String> {
        Ok(self.0.get(key)?)
    }

    fn hash(&mut self, key: &str) -> Outcome<Profile> {
        Ok(self.0.hgetall(key)?)
    }

    fn get_many(&mut self, keys: &[String]) -> Outcome<Vec<String>> {
        let mut pipeline = ::redis::pipe();
        for key in keys {
            pipeline.get(key);
        }
        Ok(pipeline.query(&mut self.0)?)
    }
}

/// Alizarin.
pub struct Alizarin {
    client: alizarin::blocking::Client,
    profiles: Repository<Profile>,
}

impl BlockingPeer for Alizarin {
    const NAME: &'static str = "alizarin";

    fn connect(url: &str) -> Outcome<Self> {
        let client = alizarin::blocking::Client::connect(url)?;
        let profiles = client.repository();
        Ok(Alizarin { client, profiles })
    }

    fn get(&mut self, key: &str) -> Outcome<String> {
        Ok(self.client.get(key).run()?)
    }

    fn hash(&mut self, key: &str) -> Outcome<Profile> {
        let id = key.strip_prefix("profile:").unwrap_or(key).to_owned();
        Ok(self.profiles.get(&id).run()?.ok_or("no such profile")?)
    }

    fn get_many(&mut self, keys: &[String]) -> Outcome<Vec<String>> {
        Ok(self.client.pipeline(each(keys.iter().map(commands::get))).run()?)
    }
}
