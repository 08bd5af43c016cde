//! What a deletion has to do: who refers to the document, who refers to those, and so on.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use super::Rules;
use super::rule::{AnyId, Findings, Place, Policy, Wanted};
use crate::{Error, ErrorKind, Referrers, Result, Sent};

/// After so many documents that stand against a deletion no more are looked for.
const ENOUGH: usize = 1_000;

/// How many of them an error names.
const NAMED: usize = 10;

/// By what it is found out who refers.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) rules: &'a Rules,
    pub(super) place: &'a Place,
    /// Keys of documents that are passed over as if they were deleted already.
    pub(super) gone: &'a HashSet<String>,
}

/// A document that is deleted or changed.
pub(super) struct Node {
    pub(super) key: String,
    pub(super) id: AnyId,
    /// A rule of its model; none for the document that was to be deleted.
    pub(super) rule: Option<usize>,
    /// How many steps lie between the two. What is deeper goes first.
    pub(super) depth: usize,
    pub(super) fate: Fate,
}

/// What becomes of a document.
pub(super) enum Fate {
    /// It goes: because of the other one, where it is not the first.
    Deleted(Option<Because>),
    /// It loses these references.
    Unset(Vec<Because>),
}

impl Fate {
    pub(super) fn is_deleted(&self) -> bool {
        matches!(self, Fate::Deleted(_))
    }
}

/// By which rule, and the number of the document that is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Because {
    pub(super) rule: usize,
    pub(super) target: usize,
}

/// All of it; the first node is the document that was to be deleted.
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    /// By rule: keys that the index has and the model does not write.
    pub(super) foreign: HashMap<usize, Vec<String>>,
    root: TypeId,
    numbers: HashMap<String, usize>,
}

impl Plan {
    /// Finds out who refers.
    ///
    /// # Errors
    /// `Referred` where some of them say `restrict`, and do not go too.
    pub(super) async fn make(sight: Sight<'_>, root: (TypeId, String, AnyId)) -> Result<Plan> {
        let ((root, key, id), rules) = (root, sight.rules);
        let first = Node { key, id, rule: None, depth: 0, fate: Fate::Deleted(None) };
        let numbers = HashMap::from([(first.key.clone(), 0)]);
        let mut plan = Plan { nodes: vec![first], foreign: HashMap::new(), root, numbers };
        let mut frontier = vec![0];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for (at, rule) in rules.all.iter().enumerate() {
                if rule.policy == Policy::Restrict {
                    continue;
                }
                let findings = plan.find(sight, at, &frontier, usize::MAX).await?;
                plan.add(rules, at, findings, &mut next);
            }
            frontier = next;
        }
        plan.restrict(sight).await?;
        Ok(plan)
    }

    /// The documents of which a rule speaks, by their numbers.
    pub(super) fn targets<'a>(
        &'a self,
        rules: &'a Rules,
        rule: usize,
        among: impl Iterator<Item = usize> + 'a,
    ) -> impl Iterator<Item = usize> + 'a {
        let target = rules.all.get(rule).map(|rule| rule.via.target());
        among.filter(move |number| {
            let Some(node) = self.nodes.get(*number) else { return false };
            let model = match node.rule {
                None => Some(self.root),
                Some(rule) => rules.all.get(rule).map(|rule| rule.via.model()),
            };
            node.fate.is_deleted() && model.is_some() && model == target
        })
    }

    async fn find(
        &self,
        sight: Sight<'_>,
        rule: usize,
        among: &[usize],
        most: usize,
    ) -> Result<Findings> {
        let Sight { rules, place, gone } = sight;
        let targets = self.targets(rules, rule, among.iter().copied());
        let targets = targets.filter_map(|number| Some((number, &self.nodes.get(number)?.id)));
        let targets: Vec<_> = targets.collect();
        match rules.all.get(rule) {
            Some(rule) if !targets.is_empty() => {
                rule.via.find(place, Wanted { targets, gone, scan: rules.scan, most }).await
            }
            _ => Ok(Findings::default()),
        }
    }

    /// Notes what was found by a rule that deletes or changes; `next` are those that go now.
    fn add(&mut self, rules: &Rules, rule: usize, findings: Findings, next: &mut Vec<usize>) {
        let cascade = rules.all.get(rule).is_some_and(|rule| rule.policy == Policy::Cascade);
        self.foreign.entry(rule).or_default().extend(findings.foreign);
        for found in findings.found {
            for target in found.targets {
                let depth = self.nodes.get(target).map_or(0, |node| node.depth) + 1;
                let because = Because { rule, target };
                let number = *self.numbers.entry(found.key.clone()).or_insert_with(|| {
                    let (key, id) = (found.key.clone(), found.id.clone());
                    let fate = Fate::Unset(Vec::new());
                    self.nodes.push(Node { key, id, rule: Some(rule), depth, fate });
                    self.nodes.len() - 1
                });
                let Some(node) = self.nodes.get_mut(number) else { continue };
                match &mut node.fate {
                    Fate::Deleted(_) => {}
                    fate @ Fate::Unset(_) if cascade => {
                        *fate = Fate::Deleted(Some(because));
                        node.depth = depth;
                        next.push(number);
                    }
                    Fate::Unset(all) => {
                        if !all.contains(&because) {
                            all.push(because);
                        }
                        node.depth = node.depth.max(depth);
                    }
                }
            }
        }
    }

    /// Refuses where documents refer that say `restrict` and stay.
    async fn restrict(&mut self, sight: Sight<'_>) -> Result<()> {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        for (at, rule) in sight.rules.all.iter().enumerate() {
            if rule.policy != Policy::Restrict {
                continue;
            }
            let most = self.nodes.len() + ENOUGH;
            let findings = self.find(sight, at, &all, most).await?;
            let stays = |key: &String| {
                let node = self.numbers.get(key).and_then(|number| self.nodes.get(*number));
                !node.is_some_and(|node| node.fate.is_deleted())
            };
            let mut against: Vec<_> =
                findings.found.into_iter().filter(|found| stays(&found.key)).collect();
            // One document may refer to several of them.
            against.sort_by(|one, other| one.key.cmp(&other.key));
            against.dedup_by(|one, other| one.key == other.key);
            let target = against.first().and_then(|found| found.targets.first());
            if let Some(target) = target.and_then(|target| self.nodes.get(*target)) {
                let keys = against.iter().take(NAMED).map(|found| found.key.clone()).collect();
                let (model, field) = (rule.via.schema().name, rule.via.field());
                return Err(referred(&target.key, model, field, against.len(), keys));
            }
            self.foreign.entry(at).or_default().extend(findings.foreign);
        }
        Ok(())
    }
}

fn referred(target: &str, model: &str, field: &str, count: usize, keys: Vec<String>) -> Error {
    let named: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let more = if count > keys.len() { " and others" } else { "" };
    let message = format!(
        "`{target}` is not deleted, nor anything else: {count} of {model} refer to it, which \
         `restrict` it: {}{more}",
        named.join(", ")
    );
    let referrers = Referrers { model: model.to_owned(), field: field.to_owned(), count, keys };
    Error::new(ErrorKind::Referred, message)
        .with_field(field)
        .with_referrers(referrers)
        .with_sent(Sent::Yes)
}
