//! The clients without a runtime: a call returns when the reply is there.

use ::redis::{Commands, Connection};

use super::{Outcome, redis};

/// One connection of one blocking client.
pub trait BlockingPeer: Sized {
    const NAME: &'static str;

    fn connect(url: &str) -> Outcome<Self>;
    fn get(&mut self, key: &str) -> Outcome<String>;
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
}

/// Alizarin.
pub struct Alizarin(alizarin::blocking::Client);

impl BlockingPeer for Alizarin {
    const NAME: &'static str = "alizarin";

    fn connect(url: &str) -> Outcome<Self> {
        Ok(Alizarin(alizarin::blocking::Client::connect(url)?))
    }

    fn get(&mut self, key: &str) -> Outcome<String> {
        use alizarin::blocking::Run;
        Ok(self.0.get(key).run()?)
    }
}
