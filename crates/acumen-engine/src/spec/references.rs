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
    check.layers();
    check.actions();
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
        if let Some(amount) = &use_case.amount {
            self.field("decide.amount", &use_case.decide_event, amount);
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
        for (list, field) in &use_case.lists {
            self.field(&format!("lists.{list}"), &use_case.decide_event, field);
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

    fn layers(&mut self) {
        let use_case = self.use_case;
        let names = || {
            let rules = use_case.rules.iter().map(|rule| rule.id.as_str());
            rules.chain(use_case.models.iter().map(|model| model.name.as_str()))
        };
        for layer in &use_case.layers {
            for (index, name) in layer.run.iter().enumerate() {
                let path = format!("layers.{}.run.{index}", layer.name);
                self.known(&path, "rule or model", name, names());
            }
        }
        let run = |name: &str| {
            use_case
                .layers
                .iter()
                .any(|layer| layer.run.iter().any(|r| r == name))
        };
        let rules = use_case
            .rules
            .iter()
            .map(|rule| ("rules", rule.id.as_str()));
        let models = use_case
            .models
            .iter()
            .map(|model| ("models", model.name.as_str()));
        for (group, name) in rules.chain(models) {
            if !run(name) && !use_case.layers.is_empty() {
                let message = format!("`{name}` runs in no layer");
                let help = "add it to the `run` of a layer; switch a rule off with `mode: off`";
                self.problem(
                    &format!("{group}.{name}"),
                    "not_run",
                    message,
                    help.to_owned(),
                );
            }
        }
    }

    fn actions(&mut self) {
        let use_case = self.use_case;
        for rule in &use_case.rules {
            let path = format!("rules.{}.effect", rule.id);
            self.known(&path, "action", &rule.effect, use_case.action_names());
        }
        if let Some(fallback) = &use_case.fallback {
            self.known("fallback", "action", fallback, use_case.action_names());
        }
        if let Some(explore) = &use_case.explore {
            self.known(
                "explore.action",
                "action",
                &explore.action,
                use_case.action_names(),
            );
            if let Some(of) = &explore.of {
                self.known("explore.of", "action", of, use_case.action_names());
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
