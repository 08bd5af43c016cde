//! Deletions with what becomes of referring documents: in one step, or child by child.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::Arc;

use super::plan::{Because, Fate, Node, Plan, Sight};
use super::rule::{AnyId, Place, Policy, Reference};
use super::{Deletion, Rules};
use crate::model::RedisModel;
use crate::repository::bulk::{send_in_steps, step};
use crate::repository::call::REFERRED;
use crate::repository::delete::scripted;
use crate::repository::failure::{explain, not_found};
use crate::repository::prepare::{prepare_part, run_write};
use crate::repository::script::{Call, Expected, Expiry, Mode};
use crate::repository::update::pause;
use crate::repository::{Changes, Repository, script};
use crate::{Client, Command, Error, ErrorKind, Result, Sent};

/// How many documents one script writes at most: the server does nothing else meanwhile.
const ATOMIC: usize = 1_000;

/// How often a deletion begins again that others outran.
const ATTEMPTS: u32 = 64;

/// How many documents of a job go in one pipeline.
const PAGE: usize = 500;

/// Deletes a document of a repository that was told its referrers.
pub(crate) async fn delete<M: RedisModel>(
    repository: &Repository<M>,
    rules: &Rules,
    id: &M::Id,
    expected: &Expected,
) -> Result<Deletion> {
    let (place, client, key) = (repository.beside::<()>(), repository.client(), repository.key(id));
    let mut work = Work { place: &place, rules, hooked: HashSet::new(), done: Deletion::default() };
    let sight = Sight { rules, place: &place, gone: &HashSet::new() };
    for attempt in 1..=ATTEMPTS {
        if !exists(repository, id).await? {
            return absent(expected, &key, work.done);
        }
        let plan = Plan::make(sight, root(repository, id)).await?;
        let at_once = is_one_step(client, &plan);
        if attempt == 1 && *expected != Expected::Anything {
            check_version(repository, id, expected).await?;
        }
        work.before(&plan)?;
        let itself = scripted(repository, id, expected);
        if at_once {
            match work.at_once(&plan, itself).await? {
                Some(found) => {
                    work.done.atomic = work.done.is_empty();
                    work.done.found = found;
                    if found {
                        work.after(plan.nodes.iter().skip(1));
                    }
                    return Ok(work.done);
                }
                None => client.pause(pause(attempt)).await,
            }
        } else if plan.nodes.len() > 1 {
            work.in_steps(&plan).await?;
        } else {
            let found: bool = itself.run(client).await.map_err(|error| explain(error, &key))?;
            work.done.atomic = work.done.is_empty();
            work.done.found = found;
            return Ok(work.done);
        }
    }
    let message = format!(
        "others changed who refers to `{key}` in all {ATTEMPTS} attempts; it was not deleted"
    );
    Err(Error::new(ErrorKind::Conflict, message).with_sent(Sent::Yes))
}

/// What the deletion of a document would do, where those of the keys `gone` were deleted before it;
/// what would go now is added to them.
pub(crate) async fn rehearse<M: RedisModel>(
    repository: &Repository<M>,
    rules: &Rules,
    id: &M::Id,
    expected: &Expected,
    gone: &mut HashSet<String>,
) -> Result<Deletion> {
    let (place, key) = (repository.beside::<()>(), repository.key(id));
    if gone.contains(&key) || !exists(repository, id).await? {
        return absent(expected, &key, Deletion::default());
    }
    let sight = Sight { rules, place: &place, gone };
    let plan = Plan::make(sight, root(repository, id)).await?;
    let mut done = Deletion { found: true, ..Deletion::default() };
    done.note(plan.nodes.iter().skip(1));
    done.atomic = done.is_empty() || is_one_step(repository.client(), &plan);
    let deleted = plan.nodes.into_iter().filter(|node| node.fate.is_deleted());
    gone.extend(deleted.map(|node| node.key));
    Ok(done)
}

async fn exists<M: RedisModel>(repository: &Repository<M>, id: &M::Id) -> Result<bool> {
    let exists = Command::<bool>::new("EXISTS").key(repository.key(id));
    repository.client().run(exists).await
}

/// What becomes of the deletion of a document that is not there.
fn absent(expected: &Expected, key: &str, done: Deletion) -> Result<Deletion> {
    match expected {
        Expected::Anything => Ok(done),
        _ => Err(not_found(key)),
    }
}

fn root<M: RedisModel>(repository: &Repository<M>, id: &M::Id) -> (TypeId, String, AnyId) {
    (TypeId::of::<M>(), repository.key(id), Arc::new(id.clone()))
}

fn is_one_step(client: &Client, plan: &Plan) -> bool {
    !client.is_cluster() && plan.nodes.len() <= ATOMIC
}

/// Before anything that lies on the way is touched.
async fn check_version<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    expected: &Expected,
) -> Result<()> {
    let plan = script::Plan {
        mode: Mode::Replace,
        expected: expected.clone(),
        expiry: Expiry::Keep,
        lock: None,
        tell: false,
        edits: false,
    };
    let call = prepare_part(repository, id, &Changes::new(), None, &plan)?;
    run_write(repository.client(), &call, &repository.key(id)).await.map(drop)
}

impl Deletion {
    fn note<'n>(&mut self, nodes: impl Iterator<Item = &'n Node>) {
        for node in nodes {
            match node.fate {
                Fate::Deleted(_) => self.deleted.push(node.key.clone()),
                Fate::Unset(_) => self.unset.push(node.key.clone()),
            }
        }
    }
}

/// A deletion on its way.
struct Work<'a> {
    place: &'a Place,
    rules: &'a Rules,
    /// The documents whose hooks have run.
    hooked: HashSet<String>,
    done: Deletion,
}

impl Work<'_> {
    /// Runs the hooks that come before deletions, each once.
    fn before(&mut self, plan: &Plan) -> Result<()> {
        for node in plan.nodes.iter().filter(|node| node.fate.is_deleted()) {
            let Some(rule) = node.rule.and_then(|rule| self.rules.all.get(rule)) else { continue };
            if self.hooked.insert(node.key.clone()) {
                rule.via.before_delete(&node.id)?;
            }
        }
        Ok(())
    }

    /// Runs those that come after them, and notes what was done.
    fn after<'n>(&mut self, nodes: impl Iterator<Item = &'n Node> + Clone) {
        for node in nodes.clone().filter(|node| node.fate.is_deleted()) {
            if let Some(rule) = node.rule.and_then(|rule| self.rules.all.get(rule)) {
                rule.via.after_delete(&node.id);
            }
        }
        self.done.note(nodes);
    }

    fn reference(&self, plan: &Plan, because: &Because) -> Result<Option<Reference>> {
        let rule = self.rules.all.get(because.rule);
        let target = plan.nodes.get(because.target);
        let both = rule.zip(target);
        both.map(|(rule, target)| rule.via.reference(&target.id)).transpose()
    }

    /// The write of a referring document: its sort, and the script's call.
    fn write(&self, plan: &Plan, node: &Node) -> Result<Option<(&'static str, Call)>> {
        let Some(rule) = node.rule.and_then(|rule| self.rules.all.get(rule)) else {
            return Ok(None);
        };
        match &node.fate {
            Fate::Deleted(because) => {
                let Some(because) = because else { return Ok(None) };
                let Some(reference) = self.reference(plan, because)? else { return Ok(None) };
                let call = rule.via.deletion(self.place, &node.id, &reference)?;
                Ok(Some(("delete", call)))
            }
            Fate::Unset(all) => {
                let mut changes = rule.via.no_changes();
                let mut references = Vec::new();
                for (at, rule) in self.rules.all.iter().enumerate() {
                    let these = all.iter().filter(|because| because.rule == at);
                    let targets = these.clone().filter_map(|one| plan.nodes.get(one.target));
                    let targets: Vec<_> = targets.map(|target| &target.id).collect();
                    if !targets.is_empty() {
                        rule.via.unset(&mut *changes, &targets)?;
                    }
                    for because in these {
                        references.extend(self.reference(plan, because)?);
                    }
                }
                let call = rule.via.change(self.place, &node.id, &*changes, &references)?;
                Ok(Some(("write", call)))
            }
        }
    }

    /// All in one script. Gives whether the document was there; nothing where others changed
    /// meanwhile who refers.
    async fn at_once(&self, plan: &Plan, itself: Call) -> Result<Option<bool>> {
        let mut writes = vec![("delete", itself)];
        let mut keys = vec![plan.nodes.first().map_or("", |node| &node.key)];
        for node in plan.nodes.iter().skip(1) {
            writes.extend(self.write(plan, node)?);
            keys.push(&node.key);
        }
        let mut call = Call::without_keys(&REFERRED);
        call.arg(writes.len().to_string());
        for (sort, write) in writes {
            call.put_call(sort, write);
        }
        let searches = self.searches(plan)?;
        call.arg(searches.len().to_string());
        for search in searches.iter().flatten() {
            call.arg(search);
        }
        match call.run::<Vec<u64>>(self.place.client()).await {
            Ok(done) => Ok(Some(!done.is_empty())),
            Err(error) if error.message().contains("ALZREPLAN") => Ok(None),
            Err(error) => match at(&error) {
                Some((_, text)) if text.contains("ALZUNREFERRED") => Ok(None),
                Some((number, text)) => {
                    let key = number.checked_sub(1).and_then(|at| keys.get(at));
                    Err(explain(Error::server(text), key.copied().unwrap_or_default()))
                }
                None => Err(explain(error, keys.first().copied().unwrap_or_default())),
            },
        }
    }

    /// The searches by which the script finds out that nobody else refers, each with its arguments.
    fn searches(&self, plan: &Plan) -> Result<Vec<Vec<Vec<u8>>>> {
        let mut searches = Vec::new();
        if self.rules.scan {
            return Ok(searches);
        }
        for (at, rule) in self.rules.all.iter().enumerate() {
            for number in plan.targets(self.rules, at, 0..plan.nodes.len()) {
                let Some(target) = plan.nodes.get(number) else { continue };
                let search = rule.via.search(self.place, &target.id)?;
                let params: Vec<_> = search.query.params().map(<[u8]>::to_vec).collect();
                let mut arguments = vec![search.index.into_bytes()];
                arguments.push(search.query.text().as_bytes().to_vec());
                arguments.push(params.len().to_string().into_bytes());
                arguments.extend(params);
                arguments.extend(rule.via.reference(&target.id)?);
                let because = Because { rule: at, target: number };
                let unset = plan.nodes.iter().filter(|node| match &node.fate {
                    Fate::Unset(all) => rule.policy == Policy::Unset && all.contains(&because),
                    Fate::Deleted(_) => false,
                });
                let unset = unset.map(|node| &node.key);
                let expected: Vec<_> =
                    plan.foreign.get(&at).into_iter().flatten().chain(unset).collect();
                arguments.push(expected.len().to_string().into_bytes());
                arguments.extend(expected.into_iter().map(|key| key.clone().into_bytes()));
                searches.push(arguments);
            }
        }
        Ok(searches)
    }

    /// All but the document itself, the deepest first: each in a step of its own, if it still refers.
    async fn in_steps(&mut self, plan: &Plan) -> Result<()> {
        let client = self.place.client().clone();
        let mut nodes: Vec<&Node> = plan.nodes.iter().skip(1).collect();
        nodes.sort_by_key(|node| std::cmp::Reverse(node.depth));
        let levels: Vec<&[&Node]> = nodes.chunk_by(|one, other| one.depth == other.depth).collect();
        for nodes in levels.into_iter().flat_map(|level| level.chunks(PAGE)) {
            let mut steps = Vec::with_capacity(nodes.len());
            let mut written = Vec::with_capacity(nodes.len());
            for node in nodes {
                if let Some((_, call)) = self.write(plan, node)? {
                    steps.push(step(node.key.clone(), call));
                    written.push(*node);
                }
            }
            let mut first = None;
            for (node, outcome) in written.into_iter().zip(send_in_steps(&client, steps).await) {
                match outcome {
                    Ok(true) => self.after(std::iter::once(node)),
                    Ok(false) => {}
                    Err(error) => drop(first.get_or_insert(error)),
                }
            }
            if let Some(error) = first {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Which of several writes a script's error is about, and what it says.
fn at(error: &Error) -> Option<(usize, &str)> {
    let (_, rest) = error.message().split_once("ALZAT ")?;
    let (number, text) = rest.split_once(' ')?;
    Some((number.parse().ok()?, text))
}
