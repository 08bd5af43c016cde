//! What concerns deployments under Redis Sentinel alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Config, Endpoint};
use crate::config::Address;
use crate::secret::Secret;

/// The sentinels, and the primary that they are asked for. Clones share what was learned.
#[derive(Debug, Clone)]
pub(crate) struct Sentinels {
    /// The primary's name.
    pub(crate) name: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// How many other sentinels one must know of for its word to count.
    pub(crate) others: u32,
    seeds: Arc<[Address]>,
    known: Arc<Mutex<Known>>,
    elected: Arc<watch::Sender<Elected>>,
}

/// So long after a primary was elected, a server that says it is one by the word of sentinels that
/// know of no later election is thought to be the one before, which has not heard of it.
const DISPUTED: Duration = Duration::from_secs(10);

/// Who is the primary, as far as this client has heard by any of its connections.
#[derive(Debug, Default)]
struct Elected {
    primary: Option<Address>,
    /// How many elections those had seen whose word was confirmed by the server last.
    epoch: u64,
    since: Option<Instant>,
}

/// What was learned.
#[derive(Debug)]
struct Known {
    /// All sentinels, the one that answered last first.
    sentinels: Vec<Address>,
    told: Option<Told>,
}

/// The servers, by the word of the sentinel that has seen the latest election.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) primary: Address,
    /// Those that are in order.
    pub(crate) replicas: Vec<Address>,
    /// Whether all that are known are so.
    pub(crate) settled: bool,
}

impl PartialEq for Sentinels {
    fn eq(&self, other: &Sentinels) -> bool {
        self.name == other.name && self.seeds == other.seeds
    }
}

impl Eq for Sentinels {}

impl Sentinels {
    pub(crate) fn new(name: String, seeds: Vec<Address>) -> Sentinels {
        let known = Arc::new(Mutex::new(Known { sentinels: seeds.clone(), told: None }));
        let elected = Arc::new(watch::Sender::default());
        let (user, password) = (None, None);
        Sentinels { name, user, password, others: 0, seeds: seeds.into(), known, elected }
    }

    /// A sentinel has announced that this is the primary from now on.
    pub(crate) fn announce(&self, primary: &Address) {
        self.elected.send_modify(|elected| elected.go_to(primary));
    }

    /// This server has said that it is the primary, and was named so by a sentinel that has seen so
    /// many elections.
    pub(crate) fn confirm(&self, primary: &Address, epoch: u64) {
        self.elected.send_if_modified(|elected| {
            let stale = elected.since.is_some_and(|since| since.elapsed() < DISPUTED);
            if epoch <= elected.epoch && stale {
                return false;
            }
            let news = epoch > elected.epoch || elected.primary.as_ref() != Some(primary);
            elected.epoch = epoch;
            elected.go_to(primary);
            news
        });
    }

    /// Who is the primary, as far as is known.
    pub(crate) fn elected(&self) -> Option<Address> {
        self.elected.borrow().primary.clone()
    }

    /// Tells of each announcement, and of each election that was confirmed.
    pub(crate) fn elections(&self) -> Elections {
        Elections(self.elected.subscribe())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to ask, in this order.
    pub(crate) fn known(&self) -> Vec<Address> {
        self.lock().sentinels.clone()
    }

    /// Which servers there are, once a sentinel has told.
    pub(crate) fn told(&self) -> Option<Told> {
        self.lock().told.clone()
    }

    /// Takes note of the servers.
    pub(crate) fn note(&self, told: Told) {
        self.lock().told = Some(told);
    }

    /// Whom the configuration names.
    pub(crate) fn seeds(&self) -> &[Address] {
        &self.seeds
    }

    /// This one answered, and named others. The seeds are never forgotten.
    pub(crate) fn learn(&self, answered: &Address, others: Vec<Address>) {
        let known = &mut self.lock().sentinels;
        known.retain(|address| address != answered);
        known.insert(0, answered.clone());
        for other in others {
            // No deployment has more; a liar may name any number.
            if !known.contains(&other) && known.len() < 64 {
                known.push(other);
            }
        }
    }
}

impl Elected {
    fn go_to(&mut self, primary: &Address) {
        if self.primary.as_ref() != Some(primary) {
            self.primary = Some(primary.clone());
            self.since = Some(Instant::now());
        }
    }
}

/// What is heard of elections from now on.
pub(crate) struct Elections(watch::Receiver<Elected>);

impl Elections {
    /// Waits until there is something new; for ever where nobody is left to tell.
    ///
    /// # Cancel safety
    /// Nothing is missed.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Config {
    /// Sentinels, by host and port, and the name under which they know the primary: the client is
    /// always connected to the server that they name, and follows at once when they elect another
    /// one. Some of the sentinels are enough, the others are asked for.
    ///
    /// ```no_run
    /// # async fn example() -> alizarin_core::Result<()> {
    /// use alizarin_core::{Client, Config};
    ///
    /// let sentinels = [("10.0.0.1", 26379), ("10.0.0.2", 26379), ("10.0.0.3", 26379)];
    /// let client = Client::connect(Config::new().sentinels(sentinels, "mymaster")).await?;
    /// client.set("greeting", "hello").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// As a URL: `redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster`, with the database
    /// behind the name (`/mymaster/2`). Login, TLS and all other options are those of the servers.
    #[must_use]
    pub fn sentinels<H: Into<String>>(
        mut self,
        sentinels: impl IntoIterator<Item = (H, u16)>,
        name: impl Into<String>,
    ) -> Config {
        let address = |(host, port): (H, u16)| Address { host: host.into(), port };
        let seeds = sentinels.into_iter().map(address).collect();
        self.endpoint = Endpoint::Sentinel(Box::new(Sentinels::new(name.into(), seeds)));
        self
    }

    /// The sentinels' own password, with their user where they have users; none unless set. In a
    /// URL: `sentinel_user`, `sentinel_password`.
    #[must_use]
    pub fn sentinel_login(mut self, user: Option<&str>, password: impl Into<String>) -> Config {
        if let Endpoint::Sentinel(sentinels) = &mut self.endpoint {
            sentinels.user = user.map(str::to_owned);
            sentinels.password = Some(Secret::new(password));
        }
        self
    }

    /// How many other sentinels one must know of for its word to count; 0 unless set. In a URL:
    /// `min_other_sentinels`.
    #[must_use]
    pub fn min_other_sentinels(mut self, others: u32) -> Config {
        if let Endpoint::Sentinel(sentinels) = &mut self.endpoint {
            sentinels.others = others;
        }
        self
    }

    /// Whether another server may take the place of the present one.
    pub(crate) fn elects(&self) -> bool {
        matches!(self.endpoint, Endpoint::Sentinel(_))
    }

    /// Whether another server than this one is the primary, as far as is known.
    pub(crate) fn is_deposed(&self, server: &Endpoint) -> bool {
        let Endpoint::Sentinel(sentinels) = &self.endpoint else { return false };
        sentinels.elected().is_some_and(|primary| {
            let Address { host, port } = self.reach(&primary);
            *server != Endpoint::Tcp { host, port }
        })
    }

    /// What a connection to one of the sentinels needs.
    pub(crate) fn of_sentinel(&self, sentinels: &Sentinels, address: &Address) -> Config {
        let mut config = self.clone();
        config.endpoint = Endpoint::Tcp { host: address.host.clone(), port: address.port };
        config.user.clone_from(&sentinels.user);
        config.password.clone_from(&sentinels.password);
        config.credentials = None;
        config.database = 0;
        config.maintenance = false;
        config.readonly = false;
        // A dead one must not hold up the others' word.
        config.connect_timeout = self.connect_timeout.min(std::time::Duration::from_millis(500));
        config.response_timeout = config.connect_timeout;
        config
    }
}
