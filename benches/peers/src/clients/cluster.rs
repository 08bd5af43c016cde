//! The clients on a cluster: each finds the node that a key is on.

use std::future::Future;
use std::sync::Arc;

use ::fred::prelude::*;
use ::redis::AsyncCommands;
use ::rustis::commands::StringCommands;
use tokio::runtime::{Builder, Runtime};

use super::Outcome;
use crate::contender::{Contender, Laps};
use crate::data;

/// The size of the values.
pub const SIZE: usize = 100;

/// A client of a cluster, at `host:port` of one of its nodes.
trait Routed: Clone + Send + Sync + 'static {
    const NAME: &'static str;

    fn connect(node: &str) -> impl Future<Output = Outcome<Self>> + Send;
    fn read(&self, key: &str) -> impl Future<Output = Outcome<String>> + Send;
}

/// The contender of that name.
pub fn contender(name: &str, url: &str, tasks: usize) -> Outcome<Option<Box<dyn Contender>>> {
    let node = url.rsplit('/').next().unwrap_or(url);
    Ok(match name {
        "alizarin" => Some(Box::new(Cluster::<alizarin::Client>::new(node, tasks)?)),
        "redis" => Some(Box::new(Cluster::<Redis>::new(node, tasks)?)),
        "fred" => Some(Box::new(Cluster::<::fred::prelude::Client>::new(node, tasks)?)),
        "rustis" => Some(Box::new(Cluster::<::rustis::client::Client>::new(node, tasks)?)),
        _ => None,
    })
}

impl Routed for alizarin::Client {
    const NAME: &'static str = "alizarin";

    async fn connect(node: &str) -> Outcome<Self> {
        Ok(alizarin::Client::connect(format!("redis+cluster://{node}").as_str()).await?)
    }

    async fn read(&self, key: &str) -> Outcome<String> {
        Ok(self.get(key).await?)
    }
}

#[derive(Clone)]
struct Redis(::redis::cluster_async::ClusterConnection);

impl Routed for Redis {
    const NAME: &'static str = "redis";

    async fn connect(node: &str) -> Outcome<Self> {
        let settings = ::redis::io::tcp::TcpSettings::default().set_nodelay(true);
        let client = ::redis::cluster::ClusterClient::builder([format!("redis://{node}")])
            .use_protocol(::redis::ProtocolVersion::RESP3)
            .response_timeout(std::time::Duration::from_secs(10))
            .tcp_settings(settings);
        Ok(Redis(client.build()?.get_async_connection().await?))
    }

    async fn read(&self, key: &str) -> Outcome<String> {
        Ok(self.0.clone().get(key).await?)
    }
}

impl Routed for ::fred::prelude::Client {
    const NAME: &'static str = "fred";

    async fn connect(node: &str) -> Outcome<Self> {
        let client = super::fred::builder(&format!("redis-cluster://{node}"))?.build()?;
        client.init().await?;
        Ok(client)
    }

    async fn read(&self, key: &str) -> Outcome<String> {
        Ok(KeysInterface::get(self, key).await?)
    }
}

impl Routed for ::rustis::client::Client {
    const NAME: &'static str = "rustis";

    async fn connect(node: &str) -> Outcome<Self> {
        let config = super::rustis::config(&format!("redis+cluster://{node}"))?;
        Ok(::rustis::client::Client::connect(config).await?)
    }

    async fn read(&self, key: &str) -> Outcome<String> {
        Ok(StringCommands::get(self, key).await?)
    }
}

struct Cluster<R> {
    runtime: Runtime,
    client: R,
    keys: Arc<Vec<String>>,
    tasks: usize,
}

impl<R: Routed> Cluster<R> {
    fn new(node: &str, tasks: usize) -> Outcome<Cluster<R>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(R::connect(node))?;
        let keys = (0..data::keys(SIZE)).map(|n| data::key(SIZE, n)).collect();
        Ok(Cluster { runtime, client, keys: Arc::new(keys), tasks })
    }
}

async fn read_all<R: Routed>(
    client: R,
    keys: Arc<Vec<String>>,
    calls: std::ops::Range<usize>,
    mut laps: Option<&mut Laps>,
) -> Outcome<()> {
    for call in calls {
        std::hint::black_box(client.read(&keys[call % keys.len()]).await?);
        if let Some(laps) = &mut laps {
            laps.lap();
        }
    }
    Ok(())
}

impl<R: Routed> Contender for Cluster<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn check(&mut self) -> Outcome<()> {
        for (n, key) in self.keys.iter().enumerate().take(20) {
            if self.runtime.block_on(self.client.read(key))?.as_bytes() != data::value(SIZE, n) {
                return Err(format!("{} gives something else", R::NAME).into());
            }
        }
        Ok(())
    }

    fn run(&mut self, calls: usize, laps: Option<&mut Laps>) -> Outcome<()> {
        let (client, keys, tasks) = (&self.client, &self.keys, self.tasks);
        self.runtime.block_on(async {
            if tasks == 1 {
                return read_all(client.clone(), Arc::clone(keys), 0..calls, laps).await;
            }
            let each = (calls / tasks).max(1);
            let begin = |task: usize| {
                let calls = task * 7..task * 7 + each;
                tokio::spawn(read_all(client.clone(), Arc::clone(keys), calls, None))
            };
            for task in (0..tasks).map(begin).collect::<Vec<_>>() {
                task.await??;
            }
            Ok(())
        })
    }
}
