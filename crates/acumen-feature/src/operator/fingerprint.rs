//! `fingerprint`: a stable name for a bundle of attributes, and how much of it changed.

use std::fmt::Write;

use acumen_base::key::{category_code, hash64};
use acumen_base::{ColumnKind, Event};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::{Accepts, Context, Need, Operator, ParamDoc, ParamKind};
use crate::history::{History, Keep, Remembers};
use crate::problem::suggest;
use crate::spec::Operand;
use crate::state::{Facts, Keyed};
use crate::stateless::{FromEvent, Stateless};

/// The operator.
pub(super) struct Fingerprint;

/// The components, by name: positions of fields.
#[derive(Clone)]
struct Components {
    kind: usize,
    fields: Vec<(String, usize)>,
}

/// The hash of each component; missing ones have none.
type Hashes = SmallVec<[Option<u64>; 6]>;

impl Components {
    /// Name and value of a component as bytes, or nothing where it was not sent.
    fn bytes(&self, index: usize, event: &Event) -> Option<Vec<u8>> {
        let (name, field) = &self.fields[index];
        let value = event
            .values
            .get(*field)
            .filter(|value| !value.is_missing())?;
        let mut bytes = (name.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(name.as_bytes());
        value.write_canonical(&mut bytes);
        Some(bytes)
    }

    fn hashes(&self, event: &Event) -> Hashes {
        let all = 0..self.fields.len();
        all.map(|index| self.bytes(index, event).map(|bytes| hash64(&bytes)))
            .collect()
    }
}

fn code(bytes: &[u8]) -> f64 {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    category_code(&hex)
}

impl FromEvent for Components {
    fn width(&self) -> usize {
        1 + self.fields.len()
    }

    fn read(&self, facts: &Facts<'_>, out: &mut [f64]) {
        out.fill(f64::NAN);
        if facts.kind != self.kind {
            return;
        }
        let mut whole = Vec::new();
        for index in 0..self.fields.len() {
            if let Some(bytes) = self.bytes(index, facts.event) {
                out[1 + index] = code(&bytes);
                whole.extend_from_slice(&bytes);
            }
        }
        if !whole.is_empty() {
            out[0] = code(&whole);
        }
    }
}

/// How many components differ from the key's previous fingerprint.
struct Changes {
    components: Components,
    keep: Keep,
}

impl Remembers for Changes {
    type Value = Hashes;

    fn keep(&self) -> Keep {
        self.keep
    }

    fn width(&self) -> usize {
        1
    }

    fn read(&self, of: &History<Hashes>, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        out[0] = f64::NAN;
        let current = current.filter(|facts| facts.kind == self.components.kind);
        let Some((facts, before)) = current.zip(of.last(at)) else {
            return;
        };
        let now = self.components.hashes(facts.event);
        if now.iter().any(Option::is_some) {
            let changed = now
                .iter()
                .zip(&before.value)
                .filter(|(now, before)| now != before);
            out[0] = changed.count() as f64;
        }
    }

    fn value(&self, facts: &Facts<'_>) -> Option<Hashes> {
        if facts.kind != self.components.kind {
            return None;
        }
        let hashes = self.components.hashes(facts.event);
        hashes.iter().any(Option::is_some).then_some(hashes)
    }
}

impl Operator for Fingerprint {
    fn name(&self) -> &'static str {
        "fingerprint"
    }

    fn doc(&self) -> &'static str {
        "The SHA-256 of a group of fields, by name, as a category code (`hash`), and of each \
         component alone, because whole fingerprints drift: a browser's update changes one \
         component and not the device. With `by`, also `changed_components`: how many differ from \
         the key's previous event that had any, the current one excluded. Components that were not \
         sent are left out of the hash, and differ from any that were."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "components",
                kind: ParamKind::Texts,
                default: "every field of the group",
                doc: "The fields, where `of` names an event and not a group.",
            },
            ParamDoc {
                name: "hash_algorithm",
                kind: ParamKind::Text,
                default: "sha256",
                doc: "Only sha256 is known.",
            },
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts {
            by: Need::May,
            ..Accepts::NOTHING
        }
    }

    fn example(&self) -> &'static str {
        "{operator: fingerprint, of: order.device, by: customer}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        if context
            .text("hash_algorithm")
            .is_some_and(|name| name != "sha256")
        {
            let help = "write `sha256`, or leave it out".to_owned();
            context.problem("hash_algorithm", "only sha256 is known".to_owned(), help);
        }
        let entities = context.entities();
        let Some(components) = components(context) else {
            return;
        };
        let unit = context.unit(Box::new(Stateless(components.clone())));
        let category = ColumnKind::Category;
        context.plain_column("hash", category, "", "SHA-256 of all components", (unit, 0));
        for (local, (name, _)) in components.fields.iter().enumerate() {
            let short = name.rsplit('.').next().unwrap_or(name);
            let help = format!("SHA-256 of {}", name.replace(['_', '.'], " "));
            context.plain_column(short, category, "", &help, (unit, local + 1));
        }
        let keep = Keep {
            lateness: context.lateness(),
            last: 1,
        };
        for entity in entities {
            let logic = Changes {
                components: components.clone(),
                keep,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let by = context.entity_name(entity);
            let help = format!("components that differ from this {by}'s previous fingerprint");
            context.column(
                entity,
                "changed_components",
                (ColumnKind::Number, ""),
                &help,
                (unit, 0),
            );
        }
    }
}

/// The fields of the group, or those named, sorted by name.
fn components(context: &mut Context<'_>) -> Option<Components> {
    let kind = context.event()?;
    let mut names = context.texts("components");
    if let Operand::Event {
        field: Some(group), ..
    } = &context.feature.of
    {
        let prefix = format!("{group}.");
        let fields = &context.builder.united.events[kind].fields;
        let inside = fields
            .iter()
            .filter(|f| f.name.starts_with(&prefix) || f.name == *group);
        let inside: Vec<String> = inside.map(|field| field.name.clone()).collect();
        if inside.is_empty() {
            let groups = fields
                .iter()
                .map(|f| f.name.split('.').next().unwrap_or_default());
            let help = suggest(group, groups);
            context.problem("of", format!("there is no field or group `{group}`"), help);
            return None;
        }
        names.extend(inside);
    }
    if names.is_empty() {
        let help = "write `of: order.device`, or name `components`".to_owned();
        context.problem("components", "a fingerprint of nothing".to_owned(), help);
    }
    names.sort();
    names.dedup();
    let mut fields = Vec::new();
    for name in names {
        let (field, _) = context.field(kind, "components", &name)?;
        fields.push((name, field));
    }
    Some(Components { kind, fields })
}
