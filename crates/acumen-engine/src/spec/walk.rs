//! Walking a tree: what is wanted is taken, what is wrong is collected, nothing stops.

use acumen_base::{CalendarSpan, Diagnostic, Place, Span, Time, nearest};

use super::tree::{Key, Kind, Node};

/// The problems of one file as they are found.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) file: String,
    pub(super) found: Vec<Diagnostic>,
    /// Declared names with a mistake inside: what follows from it is no second mistake.
    pub(super) broken: Vec<String>,
    /// Whether so much is missing that what the stages would say of it means nothing.
    pub(super) incomplete: bool,
}

/// A group of keys of which each is asked for once.
pub(super) struct Group<'n> {
    node: &'n Node,
    entries: &'n [(Key, Node)],
    /// What the group is, for messages: `feature \`velocity_checks\``.
    what: String,
    asked: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl Walk {
    pub(super) fn new(file: &str) -> Walk {
        Walk {
            file: file.to_owned(),
            found: Vec::new(),
            broken: Vec::new(),
            incomplete: false,
        }
    }

    /// Collects a problem at a value.
    pub(super) fn problem(
        &mut self,
        node: &Node,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problem_in(node.place(&self.file), code, message, help);
    }

    /// Collects a problem at a key.
    pub(super) fn problem_at_key(
        &mut self,
        key: &Key,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problem_in(key.place(&self.file), code, message, help);
    }

    /// Collects a problem at a place.
    pub(super) fn problem_in(
        &mut self,
        place: Place,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mut diagnostic = Diagnostic::new(code, message, help);
        diagnostic.place = place;
        self.found.push(diagnostic);
    }

    /// Collects that a name is none of the declared ones.
    pub(super) fn unknown<'v>(
        &mut self,
        node: &Node,
        what: &str,
        wrong: &str,
        valid: impl IntoIterator<Item = &'v str>,
    ) {
        let valid: Vec<&str> = valid.into_iter().collect();
        let message = format!("there is no {what} `{wrong}`");
        self.problem(node, "unknown_name", message, suggestion(wrong, &valid));
    }

    /// Collects that something else was wanted here.
    pub(super) fn wrong_type(&mut self, node: &Node, wanted: &str) {
        let message = format!("{} is not {wanted}", node.describe());
        self.problem(node, "wrong_type", message, format!("write {wanted}"));
    }

    /// A group of keys; an empty value is an empty group.
    pub(super) fn group<'n>(
        &mut self,
        node: &'n Node,
        what: impl Into<String>,
    ) -> Option<Group<'n>> {
        let entries: &[(Key, Node)] = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Null => &[],
            _ => {
                self.wrong_type(node, "a group of keys (`key: value`)");
                return None;
            }
        };
        Some(Group {
            node,
            entries,
            what: what.into(),
            asked: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// The entries of a group whose keys name things that are declared elsewhere.
    pub(super) fn entries<'n>(&mut self, node: &'n Node) -> &'n [(Key, Node)] {
        match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Null => &[],
            _ => {
                self.wrong_type(node, "a group of names (`name: …`)");
                &[]
            }
        }
    }

    /// The entries of a group whose keys are names that the user declares.
    pub(super) fn declared<'n>(&mut self, node: &'n Node) -> Vec<&'n (Key, Node)> {
        let entries = self.entries(node);
        for (key, _) in entries {
            if !is_name(&key.text) {
                let message = format!("`{}` cannot be a name", key.text);
                let help = "use small letters, digits and underscores, a letter first";
                self.problem_at_key(key, "bad_name", message, help);
            }
        }
        entries.iter().collect()
    }

    /// Reads each entry of a group whose keys are names that the user declares.
    pub(super) fn each<T>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Walk, &Key, &Node) -> Option<T>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for (key, value) in self.declared(node) {
            let before = self.found.len();
            values.extend(read(self, key, value));
            if self.found.len() > before {
                self.broken.push(key.text.clone());
            }
        }
        values
    }

    /// The items of a list; a single value is a list of one.
    pub(super) fn items<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            Kind::List(items) => items,
            Kind::Scalar { .. } => std::slice::from_ref(node),
            Kind::Null => &[],
            Kind::Map(_) => {
                self.wrong_type(node, "a list");
                &[]
            }
        }
    }

    /// Text, or a list of texts.
    pub(super) fn texts(&mut self, node: &Node) -> Vec<String> {
        let items = self.items(node);
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// Text: whatever a single value is written as.
    pub(super) fn text(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar { text, .. } => Some(text.clone()),
            _ => {
                self.wrong_type(node, "a text");
                None
            }
        }
    }

    /// Declared names, each with a text: (`card`, `card_id`).
    pub(super) fn pairs(&mut self, node: &Node) -> Vec<(String, String)> {
        self.each(node, |walk, key, value| {
            Some((key.text.clone(), walk.text(value)?))
        })
    }

    /// A value that is written as `T` is; `wanted` says how.
    pub(super) fn parsed<T: std::str::FromStr>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let text = match &node.kind {
            Kind::Scalar { text, .. } => text.parse().ok(),
            _ => None,
        };
        if text.is_none() {
            self.wrong_type(node, wanted);
        }
        text
    }

    /// A finite number.
    pub(super) fn number(&mut self, node: &Node) -> Option<f64> {
        let value: f64 = self.parsed(node, "a number")?;
        if !value.is_finite() {
            self.wrong_type(node, "a finite number");
            return None;
        }
        Some(value)
    }

    /// A number between 0 and 1; `5%` is 0.05.
    pub(super) fn share(&mut self, node: &Node) -> Option<f64> {
        let value = match &node.kind {
            Kind::Scalar { text, .. } => match text.strip_suffix('%') {
                Some(percent) => percent
                    .trim()
                    .parse::<f64>()
                    .ok()
                    .map(|value| value / 100.0),
                None => text.parse().ok(),
            },
            _ => None,
        };
        let value = value.filter(|value| (0.0..=1.0).contains(value));
        if value.is_none() {
            self.wrong_type(node, "a share between 0 and 1");
        }
        value
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, node: &Node) -> Option<bool> {
        self.parsed(node, "`true` or `false`")
    }

    /// A length of time.
    pub(super) fn span(&mut self, node: &Node) -> Option<Span> {
        let wanted = "a span such as `250ms`, `30s`, `15m`, `24h`, `30d` or `all`";
        self.parsed(node, wanted)
    }

    /// A length of time, in months of the calendar where it says so.
    pub(super) fn calendar(&mut self, node: &Node) -> Option<CalendarSpan> {
        self.parsed(node, "a length such as `30d`, `6mo` or `1y`")
    }

    /// An instant.
    pub(super) fn time(&mut self, node: &Node) -> Option<Time> {
        self.parsed(
            node,
            "a time such as `2026-03-01` or `2026-03-01T12:30:00Z`",
        )
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(node)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            self.unknown(node, what, &text, words.iter().map(|(word, _)| *word));
        }
        found.map(|(_, value)| *value)
    }

    /// Any value, as JSON: for the parameters of operators and learners, which check them.
    pub(super) fn json(&mut self, node: &Node) -> serde_json::Value {
        use serde_json::Value;
        match &node.kind {
            Kind::Null => Value::Null,
            Kind::Scalar { text, plain: true } => plain_json(text),
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(|item| self.json(item)).collect(),
            Kind::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|(key, value)| (key.text.clone(), self.json(value)));
                Value::Object(pairs.collect())
            }
        }
    }
}

impl<'n> Group<'n> {
    /// The value of a key, if it is there and not empty.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        let entry = self.entries.iter().find(|(name, _)| name.text == key);
        entry
            .map(|(_, node)| node)
            .filter(|node| !matches!(node.kind, Kind::Null))
    }

    /// The value of a key without which the group means nothing.
    pub(super) fn require(&mut self, key: &'static str) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() {
            self.missing.push(key);
        }
        node
    }

    /// The entries that nobody asked for.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'n (Key, Node)> + '_ {
        let asked = |key: &Key| self.asked.iter().any(|name| *name == key.text);
        self.entries.iter().filter(move |(key, _)| !asked(key))
    }

    /// Collects every required key that is not there, and gives the others as they are.
    pub(super) fn finish_open(self, walk: &mut Walk) -> Vec<&'n (Key, Node)> {
        for key in &self.missing {
            let message = format!("{} has no `{key}`", self.what);
            walk.problem(self.node, "missing_key", message, format!("add `{key}: …`"));
        }
        self.rest().collect()
    }

    /// Collects every key that nobody asked for, and every required key that is not there; a key
    /// that is only misspelt counts once.
    pub(super) fn finish(self, walk: &mut Walk) {
        let mut missing = self.missing.clone();
        for (key, _) in self.rest() {
            let message = format!("{} has no key `{}`", self.what, key.text);
            let help = suggestion(&key.text, &self.asked);
            let meant = nearest(&key.text, self.asked.iter().copied());
            missing.retain(|name| Some(*name) != meant);
            walk.problem_at_key(key, "unknown_key", message, help);
        }
        for key in missing {
            let message = format!("{} has no `{key}`", self.what);
            walk.problem(self.node, "missing_key", message, format!("add `{key}: …`"));
        }
    }
}

/// What was probably meant, or everything that is possible.
pub(super) fn suggestion(wrong: &str, valid: &[&str]) -> String {
    match nearest(wrong, valid.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if valid.is_empty() => "none is declared".to_owned(),
        None => format!("one of: {}", valid.join(", ")),
    }
}

/// Whether a text can be a declared name: it must be one in an expression, too.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn plain_json(text: &str) -> serde_json::Value {
    if let Ok(flag) = text.parse::<bool>() {
        return flag.into();
    }
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => number.into(),
        _ => text.into(),
    }
}
