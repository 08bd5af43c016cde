//! Following the sentinels' news: who is the primary from now on, and which replicas it has.

mod replicas;

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::config::Address;
use crate::config::{Config, Sentinels};
use crate::connection::{Connector, Link, look};
use crate::pubsub::{Subscription, feed};

pub(crate) use replicas::{Replicas, is_refused};

/// Where the sentinels tell of another primary.
const SWITCH: &str = "+switch-master";

/// Where the one that carries out an election tells that the new primary is one, and that the others
/// are to follow it. `SWITCH` comes once they do.
const PROMOTED: &str = "+failover-state-reconf-slaves";

/// Where they tell of replicas that come, go, and change sides.
const REPLICAS: [&str; 5] =
    ["+slave", "+sdown", "-sdown", "+convert-to-slave", "+slave-reconf-done"];

/// Nothing is to be asked again without news.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Starts a task that listens to all sentinels, for as long as the link lives.
pub(crate) fn watch(link: &Arc<Link>, config: &Config, sentinels: &Sentinels) {
    let task = follow(Arc::downgrade(link), config.clone(), sentinels.clone());
    link.end_with_it(&tokio::spawn(task).abort_handle());
}

async fn follow(link: Weak<Link>, config: Config, sentinels: Sentinels) {
    loop {
        // Also those that were not known when it began.
        let listened = sentinels.known();
        let replicas = link.upgrade().and_then(|link| link.replicas().cloned());
        let mut news = listen(&config, &sentinels, &listened, replicas.is_some());
        let mut elections = sentinels.elections();
        loop {
            let holds = replicas.as_ref().map_or(FOREVER, |replicas| replicas.holds());
            let news = tokio::time::timeout(holds, news.next_message());
            let heard = tokio::select! {
                heard = news => heard,
                () = elections.next() => {
                    let Some(link) = link.upgrade() else { return };
                    go_over(&link, &config, &sentinels);
                    continue;
                }
            };
            let Ok(delivery) = heard else {
                if let Some(replicas) = &replicas {
                    replicas.look().await;
                }
                continue;
            };
            let (Some(link), Some(delivery)) = (link.upgrade(), delivery) else { return };
            if let Some(replicas) = &replicas {
                replicas.heard();
            }
            if let Ok(message) = delivery {
                let text = std::str::from_utf8(&message.payload).unwrap_or_default();
                let primary = match message.channel.as_str() {
                    SWITCH => elected(text, &sentinels.name),
                    PROMOTED if is_about(text, &sentinels.name) => {
                        named(&config, &link, &sentinels).await
                    }
                    _ => None,
                };
                if let Some(primary) = primary {
                    sentinels.announce(&primary);
                    go_over(&link, &config, &sentinels);
                }
            }
            if sentinels.known().iter().any(|address| !listened.contains(address)) {
                break;
            }
        }
    }
}

/// Leaves what is not the primary as far as is known, with all that can be left.
fn go_over(link: &Arc<Link>, config: &Config, sentinels: &Sentinels) {
    let Some(primary) = sentinels.elected() else { return };
    link.leave_unless_at(&config.reach(&primary));
    if let Ok(pool) = link.pool() {
        pool.leave_deposed();
    }
}

/// Whom the sentinels name now.
async fn named(config: &Config, link: &Arc<Link>, sentinels: &Sentinels) -> Option<Address> {
    let words = look(config, &link.connector, sentinels, &mut Vec::new()).await;
    words.into_iter().next().map(|word| word.told.primary)
}

fn listen(config: &Config, sentinels: &Sentinels, all: &[Address], replicas: bool) -> Subscription {
    let config = |address| config.of_sentinel(sentinels, address);
    let mut channels = vec![SWITCH, PROMOTED];
    channels.extend(REPLICAS.iter().filter(|_| replicas));
    feed(all.iter().map(config), &Connector::Endpoint, &channels)
}

/// The new primary, where the news is about this name: `mymaster old-ip old-port new-ip new-port`.
fn elected(news: &str, name: &str) -> Option<Address> {
    let mut words = news.split(' ');
    let host = words.next().filter(|word| *word == name).and_then(|_| words.nth(2))?;
    let port = words.next()?.parse().ok()?;
    Some(Address { host: host.to_owned(), port })
}

/// Whether the news is about the primary of this name: `master mymaster ip port`.
fn is_about(news: &str, name: &str) -> bool {
    let mut words = news.split(' ');
    words.next() == Some("master") && words.next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_of_other_names_are_not_ours() {
        let news = "mymaster 10.0.0.1 6379 10.0.0.2 6380";
        let primary = elected(news, "mymaster").unwrap();
        assert_eq!((primary.host.as_str(), primary.port), ("10.0.0.2", 6380));
        assert_eq!(elected(news, "other"), None);
        assert_eq!(elected("mymaster 1 2", "mymaster"), None);
        assert!(is_about("master mymaster 10.0.0.1 6379", "mymaster"));
        assert!(!is_about("master other 10.0.0.1 6379", "mymaster"));
    }
}
