//! What only the whole use case can tell: whether everything that ranking names is there.

use acumen_base::{Diagnostic, EventType};
use acumen_decision::bandit::Algorithm;
use acumen_model::learner::lambda_mart::{LAMBDA_MART, LambdaMart};
use acumen_model::{ParamDoc, ParamProblem, ParamRange, Params, Reader};

use super::columns::columns;
use super::decl::{BanditDecl, RankingDecl};
use crate::learners::{recommender, recommender_names};
use crate::spec::types::{ModelDecl, UseCase};
use crate::spec::walk::suggestion;

/// How often may be drawn for a list: each draw looks at every candidate at every place.
const DRAWS_MAX: u64 = 1_000;

/// The algorithm that learns from the outcomes of lists.
pub(crate) const BANDIT: &str = "contextual_bandit";

pub(crate) const BANDIT_DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "policy",
        aliases: &[],
        range: ParamRange::OneOf(&["lin_ucb", "linear_thompson", "greedy"]),
        default: "lin_ucb",
        doc: "how it explores: by the upper bound of what it expects, by lists that are drawn from \
              what it knows, or not at all",
    },
    ParamDoc {
        name: "scale",
        aliases: &[],
        range: ParamRange::Number(0.0, f64::INFINITY),
        default: "0.5",
        doc: "how widely linear_thompson draws, in units of a reward",
    },
    ParamDoc {
        name: "draws",
        aliases: &[],
        range: ParamRange::Whole(1, DRAWS_MAX),
        default: "100",
        doc: "how often linear_thompson draws for a list; what is logged as propensity is a share of \
              the draws, off by 0.05 at most (one standard deviation) with 100",
    },
    ParamDoc {
        name: "alpha",
        aliases: &[],
        range: ParamRange::Number(0.0, f64::INFINITY),
        default: "0.5",
        doc: "how many deviations the upper bound lies above what is expected",
    },
    ParamDoc {
        name: "ridge",
        aliases: &["lambda"],
        range: ParamRange::Open(0.0, f64::INFINITY),
        default: "1",
        doc: "the ridge of its model",
    },
];

/// The algorithm that puts forward what people picked.
pub(crate) const EDITORIAL: &str = "editorial";

pub(crate) const EDITORIAL_DOCS: &[ParamDoc] = &[ParamDoc {
    name: "list",
    aliases: &[],
    range: ParamRange::Column,
    default: "",
    doc: "the list of items that people edit, one of `lists`",
}];

/// What a training of lists has to pass.
const TOLERANCE: &str = "a blend is compared with its best source alone, within `gates.tolerance`";

impl ModelDecl {
    /// The bandit that it is, if it is one.
    ///
    /// # Errors
    /// Every parameter that it cannot have.
    pub(crate) fn bandit(&self) -> Option<Result<BanditDecl, Vec<ParamProblem>>> {
        if self.algorithm != BANDIT {
            return None;
        }
        let params = self.params.clone();
        let reader = Reader::new(&params, BANDIT_DOCS);
        let alpha = reader.number("alpha", 0.5);
        let algorithm = match reader.word("policy", "lin_ucb") {
            "greedy" => Algorithm::Greedy,
            "linear_thompson" => Algorithm::LinearThompson {
                scale: reader.number("scale", 0.5),
                draws: reader.whole("draws", 100),
            },
            _ => Algorithm::LinUcb { alpha },
        };
        let ridge = reader.number("ridge", 1.0);
        Some(reader.done(BanditDecl { algorithm, ridge }))
    }

    /// The parameters of the ranker that it is, if it is one.
    pub(crate) fn ranker(&self) -> Option<&Params> {
        (self.algorithm == LAMBDA_MART).then_some(&self.params)
    }

    /// Whether it scores items, where items are ranked.
    pub(crate) fn is_source(&self) -> bool {
        self.algorithm != BANDIT && self.algorithm != LAMBDA_MART
    }

    /// The list whose items it puts forward, if it is a list that people edit.
    ///
    /// # Errors
    /// Every parameter that it cannot have.
    pub(crate) fn editorial(&self) -> Option<Result<String, Vec<ParamProblem>>> {
        if self.algorithm != EDITORIAL {
            return None;
        }
        let params = self.params.clone();
        let reader = Reader::new(&params, EDITORIAL_DOCS);
        let list = reader.word("list", "").to_owned();
        Some(reader.done(list))
    }

    /// Whether it is a source that is trained.
    pub(crate) fn is_trained_source(&self) -> bool {
        self.is_source() && self.algorithm != EDITORIAL
    }
}

/// All that is wrong with how a use case ranks.
pub(in crate::spec) fn check(use_case: &UseCase) -> Vec<Diagnostic> {
    let Some(ranking) = &use_case.ranking else {
        return Vec::new();
    };
    let mut check = Check {
        use_case,
        ranking,
        found: Vec::new(),
    };
    check.events();
    check.models();
    check.groups();
    check.ranker();
    check.ensembles();
    check.fatigue();
    check.training();
    check.found
}

struct Check<'a> {
    use_case: &'a UseCase,
    ranking: &'a RankingDecl,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn problem(&mut self, path: &str, code: &'static str, message: String, help: String) {
        let mut diagnostic = Diagnostic::new(code, message, help);
        diagnostic.place = self.use_case.places.mentioned(path, &diagnostic.message);
        self.found.push(diagnostic);
    }

    /// Events must name items, and feedback whoever gave it.
    fn events(&mut self) {
        let RankingDecl {
            item_field,
            visitor_field,
            session_field,
            items,
            feedback,
            ..
        } = self.ranking;
        let sessions = session_field.iter();
        let fields = std::iter::once(visitor_field).chain(sessions);
        let of_feedback = fields.chain([item_field]).map(|field| (feedback, field));
        let of_feedback: Vec<(&str, &str, &String)> = of_feedback
            .map(|(feedback, field)| ("feedback.event", feedback.event.as_str(), field))
            .collect();
        let of_items = [("items.event", items.event.as_str(), item_field)];
        for (path, event, field) in of_feedback.into_iter().chain(of_items) {
            let kind = self.use_case.event(event);
            if let Some(kind) = kind.filter(|kind| kind.position(field).is_none()) {
                let message = format!("`{}` has no field `{field}`", kind.name);
                let help = format!("name an event with `{field}`");
                self.problem(path, "no_key", message, help);
            }
        }
        for cap in &self.ranking.caps {
            self.field_of_items(&format!("caps.{}", cap.field), &cap.field);
        }
    }

    /// Who tires of what was shown has to remember it.
    fn fatigue(&mut self) {
        if self.ranking.feedback.seen_within.is_some() {
            return;
        }
        let many = self.ranking.ensembles.iter();
        let many = many.map(|of| {
            let path = format!("ensembles.{}.objectives.fatigue", of.name);
            (path, of.objectives)
        });
        let one = ("objectives.fatigue".to_owned(), self.ranking.objectives);
        for (path, objectives) in std::iter::once(one).chain(many) {
            if objectives.fatigue > 0.0 && self.use_case.places.has(&path) {
                let message = "`fatigue` goes by what visitors were shown, which is forgotten";
                let help = "say for how long it counts: `feedback: {seen_within: 1h}`";
                self.problem(&path, "forgotten", message.to_owned(), help.to_owned());
            }
        }
    }

    fn field_of_items(&mut self, path: &str, field: &str) {
        let kind = self.use_case.event(&self.ranking.items.event);
        if let Some(kind) = kind.filter(|kind| kind.position(field).is_none()) {
            let names: Vec<&str> = field_names(kind);
            let message = format!("`{}` has no field `{field}`", kind.name);
            self.problem(path, "unknown_name", message, suggestion(field, &names));
        }
    }

    /// Whether there are such sources, and whether they take these parameters.
    fn models(&mut self) {
        for (algorithm, what) in [(BANDIT, "bandit"), (LAMBDA_MART, "ranker")] {
            let models = self.use_case.models.iter();
            for second in models.filter(|model| model.algorithm == algorithm).skip(1) {
                let message = format!("a list has one {what}, and there is another before this");
                let path = format!("models.{}", second.name);
                self.problem(&path, "model", message, "leave one out".to_owned());
            }
        }
        for model in &self.use_case.models {
            let path = format!("models.{}", model.name);
            let built_in = model.bandit().map(|bandit| bandit.map(drop));
            let built_in =
                built_in.or_else(|| model.editorial().map(|list| self.picks(model, list)));
            let built_in = built_in.or_else(|| model.ranker().map(|params| self.order(params)));
            let checked = match built_in {
                Some(checked) => checked,
                None => match recommender(&model.algorithm) {
                    Some(learner) => learner.check(&model.params).map(drop),
                    None => {
                        let mut names = recommender_names();
                        names.extend([BANDIT, EDITORIAL, LAMBDA_MART]);
                        let message = format!("`{}` ranks no items", model.algorithm);
                        let help = suggestion(&model.algorithm, &names);
                        self.problem(&format!("{path}.algorithm"), "model", message, help);
                        continue;
                    }
                },
            };
            self.segment(model);
            self.by_context(model);
            for wrong in checked.err().into_iter().flatten() {
                let path = format!("{path}.{}", wrong.param);
                self.problem(&path, "model", wrong.message, wrong.help);
            }
            for key in ["features", "search", "shadow", "informed_by"] {
                let path = format!("{path}.{key}");
                if self.use_case.places.has(&path) {
                    let message = format!("`{key}` changes nothing where items are ranked");
                    self.problem(&path, "changes_nothing", message, "leave it out".to_owned());
                }
            }
        }
    }

    /// Whether people are told apart by an attribute that items have.
    fn segment(&mut self, model: &ModelDecl) {
        let named = model.params.get("segment").and_then(|named| named.as_str());
        let names = self.ranking.items.attributes.iter();
        let names: Vec<&str> = names.map(String::as_str).collect();
        if let Some(named) = named.filter(|named| !names.contains(named)) {
            let path = format!("models.{}.segment", model.name);
            let message = format!("`{named}` is none of `items.attributes`");
            self.problem(&path, "unknown_name", message, suggestion(named, &names));
        }
    }

    /// Whether moments are told apart by a word that feedback says of them.
    fn by_context(&mut self, model: &ModelDecl) {
        let named = model.params.get("context").and_then(|named| named.as_str());
        let words = self.ranking.feedback.context.iter();
        let words = words.filter(|said| said.is_word());
        let names: Vec<&str> = words.map(|said| said.name.as_str()).collect();
        let Some(named) = named.filter(|named| !names.contains(named)) else {
            return;
        };
        let path = format!("models.{}.context", model.name);
        let message = format!("`{named}` is no category or flag of `feedback.context`");
        let help = match names.is_empty() {
            true => format!("declare it: `feedback: {{context: [{named}]}}`"),
            false => suggestion(named, &names),
        };
        self.problem(&path, "unknown_name", message, help);
    }

    /// Whether a list that people edit is declared, and is of items.
    fn picks(
        &mut self,
        model: &ModelDecl,
        list: Result<String, Vec<ParamProblem>>,
    ) -> Result<(), Vec<ParamProblem>> {
        let list = list?;
        let path = format!("models.{}.list", model.name);
        let lists = &self.use_case.lists;
        let names: Vec<&str> = lists.iter().map(|(name, _)| name.as_str()).collect();
        let field = &self.ranking.item_field;
        match lists.iter().find(|(name, _)| *name == list) {
            None => {
                let message = match list.is_empty() {
                    true => "`editorial` names no list".to_owned(),
                    false => format!("there is no list `{list}`"),
                };
                let help = match names.is_empty() {
                    true => format!("declare one: `lists: {{staff_picks: {field}}}`"),
                    false => suggestion(&list, &names),
                };
                self.problem(&path, "unknown_name", message, help);
            }
            Some((_, of)) if of != field => {
                let message = format!("`{list}` is a list of `{of}`, and items are `{field}`");
                let help = format!("name a list of `{field}`");
                self.problem(&path, "unknown_name", message, help);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Whether a ranker takes its parameters, which may name what is known of candidates.
    fn order(&self, params: &Params) -> Result<(), Vec<ParamProblem>> {
        let columns = columns(self.use_case, self.ranking);
        LambdaMart::check(params, &columns).map(drop)
    }

    /// Every group runs declared sources, each once, and the fallback is one of them.
    fn groups(&mut self) {
        let models = self.use_case.models.iter();
        let weighed = models.filter(|model| model.ranker().is_none());
        let names: Vec<&str> = weighed.map(|model| model.name.as_str()).collect();
        let mut seen: Vec<&str> = Vec::new();
        for group in &self.ranking.groups {
            let path = format!("ensemble.groups.{}", group.name);
            for name in &group.run {
                let message = match name {
                    name if self.is_ranker(name) => format!(
                        "`{name}` orders what others put forward, and has no weight of its own: \
                         write `ranker: {name}` beside `groups`"
                    ),
                    name if !names.contains(&name.as_str()) => {
                        format!("there is no model `{name}`")
                    }
                    name if seen.contains(&name.as_str()) => format!("`{name}` runs twice"),
                    _ => {
                        seen.push(name);
                        continue;
                    }
                };
                self.problem(&path, "unknown_name", message, suggestion(name, &names));
            }
        }
        let weight: f64 = self.ranking.groups.iter().map(|group| group.weight).sum();
        if weight <= 0.0 && !self.ranking.groups.is_empty() {
            let message = "no group has a weight above 0".to_owned();
            let help = "give one group a weight".to_owned();
            self.problem("ensemble.groups", "bad_weights", message, help);
        }
        if let Some(name) = &self.ranking.fallback {
            let model = self
                .use_case
                .models
                .iter()
                .find(|model| model.name == *name);
            let message = match model {
                None => format!("there is no model `{name}`"),
                Some(model) if !model.is_source() => {
                    format!("`{name}` needs what the others say, and cannot stand in for them")
                }
                Some(_) => return,
            };
            self.problem(
                "fallback",
                "unknown_name",
                message,
                suggestion(name, &names),
            );
        }
    }

    fn is_ranker(&self, name: &str) -> bool {
        let mut models = self.use_case.models.iter();
        models.any(|model| model.name == name && model.ranker().is_some())
    }

    /// Whoever chooses among ensembles is told what came of their lists.
    fn ensembles(&mut self) {
        let count = self.ranking.ensembles.len();
        if count > 1 {
            let who = format!("what chooses among {count} ensembles");
            self.learns("ensembles", &who);
        }
    }

    /// A ranker is declared, and lists tell it what came of them.
    fn ranker(&mut self) {
        let models = self.use_case.models.iter();
        let rankers = models.filter(|model| model.ranker().is_some());
        let rankers: Vec<&str> = rankers.map(|model| model.name.as_str()).collect();
        if let Some(name) = self
            .ranking
            .ranker
            .as_ref()
            .filter(|name| !self.is_ranker(name))
        {
            let message = format!("`{name}` is no ranker");
            let help = match rankers.first() {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("declare one: `models: {{{name}: {{algorithm: {LAMBDA_MART}}}}}`"),
            };
            self.problem("ensemble.ranker", "unknown_name", message, help);
        }
        if let Some(name) = rankers.first() {
            self.learns(&format!("models.{name}"), &format!("`{name}`"));
        }
    }

    /// Lists tell what came of them to somebody who learns from it.
    fn learns(&mut self, path: &str, who: &str) {
        let feedback = &self.ranking.feedback;
        let gives = feedback.rewards.iter().any(|(_, reward)| *reward > 0.0);
        for (is_there, key, help) in [
            (
                feedback.list.is_some(),
                "list",
                "name the field with the id of the list",
            ),
            (
                gives,
                "rewards",
                "say what each kind is worth, such as `{click: 1}`",
            ),
        ] {
            if !is_there {
                let message = format!(
                    "{who} learns from what came of lists, and `feedback.{key}` says nothing of it"
                );
                self.problem(path, "no_ranking", message, help.to_owned());
            }
        }
    }

    fn training(&mut self) {
        let idle = [
            (
                "training.validation",
                "weights are fitted on each visitor's newest events",
            ),
            ("training.calibration_share", "ranks are not calibrated"),
            ("training.calibration", "ranks are not calibrated"),
            ("training.refit", "sources read all feedback as it is"),
            ("training.exclude", "sources read feedback, not columns"),
            (
                "training.search",
                "sources are judged by their place in lists",
            ),
            ("training.origins", "sources read feedback, not rows"),
            ("training.negative_share", "sources read feedback, not rows"),
            ("gates.metric", TOLERANCE),
            ("gates.min_positives", TOLERANCE),
            ("gates.ece_max", TOLERANCE),
            ("gates.latency_us_max", TOLERANCE),
            ("batch_inference", "lists are made when somebody asks"),
            ("explain", "sources give their own reasons"),
        ];
        for (path, why) in idle {
            if self.use_case.places.has(path) {
                let message = format!("`{path}` changes nothing where items are ranked: {why}");
                self.problem(path, "changes_nothing", message, "leave it out".to_owned());
            }
        }
    }
}

fn field_names(kind: &EventType) -> Vec<&str> {
    kind.fields
        .iter()
        .map(|field| field.name.as_str())
        .collect()
}
