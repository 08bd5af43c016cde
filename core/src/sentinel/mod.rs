//! Following the sentinels' news: who is the primary from now on.

use std::sync::{Arc, Weak};

use crate::config::Address;
use crate::config::{Config, Sentinels};
use crate::connection::{Connector, Link};
use crate::pubsub::{Subscription, feed};

/// Starts a task that listens to all sentinels, for as long as the link lives.
pub(crate) fn watch(link: &Arc<Link>, config: &Config, sentinels: &Sentinels) {
    let task = follow(Arc::downgrade(link), config.clone(), sentinels.clone());
    link.end_with_it(&tokio::spawn(task).abort_handle());
}

async fn follow(link: Weak<Link>, config: Config, sentinels: Sentinels) {
    loop {
        // Also those that were not known when it began.
        let listened = sentinels.known();
        let mut news = listen(&config, &sentinels, &listened);
        while let Some(delivery) = news.next_message().await {
            let Some(link) = link.upgrade() else { return };
            if let Ok(message) = delivery
                && let Ok(text) = std::str::from_utf8(&message.payload)
                && let Some(primary) = elected(text, &sentinels.name)
            {
                link.leave_unless_at(&primary);
            }
            if sentinels.known().iter().any(|address| !listened.contains(address)) {
                break;
            }
        }
    }
}

fn listen(config: &Config, sentinels: &Sentinels, all: &[Address]) -> Subscription {
    let config = |address| config.of_sentinel(sentinels, address);
    feed(all.iter().map(config), &Connector::Endpoint, "+switch-master")
}

/// The new primary, where the news is about this name: `mymaster old-ip old-port new-ip new-port`.
fn elected(news: &str, name: &str) -> Option<Address> {
    let mut words = news.split(' ');
    let host = words.next().filter(|word| *word == name).and_then(|_| words.nth(2))?;
    let port = words.next()?.parse().ok()?;
    Some(Address { host: host.to_owned(), port })
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
    }
}
