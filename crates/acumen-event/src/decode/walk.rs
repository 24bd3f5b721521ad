//! An object's entries into the values of an event, noting every problem on the way.

use std::sync::Arc;

use acumen_base::{Currency, Event, FieldType, Time, Value, nearest};

use super::envelope::Envelope;
use super::json::{Json, shorten};
use super::rejected::Problem;
use super::{DecodeLimits, Entries, KnownType, Slot, field};

/// What has been read of an event.
pub(super) struct Walk<'a, 'b> {
    known: &'b KnownType,
    limits: &'b DecodeLimits,
    default_currency: Option<Currency>,
    problems: Vec<Problem>,
    id: Option<Arc<str>>,
    time: Option<Time>,
    values: Vec<Value>,
    /// Which slots were met: the fields, then id and time.
    met: Vec<bool>,
    /// Amounts, read when the currencies are known.
    amounts: Vec<(usize, &'b Json<'a>)>,
    /// Currencies by the group that they stand in; `None` where the code is unknown.
    currencies: Vec<(String, Option<Currency>)>,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(
        known: &'b KnownType,
        limits: &'b DecodeLimits,
        default_currency: Option<Currency>,
    ) -> Walk<'a, 'b> {
        let fields = known.kind.fields.len();
        Walk {
            known,
            limits,
            default_currency,
            problems: Vec::new(),
            id: None,
            time: None,
            values: vec![Value::Missing; fields],
            met: vec![false; fields + 2],
            amounts: Vec::new(),
            currencies: Vec::new(),
        }
    }

    /// The event, or everything that is wrong with it.
    pub(super) fn event(
        mut self,
        envelope: &Envelope<'a, 'b>,
        received_at: Time,
    ) -> Result<Event, Vec<Problem>> {
        self.entries("", envelope.entries);
        for (slot, sent) in [(Slot::Id, envelope.id), (Slot::Time, envelope.time)] {
            if let Some(sent) = sent
                && !self.met[self.index(slot)]
            {
                self.take(slot, self.name(slot), sent);
            }
        }
        self.amounts();
        self.missing();
        self.future(received_at);
        match (self.id, self.time) {
            (Some(id), Some(event_time)) if self.problems.is_empty() => Ok(Event {
                kind: Arc::clone(&self.known.kind),
                id,
                event_time,
                known_at: received_at,
                received_at,
                values: self.values,
            }),
            _ => Err(self.problems),
        }
    }

    fn entries(&mut self, group: &str, entries: &'b Entries<'a>) {
        let mut dotted = String::new();
        for (key, json) in entries {
            let path = if group.is_empty() {
                key.as_ref()
            } else {
                dotted.clear();
                dotted.extend([group, ".", key]);
                &dotted
            };
            match (self.known.slot(path), json) {
                (Some(slot), _) => self.take(slot, path, json),
                (None, Json::Object(inner)) if self.known.is_group(path) => {
                    self.entries(path, inner);
                }
                (None, Json::Null) if self.known.is_group(path) => {}
                (None, _) if self.known.is_group(path) => {
                    let problem = field::wrong_type(path, "an object", json);
                    self.problems.push(problem);
                }
                (None, _) if path == "type" => {}
                (None, _) if key == "currency" && self.known.has_money => {
                    self.currency(path, group, json);
                }
                (None, _) => self.unknown(path),
            }
        }
    }

    /// Reads what goes to a slot.
    fn take(&mut self, slot: Slot, path: &str, json: &'b Json<'a>) {
        let index = self.index(slot);
        if std::mem::replace(&mut self.met[index], true) {
            self.problems.push(field::duplicate(path));
            return;
        }
        if *json == Json::Null {
            self.met[index] = false;
            return;
        }
        let problem = match slot {
            Slot::Id => self.take_id(path, json).err(),
            Slot::Time => match field::instant(path, json) {
                Ok(time) => {
                    self.time = Some(time);
                    None
                }
                Err(problem) => Some(problem),
            },
            Slot::Field(index) => self.take_field(index, json).err(),
        };
        self.problems.extend(problem);
        // A declared `currency` field also says what the amounts beside it are of.
        let last = path.rsplit('.').next();
        if self.known.has_money && last == Some("currency") {
            let group = path.strip_suffix("currency").unwrap_or_default();
            self.currency(path, group.trim_end_matches('.'), json);
        }
    }

    fn take_id(&mut self, path: &str, json: &Json<'_>) -> Result<(), Problem> {
        let id: Arc<str> = match json {
            Json::Text(text) if text.is_empty() => {
                let help = "send what identifies the event, so that a repeat is recognised";
                return Err(Problem::new(
                    "missing_field",
                    Some(path),
                    format!("`{path}` is empty"),
                    help,
                ));
            }
            Json::Text(text) => {
                field::check_length(path, text, self.limits.id_bytes)?;
                text.as_ref().into()
            }
            Json::Int(number) => number.to_string().into(),
            other => return Err(field::wrong_type(path, "an id", other)),
        };
        self.id = Some(id);
        Ok(())
    }

    fn take_field(&mut self, index: usize, json: &'b Json<'a>) -> Result<(), Problem> {
        let declared = &self.known.kind.fields[index];
        if declared.kind == FieldType::Money {
            self.amounts.push((index, json));
            return Ok(());
        }
        self.values[index] = field::read(declared, json, self.limits)?;
        Ok(())
    }

    fn currency(&mut self, path: &str, group: &str, json: &Json<'_>) {
        if *json == Json::Null {
            return;
        }
        if self.currencies.iter().any(|known| known.0 == group) {
            self.problems.push(field::duplicate(path));
            return;
        }
        let read = match self.default_currency {
            Some(default) if json.as_text() == Some(default.code()) => Ok(default),
            _ => field::currency_of(path, json),
        };
        let currency = match read {
            Ok(currency) => Some(currency),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        self.currencies.push((group.to_owned(), currency));
    }

    /// Reads the amounts, each in the currency of its group, of the event, or the default.
    fn amounts(&mut self) {
        for (index, json) in std::mem::take(&mut self.amounts) {
            let declared = &self.known.kind.fields[index];
            let group = declared.name.rsplit_once('.').map_or("", |name| name.0);
            let of = |group: &str| self.currencies.iter().find(|known| known.0 == group);
            let currency = match of(group).or_else(|| of("")) {
                // Its code is unknown, which has been said; the amount is still to be checked.
                Some((_, None)) => Some(Currency::GBP),
                Some((_, known)) => *known,
                None => self.default_currency,
            };
            match field::money(declared, json, currency) {
                Ok(value) => self.values[index] = value,
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    fn missing(&mut self) {
        let fields = self.known.kind.fields.iter().enumerate();
        let required = fields
            .filter(|(_, declared)| !declared.optional)
            .map(|(index, declared)| (Slot::Field(index), declared.kind.name()));
        let required = [(Slot::Id, "id"), (Slot::Time, "time")]
            .into_iter()
            .chain(required);
        for (slot, what) in required {
            if self.met[self.index(slot)] {
                continue;
            }
            let name = self.name(slot);
            let help = match slot {
                Slot::Field(_) => format!("send {what}, or declare the field `optional: true`"),
                _ => format!("send the event's {what}"),
            };
            let message = format!("`{name}` is missing");
            self.problems
                .push(Problem::new("missing_field", Some(name), message, help));
        }
    }

    fn future(&mut self, received_at: Time) {
        let Some(time) = self.time else { return };
        if time > received_at + self.limits.future {
            let name = &self.known.kind.time_field;
            self.problems.push(Problem::new(
                "future_time",
                Some(name),
                format!(
                    "`{name}`: {time} lies more than {} ahead of the clock ({received_at})",
                    self.limits.future
                ),
                "check the sender's clock and time zone",
            ));
        }
    }

    fn unknown(&mut self, path: &str) {
        let names = || self.known.slots.iter().map(|slot| slot.0.as_str());
        let kind = &self.known.kind.name;
        let help = match nearest(path, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<&str> = names().collect();
                format!("`{kind}` has `{}`", all.join("`, `"))
            }
        };
        let message = format!("unknown field `{}`", shorten(path));
        self.problems
            .push(Problem::new("unknown_field", Some(path), message, help));
    }

    fn index(&self, slot: Slot) -> usize {
        let fields = self.known.kind.fields.len();
        match slot {
            Slot::Field(index) => index,
            Slot::Id => fields,
            Slot::Time => fields + 1,
        }
    }

    fn name(&self, slot: Slot) -> &'b str {
        let kind = &self.known.kind;
        match slot {
            Slot::Id => &kind.id_field,
            Slot::Time => &kind.time_field,
            Slot::Field(index) => &kind.fields[index].name,
        }
    }
}
