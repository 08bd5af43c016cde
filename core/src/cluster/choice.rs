//! Which of a primary and its replicas answers a command that only reads.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::node::Node;
use crate::config::ReadFrom;

/// How long a node may take to say how far away it is.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// Who reads; `turn` counts the choices.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the number of replicas is far from any limit, and a choice from 0 has no element before it"
)]
pub(crate) fn choose<'n>(
    primary: &'n Arc<Node>,
    replicas: &'n [Arc<Node>],
    from: &ReadFrom,
    turn: &AtomicUsize,
) -> &'n Arc<Node> {
    let turn = || turn.fetch_add(1, Ordering::Relaxed);
    let live = |node: &&Arc<Node>| node.is_up();
    let count = replicas.len();
    let pick = |offset: usize| {
        let at = (0..count).map(|step| (offset + step) % count.max(1));
        at.filter_map(|at| replicas.get(at)).find(live)
    };
    match from {
        ReadFrom::Primary => None,
        ReadFrom::Replica => pick(turn()),
        ReadFrom::Random => pick(chance(turn())),
        ReadFrom::Any => match turn() % (count + 1) {
            0 => None,
            at => pick(at - 1),
        },
        ReadFrom::Nearest => {
            let mut all = replicas.iter().filter(live).collect::<Vec<_>>();
            all.push(primary);
            all.into_iter().min_by_key(|node| node.latency())
        }
        ReadFrom::Zone(zone) => {
            let here = |node: &&Arc<Node>| node.zone().as_deref() == Some(zone) && node.is_up();
            let all = replicas.iter().chain([primary]);
            let here: Vec<_> = all.filter(here).collect();
            match here.len() {
                0 => pick(turn()),
                count => here.get(turn() % count).copied(),
            }
        }
    }
    .unwrap_or(primary)
}

/// A number that nobody foresees, another one for each turn.
fn chance(turn: usize) -> usize {
    // What the top bits are cut off by is chance as well.
    #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
    let chance = RandomState::new().hash_one(turn) as usize;
    // The offset has a count added to it.
    chance >> 1
}

/// Learns how far away the nodes are, where reads are routed by that.
pub(crate) async fn measure(nodes: &[Arc<Node>], from: &ReadFrom) {
    let ask = match from {
        ReadFrom::Nearest => Bytes::from_static(b"*1\r\n$4\r\nPING\r\n"),
        ReadFrom::Zone(_) => Bytes::from_static(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"),
        _ => return,
    };
    for node in nodes {
        let exchange = node.exchange(ask.clone().into(), 1);
        if let Ok(Ok(reply)) = tokio::time::timeout(PATIENCE, exchange).await
            && let ReadFrom::Zone(_) = from
        {
            let text = String::from_utf8_lossy(reply.as_bytes()).into_owned();
            let zone = text.lines().find_map(|line| line.strip_prefix("availability_zone:"));
            node.set_zone(zone.map(|zone| zone.trim().to_owned()));
        }
    }
}
