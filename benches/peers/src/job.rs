//! The work of an asynchronous client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::clients::{Outcome, Peer};
use crate::contender::Laps;
use crate::data;
use crate::publish::publish;
use crate::workload::Workload;

/// One client and the work it does, ready to begin.
pub struct Job<P> {
    peer: P,
    workload: Workload,
    keys: Vec<String>,
    value: Bytes,
    profiles: Vec<data::Profile>,
    url: String,
}

impl<P: Peer> Job<P> {
    pub async fn new(url: &str, workload: Workload) -> Outcome<Job<P>> {
        let size = match workload {
            Workload::Get { size, .. }
            | Workload::Set { size }
            | Workload::Mixed { size, .. }
            | Workload::Blob { size }
            | Workload::SetBlob { size } => size,
            _ => 100,
        };
        let keys = match workload {
            Workload::Hash { .. } | Workload::Hashes { .. } => {
                (0..data::PROFILES).map(|n| format!("profile:{n:04}")).collect()
            }
            _ => (0..data::keys(size)).map(|n| data::key(size, n)).collect(),
        };
        let value = Bytes::from(data::value(size, 1));
        let count = if workload == Workload::Save { data::PROFILES } else { 0 };
        let profiles = (0..count).map(data::profile).collect();
        let (peer, url) = (P::connect(url).await?, url.to_owned());
        Ok(Job { peer, workload, keys, value, profiles, url })
    }

    fn key(&self, n: usize) -> &str {
        &self.keys[n % self.keys.len()]
    }

    /// Does the work once; `n` is the number of the call. Gives a number that depends on what came.
    pub async fn call(&self, n: usize) -> Outcome<usize> {
        let peer = &self.peer;
        Ok(match self.workload {
            Workload::Get { .. }
            | Workload::Set { .. }
            | Workload::Mixed { .. }
            | Workload::Encrypted { .. }
            | Workload::Beside { .. } => self.small(n).await?,
            Workload::Save => {
                peer.save(&self.profiles[n % self.profiles.len()]).await?;
                1
            }
            Workload::SetMany { count } => {
                peer.set_many(&self.keys[..count], &self.value).await?;
                count
            }
            Workload::GetMany { count } => peer.get_many(&self.keys[..count]).await?.len(),
            Workload::Hash { .. } => peer.hash(self.key(n)).await?.about.len(),
            Workload::Hashes { count } => peer.hashes(&self.keys[..count]).await?.len(),
            Workload::Blob { .. } => peer.blob(self.key(n)).await?.len(),
            Workload::SetBlob { .. } => {
                peer.set_blob(self.key(n), &self.value).await?;
                self.value.len()
            }
            Workload::List => peer.list().await?.len(),
            Workload::Scores => peer.scores().await?.len(),
            Workload::Json => peer.json("order:1").await?.lines.len(),
            Workload::Search => peer.search().await?.len(),
            Workload::Knn => peer.knn(&data::bytes(&data::vector(7))).await?.len(),
            Workload::Messages { count } => self.messages(count).await?,
            Workload::BlockingGet { .. }
            | Workload::BlockingHash
            | Workload::BlockingGetMany { .. }
            | Workload::Routed { .. } => {
                return Err("another kind of client's work".into());
            }
        })
    }

    /// One `GET` or `SET`: all that many tasks do. Its future has no room for the other workloads,
    /// which every start of a task would move about.
    async fn small(&self, n: usize) -> Outcome<usize> {
        let writes = match self.workload {
            Workload::Set { .. } => true,
            Workload::Mixed { .. } => !n.is_multiple_of(2),
            _ => false,
        };
        if writes {
            self.peer.set(self.key(n), &self.value).await?;
            return Ok(self.value.len());
        }
        Ok(self.peer.get(self.key(n)).await?.len())
    }

    /// Looks at what comes, once.
    pub async fn check(&self) -> Outcome<()> {
        let peer = &self.peer;
        let right = match self.workload {
            Workload::Hash { .. } => peer.hash("profile:0007").await? == data::profile(7),
            Workload::Hashes { count } => {
                let expected = (0..count).map(data::profile);
                peer.hashes(&self.keys[..count]).await?.into_iter().eq(expected)
            }
            Workload::Get { size, .. } => {
                peer.get(&self.keys[1]).await?.as_bytes() == data::value(size, 1)
            }
            Workload::Encrypted { .. } => {
                peer.get(&self.keys[1]).await?.as_bytes() == data::value(100, 1)
            }
            Workload::Blob { size } => peer.blob(&self.keys[1]).await? == data::value(size, 1),
            Workload::Save => {
                // Of an age that no search here finds.
                let model = data::Profile { id: "saved".to_owned(), ..data::profile(45) };
                peer.save(&model).await?;
                peer.hash("profile:saved").await? == model
            }
            Workload::List => {
                let list = peer.list().await?;
                list.len() == data::ELEMENTS && list[42] == "element number 00042"
            }
            Workload::Scores => {
                let scores = peer.scores().await?;
                scores.len() == data::ELEMENTS
                    && scores[42] == ("element number 00042".to_owned(), 63.0)
            }
            Workload::Json => peer.json("order:1").await? == data::order(1),
            Workload::Search => {
                let number = |found: &data::Profile| found.id.parse().unwrap_or(usize::MAX);
                let found = peer.search().await?;
                found.len() == 100
                    && found.iter().all(|one| *one == data::profile(number(one)))
                    && found.iter().all(|one| (20..60).contains(&one.age))
            }
            Workload::Knn => {
                let found = peer.knn(&data::bytes(&data::vector(7))).await?;
                found.len() == 10 && found[0].1 == 0.0
            }
            Workload::GetMany { count } => {
                let found = peer.get_many(&self.keys[..count]).await?;
                found.len() == count && found.iter().all(|value| value.len() == self.value.len())
            }
            _ => self.call(0).await? > 0,
        };
        if right { Ok(()) } else { Err(format!("{} gives something else", P::NAME).into()) }
    }

    async fn messages(&self, count: usize) -> Outcome<usize> {
        let url = self.url.clone();
        let (failed, failure) = oneshot::channel();
        let publisher = move || {
            if let Err(error) = publish(&url, "news", count) {
                // Nobody listens when everything was received.
                let _ = failed.send(error.to_string());
            }
        };
        tokio::select! {
            received = self.peer.messages("news", count, publisher) => received,
            Ok(error) = failure => Err(error.into()),
        }
    }

    /// Calls `calls` times, one after the other.
    pub async fn one_after_the_other(
        &self,
        calls: usize,
        mut laps: Option<&mut Laps>,
    ) -> Outcome<()> {
        for call in 0..calls {
            std::hint::black_box(self.call(call).await?);
            if let Some(laps) = &mut laps {
                laps.lap();
            }
        }
        Ok(())
    }

    /// The same, while two others have their work done by the same client.
    pub async fn beside(self: &Arc<Self>, calls: usize, laps: Option<&mut Laps>) -> Outcome<()> {
        let done = Arc::new(AtomicBool::new(false));
        let other = |many: bool| {
            let (job, done) = (Arc::clone(self), Arc::clone(&done));
            tokio::spawn(async move {
                let large = data::key(1 << 20, 0);
                while !done.load(Ordering::Relaxed) {
                    std::hint::black_box(match many {
                        true => job.peer.get_many(&job.keys).await?.len(),
                        false => job.peer.blob(&large).await?.len(),
                    });
                }
                Outcome::Ok(())
            })
        };
        let others = [other(false), other(true)];
        let outcome = self.one_after_the_other(calls, laps).await;
        done.store(true, Ordering::Relaxed);
        for other in others {
            other.await??;
        }
        outcome
    }

    /// Calls `calls` times in all, in tasks that share the connection.
    pub async fn in_tasks(self: &Arc<Self>, calls: usize, tasks: usize) -> Outcome<()> {
        let each = (calls / tasks).max(1);
        let numbers = move |task: usize| (0..each).map(move |call| task * 7 + call);
        if let Workload::Hash { .. } = self.workload {
            return together(tasks, |task| {
                let job = Arc::clone(self);
                async move {
                    for n in numbers(task) {
                        std::hint::black_box(job.peer.hash(job.key(n)).await?.about.len());
                    }
                    Ok(())
                }
            })
            .await;
        }
        together(tasks, |task| {
            let job = Arc::clone(self);
            async move {
                for n in numbers(task) {
                    std::hint::black_box(job.small(n).await?);
                }
                Ok(())
            }
        })
        .await
    }
}

/// Waits for so many tasks, all at once.
async fn together<F>(tasks: usize, work: impl Fn(usize) -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(work(task))).collect();
    for task in running {
        task.await??;
    }
    Ok(())
}
