//! Runs a plan: sends every part to its node, follows redirections, and tries again what
//! certainly did not run.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Cluster;
use super::node::{Node, ToNode};
use super::plan::{Part, Plan, To};
use super::redirect::{self, Verdict};
use crate::config::ReadFrom;
use crate::connection::{Pauses, Reply};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::pool::LEAST;
use crate::resp::{Parcel, Pieces, Reader};

/// `ASKING`, in wire form.
const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

/// The pause before what waits for the cluster is sent again; it doubles up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How a part stands.
#[derive(Default)]
struct Progress {
    redirects: u32,
    /// Where to send it once, after `ASKING`.
    ask: Option<Arc<Node>>,
    /// Where to send it, by a node that knows better than the map.
    moved: Option<Arc<Node>>,
    /// A replica did not answer: the primary shall.
    at_primary: bool,
    /// How often its answer was lost.
    lost: u32,
}

/// What a round has shown.
#[derive(Default)]
struct Round {
    /// Parts that are to be sent again, and why.
    last: Option<Error>,
    /// Whether the map is to be made anew first.
    renew: bool,
    /// Whether time is to pass first.
    wait: bool,
    /// Whether nobody can be reached who serves a part.
    unserved: bool,
    /// What cannot be tried again.
    failed: Option<Error>,
}

impl Cluster {
    /// Runs a plan to its end.
    ///
    /// # Errors
    /// The last reason when there is no answer in time, or more redirections than allowed;
    /// what was lost on the way and may not be repeated.
    pub(super) async fn run_plan(self: &Arc<Cluster>, mut plan: Plan) -> Result<Reply> {
        // Too far away to be an instant is without end.
        let left = self.config.total_timeout.saturating_sub(plan.spent);
        let mut deadline = Instant::now().checked_add(left);
        // Why it is sent again.
        let mut reason: Option<Error> = None;
        let mut attempts = plan.lost;
        let mut progress: Vec<Progress> = Vec::new();
        let lost = plan.lost;
        progress.resize_with(plan.parts.len(), || Progress { lost, ..Progress::default() });
        let mut pause = PAUSES.0;
        // Between attempts to connect, by a client that does so itself.
        let mut pauses = None;
        self.refresh_here().await;
        loop {
            let epoch = self.epoch();
            attempts = attempts.saturating_add(1);
            let mut round = Round::default();
            let groups = self.group(&plan.parts, &progress, &mut round);
            // The first time it takes what one attempt may take.
            let left = deadline.filter(|_| reason.is_some());
            let left = left.map(|end| end.saturating_duration_since(Instant::now()).max(LEAST));
            let outcomes = match (plan.waits, groups.as_slice()) {
                (true, [only]) => {
                    let since = Instant::now();
                    let outcome = self.send_apart(only, &plan.parts, &progress, left).await;
                    if outcome.is_ok() {
                        // For as long as the server lets it wait it has no limit.
                        deadline = deadline.and_then(|end| end.checked_add(since.elapsed()));
                    }
                    vec![outcome]
                }
                _ => {
                    let sent = groups.iter().map(|group| self.send(group, &plan.parts, &progress));
                    let sent = sent.map(|exchange| exchange.within(left)).collect();
                    let Some(outcomes) = self.within(left, together(sent)).await else {
                        // What they would have said is not known; why they were asked again is.
                        let reason = reason.unwrap_or_else(|| self.uncovered());
                        return Err(reason.with_sent(Sent::Unknown).after(attempts));
                    };
                    outcomes
                }
            };
            for (group, outcome) in groups.into_iter().zip(outcomes) {
                self.settle(&group, outcome, &mut plan.parts, &mut progress, &mut round);
            }
            if let Some(error) = round.failed {
                return Err(honest(error, &plan, &progress));
            }
            let Some(last) = round.last else {
                if plan.ends_a_scan(&self.map.load()) {
                    // Whoever has taken slots over meanwhile is to be looked at yet.
                    self.look_again().await;
                }
                return Ok(Reply::Shared(plan.finish(&self.map.load())?));
            };
            let hopeless = round.unserved && self.config.fail_fast;
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if hopeless || late || self.is_over() {
                let last = match reason {
                    // A blocking client's time was over in the midst of it.
                    Some(reason) if late && last.kind() == ErrorKind::Timeout => {
                        reason.with_sent(last.sent())
                    }
                    _ => last,
                };
                let last = honest(last, &plan, &progress);
                return Err(if attempts > 1 { last.after(attempts) } else { last });
            }
            reason = Some(last);
            if round.unserved && self.is_blocking() {
                // Nobody else tries to connect meanwhile.
                let pauses = pauses.get_or_insert_with(|| Pauses::new(self.config.backoff));
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                self.renew(epoch, pauses.next().min(left.unwrap_or(Duration::MAX))).await;
            } else if round.renew {
                self.renew(epoch, pause).await;
            } else if round.wait {
                self.pause(pause).await;
            }
            plan.go_on(&self.map.load());
            pause = pause.saturating_mul(2).min(PAUSES.1);
        }
    }

    /// Which parts go where.
    fn group(&self, parts: &[Part], progress: &[Progress], round: &mut Round) -> Vec<Group> {
        let map = self.map.load();
        let mut groups: Vec<Group> = Vec::new();
        for (at, (part, progress)) in parts.iter().zip(progress).enumerate() {
            if part.reply.is_some() {
                continue;
            }
            let node = match (&progress.ask, &progress.moved, &part.to) {
                (Some(node), _, _) | (None, Some(node), _) => Some(node),
                (None, None, To::Node(node)) => Some(node),
                (None, None, To::Any) => map.any(),
                (None, None, To::Slot(slot)) if part.reads && !progress.at_primary => {
                    map.reader(*slot, &self.config.read_from)
                }
                (None, None, To::Slot(slot)) => map.primary(*slot),
            };
            let Some(node) = node else {
                round.last = Some(self.uncovered());
                round.unserved = true;
                round.renew = true;
                continue;
            };
            match groups.iter_mut().find(|group| Arc::ptr_eq(&group.node, node)) {
                Some(group) => group.parts.push(at),
                None => groups.push(Group { node: Arc::clone(node), parts: vec![at] }),
            }
        }
        groups
    }

    fn send(&self, group: &Group, parts: &[Part], progress: &[Progress]) -> ToNode {
        let (bytes, frames) = bytes_for(group, parts, progress);
        group.node.exchange(bytes, frames)
    }

    /// Sends what may wait on the server, on a connection of its own.
    async fn send_apart(
        &self,
        group: &Group,
        parts: &[Part],
        progress: &[Progress],
        left: Option<Duration>,
    ) -> Result<Reply> {
        let (bytes, frames) = bytes_for(group, parts, progress);
        group.node.apart(&bytes, frames, left).await
    }

    /// Takes the outcome of what one node was sent.
    fn settle(
        self: &Arc<Cluster>,
        group: &Group,
        outcome: Result<Reply>,
        parts: &mut [Part],
        progress: &mut [Progress],
        round: &mut Round,
    ) {
        let mut reply = match outcome {
            Ok(reply) => reply.into_bytes(),
            Err(error) => return self.lost(group, error, parts, progress, round),
        };
        for at in &group.parts {
            let (Some(part), Some(progress)) = (parts.get_mut(*at), progress.get_mut(*at)) else {
                continue;
            };
            if progress.ask.take().is_some() {
                // The OK to ASKING.
                let _ = cut(&mut reply, 1);
            }
            let own = match cut(&mut reply, part.frames) {
                Ok(own) => own,
                Err(error) => {
                    round.failed = Some(error.with_sent(Sent::Yes));
                    return;
                }
            };
            let (verdict, line) = verdict(&own, part.frames);
            if verdict == Verdict::Answer {
                part.reply = Some(own);
                continue;
            }
            self.redirected(&group.node, verdict, &line, part, progress, round);
        }
    }

    /// Notes what a part's reply asks for.
    fn redirected(
        self: &Arc<Cluster>,
        node: &Arc<Node>,
        verdict: Verdict,
        line: &Bytes,
        part: &mut Part,
        progress: &mut Progress,
        round: &mut Round,
    ) {
        let error = redirect::error(line);
        match verdict {
            Verdict::Answer => {}
            Verdict::Wait | Verdict::Stale => {
                progress.moved = None;
                progress.at_primary = true;
                round.wait = true;
                round.renew |= verdict == Verdict::Stale;
            }
            Verdict::Moved { to, .. } | Verdict::Ask { to }
                if progress.redirects >= self.config.max_redirects =>
            {
                let most = self.config.max_redirects;
                let last = to.map_or_else(String::new, |to| format!(", the last to {to}"));
                let text = format!("{} (after {most} redirections{last})", error.message());
                round.failed.get_or_insert(Error::new(error.kind(), text).with_sent(Sent::Yes));
                return;
            }
            Verdict::Moved { slot, to } => {
                progress.redirects = progress.redirects.saturating_add(1);
                round.wait |= progress.redirects > 1;
                let known = to.as_ref().map(|to| self.resolve(to, node));
                let moved = known.filter(|to| *to != node.address);
                if let Some(address) = &moved {
                    progress.at_primary = true;
                    if self.map.load().move_slot(slot, address) {
                        progress.moved = None;
                    } else {
                        progress.moved = Some(self.node(address));
                    }
                } else {
                    // The node points at itself: it is about to know better.
                    round.wait = true;
                }
                if let To::Node(_) | To::Any = part.to {
                    progress.moved = moved.map(|address| self.node(&address));
                }
                self.demand();
            }
            Verdict::Ask { to } => {
                progress.redirects = progress.redirects.saturating_add(1);
                match to {
                    Some(to) => progress.ask = Some(self.node(&self.resolve(&to, node))),
                    None => round.wait = true,
                }
            }
        }
        round.last = Some(error);
    }

    /// What a node was sent got no answer.
    fn lost(
        self: &Arc<Cluster>,
        group: &Group,
        error: Error,
        parts: &[Part],
        progress: &mut [Progress],
        round: &mut Round,
    ) {
        self.demand();
        let members =
            || group.parts.iter().filter_map(|at| Some((parts.get(*at)?, progress.get(*at)?)));
        let unsent = error.sent() == Sent::No;
        let lost = matches!(
            error.kind(),
            ErrorKind::Disconnected | ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Closed
        );
        let may = |(part, progress): (&Part, &Progress)| {
            part.repeatable && progress.lost < self.config.retries
        };
        if !lost || !(unsent || members().all(may)) {
            round.failed = Some(error);
            return;
        }
        // A replica has a primary, and what the map has lost has an heir.
        round.unserved |= unsent
            && error.kind() != ErrorKind::Closed
            && members().any(|(part, progress)| !part.reads || progress.at_primary);
        for at in &group.parts {
            if let Some(progress) = progress.get_mut(*at) {
                progress.lost = progress.lost.saturating_add(u32::from(!unsent));
                progress.ask = None;
                progress.moved = None;
                progress.at_primary = true;
            }
        }
        round.renew = true;
        round.last = Some(match error.kind() {
            // Its connection ended when the map went on without it.
            ErrorKind::Closed => gone(&group.node),
            _ => error,
        });
    }

    fn uncovered(&self) -> Error {
        let text = "no node of the cluster serves the key's slot";
        Error::new(ErrorKind::Connect, text)
    }

    /// Whether a command that only reads goes to its primary all the same.
    pub(super) fn reads_at_primaries(&self) -> bool {
        matches!(self.config.read_from, ReadFrom::Primary)
    }
}

/// The error at the end: of what was taken apart a part was executed, or what was lost before may have
/// been.
fn honest(error: Error, plan: &Plan, progress: &[Progress]) -> Error {
    let begun = plan.parts.iter().any(|part| part.reply.is_some());
    let lost = progress.iter().any(|progress| progress.lost > 0);
    if begun || lost { error.with_sent(Sent::Unknown) } else { error }
}

/// Parts for one node.
struct Group {
    node: Arc<Node>,
    parts: Vec<usize>,
}

/// What one node is sent in one piece, and how many frames answer it.
fn bytes_for(group: &Group, parts: &[Part], progress: &[Progress]) -> (Parcel, u32) {
    let members =
        || group.parts.iter().filter_map(|at| Some((parts.get(*at)?, progress.get(*at)?)));
    if let [only] = *group.parts
        && let (Some(part), Some(Progress { ask: None, .. })) =
            (parts.get(only), progress.get(only))
    {
        return (part.bytes.clone(), part.frames);
    }
    let mut bytes = Pieces::default();
    let mut frames = 0_u32;
    for (part, progress) in members() {
        if progress.ask.is_some() {
            bytes.extend(ASKING.into());
            frames = frames.saturating_add(1);
        }
        bytes.extend(part.bytes.view());
        frames = frames.saturating_add(part.frames);
    }
    (bytes.into(), frames)
}

fn gone(node: &Node) -> Error {
    let text = format!("{} is no longer a node of the cluster", node.address);
    Error::new(ErrorKind::Connect, text)
}

/// The first frames of `reply`, which loses them.
fn cut(reply: &mut Bytes, frames: u32) -> Result<Bytes> {
    let mut reader = Reader::new(reply);
    reader.skip_many(frames as usize)?;
    let length = reply.len().saturating_sub(reader.remaining());
    Ok(reply.split_to(length))
}

/// The verdict on a command, or on a transaction, whose commands the server refuses one by one;
/// with the reply it comes from.
fn verdict(reply: &Bytes, frames: u32) -> (Verdict, Bytes) {
    let mut rest = reply.clone();
    for _ in 0..frames {
        let Ok(frame) = cut(&mut rest, 1) else { break };
        match Verdict::of(&frame) {
            Verdict::Answer => {}
            verdict => return (verdict, frame),
        }
    }
    (Verdict::Answer, Bytes::new())
}

/// Waits for all of them at once.
pub(super) async fn together(mut exchanges: Vec<ToNode>) -> Vec<Result<Reply>> {
    let mut outcomes: Vec<Option<Result<Reply>>> = Vec::new();
    outcomes.resize_with(exchanges.len(), || None);
    std::future::poll_fn(|cx| {
        let mut left = false;
        for (exchange, outcome) in exchanges.iter_mut().zip(&mut outcomes) {
            if outcome.is_none() {
                match std::pin::Pin::new(exchange).poll(cx) {
                    Poll::Ready(done) => *outcome = Some(done),
                    Poll::Pending => left = true,
                }
            }
        }
        if left { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
