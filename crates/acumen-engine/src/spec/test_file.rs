//! The user's own tests: given these events, expect these rows, decisions and values.
//!
//! ```yaml
//! name: the third order within a minute
//! defaults: {order: {customer_id: ada, amount: 10.00 GBP}}
//! given:
//!   - order: {order_id: o1, ordered_at: 2026-03-01T12:00:00Z}
//!   - order: {order_id: o2, ordered_at: 2026-03-01T12:00:20Z, amount: 5.00 GBP}
//! expect:
//!   - event: o2
//!     row: {orders.count_1m: 2, orders.avg_1m: {about: 7.5}, travel.km: missing}
//!     action: approve
//! ```
//!
//! Where each key of an entity is decided on, `each: ada` and `at: 2026-03-02` stand for `event`.

use acumen_base::decision::Firing;
use acumen_base::{Decision, Diagnostic, Place, Row, Time, key::category_code};
use serde_json::Value;

use super::files::File;
use super::tree::{Key, Kind, Node};
use super::types::UseCase;
use super::walk::{Walk, suggestion};

/// The relative difference that `about` allows unless it says `within`.
const ABOUT: f64 = 1e-6;

/// A file of `tests/`.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// What it shows.
    pub name: String,
    /// The file, as the user would name it.
    pub file: String,
    /// What the lists hold: (`stolen_cards`, ids).
    pub lists: Vec<(String, Vec<String>)>,
    /// The events in the order in which they arrive.
    pub given: Vec<Given>,
    /// What must come of them.
    pub expect: Vec<Expectation>,
}

/// An event as a client sends it.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its type.
    pub event: String,
    /// Its fields, those of `defaults` among them.
    pub body: Value,
    /// When it becomes known; when it happened unless said otherwise.
    pub known_at: Option<Time>,
    /// Where it stands.
    pub place: Place,
}

/// What something is expected of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The decided event of this id.
    Event(String),
    /// A key at a time, by what is known then.
    Key(String, Time),
}

/// What must come of one event, or be known of one key.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Of which.
    pub of: Of,
    /// Values of columns of its row.
    pub row: Vec<(String, Expected, Place)>,
    /// The action.
    pub action: Option<(String, Place)>,
    /// Exactly the rules that fire, in the order of the layers; shadow rules among them, those that
    /// a list suppresses not.
    pub rules: Option<(Vec<String>, Place)>,
    /// Texts that must stand among the reasons.
    pub reasons: Vec<(String, Place)>,
    /// Where it stands.
    pub place: Place,
}

/// What a column must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Nothing.
    Missing,
    /// This number.
    Exactly(f64),
    /// This number within an absolute difference.
    About(f64, f64),
    /// This category.
    Category(String),
}

/// What runs a test: a use case with nothing in its log.
pub trait Bench {
    /// Puts ids on a list.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    fn add_to_list(&mut self, list: &str, ids: &[String]) -> Result<(), String>;

    /// Takes an event in and decides on it where it is of the decided type.
    ///
    /// # Errors
    /// Why it is refused, in words.
    fn give(&mut self, given: &Given) -> Result<Option<(Row, Decision)>, String>;

    /// When an event becomes known.
    ///
    /// # Errors
    /// Why it is refused, in words.
    fn known_at(&self, given: &Given) -> Result<Time, String>;

    /// Reads the row of a key; `None` where no event has named it.
    fn read(&mut self, id: &str, at: Time) -> Option<Row>;
}

impl TestFile {
    /// Reads all of a use case's `tests/*.yaml`: those that are sound, and all that is not.
    pub fn load_all(use_case: &UseCase) -> (Vec<TestFile>, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let mut tests = Vec::new();
        for file in super::files::yaml_files(&use_case.folder.join("tests"), &mut found) {
            let mut walk = Walk::new(&file.name);
            let test = file
                .parse(&mut walk.found)
                .and_then(|tree| read(&mut walk, use_case, &file, &tree));
            tests.extend(test.filter(|_| walk.found.is_empty()));
            found.append(&mut walk.found);
        }
        (tests, found)
    }

    /// Runs the test on an empty bench and gives everything that came out differently.
    pub fn run(&self, bench: &mut dyn Bench) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (list, ids) in &self.lists {
            if let Err(error) = bench.add_to_list(list, ids) {
                found.push(failure(
                    &Place::default(),
                    format!("list `{list}`: {error}"),
                ));
            }
        }
        let mut seen: Vec<&Expectation> = Vec::new();
        for given in &self.given {
            let now = bench.known_at(given).unwrap_or(Time::LATEST);
            self.read_keys(bench, |at| at < now, &mut seen, &mut found);
            match bench.give(given) {
                Ok(Some((row, decision))) => {
                    let of = Of::Event(decision.event_id.clone());
                    for expectation in self.expect.iter().filter(|e| e.of == of) {
                        expectation.compare(&row, &decision, &mut found);
                        seen.push(expectation);
                    }
                }
                Ok(None) => {}
                Err(error) => found.push(failure(
                    &given.place,
                    format!("the event is refused: {error}"),
                )),
            }
        }
        self.read_keys(bench, |_| true, &mut seen, &mut found);
        for expectation in &self.expect {
            if let Of::Event(id) = &expectation.of
                && !seen.iter().any(|other| std::ptr::eq(*other, expectation))
            {
                let message = format!("no event `{id}` was decided on");
                found.push(failure(&expectation.place, message));
            }
        }
        found
    }

    /// Compares what is expected of keys at times that have come and were not looked at before.
    fn read_keys<'a>(
        &'a self,
        bench: &mut dyn Bench,
        has_come: impl Fn(Time) -> bool,
        seen: &mut Vec<&'a Expectation>,
        found: &mut Vec<Diagnostic>,
    ) {
        for expectation in &self.expect {
            let Of::Key(id, at) = &expectation.of else {
                continue;
            };
            if !has_come(*at) || seen.iter().any(|other| std::ptr::eq(*other, expectation)) {
                continue;
            }
            seen.push(expectation);
            match bench.read(id, *at) {
                Some(row) => expectation.compare_row(&row, found),
                None => {
                    let message = format!("no event has named `{id}` by {at}");
                    found.push(failure(&expectation.place, message));
                }
            }
        }
    }
}

impl Expectation {
    /// Collects everything in which a row and a decision differ from what is expected.
    pub fn compare(&self, row: &Row, decision: &Decision, found: &mut Vec<Diagnostic>) {
        self.compare_row(row, found);
        self.compare_decision(decision, found);
    }

    fn compare_row(&self, row: &Row, found: &mut Vec<Diagnostic>) {
        for (column, expected, place) in &self.row {
            let Some(position) = row.columns.position(column) else {
                let names: Vec<&str> = row.columns.list.iter().map(|c| c.name.as_str()).collect();
                let mut diagnostic = failure(place, format!("there is no column `{column}`"));
                diagnostic.help = suggestion(column, &names);
                found.push(diagnostic);
                continue;
            };
            let value = row.values[position];
            if !expected.holds(value) {
                let is = if value.is_nan() {
                    "missing".to_owned()
                } else {
                    value.to_string()
                };
                found.push(failure(
                    place,
                    format!("`{column}` is {is}, not {expected}"),
                ));
            }
        }
    }

    fn compare_decision(&self, decision: &Decision, found: &mut Vec<Diagnostic>) {
        if let Some((action, place)) = self.action.as_ref().filter(|(a, _)| *a != decision.action) {
            found.push(failure(
                place,
                format!("the action is `{}`, not `{action}`", decision.action),
            ));
        }
        if let Some((rules, place)) = &self.rules {
            let fired = decision
                .rules
                .iter()
                .filter(|hit| hit.firing != Firing::Suppressed);
            let fired: Vec<&str> = fired.map(|hit| hit.id.as_str()).collect();
            if fired != *rules {
                let message = format!(
                    "these rules fire: [{}], not [{}]",
                    fired.join(", "),
                    rules.join(", ")
                );
                found.push(failure(place, message));
            }
        }
        for (text, place) in &self.reasons {
            if !decision
                .reasons
                .iter()
                .any(|reason| reason.text.contains(text))
            {
                let texts: Vec<&str> = decision.reasons.iter().map(|r| r.text.as_str()).collect();
                let message = format!("no reason says `{text}`, but: {}", texts.join("; "));
                found.push(failure(place, message));
            }
        }
    }
}

impl Expected {
    /// Whether a column's value is as expected.
    pub fn holds(&self, value: f64) -> bool {
        match self {
            Expected::Missing => value.is_nan(),
            Expected::Exactly(wanted) => value == *wanted,
            Expected::About(wanted, within) => (value - wanted).abs() <= *within,
            Expected::Category(text) => value.to_bits() == category_code(text).to_bits(),
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expected::Missing => f.write_str("missing"),
            Expected::Exactly(value) => write!(f, "{value}"),
            Expected::About(value, within) => write!(f, "{value} ± {within}"),
            Expected::Category(text) => write!(f, "the category `{text}`"),
        }
    }
}

fn failure(place: &Place, message: String) -> Diagnostic {
    let mut diagnostic = Diagnostic::new("test_failed", message, "");
    diagnostic.place = place.clone();
    diagnostic
}

fn read(walk: &mut Walk, use_case: &UseCase, file: &File, tree: &Node) -> Option<TestFile> {
    let mut group = walk.group(tree, "the test")?;
    let name = group.get("name");
    let defaults = group.get("defaults");
    let lists = group.get("lists");
    let given_node = group.require("given");
    let expect = group.require("expect");
    group.finish(walk);
    let defaults = defaults.map_or(Value::Null, |node| walk.json(node));
    let given: Vec<Given> = given_node
        .map(|node| walk.items(node))
        .into_iter()
        .flatten()
        .filter_map(|node| given(walk, use_case, &defaults, node))
        .collect();
    let read_list = |walk: &mut Walk, key: &Key, node: &Node| {
        known_key(
            walk,
            "list",
            key,
            use_case.lists.iter().map(|(name, _)| name.as_str()),
        );
        Some((key.text.clone(), walk.texts(node)))
    };
    Some(TestFile {
        name: name
            .and_then(|node| walk.text(node))
            .unwrap_or_else(|| file.stem.clone()),
        file: file.name.clone(),
        lists: lists
            .map(|node| walk.each(node, read_list))
            .unwrap_or_default(),
        expect: expect
            .map(|node| walk.items(node))
            .into_iter()
            .flatten()
            .filter_map(|node| expectation(walk, use_case, node))
            .collect(),
        given,
    })
}

fn known_key<'v>(walk: &mut Walk, what: &str, key: &Key, valid: impl Iterator<Item = &'v str>) {
    let valid: Vec<&str> = valid.collect();
    if !valid.contains(&key.text.as_str()) {
        let message = format!("there is no {what} `{}`", key.text);
        walk.problem_at_key(key, "unknown_name", message, suggestion(&key.text, &valid));
    }
}

/// `{order: {…}, known_at: …}`: one event type's name, and perhaps when it became known.
fn given(walk: &mut Walk, use_case: &UseCase, defaults: &Value, node: &Node) -> Option<Given> {
    let mut group = walk.group(node, "the event")?;
    let known_at = group.get("known_at");
    let rest = group.finish_open(walk);
    let [(key, fields)] = rest.as_slice() else {
        walk.wrong_type(node, "one event, `TYPE: {field: value}`");
        return None;
    };
    let events = || use_case.events.iter().map(|event| event.name.as_str());
    known_key(walk, "event type", key, events());
    let event = use_case.event(&key.text)?;
    let mut body = defaults
        .get(&key.text)
        .cloned()
        .unwrap_or_else(|| Value::Object(Default::default()));
    let given = walk
        .group(fields, format!("the event `{}`", key.text))?
        .finish_open(walk);
    for (field, value) in given {
        let group = |name: &str| name.split_once('.').map(|(group, _)| group.to_owned());
        let names: Vec<String> = event
            .fields
            .iter()
            .map(|field| group(&field.name).unwrap_or_else(|| field.name.clone()))
            .chain([event.id_field.clone(), event.time_field.clone()])
            .collect();
        known_key(
            walk,
            &format!("field of `{}`", event.name),
            field,
            names.iter().map(String::as_str),
        );
        let value = walk.json(value);
        if let Some(body) = body.as_object_mut() {
            body.insert(field.text.clone(), value);
        }
    }
    Some(Given {
        event: key.text.clone(),
        body,
        known_at: known_at.and_then(|node| walk.time(node)),
        place: key.place(&walk.file),
    })
}

fn expectation(walk: &mut Walk, use_case: &UseCase, node: &Node) -> Option<Expectation> {
    let mut group = walk.group(node, "the expectation")?;
    let of = match use_case.subject {
        Some(_) => {
            let (each, at) = (group.require("each"), group.require("at"));
            let id = each.and_then(|node| walk.text(node));
            let at = at.and_then(|node| walk.time(node));
            id.zip(at).map(|(id, at)| Of::Key(id, at))
        }
        None => {
            let event = group.require("event");
            event.and_then(|node| walk.text(node)).map(Of::Event)
        }
    };
    let row = group.get("row");
    let action = group.get("action");
    let rules = group.get("rules");
    let reasons = group.get("reasons");
    group.finish(walk);
    let file = walk.file.clone();
    let place = node.place(&file);
    let mut columns = Vec::new();
    if let Some(Kind::Map(entries)) = row.map(|node| &node.kind) {
        for (key, value) in entries {
            let expected = expected(walk, value);
            columns.extend(expected.map(|expected| (key.text.clone(), expected, key.place(&file))));
        }
    } else if let Some(node) = row {
        walk.wrong_type(node, "a group of columns (`column: value`)");
    }
    if let Some(node) = action {
        let names: Vec<(&str, ())> = use_case.action_names().map(|name| (name, ())).collect();
        walk.word(node, "action", &names);
    }
    let ids: Vec<(&str, ())> = use_case
        .rules
        .iter()
        .map(|rule| (rule.id.as_str(), ()))
        .collect();
    for item in rules.map_or(&[][..], |node| walk.items(node)) {
        walk.word(item, "rule", &ids);
    }
    let placed = |walk: &mut Walk, node: &Node| Some((walk.text(node)?, node.place(&file)));
    let texts = reasons.map_or(&[][..], |node| walk.items(node));
    Some(Expectation {
        row: columns,
        action: action.and_then(|node| placed(walk, node)),
        rules: rules.map(|node| (walk.texts(node), node.place(&file))),
        reasons: texts.iter().filter_map(|node| placed(walk, node)).collect(),
        of: of?,
        place,
    })
}

/// A number, `missing`, a category's text, or `{about: 7.5, within: 0.1}`.
fn expected(walk: &mut Walk, node: &Node) -> Option<Expected> {
    if let Kind::Scalar { text, plain } = &node.kind {
        return Some(match text.parse::<f64>() {
            Ok(number) if *plain && number.is_finite() => Expected::Exactly(number),
            _ if text == "missing" => Expected::Missing,
            _ => Expected::Category(text.clone()),
        });
    }
    let mut group = walk.group(node, "the value")?;
    let about = group.require("about");
    let within = group.get("within");
    group.finish(walk);
    let about = walk.number(about?)?;
    let usual = (about.abs() * ABOUT).max(ABOUT);
    let within = within.and_then(|node| walk.number(node)).unwrap_or(usual);
    Some(Expected::About(about, within))
}
