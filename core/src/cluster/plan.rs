//! What is to be sent where for a request. No I/O.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::map::Map;
use super::merge::{Merge, Share};
use super::node::Node;
use super::policy::{Policy, policy};
use super::sweep::Sweep;
use crate::command::{Encoded, Flags, slot as slot_of};
use crate::error::{Error, ErrorKind, Result, ServerCode};
use crate::resp::{Frame, Packed, Parcel, Pieces, Reader};

/// Who is to get a part.
#[derive(Clone)]
pub(super) enum To {
    Slot(u16),
    /// Any primary.
    Any,
    Node(Arc<Node>),
}

/// What one node is to get in one piece.
pub(super) struct Part {
    pub(super) bytes: Parcel,
    pub(super) frames: u32,
    pub(super) to: To,
    /// Whether a replica may answer.
    pub(super) reads: bool,
    pub(super) repeatable: bool,
    /// Which of the command's keys it has, where those are split.
    keys: Vec<usize>,
    pub(super) reply: Option<Bytes>,
}

/// How the replies to a command's parts become its own.
enum Output {
    /// As they are.
    Plain,
    Merged(Merge),
    /// A page of `SCAN`.
    Page(Sweep),
}

/// A request taken apart.
pub(crate) struct Plan {
    pub(super) parts: Vec<Part>,
    /// For each command, which parts are its own.
    commands: Vec<(Range<usize>, Output)>,
    /// Whether it needs a search module that knows of clusters.
    pub(super) searches: bool,
    /// How often its answer was lost already.
    pub(crate) lost: u32,
    /// How much of its time it has taken already.
    pub(crate) spent: Duration,
    /// Whether it may wait on the server, on a connection of its own.
    pub(super) waits: bool,
}

impl Plan {
    fn new() -> Plan {
        let (parts, commands) = (Vec::new(), Vec::new());
        let spent = Duration::ZERO;
        Plan { parts, commands, searches: false, lost: 0, spent, waits: false }
    }

    /// One command.
    ///
    /// # Errors
    /// `Usage` for a cursor that is none.
    pub(super) fn of_command(packed: &Packed, flags: Flags, map: &Map) -> Result<Plan> {
        let mut wire = Pieces::default();
        packed.write_pieces(&mut wire);
        let mut plan = Plan::new();
        plan.command(&wire.into(), packed.first_key().map(slot_of), flags, map)?;
        Ok(plan)
    }

    /// The commands of a pipeline.
    ///
    /// # Errors
    /// As [`Plan::of_command`].
    pub(super) fn of_pipeline(encoded: &Encoded, map: &Map) -> Result<Plan> {
        let bytes = parcel(encoded);
        let mut plan = Plan::new();
        for (range, slot, flags) in encoded.spans() {
            plan.command(&bytes.slice(range), slot, flags, map)?;
        }
        Ok(plan)
    }

    /// A transaction, which one node executes.
    ///
    /// # Errors
    /// `CrossSlot` when its keys are in several slots.
    pub(super) fn of_transaction(encoded: &Encoded) -> Result<Plan> {
        let mut only = None;
        for (at, (_, slot, flags)) in (0u32..).zip(encoded.spans()) {
            if flags.is_routed() && slot.is_none() {
                let text = "concerns several nodes of the cluster: it cannot be part of a \
                            transaction";
                let name = encoded.inner_name(at);
                return Err(Error::new(ErrorKind::Usage, text).with_command(name));
            }
            if slot.is_some() && only.is_some() && slot != only {
                let text = "the keys of a transaction belong to several slots of the cluster: keys \
                            with the same {tag} share one";
                let kind = ErrorKind::Server(ServerCode::CrossSlot);
                return Err(Error::new(kind, text).with_command(encoded.inner_name(at)));
            }
            only = slot.or(only);
        }
        let mut plan = Plan::new();
        plan.add(Part {
            bytes: parcel(encoded),
            frames: encoded.frames(),
            to: only.map_or(To::Any, To::Slot),
            reads: false,
            repeatable: encoded.is_repeatable(),
            keys: Vec::new(),
            reply: None,
        });
        Ok(plan)
    }

    fn command(
        &mut self,
        bytes: &Parcel,
        slot: Option<u16>,
        flags: Flags,
        map: &Map,
    ) -> Result<()> {
        let to = slot.map_or(To::Any, To::Slot);
        if !flags.is_routed() {
            self.add(Part::new(bytes.clone(), to, flags));
            return Ok(());
        }
        let joined = bytes.view().joined();
        let arguments = arguments(&joined)?;
        match policy(&arguments) {
            None => self.add(Part::new(bytes.clone(), to, flags)),
            Some(Policy::Search(index)) => {
                self.searches = true;
                let index = index.and_then(|at| arguments.get(at));
                let to = index.map_or(To::Any, |index| To::Slot(slot_of(index)));
                // A replica has no cursors of its primary's.
                let flags = if index.is_some() { Flags::NONE } else { flags };
                self.add(Part::new(bytes.clone(), to, flags));
            }
            Some(Policy::Keys { step, tail, merge }) => {
                self.split(bytes, &arguments, flags, (step, tail, merge));
            }
            Some(Policy::Primaries(merge)) => self.fan_out(bytes, flags, merge, map.primaries()),
            Some(Policy::Nodes(merge)) => self.fan_out(bytes, flags, merge, map.nodes()),
            Some(Policy::Sweep) => self.sweep(&arguments, flags, map)?,
        }
        Ok(())
    }

    /// A command of one part.
    fn add(&mut self, part: Part) {
        let at = self.parts.len();
        self.parts.push(part);
        self.commands.push((at..at.saturating_add(1), Output::Plain));
    }

    fn fan_out<'n>(
        &mut self,
        bytes: &Parcel,
        flags: Flags,
        merge: Merge,
        nodes: impl Iterator<Item = &'n Arc<Node>>,
    ) {
        let start = self.parts.len();
        let part = |node: &Arc<Node>| Part::new(bytes.clone(), To::Node(Arc::clone(node)), flags);
        self.parts.extend(nodes.map(part));
        self.commands.push((start..self.parts.len(), Output::Merged(merge)));
    }

    /// One part for each slot that the keys are in.
    fn split(
        &mut self,
        bytes: &Parcel,
        arguments: &[&[u8]],
        flags: Flags,
        (step, tail, merge): (usize, usize, Merge),
    ) {
        let end = arguments.len().saturating_sub(tail).max(1);
        let (name, rest) = arguments.split_at(1.min(arguments.len()));
        let (keys, tail) = rest.split_at(end.saturating_sub(1));
        let mut slots: Vec<(u16, Vec<usize>)> = Vec::new();
        for (at, key) in keys.iter().step_by(step).enumerate() {
            let slot = slot_of(key);
            match slots.iter_mut().find(|(known, _)| *known == slot) {
                Some((_, members)) => members.push(at),
                None => slots.push((slot, vec![at])),
            }
        }
        if let [] | [_] = slots.as_slice() {
            let to = slots.first().map_or(To::Any, |(slot, _)| To::Slot(*slot));
            return self.add(Part::new(bytes.clone(), to, flags));
        }
        let start = self.parts.len();
        for (slot, members) in slots {
            let own = |at: &usize| keys.chunks(step).nth(*at).unwrap_or_default();
            let words = name.iter().chain(members.iter().flat_map(own)).chain(tail);
            let part = Part::new(wire(words), To::Slot(slot), flags);
            self.parts.push(Part { keys: members, ..part });
        }
        self.commands.push((start..self.parts.len(), Output::Merged(merge)));
    }

    /// A page of a scan over all primaries.
    fn sweep(&mut self, arguments: &[&[u8]], flags: Flags, map: &Map) -> Result<()> {
        let mut sweep = Sweep::new(arguments, map)?;
        let start = self.parts.len();
        let mut part = Part::new(Parcel::default(), To::Any, flags);
        part.look_at(sweep.next(map));
        self.parts.push(part);
        self.commands.push((start..start.saturating_add(1), Output::Page(sweep)));
        Ok(())
    }

    /// The pages of scans whose node is no primary any more are asked of the next one.
    pub(super) fn go_on(&mut self, map: &Map) {
        for (range, output) in &mut self.commands {
            let Output::Page(sweep) = output else { continue };
            for part in self.parts.get_mut(range.clone()).unwrap_or_default() {
                if part.reply.is_none() && !sweep.holds(map) {
                    part.look_at(sweep.next(map));
                }
            }
        }
    }

    /// Whether a scan ends with its page, as far as the map knows.
    pub(super) fn ends_a_scan(&self, map: &Map) -> bool {
        self.commands.iter().any(|(range, output)| {
            let Output::Page(sweep) = output else { return false };
            let parts = self.parts.get(range.clone()).unwrap_or_default();
            parts.iter().filter_map(|part| part.reply.as_ref()).any(|page| sweep.is_last(page, map))
        })
    }

    /// From now on it waits on the server, on a connection of its own: it is never sent twice.
    pub(crate) fn wait(&mut self) {
        if let [part] = self.parts.as_mut_slice() {
            part.repeatable = false;
            part.reads = false;
            self.waits = true;
        }
    }

    /// The replies to all commands, one after the other; when all parts have theirs.
    ///
    /// # Errors
    /// `Protocol`.
    pub(super) fn finish(&mut self, map: &Map) -> Result<Bytes> {
        if let ([part], [(_, Output::Plain)]) = (self.parts.as_mut_slice(), &*self.commands) {
            return Ok(part.reply.take().unwrap_or_default());
        }
        let mut all = Vec::new();
        for (range, output) in &self.commands {
            let parts = self.parts.get_mut(range.clone()).unwrap_or_default();
            match output {
                Output::Plain => {
                    for part in parts {
                        all.extend_from_slice(&part.reply.take().unwrap_or_default());
                    }
                }
                Output::Merged(merge) => {
                    let share = |part: &mut Part| Share {
                        reply: part.reply.take().unwrap_or_default(),
                        keys: std::mem::take(&mut part.keys),
                    };
                    let shares: Vec<Share> = parts.iter_mut().map(share).collect();
                    all.extend_from_slice(&merge.apply(&shares)?);
                }
                Output::Page(sweep) => {
                    let reply = parts.first_mut().and_then(|part| part.reply.take());
                    all.extend_from_slice(&sweep.page(&reply.unwrap_or_default(), map)?);
                }
            }
        }
        Ok(Bytes::from(all))
    }
}

impl Part {
    fn new(bytes: Parcel, to: To, flags: Flags) -> Part {
        Part {
            bytes,
            frames: 1,
            to,
            reads: flags.is_for_replicas(),
            repeatable: flags.is_repeatable(),
            keys: Vec::new(),
            reply: None,
        }
    }

    /// Asks this node for a page of a scan; without one there is no page any more.
    fn look_at(&mut self, next: Option<(Arc<Node>, Parcel)>) {
        match next {
            Some((node, bytes)) => (self.to, self.bytes) = (To::Node(node), bytes),
            None => self.reply = Some(Sweep::end()),
        }
    }
}

/// The arguments of a command in wire form.
fn arguments(wire: &[u8]) -> Result<Vec<&[u8]>> {
    let mut reader = Reader::new(wire);
    let count = reader.next()?.children();
    let mut all = Vec::with_capacity(count.min(wire.len()));
    for _ in 0..count {
        if let Frame::Bulk(argument) = reader.next()? {
            all.push(argument);
        }
    }
    Ok(all)
}

fn wire<'a>(words: impl Iterator<Item = &'a &'a [u8]>) -> Parcel {
    let mut packed = Packed::new();
    words.for_each(|word| packed.push(word));
    let mut out = Pieces::default();
    packed.write_pieces(&mut out);
    out.into()
}

/// All commands together.
fn parcel(encoded: &Encoded) -> Parcel {
    let mut out = Pieces::default();
    out.extend(encoded.view());
    out.into()
}
