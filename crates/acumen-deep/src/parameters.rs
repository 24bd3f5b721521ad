//! Parameters that the learners of this crate share.

use acumen_base::Columns;
use acumen_model::{ParamDoc, ParamProblem, ParamRange, Params, Reader};
use serde::Serialize;

const fn doc(
    name: &'static str,
    aliases: &'static [&'static str],
    range: ParamRange,
    default: &'static str,
    doc: &'static str,
) -> ParamDoc {
    ParamDoc {
        name,
        aliases,
        range,
        default,
        doc,
    }
}

/// The widths of the dense layers before the output.
pub(crate) const fn layers(default: &'static str) -> ParamDoc {
    doc(
        "layers",
        &["hidden"],
        ParamRange::Wholes(1, 1_024, 8),
        default,
        "the widths of the dense layers before the output, the first one first",
    )
}

/// The width of something inside.
pub(crate) const fn units(default: &'static str, what: &'static str) -> ParamDoc {
    doc("units", &[], ParamRange::Whole(1, 1_024), default, what)
}

pub(crate) const EMBEDDING: ParamDoc = doc(
    "embedding",
    &[],
    ParamRange::Whole(1, 64),
    "8",
    "how many numbers stand for a category at most; columns of few categories take fewer",
);
pub(crate) const LEARNING_RATE: ParamDoc = doc(
    "learning_rate",
    &["lr"],
    ParamRange::Share(0.0, 1.0),
    "0.002",
    "how far weights move at a step",
);
pub(crate) const BATCH_SIZE: ParamDoc = doc(
    "batch_size",
    &[],
    ParamRange::Whole(1, 65_536),
    "512",
    "how many rows a step of training looks at",
);
pub(crate) const EPOCHS: ParamDoc = doc(
    "epochs",
    &[],
    ParamRange::Whole(1, 10_000),
    "30",
    "how often the training rows are gone through at most",
);
pub(crate) const PATIENCE: ParamDoc = doc(
    "patience",
    &["early_stopping_rounds"],
    ParamRange::Whole(0, 10_000),
    "5",
    "training stops when the metric of the validation rows has not improved for so many epochs, and the best epoch is kept; 0 goes through all epochs and keeps the best all the same",
);
pub(crate) const WEIGHT_DECAY: ParamDoc = doc(
    "weight_decay",
    &[],
    ParamRange::Number(0.0, 1.0),
    "0.0001",
    "how strongly weights are drawn to 0 (AdamW)",
);
pub(crate) const WARM_START: ParamDoc = doc(
    "warm_start",
    &[],
    ParamRange::Whole(0, 10_000),
    "0",
    "how many epochs are added at most to the version before, where training goes on from one of the same layout; its scaling and categories stay; 0 begins anew",
);
pub(crate) const EVAL_METRIC: ParamDoc = doc(
    "eval_metric",
    &[],
    ParamRange::OneOf(&["aucpr", "logloss"]),
    "aucpr",
    "what is watched on the validation rows: average precision, or log loss; without a positive among them it is log loss",
);
pub(crate) const SEED: ParamDoc = doc(
    "seed",
    &["random_state"],
    ParamRange::Whole(0, u64::MAX),
    "0",
    "varies what is drawn",
);

/// How many negatives an epoch draws.
pub(crate) const fn negatives(default: &'static str) -> ParamDoc {
    doc(
        "negatives",
        &[],
        ParamRange::Whole(0, 1_000_000),
        default,
        "how many negative rows an epoch draws for each positive one; the output is moved back, so that probabilities stay right; 0 takes all",
    )
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Schedule {
    pub(crate) learning_rate: f64,
    pub(crate) batch_size: usize,
    pub(crate) epochs: usize,
    pub(crate) patience: usize,
    pub(crate) weight_decay: f64,
    pub(crate) seed: u64,
    pub(crate) warm_start: usize,
}

/// How a classifier is trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Classes {
    pub(crate) negatives: usize,
    pub(crate) eval_metric: String,
}

impl Schedule {
    pub(crate) fn read(reader: &Reader<'_>) -> Schedule {
        Schedule {
            learning_rate: reader.number("learning_rate", 0.002),
            batch_size: reader.whole("batch_size", 512),
            epochs: reader.whole("epochs", 30),
            patience: reader.whole("patience", 5),
            weight_decay: reader.number("weight_decay", 1e-4),
            seed: reader.whole("seed", 0) as u64,
            warm_start: reader.whole("warm_start", 0),
        }
    }
}

impl Classes {
    pub(crate) fn read(reader: &Reader<'_>, negatives: usize) -> Classes {
        Classes {
            negatives: reader.whole("negatives", negatives),
            eval_metric: reader.word("eval_metric", "aucpr").to_owned(),
        }
    }
}

/// Notes that there is nothing to learn from.
pub(crate) fn need_columns(reader: &mut Reader<'_>, columns: &Columns) {
    if columns.is_empty() {
        let message = "the model has no features".to_owned();
        reader.problem("features", message, "name some under `features`".to_owned());
    }
}

/// What was read, or all that is wrong with it.
pub(crate) fn finish<T>(read: T, reader: Reader<'_>) -> Result<T, Vec<ParamProblem>> {
    match reader.problems.is_empty() {
        true => Ok(read),
        false => Err(reader.problems),
    }
}

/// Parameters against their documentation.
pub(crate) fn reader<'a>(params: &'a Params, docs: &'static [ParamDoc]) -> Reader<'a> {
    Reader::new(params, docs)
}
