//! Operators: each a file below and a line in [`OPERATORS`].

mod aggregate;
mod baseline;
mod calendar;
mod derived;
mod distinct;
mod fields;
mod fingerprint;
mod geo_velocity;
mod neighbours;
mod profile;
mod recurrence;
mod run_length;
mod sequence;
mod share;
mod since_last;
mod usual_place;

pub use crate::compile::Context;

/// What a declaration of an operator may hold besides its own parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    /// `by`: whether the operator keeps state of entities.
    pub by: Need,
    /// Whether `window` is needed.
    pub windows: bool,
    /// Whether `aggregations` is needed.
    pub aggregations: bool,
}

/// Whether a key is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has to be there.
    Must,
    /// It may be there.
    May,
    /// It means nothing here.
    Never,
}

impl Accepts {
    /// Neither entities nor windows.
    pub(crate) const NOTHING: Accepts = Accepts {
        by: Need::Never,
        windows: false,
        aggregations: false,
    };
    /// Entities, and no windows.
    pub(crate) const BY: Accepts = Accepts {
        by: Need::Must,
        ..Accepts::NOTHING
    };
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A word.
    Text,
    /// A list of words, or one.
    Texts,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// A length of time.
    Span,
}

/// A parameter, documented.
#[derive(Clone, Copy, Debug)]
pub struct ParamDoc {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub kind: ParamKind,
    /// What it is when left out; empty if it is needed.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// A way to compute columns from events.
pub trait Operator: Sync {
    /// The name in a spec.
    fn name(&self) -> &'static str;
    /// One paragraph for people.
    fn doc(&self) -> &'static str;
    /// Its own parameters.
    fn params(&self) -> &'static [ParamDoc];
    /// What else it needs.
    fn accepts(&self) -> Accepts;
    /// A declaration that compiles, as one line of YAML.
    fn example(&self) -> &'static str;
    /// Checks a declaration, and adds its state and columns to the plan.
    fn compile(&self, context: &mut Context<'_>);
}

/// Every operator; the schema, the documentation, the suggestions for wrong names and the law
/// tests come from this list.
pub static OPERATORS: &[&dyn Operator] = &[
    &fields::Fields,
    &aggregate::AGGREGATE,
    &aggregate::COUNT,
    &aggregate::SUM,
    &aggregate::AVG,
    &aggregate::MIN,
    &aggregate::MAX,
    &aggregate::STDDEV,
    &share::Share,
    &run_length::RunLength,
    &distinct::Distinct,
    &since_last::SinceLast,
    &recurrence::Recurrence,
    &baseline::Baseline,
    &geo_velocity::GeoVelocity,
    &usual_place::UsualPlace,
    &profile::Profile,
    &fingerprint::Fingerprint,
    &calendar::Calendar,
    &sequence::Sequence,
    &neighbours::Neighbours,
    &derived::FromColumns,
];

/// The operator of this name.
pub fn operator(name: &str) -> Option<&'static dyn Operator> {
    OPERATORS.iter().copied().find(|op| op.name() == name)
}

/// Of operators of the events of one type.
pub(crate) const WHERE: ParamDoc = ParamDoc {
    name: "where",
    kind: ParamKind::Text,
    default: "none",
    doc: "A CEL condition, such as `order.amount < money('50 EUR') && spending.ratio < 2.0`: only \
          the events for which it holds count. It reads the event's own fields and, as \
          they are in a row of that event, columns of features that have no `where` and are \
          neither derived nor gathered. Where something is missing, or an amount is in another \
          currency, it does not hold.",
};

/// Of operators that read outcomes.
pub(crate) const DELAY: ParamDoc = ParamDoc {
    name: "delay",
    kind: ParamKind::Span,
    default: "0s",
    doc: "Only events at least this long before the row count. As long as outcomes usually take, \
          nothing is counted of which nothing can be known yet.",
};

pub(crate) const CURRENT: ParamDoc = ParamDoc {
    name: "current",
    kind: ParamKind::Text,
    default: "included",
    doc: "`included` counts the event that the row is of, `excluded` leaves it out.",
};
