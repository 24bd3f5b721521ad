//! `neighbours`: whom a key dealt with last, and whom those dealt with.

use std::any::Any;

use acumen_base::ColumnKind;
use acumen_base::limits::LAST_MAX;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::entity::NO_SLOT;
use crate::gather::{GatherPlan, GatherSource, Hops, Met};
use crate::history::{Entry, History};
use crate::outcome::Mark;
use crate::state::{Facts, Slotted, State};

/// The operator.
pub(super) struct Neighbours;

/// The counterparties of each key of one side, repeated as they were met.
#[derive(Default, Serialize, Deserialize)]
struct Side(Vec<History<u32>>);

struct Graph {
    kind: usize,
    /// The two entities.
    ends: [usize; 2],
    hops: usize,
    /// Columns behind the counts.
    gathered: usize,
    last: usize,
    lateness: i64,
    /// From each end to the other.
    sides: [Side; 2],
}

impl Side {
    fn history(&mut self, slot: u32) -> &mut History<u32> {
        let slot = slot as usize;
        if slot >= self.0.len() {
            self.0.resize_with(slot + 1, History::default);
        }
        &mut self.0[slot]
    }

    /// The latest different counterparties of a key, the latest first.
    fn latest(&self, slot: u32, at: i64, met: &mut SmallVec<[Met; 16]>, most: usize) {
        let Some(history) = self.0.get(slot as usize) else {
            return;
        };
        for entry in history.entries.range(..history.until(at)).rev() {
            if met.len() == most {
                return;
            }
            if !met.iter().any(|known| known.2 == entry.value) {
                met.push((entry.time, entry.position, entry.value));
            }
        }
    }

    /// Forgets meetings that are neither within lateness nor the latest with one of the latest
    /// counterparties; now and then, because what is kept too long changes no answer.
    fn compact(&mut self, slot: u32, lateness: i64, last: usize) {
        let history = self.history(slot);
        let length = history.entries.len();
        if length < 2 * last || !length.is_power_of_two() {
            return;
        }
        let horizon = history.newest_known.saturating_sub(lateness);
        let mut kept: SmallVec<[u32; 16]> = SmallVec::new();
        let mut entries: Vec<Entry<u32>> = Vec::new();
        while let Some(entry) = history.entries.pop_back() {
            let recent = entry.time > horizon;
            if recent || (kept.len() < last && !kept.contains(&entry.value)) {
                if !recent {
                    kept.push(entry.value);
                }
                entries.push(entry);
            }
        }
        history.entries = entries.into_iter().rev().collect();
    }
}

impl Graph {
    fn reach(&self, slot: u32, current: Option<&Facts<'_>>, at: i64) -> Hops {
        let met = self.met_from(slot, current, at);
        met.map(|met| met.iter().map(|met| met.2).collect())
    }

    fn met_from(
        &self,
        slot: u32,
        current: Option<&Facts<'_>>,
        at: i64,
    ) -> [SmallVec<[Met; 16]>; 2] {
        let mut first: SmallVec<[Met; 16]> = SmallVec::new();
        if let Some(facts) = current.filter(|facts| facts.kind == self.kind) {
            let other = facts.slots[self.ends[1]];
            if other != NO_SLOT {
                first.push((at, facts.position, other));
            }
        }
        self.sides[0].latest(slot, at, &mut first, self.last);
        let mut candidates: SmallVec<[Met; 16]> = SmallVec::new();
        for (_, _, through) in first.iter().filter(|_| self.hops == 2) {
            // One more than wanted: the key itself is among them.
            let mut met = SmallVec::new();
            self.sides[1].latest(*through, at, &mut met, self.last + 1);
            candidates.extend(met.into_iter().filter(|met| met.2 != slot));
        }
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        let mut second: SmallVec<[Met; 16]> = SmallVec::new();
        for met in candidates {
            if second.len() < self.last && !second.iter().any(|known| known.2 == met.2) {
                second.push(met);
            }
        }
        [first, second]
    }
}

impl State for Graph {
    fn width(&self) -> usize {
        self.hops + self.gathered
    }

    fn entity(&self) -> Option<usize> {
        Some(self.ends[0])
    }

    fn entities(&self) -> SmallVec<[usize; 2]> {
        self.ends.into()
    }

    /// Writes the counts; what is gathered stands in the row already.
    fn step(&mut self, facts: &Facts<'_>, out: Option<&mut [f64]>) {
        let [from, to] = self.ends.map(|end| facts.slots[end]);
        if let Some(out) = out {
            if from == NO_SLOT {
                out.fill(f64::NAN);
            } else {
                let hops = self.reach(from, Some(facts), facts.time);
                for (out, hop) in out.iter_mut().zip(&hops).take(self.hops) {
                    *out = hop.len() as f64;
                }
            }
        }
        if !facts.applies || facts.kind != self.kind || from == NO_SLOT || to == NO_SLOT {
            return;
        }
        for (side, [slot, value]) in self.sides.iter_mut().zip([[from, to], [to, from]]) {
            let entry = Entry {
                time: facts.time,
                position: facts.position,
                value,
            };
            side.history(slot).place(entry, facts.known_at);
            side.compact(slot, self.lateness, self.last + 1);
        }
    }

    fn hops(&mut self, facts: &Facts<'_>) -> Hops {
        match facts.slots[self.ends[0]] {
            NO_SLOT => Hops::default(),
            slot => self.reach(slot, Some(facts), facts.time),
        }
    }

    fn met(&mut self, facts: &Facts<'_>) -> [Vec<Met>; 2] {
        match facts.slots[self.ends[0]] {
            NO_SLOT => Default::default(),
            slot => self
                .met_from(slot, Some(facts), facts.time)
                .map(|met| met.to_vec()),
        }
    }

    fn read_key(&mut self, slot: u32, at: i64, out: &mut [f64]) -> Option<i64> {
        out.fill(f64::NAN);
        let hops = self.reach(slot, None, at);
        for (out, hop) in out.iter_mut().zip(&hops).take(self.hops) {
            *out = hop.len() as f64;
        }
        let history = self.sides[0].0.get(slot as usize)?;
        history.last(at).map(|entry| entry.time)
    }

    fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(&self.sides)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        self.sides = postcard::from_bytes(bytes)?;
        Ok(())
    }

    fn merge(&mut self, other: &dyn State, slots: Slotted<'_>) {
        let Some(other) = other.as_any().downcast_ref::<Graph>() else {
            return;
        };
        let ends = [[self.ends[0], self.ends[1]], [self.ends[1], self.ends[0]]];
        for ((mine, there), [from, to]) in self.sides.iter_mut().zip(&other.sides).zip(ends) {
            for (slot, history) in there.0.iter().enumerate() {
                let mut history = history.clone();
                for entry in &mut history.entries {
                    entry.value = slots[to][entry.value as usize];
                }
                mine.history(slots[from][slot]).unite(&history);
            }
        }
    }

    fn mark(&mut self, _mark: &Mark) {}

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Operator for Neighbours {
    fn name(&self) -> &'static str {
        "neighbours"
    }

    fn doc(&self) -> &'static str {
        "Along `path: [customer, device]`, the latest different devices of a customer; along \
         `[customer, device, customer]` also the other customers that these devices met last. \
         Columns: how many there are of each (at most `last`), the current event's own device \
         included. With `gather`, the mean and the largest value of other features over these \
         keys, as they stand in the log before the current event; with `each`, also the value of \
         every key: `hop1_1.FEATURE` is that of the device met last, `hop2_1.FEATURE` that of the \
         customer met last."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "path",
                kind: ParamKind::Texts,
                default: "",
                doc: "Two entities, or the first again as the third.",
            },
            ParamDoc {
                name: "last",
                kind: ParamKind::Int,
                default: "10",
                doc: "How many counterparties of each hop, up to 256.",
            },
            ParamDoc {
                name: "gather",
                kind: ParamKind::Texts,
                default: "[]",
                doc: "Features of the entities reached.",
            },
            ParamDoc {
                name: "each",
                kind: ParamKind::Bool,
                default: "false",
                doc: "Whether to show what is gathered key by key, too; for graph models.",
            },
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts::NOTHING
    }

    fn example(&self) -> &'static str {
        "{operator: neighbours, of: order, path: [customer, device, customer], last: 10}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let path = context.texts("path");
        let last = context.int("last", 10, 1, LAST_MAX as i64) as usize;
        let ends: Vec<usize> = path
            .iter()
            .filter_map(|name| context.entity("path", name))
            .collect();
        let Some(kind) = context.event() else {
            return;
        };
        let (from, to, hops) = match ends[..] {
            [from, to] if from != to && path.len() == 2 => (from, to, 1),
            [from, to, back] if from != to && back == from => (from, to, 2),
            _ => {
                let help = "such as `path: [customer, device, customer]`".to_owned();
                let message = format!("[{}] is not a path", path.join(", "));
                context.problem("path", message, help);
                return;
            }
        };
        let gathered = gathered(context, &[to, from][..hops]);
        let each = if context.flag("each") { last } else { 0 };
        if each > 0 && gathered.is_empty() {
            let help = "name features to `gather`, or leave out `each`".to_owned();
            context.problem(
                "each",
                "there is nothing to show key by key".to_owned(),
                help,
            );
        }
        let lateness = context.lateness();
        let graph = Graph {
            kind,
            ends: [from, to],
            hops,
            gathered: gathered.len() * (2 + each),
            last,
            lateness,
            sides: Default::default(),
        };
        let unit = context.unit(Box::new(graph));
        let names = [context.entity_name(from), context.entity_name(to)];
        let counts = [
            (
                &names[1],
                format!("different {}s that this {} met last", names[1], names[0]),
            ),
            (
                &names[0],
                format!("other {}s that these {}s met last", names[0], names[1]),
            ),
        ];
        for (local, (name, help)) in counts.into_iter().take(hops).enumerate() {
            let suffix = format!("{name}_count");
            context.column(
                from,
                &suffix,
                (ColumnKind::Number, ""),
                &help,
                (unit, local),
            );
        }
        for (index, (name, of, _)) in gathered.iter().enumerate() {
            for (offset, word) in ["mean", "max"].into_iter().enumerate() {
                let at = (unit, hops + 2 * index + offset);
                let help = format!("{word} of {name} over the latest counterparties");
                let suffix = format!("{word}.{name}");
                context.column(from, &suffix, (ColumnKind::Number, of), &help, at);
            }
        }
        each_columns(context, from, &gathered, (unit, hops), each);
        let sources = gathered.into_iter().map(|gathered| gathered.2).collect();
        context.builder.gathers.push(GatherPlan {
            unit,
            begin: hops,
            sources,
            each,
        });
    }
}

/// The columns of every key: of what, and which of the latest it is.
fn each_columns(
    context: &mut Context<'_>,
    from: usize,
    gathered: &[Gathered],
    (unit, begin): (usize, usize),
    each: usize,
) {
    let begin = begin + 2 * gathered.len();
    for (index, (name, of, source)) in gathered.iter().enumerate() {
        for place in 0..each {
            let suffix = format!("hop{}_{}.{name}", source.hop + 1, place + 1);
            let help = match place {
                0 => format!("{name} of the latest counterparty"),
                _ => format!("{name} of the counterparty {place} before the latest"),
            };
            let at = (unit, begin + index * each + place);
            context.column(from, &suffix, (ColumnKind::Number, of), &help, at);
        }
    }
}

/// A column to gather: name, unit, place.
type Gathered = (String, String, GatherSource);

fn gathered(context: &mut Context<'_>, reached: &[usize]) -> Vec<Gathered> {
    let mut all = Vec::new();
    for name in context.texts("gather") {
        let features = context.builder.features();
        let Some((_, drafts)) = features.iter().find(|feature| feature.0 == name) else {
            let names: Vec<String> = features.iter().map(|feature| feature.0.clone()).collect();
            context.unknown("gather", "feature", &name, names.iter().map(String::as_str));
            continue;
        };
        let before = all.len();
        for draft in drafts {
            let hop = reached
                .iter()
                .position(|entity| draft.entity == Some(*entity));
            let number = draft.column.kind == ColumnKind::Number;
            let nested = context
                .builder
                .gathers
                .iter()
                .any(|gather| gather.unit == draft.at.0);
            if let (Some(hop), true, false) = (hop, number, nested) {
                let source = GatherSource {
                    unit: draft.at.0,
                    local: draft.at.1,
                    hop,
                };
                all.push((draft.column.name.clone(), draft.column.unit.clone(), source));
            }
        }
        if all.len() == before {
            let message = format!("`{name}` has no number that is kept of an entity of the path");
            let help = "gather a feature `by` one of the entities reached".to_owned();
            context.problem("gather", message, help);
        }
    }
    all
}
