//! The servers that everybody works on, filled.

use alizarin_testkit::{Cluster, Server, Tls};

use crate::clients::Outcome;
use crate::clients::cluster::SIZE;
use crate::data;
use crate::workload::Workload;

/// A server that also speaks TLS, and three primaries where a workload needs them.
pub struct Ground {
    pub server: Server,
    cluster: Option<Cluster>,
}

impl Ground {
    pub fn prepare(workloads: &[(&str, Workload)]) -> Outcome<Ground> {
        let server = Server::builder().tls(&Tls::new()?)?.start()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(data::load(&server))?;
        let routed = workloads.iter().any(|(_, workload)| workload.is_routed());
        let cluster = if routed { Some(runtime.block_on(three_primaries())?) } else { None };
        Ok(Ground { server, cluster })
    }

    /// Every process that serves.
    pub fn servers(&self) -> Vec<&Server> {
        let cluster = self.cluster.iter();
        let nodes = cluster.flat_map(|cluster| (0..cluster.len()).map(|at| cluster.node(at)));
        [&self.server].into_iter().chain(nodes).collect()
    }

    /// Where a workload goes.
    pub fn url(&self, workload: Workload) -> Outcome<String> {
        if workload.is_routed() {
            return Ok(self.cluster.as_ref().ok_or("there is no cluster")?.node(0).url());
        }
        if !workload.is_encrypted() {
            return Ok(self.server.url());
        }
        let url = self.server.tls_url().ok_or("the server speaks no TLS")?;
        let folder = self.server.tls_folder().ok_or("the server speaks no TLS")?;
        Ok(format!("{url}?tls_ca_file={}", folder.join("ca.pem").display()))
    }
}

async fn three_primaries() -> Outcome<Cluster> {
    let cluster = Cluster::builder().primaries(3).start()?;
    let client = alizarin::Client::connect(cluster.url()).await?;
    for n in 0..data::keys(SIZE) {
        client.set(data::key(SIZE, n), data::value(SIZE, n)).await?;
    }
    Ok(cluster)
}
