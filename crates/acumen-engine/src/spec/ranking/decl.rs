//! What a use case that ranks declares.

use acumen_base::{FieldType, Span};
use acumen_decision::bandit::{Algorithm, BanditSpec};
use acumen_decision::ranking::{Bounds, Objectives};
use acumen_expr::Compiled;

use super::ensembles::EnsembleOfMany;
use crate::spec::types::UseCase;

/// What is ranked, for whom, and by what.
#[derive(Clone, Debug)]
pub struct RankingDecl {
    /// The entity that lists consist of, such as `product`.
    pub item: String,
    /// The field of events that holds its id.
    pub item_field: String,
    /// The field that holds the id of whoever asks.
    pub visitor_field: String,
    /// The field that holds the id of the visit, where people come without telling who they are.
    pub session_field: Option<String>,
    /// What is known of items.
    pub items: ItemsDecl,
    /// What people do with them.
    pub feedback: FeedbackDecl,
    /// The sources in groups, each with its weight in the blend.
    pub groups: Vec<GroupDecl>,
    /// The model that orders what the sources put forward; `None` leaves that to their weights.
    pub ranker: Option<String>,
    /// Between what share and what multiple of the declared weights training fits them again;
    /// `None` keeps them.
    pub dynamic: Option<Bounds>,
    /// What a list is made for.
    pub objectives: Objectives,
    /// Ensembles of which one is chosen for every list; none where there is nothing to choose.
    pub ensembles: Vec<EnsembleOfMany>,
    /// How it is chosen.
    pub choose: BanditSpec,
    /// How many of a kind a list may have.
    pub caps: Vec<CapDecl>,
    /// The source that answers where no other did.
    pub fallback: Option<String>,
    /// The probability with which a place goes to any candidate.
    pub explore: f64,
    /// Candidates that each source puts forward.
    pub candidates: usize,
    /// How long each stage may take.
    pub stages: StagesDecl,
}

impl RankingDecl {
    /// What decides about what is remembered: memories of another declaration are read again from
    /// the log.
    pub(crate) fn what_is_remembered(&self, use_case: &UseCase) -> String {
        let read = self.what_is_read(use_case);
        let names = self.ensembles.iter().map(|of| of.name.as_str());
        let names: Vec<&str> = names.collect();
        match names.is_empty() {
            true => read,
            false => format!("{read} {names:?} {}", self.choose.ridge),
        }
    }

    /// What decides about what is read of items, visitors and lists. A ranker remembers nothing, and
    /// which ensemble made a list stands in its record.
    pub(crate) fn what_is_read(&self, use_case: &UseCase) -> String {
        let models = use_case
            .models
            .iter()
            .filter(|model| model.ranker().is_none());
        let models: Vec<(&str, &str)> = models
            .map(|model| (model.name.as_str(), model.algorithm.as_str()))
            .collect();
        let weights = self.feedback.weights.iter();
        let weights: Vec<(&str, &str)> = weights
            .map(|(kind, formula)| (kind.as_str(), formula.text()))
            .collect();
        let require = self.items.require.iter().map(Compiled::text);
        let context = match self.feedback.context.is_empty() {
            true => String::new(),
            false => format!(" {:?}", self.feedback.context),
        };
        let seen = self.feedback.seen_within;
        let seen = seen.map_or_else(String::new, |within| format!(" seen {within:?}"));
        format!(
            "{} {} {:?} {:?} {} {:?} {:?} {} {} {weights:?} {:?} {:?} {:?} {:?} {} {models:?}{context}{seen}",
            self.item_field,
            self.visitor_field,
            self.session_field,
            self.caps.iter().map(|cap| &cap.field).collect::<Vec<_>>(),
            self.items.event,
            self.items.attributes,
            self.items.value,
            require.collect::<Vec<&str>>().join(";"),
            self.feedback.event,
            self.feedback.shown,
            self.feedback.list,
            self.feedback.outcomes,
            self.feedback.rewards,
            self.feedback.remember,
        )
    }
}

/// The event by which items are added and change, and what of it is read.
#[derive(Clone, Debug)]
pub struct ItemsDecl {
    /// The event type.
    pub event: String,
    /// Fields that say what an item is like.
    pub attributes: Vec<String>,
    /// The field of what selling one is worth.
    pub value: Option<String>,
    /// What must not be false for an item to be shown: conditions on the event.
    pub require: Vec<Compiled>,
}

/// The event by which people say what they do with items, and what of it is read.
#[derive(Clone, Debug)]
pub struct FeedbackDecl {
    /// The event type.
    pub event: String,
    /// Its field that says what was done.
    pub kind: String,
    /// How much each kind tells: above 0 of interest, below 0 of the lack of it.
    pub weights: Vec<(String, Compiled)>,
    /// The kind that says that an item was seen.
    pub shown: Option<String>,
    /// For how long it is remembered who was shown what; `None` forgets it.
    pub seen_within: Option<Span>,
    /// The field with the id of the list in which it was seen.
    pub list: Option<String>,
    /// Kinds after which an item is not shown to the visitor again, and why not.
    pub outcomes: Vec<(String, Outcome)>,
    /// What each kind is worth to whoever learns from lists.
    pub rewards: Vec<(String, f64)>,
    /// How many events of a visitor are remembered.
    pub remember: usize,
    /// Its fields that say something of the moment, which requests may say as well.
    pub context: Vec<ContextDecl>,
}

/// What may be said of the moment in one respect, such as the weather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextDecl {
    /// The field.
    pub name: String,
    /// Its type: a category, a flag, or a number.
    pub kind: FieldType,
}

/// Numbers by which a category of the context is known: few, since a bandit learns one weight for
/// each of them and each source.
pub(crate) const CATEGORY_NUMBERS: usize = 4;

impl ContextDecl {
    /// Numbers by which what is said is known to a bandit and a ranker.
    pub(crate) fn width(&self) -> usize {
        match self.kind {
            FieldType::Category => CATEGORY_NUMBERS,
            _ => 1,
        }
    }

    /// Whether it is a word, so that moments of one word are alike.
    pub(crate) fn is_word(&self) -> bool {
        matches!(self.kind, FieldType::Category | FieldType::Bool)
    }
}

/// Why an item is not shown to a visitor again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They do not want to see it.
    Hidden,
    /// They have it.
    Had,
}

/// Sources that share a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDecl {
    /// Its name.
    pub name: String,
    /// The sources.
    pub run: Vec<String>,
    /// What they weigh together.
    pub weight: f64,
}

/// How many items that agree in a field a list may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapDecl {
    /// The field of the item.
    pub field: String,
    /// How many.
    pub most: usize,
}

/// How long each stage may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagesDecl {
    /// Reading what is known of the visitor.
    pub context: Span,
    /// Asking the sources: what is late is left out.
    pub candidates: Span,
    /// Blending and ranking.
    pub ranking: Span,
    /// Exploring, the last look at what may be shown, and writing down.
    pub post_processing: Span,
}

impl Default for StagesDecl {
    fn default() -> StagesDecl {
        StagesDecl {
            context: Span(5),
            candidates: Span(15),
            ranking: Span(30),
            post_processing: Span(10),
        }
    }
}

/// A source that learns from every outcome of a list: how much a candidate is worth, by what the
/// other sources say of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BanditDecl {
    /// How it explores.
    pub algorithm: Algorithm,
    /// The ridge of its model.
    pub ridge: f64,
}

impl BanditDecl {
    /// The bandit of a use case, where one is declared.
    pub(crate) fn of(use_case: &UseCase) -> Option<BanditSpec> {
        let mut models = use_case.models.iter();
        let declared = models.find_map(|model| model.bandit()?.ok())?;
        Some(BanditSpec {
            algorithm: declared.algorithm,
            // What a list leaves to chance is declared by `explore`.
            epsilon: 0.0,
            ridge: declared.ridge,
        })
    }
}
