//! The options of TCP sockets, looked at where they are: at this process's own ends of them.

use std::time::Duration;

use alizarin_core::ReadFrom;
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{Kind, Topology, until};

pub(crate) const ROWS: &[Row] = &[Row::new(
    &[
        "tcp.nodelay",
        "tcp.keepalive",
        "tcp.keepalive_interval",
        "tcp.keepalive_count",
        "tcp.user_timeout",
    ],
    how_sockets_behave,
)
.except(|kind| kind == Kind::UnixSocket, "a Unix socket has no packets, and no peer that is away")];

/// What is set of a socket.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    nodelay: bool,
    /// Idle time, interval and count.
    keepalive: Option<(Duration, Duration, u32)>,
    user_timeout: Option<Duration>,
}

/// What is set of this process's sockets to these ports, where the system lets us look at them.
#[cfg(not(target_os = "linux"))]
fn facts(_: &[u16]) -> Option<Vec<Facts>> {
    None
}

#[cfg(target_os = "linux")]
fn facts(ports: &[u16]) -> Option<Vec<Facts>> {
    use rustix::process::{
        ForeignRawFd, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open,
    };
    let ours = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd").unwrap().flatten() {
        let is_socket = std::fs::read_link(entry.path())
            .is_ok_and(|link| link.to_string_lossy().starts_with("socket:"));
        if !is_socket {
            continue;
        }
        let number: ForeignRawFd = entry.file_name().to_string_lossy().parse().unwrap();
        // Another thread may just have closed it.
        let Ok(copy) = pidfd_getfd(&ours, number, PidfdGetfdFlags::empty()) else { continue };
        let socket = socket2::SockRef::from(&copy);
        let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
        if peer.is_some_and(|peer| ports.contains(&peer.port())) {
            found.extend(of_socket(&socket).ok());
        }
    }
    Some(found)
}

#[cfg(target_os = "linux")]
fn of_socket(socket: &socket2::SockRef<'_>) -> std::io::Result<Facts> {
    let keepalive = match socket.keepalive()? {
        true => Some((
            socket.tcp_keepalive_time()?,
            socket.tcp_keepalive_interval()?,
            socket.tcp_keepalive_retries()?,
        )),
        false => None,
    };
    let user_timeout = socket.tcp_user_timeout()?.filter(|time| !time.is_zero());
    Ok(Facts { nodelay: socket.tcp_nodelay()?, keepalive, user_timeout })
}

fn how_sockets_behave(runtime: &Runtime, topology: &mut Topology) {
    let seconds = Duration::from_secs;
    let ports: Vec<u16> =
        topology.servers().into_iter().map(|server| topology.port(server)).collect();
    let without = Facts { nodelay: true, keepalive: None, user_timeout: None };
    let with = Facts {
        nodelay: false,
        keepalive: Some((seconds(77), seconds(7), 9)),
        user_timeout: Some(seconds(33)),
    };
    for wanted in [without, with] {
        let config = topology.config.clone().read_from(ReadFrom::Replica).connections(2);
        let config = config.nodelay(wanted.nodelay).user_timeout(wanted.user_timeout);
        let config = match wanted.keepalive {
            Some((idle, interval, count)) => {
                config.keepalive(idle).keepalive_interval(interval).keepalive_count(count)
            }
            None => config.keepalive(None),
        };
        for client in clients(runtime, &config) {
            for n in 0..20 {
                run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
                let _: Option<u32> = run(runtime, &client, client.get(format!("key:{n}"))).unwrap();
            }
            let news = run(runtime, &client, client.subscribe(["news"])).unwrap();
            let own = run(runtime, &client, client.exclusive_for("key")).unwrap();
            let least = if client.is_blocking() { 2 } else { 4 };
            if let Some(found) = facts(&ports) {
                assert!(found.len() >= least, "{:?}: {found:?}", topology.kind);
                let right = found.iter().all(|one| *one == wanted);
                assert!(right, "{:?}, {:?}: {found:?}", topology.kind, client.is_blocking());
            }
            drop((news, own));
            run(runtime, &client, async {
                client.close().await;
                Ok(())
            })
            .unwrap();
            drop(client);
            until("all is closed", || facts(&ports).is_none_or(|found| found.is_empty()));
        }
    }
}
