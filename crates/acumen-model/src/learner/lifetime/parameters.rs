//! The parameters of models of lifetime value.

use acumen_base::{ColumnKind, Columns, nearest};
use serde::Serialize;

use super::Lifetime;
use crate::learner::params::{Reader, doc};
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params};
use crate::lifetime::{LastPurchase, Predicts, Reads};

/// Every parameter.
pub(super) const DOCS: &[ParamDoc] = &[
    doc(
        "frequency",
        &[],
        ParamRange::Column,
        "none: it must be named",
        "the column that counts a customer's purchases after the first",
    ),
    doc(
        "recency",
        &[],
        ParamRange::Column,
        "none: either it or since_last must be named",
        "the column of the time from the first purchase to the last; 0 where there was one only",
    ),
    doc(
        "since_last",
        &[],
        ParamRange::Column,
        "none: either it or recency must be named",
        "the column of the time from the last purchase to now",
    ),
    doc(
        "age",
        &["tenure"],
        ParamRange::Column,
        "none: it must be named",
        "the column of the time from the first purchase to now",
    ),
    doc(
        "value",
        &["monetary_value"],
        ParamRange::Column,
        "none: purchases are counted",
        "the column of the mean value of a customer's purchases after the first",
    ),
    doc(
        "horizon",
        &[],
        ParamRange::Share(0.0, f64::MAX),
        "none: it must be given",
        "how far ahead to predict, in the unit of time of the columns",
    ),
    doc(
        "discount",
        &[],
        ParamRange::Number(0.0, 1.0),
        "0",
        "the interest for one unit of time: what comes so much later counts 1 / (1 + discount)",
    ),
    doc(
        "predicts",
        &[],
        ParamRange::OneOf(&["value", "purchases", "alive"]),
        "value where its column is named, else purchases",
        "what a customer will spend within the horizon, how often, or the probability that the \
         customer has not left",
    ),
    doc(
        "n_threads",
        &["n_jobs"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

/// Parameters that were found to be valid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LifetimeParams {
    /// The name of the column of purchases after the first.
    pub frequency: String,
    /// The name of the column of the time from the first purchase to the last.
    pub recency: Option<String>,
    /// The name of the column of the time since the last purchase.
    pub since_last: Option<String>,
    /// The name of the column of the time since the first purchase.
    pub age: String,
    /// The name of the column of the mean value of a purchase.
    pub value: Option<String>,
    /// How far ahead.
    pub horizon: f64,
    /// The interest for one unit of time.
    pub discount: f64,
    /// What is predicted.
    pub predicts: Predicts,
    /// How many threads; 0 is one a core.
    pub n_threads: usize,
    #[serde(skip)]
    pub(super) learner: Lifetime,
    #[serde(skip)]
    pub(super) reads: Reads,
}

impl LifetimeParams {
    /// Reads parameters.
    ///
    /// # Errors
    /// Every problem, not only the first.
    pub fn check(
        learner: Lifetime,
        params: &Params,
        columns: &Columns,
    ) -> Result<Self, Vec<ParamProblem>> {
        let mut reader = Reader::new(params, DOCS);
        let frequency = column(&mut reader, "frequency", columns);
        let recency = column(&mut reader, "recency", columns);
        let since_last = column(&mut reader, "since_last", columns);
        let age = column(&mut reader, "age", columns);
        let value = column(&mut reader, "value", columns);
        for name in ["frequency", "age", "horizon"] {
            needed(&mut reader, params, name);
        }
        one_of_two(&mut reader, params);
        let word = reader.word(
            "predicts",
            if value.is_some() {
                "value"
            } else {
                "purchases"
            },
        );
        let predicts = match word {
            "alive" => Predicts::Alive,
            "purchases" => Predicts::Purchases,
            _ => Predicts::Value,
        };
        if predicts == Predicts::Value
            && !params.contains_key("value")
            && !params.contains_key("monetary_value")
        {
            let message = "`predicts` is value, and no column of values is named";
            let help = "name one by `value`, or predict purchases";
            reader.problem("predicts", message.into(), help.into());
        }
        distinct(
            &mut reader,
            &[&frequency, &recency, &since_last, &age, &value],
        );
        let last = match (&recency, &since_last) {
            (Some((at, _)), None) => Some(LastPurchase::AfterFirst(*at)),
            (None, Some((at, _))) => Some(LastPurchase::BeforeNow(*at)),
            _ => None,
        };
        let (Some(frequency), Some(last), Some(age), true) =
            (frequency, last, age, reader.problems.is_empty())
        else {
            return Err(reader.problems);
        };
        Ok(LifetimeParams {
            reads: Reads {
                frequency: frequency.0,
                last,
                age: age.0,
                value: value.as_ref().map(|(at, _)| *at),
            },
            frequency: frequency.1,
            recency: recency.map(|(_, name)| name),
            since_last: since_last.map(|(_, name)| name),
            age: age.1,
            value: value.map(|(_, name)| name),
            horizon: reader.number("horizon", 0.0),
            discount: reader.number("discount", 0.0),
            predicts,
            n_threads: reader.whole("n_threads", 0),
            learner,
        })
    }
}

/// The column that a parameter names, where it does and there is such a column of numbers.
fn column(reader: &mut Reader<'_>, param: &str, columns: &Columns) -> Option<(usize, String)> {
    let name = reader.get(param)?.as_str()?;
    let Some(position) = columns.position(name) else {
        let near = nearest(name, columns.list.iter().map(|column| column.name.as_str()));
        let help = near.map_or_else(
            || "name a column of the model's features".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        reader.problem(
            param,
            format!("`{param}` names `{name}`, which is no column"),
            help,
        );
        return None;
    };
    if columns.list[position].kind == ColumnKind::Category {
        let message = format!("`{param}` names `{name}`, which is a category");
        reader.problem(param, message, "name a column of numbers".into());
        return None;
    }
    Some((position, name.to_owned()))
}

/// Notes that a parameter is missing that has no default.
fn needed(reader: &mut Reader<'_>, params: &Params, name: &str) {
    let doc = DOCS.iter().find(|doc| doc.name == name);
    let (Some(doc), true) = (doc, reader.get(name).is_none()) else {
        return;
    };
    let is_given = |name: &&str| params.contains_key(*name);
    if !std::iter::once(&name).chain(doc.aliases).any(is_given) {
        reader.problem(
            name,
            format!("`{name}` is missing"),
            format!("give {}", doc.doc),
        );
    }
}

/// Notes where the last purchase is said twice or not at all.
fn one_of_two(reader: &mut Reader<'_>, params: &Params) {
    let given = ["recency", "since_last"].map(|name| params.contains_key(name));
    let message = match given {
        [true, true] if reader.get("recency").is_some() && reader.get("since_last").is_some() => {
            "`recency` and `since_last` both say when the last purchase was"
        }
        [false, false] => "nothing says when the last purchase was",
        _ => return,
    };
    let help =
        "name `recency`, counted from the first purchase, or `since_last`, counted back from now";
    reader.problem("recency", message.into(), help.into());
}

/// Notes where one column is to be two things.
fn distinct(reader: &mut Reader<'_>, named: &[&Option<(usize, String)>]) {
    let named: Vec<&String> = named
        .iter()
        .filter_map(|named| Some(&named.as_ref()?.1))
        .collect();
    let twice = named
        .iter()
        .enumerate()
        .find(|(i, name)| named[..*i].contains(name));
    if let Some((_, name)) = twice {
        let message = format!("the column `{name}` is named for two things");
        reader.problem(
            "frequency",
            message,
            "name a column of its own for each".into(),
        );
    }
}
