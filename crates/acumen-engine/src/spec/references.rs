//! Whether every name that a use case mentions is declared somewhere in it.

use acumen_base::Diagnostic;

use super::types::UseCase;
use super::walk::suggestion;

/// Collects every name that is not declared; what stands inside features and expressions is
/// checked where they are compiled.
pub(super) fn check(use_case: &UseCase, found: &mut Vec<Diagnostic>) {
    let mut check = Check { use_case, found };
    check.events();
    check.entities();
    check.models();
}

struct Check<'a> {
    use_case: &'a UseCase,
    found: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn known<'v>(
        &mut self,
        path: &str,
        what: &str,
        name: &str,
        valid: impl Iterator<Item = &'v str>,
    ) {
        let valid: Vec<&str> = valid.collect();
        if !valid.contains(&name) {
            let message = format!("there is no {what} `{name}`");
            self.problem(path, "unknown_name", message, suggestion(name, &valid));
        }
    }

    fn problem(&mut self, path: &str, code: &'static str, message: String, help: String) {
        let mut diagnostic = Diagnostic::new(code, message, help);
        diagnostic.place = self.use_case.place(path);
        self.found.push(diagnostic);
    }

    fn event(&mut self, path: &str, name: &str) {
        let use_case = self.use_case;
        let names = use_case.events.iter().map(|event| event.name.as_str());
        self.known(path, "event type", name, names);
    }

    fn field(&mut self, path: &str, event: &str, field: &str) {
        if let Some(event) = self.use_case.event(event) {
            let what = format!("field of `{}`", event.name);
            let names = event.fields.iter().map(|field| field.name.as_str());
            self.known(path, &what, field, names);
        }
    }

    fn events(&mut self) {
        let use_case = self.use_case;
        if !use_case.decide_event.is_empty() {
            self.event("decide.event", &use_case.decide_event);
        }
        if let Some(outcome) = &use_case.outcome {
            self.event("outcome.of", &outcome.of);
            self.event("outcome.positive", &outcome.positive);
            self.field("outcome.by", &outcome.positive, &outcome.by);
        }
        if let Some(rates) = &use_case.rates {
            self.event("rates.event", &rates.event);
            self.field("rates.currency", &rates.event, &rates.currency);
            self.field("rates.rate", &rates.event, &rates.rate);
        }
    }

    fn entities(&mut self) {
        let use_case = self.use_case;
        let fields = || use_case.events.iter().flat_map(|event| &event.fields);
        for (entity, field) in &use_case.entities {
            if !use_case.events.is_empty() {
                let names = fields().map(|field| field.name.as_str());
                self.known(
                    &format!("entities.{entity}"),
                    "field of any event",
                    field,
                    names,
                );
            }
        }
    }

    fn models(&mut self) {
        let use_case = self.use_case;
        for model in &use_case.models {
            for (index, name) in model.features.iter().flatten().enumerate() {
                let path = format!("models.{}.features.{index}", model.name);
                let names = use_case
                    .features
                    .iter()
                    .map(|feature| feature.name.as_str());
                self.known(&path, "feature", name, names);
            }
        }
        if !use_case.models.is_empty() && use_case.outcome.is_none() {
            let message = "models are declared, and no outcome to learn from".to_owned();
            self.problem(
                "models",
                "missing_key",
                message,
                "add `outcome: …`".to_owned(),
            );
        }
    }
}
