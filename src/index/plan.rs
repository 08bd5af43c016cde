//! What would have to be done so that an index agrees with its model.

use std::fmt;

use super::create::{alter, create, line};
use super::drift::{Drift, compare};
use super::entry::Entry;
use super::state::State;
use super::target::{TEXT_FIELDS, Target};
use crate::model::{IndexKind, IndexOption};
use crate::{Command, Result};

/// What [`Index::sync`](super::Index::sync) would do, with its reasons and exact commands: from
/// [`Index::plan`](super::Index::plan). Its `Display` is for people.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Film;
/// # alizarin_samples::client(async |client, prefix| {
/// let films = client.repository::<Film>().with_namespace(prefix);
/// let plan = films.index().plan().await?;
/// println!("{plan}");
/// assert!(plan.commands().next().is_some_and(|line| line.starts_with("FT.CREATE")));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The name that queries use.
    pub name: String,
    /// The index that it stands for now.
    pub live: Option<String>,
    /// All differences between the model and the live index. A field that only the index has
    /// ([`Drift::Extra`]) is no reason to act.
    pub drift: Vec<Drift>,
    /// What would be done, in this order; nothing where index and model agree.
    pub actions: Vec<Action>,
}

/// One thing to do: of [`Plan::actions`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::ActionKind;
/// use alizarin_samples::Film;
/// # alizarin_samples::client(async |client, prefix| {
/// let films = client.repository::<Film>().with_namespace(prefix);
/// let plan = films.index().plan().await?;
/// assert_eq!(plan.actions[0].kind, ActionKind::Create);
/// assert_eq!(plan.actions[0].reasons, ["there is no index"]);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Action {
    /// What is done.
    pub kind: ActionKind,
    /// To which index.
    pub index: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The commands that change something on the server, as one would type them.
    pub commands: Vec<String>,
}

/// What an [`Action`] does.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::ActionKind;
/// # alizarin_samples::films(async |films| {
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "film", index)]
/// struct Film {
///     #[redis(id)]
///     id: u32,
///     #[redis(tag)]
///     title: String,
/// }
///
/// let other = films.client().repository::<Film>().with_namespace(films.namespace());
/// assert_eq!(other.index().plan().await?.actions[0].kind, ActionKind::Rebuild);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionKind {
    /// The first index is made; queries use it when it has read all documents.
    Create,
    /// What is left of a build that broke off and does not fit any more is dropped.
    Discard,
    /// Fields are added to the live index.
    Extend,
    /// A new index is made beside the live one; queries use it when it has read all documents.
    Rebuild,
    /// A build that broke off goes on.
    Resume,
}

impl Plan {
    /// Whether there is nothing to do.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert!(films.index().plan().await?.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The commands of all actions, as one would type them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.index().plan().await?.commands().count(), 0);
    /// # Ok(()) });
    /// ```
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().flat_map(|action| &action.commands).map(String::as_str)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { name, live, drift, actions } = self;
        match (live, actions.is_empty()) {
            (Some(live), true) => write!(f, "index `{name}` (`{live}`) agrees with the model")?,
            (Some(live), false) => write!(f, "index `{name}` (`{live}`) differs from the model")?,
            (None, _) => write!(f, "index `{name}` does not exist")?,
        }
        for extra in drift.iter().filter(|drift| !drift.matters()) {
            write!(f, "\n  {extra}")?;
        }
        for action in actions {
            write!(f, "\n- {action}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ActionKind::Create => "create",
            ActionKind::Discard => "drop",
            ActionKind::Extend => "extend",
            ActionKind::Rebuild => "build beside the live one",
            ActionKind::Resume => "go on building",
        };
        write!(f, "{what} `{}`: {}", self.index, self.reasons.join("; "))?;
        self.commands.iter().try_for_each(|command| write!(f, "\n    {command}"))
    }
}

/// What is to be done, for those who do it.
#[derive(Debug)]
pub(crate) enum Step {
    Nothing,
    Extend { index: String, missing: Vec<Entry> },
    Build { index: String, resume: bool, discard: Option<String>, replaces: Option<String> },
}

/// Makes the plan; with `anew`, of a new index also where the live one would do.
pub(crate) fn plan(target: &Target, state: &State, anew: bool) -> (Plan, Step) {
    let alias = &target.alias;
    let mut plan = Plan {
        name: alias.clone(),
        live: state.live_name().map(str::to_owned),
        drift: Vec::new(),
        actions: Vec::new(),
    };
    let mut missing = Vec::new();
    if let Some(live) = &state.live {
        (plan.drift, missing) = compare(target, live, state.kept(&live.name));
    }
    let mattering = || plan.drift.iter().filter(|drift| drift.matters());
    let mut reasons: Vec<String> = mattering().map(Drift::to_string).collect();
    let only_missing = mattering().all(|drift| matches!(drift, Drift::Missing { .. }));
    if let (Some(live), false) = (&plan.live, anew) {
        if reasons.is_empty() {
            return (plan, Step::Nothing);
        }
        if only_missing && has_room(target, state, &missing) {
            let index = live.clone();
            plan.actions.push(Action {
                kind: ActionKind::Extend,
                index: index.clone(),
                reasons,
                commands: vec![line(&alter(&index, &missing))],
            });
            return (plan, Step::Extend { index, missing });
        }
    }
    if plan.live.is_none() {
        reasons = vec!["there is no index".to_owned()];
    } else if reasons.is_empty() {
        reasons = vec!["asked for".to_owned()];
    }
    let step = build(target, state, &mut plan, reasons);
    (plan, step)
}

/// A build: the one that broke off where it fits, else a new one.
fn build(target: &Target, state: &State, plan: &mut Plan, reasons: Vec<String>) -> Step {
    let alias = target.alias.as_str();
    let (mut index, mut resume, mut discard) = (state.next(alias), false, None);
    if let Some(begun) = &state.building {
        // One that lacks what the server does not show would be trusted with it for ever.
        let kept = state.kept(&begun.name);
        resume = kept.is_some() && compare(target, begun, kept).0.is_empty();
        match resume {
            true => index.clone_from(&begun.name),
            false => discard = Some(begun.name.clone()),
        }
    }
    if let Some(index) = &discard {
        plan.actions.push(Action {
            kind: ActionKind::Discard,
            index: index.clone(),
            reasons: vec!["its build broke off, and it does not fit the model".to_owned()],
            commands: vec![line(&drop_index(index))],
        });
    }
    let mut commands = Vec::new();
    if !resume {
        commands.push(line(&create(&index, target)));
    }
    let swap: Command<()> = Command::new("FT.ALIASUPDATE").arg((alias, index.as_str()));
    if plan.live.as_deref() == Some(alias) {
        // An index by the alias's own name: the alias takes its place.
        commands.push(line(&drop_index(alias)));
    }
    commands.push(line(&swap));
    let kind = match (resume, &plan.live) {
        (true, _) => ActionKind::Resume,
        (false, Some(_)) => ActionKind::Rebuild,
        (false, None) => ActionKind::Create,
    };
    plan.actions.push(Action { kind, index: index.clone(), reasons, commands });
    Step::Build { index, resume, discard, replaces: plan.live.clone() }
}

/// The index goes, never the documents: there is no `DD`.
pub(crate) fn drop_index(index: &str) -> Command<()> {
    Command::new("FT.DROPINDEX").arg(index)
}

/// Whether the live index can take the fields that it lacks.
fn has_room(target: &Target, state: &State, missing: &[Entry]) -> bool {
    let text = |entry: &&Entry| matches!(entry.attribute.kind, IndexKind::Text { .. });
    let added = missing.iter().filter(text).count();
    let Some(live) = &state.live else { return false };
    let there = live.attributes.iter().filter(|field| field.kind == "TEXT").count();
    let wide = live.options.iter().any(|option| option == IndexOption::MaxTextFields.word());
    // Documents of before would lack the field: the index was told not to read them.
    let scans = !target.has(IndexOption::SkipInitialScan);
    scans && (added == 0 || wide || there + added <= TEXT_FIELDS)
}

/// The text of an error that lists differences.
pub(crate) fn differs(plan: &Plan) -> Result<()> {
    use crate::{Error, ErrorKind, Sent};
    if plan.is_empty() {
        return Ok(());
    }
    if plan.live.is_none() {
        return Err(super::state::absent(&plan.name));
    }
    let drift: Vec<String> =
        plan.drift.iter().filter(|drift| drift.matters()).map(Drift::to_string).collect();
    let message = format!(
        "index `{}` differs from the model: {}; call `repository.index().sync()`",
        plan.name,
        drift.join("; ")
    );
    Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes))
}
