//! What an operator compiles in: names are resolved, problems collected, units and columns added.

use acumen_base::{Column, ColumnKind, FieldType, Span};
use acumen_expr::ExprError;

use crate::builder::{At, Builder, ColumnDraft, DERIVED, Draft};
use crate::condition::{CONDITIONS_MAX, Where};
use crate::derive::Derived;
use crate::operand::{Convert, NUMBER_UNITS, OperandPlan};
use crate::operator::WHERE;
use crate::problem::{Problem, suggest};
use crate::ring::Needs;
use crate::spec::{FeatureSpec, Operand, Param};
use crate::state::{Keyed, State};
use crate::windows::{Output, Source, Windows};

/// A resolved operand of windows.
#[derive(Clone, Debug)]
pub(crate) struct Operated {
    pub(crate) source: Source,
    pub(crate) kind: usize,
    /// Which events count.
    pub(crate) when: Option<Where>,
    pub(crate) scale: f64,
    pub(crate) unit: String,
    /// `order amount`.
    pub(crate) words: String,
    /// `orders`.
    pub(crate) counted: String,
}

/// What an operator compiles in.
pub struct Context<'a> {
    pub(crate) feature: &'a FeatureSpec,
    pub(crate) builder: Builder<'a>,
    pub(crate) columns: Vec<ColumnDraft>,
}

impl<'a> Context<'a> {
    pub(crate) fn problem(&mut self, key: &str, message: String, help: String) {
        let name = self.feature.name.clone();
        self.builder.problem(&name, key, message, help);
    }

    pub(crate) fn unknown<'n>(
        &mut self,
        key: &str,
        what: &str,
        wrong: &str,
        valid: impl IntoIterator<Item = &'n str>,
    ) {
        let help = suggest(wrong, valid);
        self.problem(key, format!("there is no {what} `{wrong}`"), help);
    }

    pub(crate) fn entity_name(&self, entity: usize) -> String {
        self.builder.united.entities[entity].name.clone()
    }

    pub(crate) fn event_name(&self, kind: usize) -> String {
        self.builder.united.events[kind].name.clone()
    }

    pub(crate) fn lateness(&self) -> i64 {
        self.builder.lateness(self.feature)
    }

    /// The entity of this name.
    pub(crate) fn entity(&mut self, key: &str, name: &str) -> Option<usize> {
        let entities = &self.builder.spec().entities;
        if entities.iter().all(|entity| entity.name != name) {
            self.unknown(
                key,
                "entity",
                name,
                entities.iter().map(|e| e.name.as_str()),
            );
            return None;
        }
        let united = &self.builder.united.entities;
        united.iter().position(|entity| entity.name == name)
    }

    /// The entities of `by`.
    pub(crate) fn entities(&mut self) -> Vec<usize> {
        let names = &self.feature.by;
        names
            .iter()
            .filter_map(|name| self.entity("by", name))
            .collect()
    }

    /// The windows.
    pub(crate) fn windows(&mut self) -> Vec<Span> {
        let windows = self.feature.windows.clone();
        if windows.iter().any(|window| window.0 <= 0) {
            let help = "a length such as `1h`, or `all`".to_owned();
            self.problem(
                "window",
                "a window of no length holds nothing".to_owned(),
                help,
            );
        }
        windows
    }

    /// Whether the event of the row counts.
    pub(crate) fn current(&mut self) -> bool {
        let word = self
            .text("current")
            .unwrap_or_else(|| "included".to_owned());
        if word != "included" && word != "excluded" {
            self.unknown("current", "choice", &word, ["included", "excluded"]);
        }
        word != "excluded"
    }

    fn param(&self, name: &str) -> Option<&'a Param> {
        self.feature.params.get(name)
    }

    fn wrong_type(&mut self, name: &str, wanted: &str) {
        let given = match self.param(name) {
            Some(Param::Text(text)) => format!("`{text}`"),
            Some(other) => format!("{other:?}"),
            None => return,
        };
        self.problem(name, format!("{given} is not {wanted}"), String::new());
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.param(name)? {
            Param::Text(text) => Some(text.clone()),
            _ => {
                self.wrong_type(name, "a word");
                None
            }
        }
    }

    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        match self.param(name) {
            Some(Param::Text(text)) => vec![text.clone()],
            Some(Param::Texts(texts)) => texts.clone(),
            None => Vec::new(),
            Some(_) => {
                self.wrong_type(name, "a list of names");
                Vec::new()
            }
        }
    }

    /// A whole number within limits.
    pub(crate) fn int(&mut self, name: &str, default: i64, least: i64, most: i64) -> i64 {
        match self.param(name) {
            None => default,
            Some(Param::Int(value)) if (least..=most).contains(value) => *value,
            Some(_) => {
                self.wrong_type(name, &format!("a whole number from {least} to {most}"));
                default
            }
        }
    }

    /// Yes or no; no where it is left out.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.param(name) {
            None => false,
            Some(Param::Bool(value)) => *value,
            Some(_) => {
                self.wrong_type(name, "`true` or `false`");
                false
            }
        }
    }

    pub(crate) fn span(&mut self, name: &str, default: Span) -> Span {
        let given = match self.param(name) {
            None => Some(default),
            Some(Param::Span(span)) => Some(*span),
            Some(Param::Text(text)) => text.parse().ok(),
            Some(_) => None,
        };
        given
            .filter(|span| span.0 >= 0 && *span != Span::ALL)
            .unwrap_or_else(|| {
                self.wrong_type(name, "a length of time such as `7d`");
                default
            })
    }

    /// The event type of `of`, whatever field it names.
    pub(crate) fn event(&mut self) -> Option<usize> {
        match &self.feature.of {
            Operand::Event { event, .. } => {
                let name = self.feature.name.clone();
                self.builder.kind(&name, "of", event)
            }
            _ => {
                let help = "write an event type, such as `of: order`".to_owned();
                self.problem("of", "this operator is of events".to_owned(), help);
                None
            }
        }
    }

    /// Whether `of` names a field, and not the events themselves.
    pub(crate) fn is_of_field(&self) -> bool {
        matches!(&self.feature.of, Operand::Event { field: Some(_), .. })
    }

    /// The field that `of` names.
    pub(crate) fn event_field(&mut self) -> Option<(usize, usize, FieldType)> {
        let kind = self.event()?;
        let Operand::Event {
            field: Some(field), ..
        } = &self.feature.of
        else {
            let help = "write event and field, such as `of: order.amount`".to_owned();
            self.problem("of", "this operator is of a field".to_owned(), help);
            return None;
        };
        let (position, field_kind) = self.field(kind, "of", field)?;
        Some((kind, position, field_kind))
    }

    /// The field that `of` names, which holds a place.
    pub(crate) fn place_field(&mut self) -> Option<(usize, usize)> {
        let (kind, field, field_kind) = self.event_field()?;
        if field_kind != FieldType::Geo {
            let help = "use a field of type geo".to_owned();
            self.problem("of", format!("a {field_kind} is not a place"), help);
            return None;
        }
        Some((kind, field))
    }

    pub(crate) fn field(
        &mut self,
        kind: usize,
        key: &str,
        name: &str,
    ) -> Option<(usize, FieldType)> {
        let feature = self.feature.name.clone();
        self.builder.field(&feature, key, kind, name)
    }

    /// A money field as an operand: its index, minor units of a major unit, the currency's code.
    pub(crate) fn money(&mut self, kind: usize, field: usize) -> (usize, f64, String) {
        let convert = Convert::Money;
        let at = self.builder.intern(OperandPlan {
            kind,
            field: Some(field),
            convert,
        });
        let currency = self.builder.united.currency;
        (at, currency.units() as f64, currency.code().to_owned())
    }

    /// A field as an operand: its index and scale.
    pub(crate) fn number(
        &mut self,
        kind: usize,
        field: usize,
        field_kind: FieldType,
    ) -> Option<(usize, f64, String)> {
        let (convert, scale) = match field_kind {
            FieldType::Money => return Some(self.money(kind, field)),
            FieldType::Int => (Convert::Int, 1.0),
            FieldType::Number => (Convert::Number, NUMBER_UNITS),
            FieldType::Bool => (Convert::Bool, 1.0),
            _ => return None,
        };
        let at = self.builder.intern(OperandPlan {
            kind,
            field: Some(field),
            convert,
        });
        Some((at, scale, String::new()))
    }

    /// The operand of `of`; where only counts are asked for, any field or none will do.
    pub(crate) fn operand(&mut self, only_count: bool) -> Option<Operated> {
        let bare = matches!(&self.feature.of, Operand::Event { field: None, .. });
        if bare && only_count {
            let kind = self.event()?;
            let plan = OperandPlan {
                kind,
                field: None,
                convert: Convert::Event,
            };
            let at = self.builder.intern(plan);
            return Some(self.operated(Source::Operand(at), kind, 1.0, String::new(), None));
        }
        let (kind, field, field_kind) = self.event_field()?;
        let name = self.builder.united.events[kind].fields[field].name.clone();
        let (at, scale, unit) = match self.number(kind, field, field_kind) {
            Some(number) => number,
            None if only_count => {
                let convert = Convert::Presence;
                let plan = OperandPlan {
                    kind,
                    field: Some(field),
                    convert,
                };
                (self.builder.intern(plan), 1.0, String::new())
            }
            None => {
                let message = format!("`{name}` is of type {field_kind}, which has no amount");
                let help = "use a money, int, number or bool field, or `count`".to_owned();
                self.problem("of", message, help);
                return None;
            }
        };
        Some(self.operated(Source::Operand(at), kind, scale, unit, Some(&name)))
    }

    fn operated(
        &mut self,
        source: Source,
        kind: usize,
        scale: f64,
        unit: String,
        field: Option<&str>,
    ) -> Operated {
        let event = self.event_name(kind);
        let words = match field {
            Some(field) => format!("{event} {}", field.replace(['_', '.'], " ")),
            None => event.clone(),
        };
        let (when, so) = (self.condition(kind), self.condition_words());
        Operated {
            source,
            kind,
            when,
            scale,
            unit,
            words: format!("{words}{so}"),
            counted: format!("{event}s{so}"),
        }
    }

    /// The condition of `where` on events of this type; none where all of them count.
    pub(crate) fn condition(&mut self, kind: usize) -> Option<Where> {
        let text = self.text(WHERE.name)?;
        let found = match self.builder.condition(kind, &text) {
            Ok(found) => found,
            Err(errors) => {
                self.expression_problems(WHERE.name, errors);
                return None;
            }
        };
        let count = found.0 + 1;
        if count > CONDITIONS_MAX {
            let message = format!("{count} different conditions are declared");
            self.problem(WHERE.name, message, format!("at most {CONDITIONS_MAX}"));
        }
        Some(found)
    }

    /// Whether a condition reads columns.
    pub(crate) fn reads_columns(&self, when: Option<Where>) -> bool {
        let condition = when.and_then(|Where(at)| self.builder.conditions.get(at));
        condition.is_some_and(|condition| condition.reads_columns)
    }

    /// What `where` adds to the words of a column.
    pub(crate) fn condition_words(&mut self) -> String {
        let text = self.text(WHERE.name);
        text.map_or_else(String::new, |text| format!(" where {text}"))
    }

    /// Every problem of an expression at its place.
    pub(crate) fn expression_problems(&mut self, key: &str, errors: Vec<ExprError>) {
        let problems = errors.into_iter().map(|error| Problem {
            feature: self.feature.name.clone(),
            key: key.to_owned(),
            message: error.message,
            help: error.help,
            offset: Some(error.offset),
        });
        self.builder.problems.extend(problems);
    }

    /// `order channel`.
    pub(crate) fn field_words(&self, kind: usize, field: usize) -> String {
        let kind = &self.builder.united.events[kind];
        format!(
            "{} {}",
            kind.name,
            kind.fields[field].name.replace(['_', '.'], " ")
        )
    }

    /// How long an outcome stays open; nothing for a field.
    pub(crate) fn closes(&self, source: Source) -> i64 {
        match source {
            Source::Outcome(outcome) => self.builder.outcomes[outcome].closes,
            Source::Operand(_) => 0,
        }
    }

    /// The outcome of this name, marked as read.
    fn outcome(&mut self, name: &str) -> Option<usize> {
        let found = self.builder.outcome(name);
        match found {
            Some(at) => self.builder.outcomes[at].used = true,
            None => {
                let outcomes = &self.builder.spec().outcomes;
                self.unknown(
                    "of",
                    "outcome",
                    name,
                    outcomes.iter().map(|o| o.name.as_str()),
                );
            }
        }
        found
    }

    /// An outcome, or a boolean field, as ones and zeros.
    pub(crate) fn outcome_or_flag(&mut self) -> Option<Operated> {
        match &self.feature.of {
            Operand::Outcome(name) => {
                let at = self.outcome(name)?;
                let kind = self.builder.outcomes[at].of;
                if kind == usize::MAX {
                    return None;
                }
                let source = Source::Outcome(at);
                let mut operated = self.operated(source, kind, 1.0, String::new(), None);
                operated.words = format!("known positive {name} among the {}", operated.counted);
                Some(operated)
            }
            _ => {
                let (kind, field, field_kind) = self.event_field()?;
                if field_kind != FieldType::Bool {
                    let help = "write `of: outcome` or a bool field".to_owned();
                    self.problem("of", format!("a {field_kind} is not true or false"), help);
                    return None;
                }
                let (at, ..) = self.number(kind, field, field_kind)?;
                let name = self.builder.united.events[kind].fields[field].name.clone();
                let source = Source::Operand(at);
                let mut operated = self.operated(source, kind, 1.0, String::new(), Some(&name));
                let field = name.replace(['_', '.'], " ");
                operated.words = format!("{field} among the {}", operated.counted);
                Some(operated)
            }
        }
    }

    /// A column of windows; rings of the same operand, delay and entity are one.
    pub(crate) fn window_output(
        &mut self,
        operand: &Operated,
        entity: usize,
        window: Span,
        delay: i64,
        output: Output,
    ) -> At {
        let key = (operand.source, operand.kind, operand.when, delay, entity);
        let lateness = self.lateness();
        let next = self.builder.drafts.len();
        let unit = *self.builder.rings.entry(key).or_insert(next);
        if unit == next {
            let windows = Windows {
                kind: operand.kind,
                source: operand.source,
                when: operand.when,
                delay,
                lengths: Vec::new(),
                outputs: Vec::new(),
                needs: Needs::default(),
                scale: operand.scale,
                lateness,
            };
            let keyed = Box::new(Keyed::new(windows, entity));
            self.builder.drafts.push(Draft::Windows(keyed));
        }
        match &mut self.builder.drafts[unit] {
            Draft::Windows(keyed) => {
                keyed.logic.lateness = keyed.logic.lateness.max(lateness);
                (unit, keyed.logic.output(window.0, output))
            }
            Draft::Ready(_) => (unit, 0),
        }
    }

    /// Adds a unit that is not shared.
    pub(crate) fn unit(&mut self, state: Box<dyn State>) -> usize {
        self.builder.drafts.push(Draft::Ready(state));
        self.builder.drafts.len() - 1
    }

    /// A column of an entity: `name.suffix`, or `name.entity.suffix` where there are several.
    pub(crate) fn column(
        &mut self,
        entity: usize,
        suffix: &str,
        (kind, unit): (ColumnKind, &str),
        help: &str,
        at: At,
    ) {
        let name = &self.feature.name;
        let name = match self.feature.by.len() {
            0 | 1 => format!("{name}.{suffix}"),
            _ => format!("{name}.{}.{suffix}", self.entity_name(entity)),
        };
        let (unit, help) = (unit.to_owned(), help.to_owned());
        let column = Column {
            name,
            kind,
            unit,
            help,
        };
        self.columns.push(ColumnDraft {
            column,
            entity: Some(entity),
            at,
        });
    }

    /// The column of a derived feature: it has the feature's own name.
    pub(crate) fn derived_column(
        &mut self,
        derived: Derived,
        kind: ColumnKind,
        unit: &str,
        help: &str,
    ) {
        let at = (DERIVED + self.builder.derived.len(), 0);
        self.builder.derived.push(derived);
        let name = self.feature.name.clone();
        let (unit, help) = (unit.to_owned(), help.to_owned());
        let column = Column {
            name,
            kind,
            unit,
            help,
        };
        self.columns.push(ColumnDraft {
            column,
            entity: None,
            at,
        });
    }

    /// A column of no entity: `name.suffix`.
    pub(crate) fn plain_column(
        &mut self,
        suffix: &str,
        kind: ColumnKind,
        unit: &str,
        help: &str,
        at: At,
    ) {
        let name = format!("{}.{suffix}", self.feature.name);
        let (unit, help) = (unit.to_owned(), help.to_owned());
        let column = Column {
            name,
            kind,
            unit,
            help,
        };
        self.columns.push(ColumnDraft {
            column,
            entity: None,
            at,
        });
    }
}
