//! From a spec to a plan: names become numbers, once.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_base::key::hash64;
use acumen_base::limits::COLUMNS_MAX;
use acumen_base::{Columns, FieldType};

use crate::builder::{At, Builder, ColumnDraft, DERIVED, Draft, lateness};
use crate::compile::Context;
use crate::condition::{Condition, Where};
use crate::derive::{Derived, Read};
use crate::entity::{IdPlaces, id_fields};
use crate::gather::GatherPlan;
use crate::operand::OperandPlan;
use crate::operator::{Need, OPERATORS, Operator, WHERE, operator};
use crate::outcome::{OutcomePlan, Teller};
use crate::problem::{Problem, suggest};
use crate::rates::RatePlan;
use crate::spec::{Entity, FeatureSpec, PipelineSpec, Verdicts, ViewSpec};
use crate::state::State;
use crate::unite::United;

/// A row of a use case.
pub(crate) struct ViewPlan {
    /// The spec that declares it.
    pub(crate) spec: usize,
    pub(crate) name: String,
    /// The names of its features.
    pub(crate) features: Vec<String>,
    pub(crate) kind: usize,
    /// The entity each of whose keys it may be read of.
    pub(crate) each: Option<usize>,
    pub(crate) columns: Arc<Columns>,
    /// The place of each column among all columns of the plan.
    pub(crate) globals: Vec<usize>,
    /// Which units, and then which derived features, have to be read for it.
    pub(crate) wanted: Vec<bool>,
}

/// Everything about a pipeline that does not change as events come.
pub(crate) struct Plan {
    pub(crate) specs: Vec<PipelineSpec>,
    /// What they declare together.
    pub(crate) united: United,
    /// Whether a unit is read from events of a type: `[kind][unit]`. What one spec declares is
    /// nothing to the features of another.
    pub(crate) heeds: Vec<Vec<bool>>,
    /// Where each event type keeps the id of each entity: `[kind][entity]`.
    pub(crate) entity_fields: Vec<Vec<Option<IdPlaces>>>,
    pub(crate) operands: Vec<OperandPlan>,
    pub(crate) conditions: Vec<Condition>,
    /// The first unit with a condition; those that conditions read come before it.
    pub(crate) staged: usize,
    /// Which units conditions read.
    pub(crate) sources: Vec<bool>,
    pub(crate) outcomes: Vec<OutcomePlan>,
    /// Which of them each spec declares, in its own order.
    pub(crate) outcomes_of: Vec<Vec<usize>>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) gathers: Vec<GatherPlan>,
    pub(crate) rate: Option<RatePlan>,
    /// The columns of each feature, spec by spec.
    pub(crate) features: Vec<Vec<(String, Vec<ColumnDraft>)>>,
    /// Where the columns of each unit, and then of each derived feature, begin among all; one
    /// more at the end.
    pub(crate) offsets: Vec<usize>,
    pub(crate) views: Vec<ViewPlan>,
    /// Of the whole definition: state of another is refused.
    pub(crate) fingerprint: u64,
}

/// A plan with its units, which hold nothing yet.
pub(crate) type Compiled = (Plan, Vec<Box<dyn State>>);

impl Plan {
    /// How many columns all units have.
    pub(crate) fn width(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Whether rows are read for each key of an entity.
    pub(crate) fn is_read_by_key(&self, entity: usize) -> bool {
        self.views.iter().any(|view| view.each == Some(entity))
    }

    /// Whether conditions on events of this type read columns.
    pub(crate) fn stages(&self, kind: usize) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.any(|condition| condition.kind == kind && condition.reads_columns)
    }

    /// Compiles specs over one log; reports all their problems at once.
    pub(crate) fn compile(specs: Vec<PipelineSpec>) -> Result<Compiled, Vec<Problem>> {
        let united = United::of(&specs)?;
        let mut builder = Builder::new(&specs, &united);
        let rate = check_rates(&mut builder);
        let entity_fields = entity_fields(&mut builder);
        for at in 0..specs.len() {
            builder.now = at;
            check_outcomes(&mut builder);
            check_names(&mut builder);
        }
        // Features that read the columns of others come after them, in their own order.
        for rank in 0..4 {
            for (at, spec) in specs.iter().enumerate() {
                builder.now = at;
                for feature in spec.features.iter().filter(|f| self::rank(f) == rank) {
                    builder = compile_feature(builder, feature);
                }
            }
        }
        let mut views = Vec::new();
        for (at, spec) in specs.iter().enumerate() {
            builder.now = at;
            for view in &spec.views {
                let (kind, drafts) = check_view(&mut builder, view);
                views.push((at, view, kind, drafts));
            }
        }
        if !builder.problems.is_empty() {
            return Err(builder.problems);
        }
        let Builder {
            operands,
            conditions,
            staged,
            outcomes,
            outcomes_of,
            drafts,
            mut derived,
            gathers,
            mut features,
            ..
        } = builder;
        let units: Vec<Box<dyn State>> = drafts.into_iter().map(Draft::finish).collect();
        let drafts = (features.iter_mut().flatten())
            .map(|f| &mut f.1)
            .chain(views.iter_mut().map(|v| &mut v.3));
        drafts
            .flatten()
            .for_each(|draft| behind(&mut draft.at, units.len()));
        let reads = derived.iter_mut().flat_map(|d| &mut d.expression.reads);
        for read in reads {
            if let Read::Column { at, .. } = read {
                behind(at, units.len());
            }
        }
        let mut offsets = vec![0];
        let widths = units
            .iter()
            .map(|unit| unit.width())
            .chain(derived.iter().map(|_| 1));
        for width in widths {
            offsets.push(offsets[offsets.len() - 1] + width);
        }
        let views = views
            .into_iter()
            .map(|(at, view, kind, drafts)| {
                let needed = needed(&drafts, &derived, units.len());
                let gathered = gathers
                    .iter()
                    .filter(|g| needed.iter().any(|at| at.0 == g.unit));
                let gathered = gathered.flat_map(|g| &g.sources).map(|s| (s.unit, s.local));
                let when = needed.iter().filter_map(|at| units.get(at.0)?.when());
                let read = when.flat_map(|Where(at)| conditions[at].expression.columns());
                let gathered: BTreeSet<At> = gathered.chain(read).collect();
                let each = view.each.as_deref();
                let entities = &united.entities;
                let (wanted, globals) = read_from(&drafts, &needed, &offsets);
                ViewPlan {
                    spec: at,
                    name: view.name.clone(),
                    features: view.features.clone(),
                    kind,
                    each: each.and_then(|each| entities.iter().position(|e| e.name == *each)),
                    columns: columns(
                        &specs[at],
                        (view, drafts),
                        (&needed, &gathered),
                        &features[at],
                    ),
                    globals,
                    wanted,
                }
            })
            .collect();
        let mut sources = vec![false; units.len()];
        for at in conditions.iter().flat_map(|c| c.expression.columns()) {
            sources[at.0] = true;
        }
        let fingerprint = fingerprint(&specs);
        let mut plan = Plan {
            heeds: heeds(&united, &features, units.len()),
            entity_fields,
            operands,
            conditions,
            staged: staged.unwrap_or(units.len()),
            sources,
            outcomes,
            outcomes_of,
            derived,
            gathers,
            rate,
            features,
            offsets,
            views,
            fingerprint,
            united,
            specs,
        };
        plan.forget_entities_of_no_unit(&units);
        Ok((plan, units))
    }

    /// Keys are looked up of those entities only that some unit is about.
    pub(crate) fn forget_entities_of_no_unit(&mut self, units: &[Box<dyn State>]) {
        for fields in &mut self.entity_fields {
            for (entity, field) in fields.iter_mut().enumerate() {
                let by_key = self.views.iter().any(|view| view.each == Some(entity));
                if !by_key && !units.iter().any(|unit| unit.entities().contains(&entity)) {
                    *field = None;
                }
            }
        }
    }
}

fn fingerprint(definition: &impl serde::Serialize) -> u64 {
    // Writing to memory cannot fail for these types; an empty text would only refuse old state.
    hash64(&postcard::to_stdvec(definition).unwrap_or_default())
}

/// Which units are read from events of which type: those of the specs whose features they are.
fn heeds(
    united: &United,
    features: &[Vec<(String, Vec<ColumnDraft>)>],
    units: usize,
) -> Vec<Vec<bool>> {
    let mut heeds = vec![vec![false; units]; united.events.len()];
    for (kinds, features) in united.kinds.iter().zip(features) {
        let drafts = features.iter().flat_map(|(_, drafts)| drafts);
        for unit in drafts.map(|draft| draft.at.0).filter(|at| *at < units) {
            kinds.iter().for_each(|kind| heeds[*kind][unit] = true);
        }
    }
    heeds
}

fn check_names(builder: &mut Builder<'_>) {
    let mut names = BTreeSet::new();
    for feature in &builder.spec().features {
        if !names.insert(feature.name.as_str()) {
            let help = "give one of them another name".to_owned();
            builder.problem(&feature.name, "name", "is declared twice".to_owned(), help);
        }
    }
}

fn check_rates(builder: &mut Builder<'_>) -> Option<RatePlan> {
    let rates = builder.united.rates.as_ref()?;
    let kind = builder.kind("rates", "event", &rates.event)?;
    let currency = builder.field("rates", "currency", kind, &rates.currency);
    let rate = builder.field("rates", "rate", kind, &rates.rate);
    let (currency, rate) = (currency?, rate?);
    if !is_name(currency.1) {
        let message = format!("`{}` is of type {}", rates.currency, currency.1);
        let help = "declare it as category: a three-letter code".to_owned();
        builder.problem("rates", "currency", message, help);
    }
    if !matches!(rate.1, FieldType::Number | FieldType::Int) {
        let message = format!("`{}` is of type {}", rates.rate, rate.1);
        builder.problem("rates", "rate", message, "declare it as number".to_owned());
    }
    Some(RatePlan {
        kind,
        currency: currency.0,
        rate: rate.0,
    })
}

fn is_name(kind: FieldType) -> bool {
    matches!(kind, FieldType::Id | FieldType::Category | FieldType::Text)
}

/// The events that say an outcome either way.
fn teller(builder: &mut Builder<'_>, outcome: &str, verdicts: &Verdicts) -> Option<Teller> {
    let kind = builder.kind(outcome, "verdicts", &verdicts.event)?;
    let by = builder.field(outcome, "verdicts", kind, &verdicts.by);
    let says = builder.field(outcome, "verdicts", kind, &verdicts.positive);
    for (field, name, fits, wanted) in [
        (
            by,
            &verdicts.by,
            by.is_none_or(|(_, kind)| is_name(kind)),
            "id",
        ),
        (
            says,
            &verdicts.positive,
            says.is_none_or(|(_, kind)| kind == FieldType::Bool),
            "bool",
        ),
    ] {
        if field.is_some() && !fits {
            let message = format!("`{name}` is not of the type {wanted}");
            let help = format!("declare it as {wanted}");
            builder.problem(outcome, "verdicts", message, help);
        }
    }
    Some(Teller {
        kind,
        by: by?.0,
        says: Some(says?.0),
    })
}

fn check_outcomes(builder: &mut Builder<'_>) {
    for outcome in &builder.spec().outcomes {
        let of = builder.kind(&outcome.name, "of", &outcome.of);
        let positive = builder.kind(&outcome.name, "positive", &outcome.positive);
        let by = positive.and_then(|kind| builder.field(&outcome.name, "by", kind, &outcome.by));
        if by.is_some_and(|(_, kind)| !is_name(kind)) {
            let message = format!("`{}` does not hold an id", outcome.by);
            builder.problem(&outcome.name, "by", message, "declare it as id".to_owned());
        }
        let verdicts = outcome.verdicts.as_ref();
        let verdicts = verdicts.and_then(|verdicts| teller(builder, &outcome.name, verdicts));
        if outcome.closes < outcome.negative_after {
            let message = format!("closes after {}, before it is negative", outcome.closes);
            let help = format!("at least `negative_after`, {}", outcome.negative_after);
            builder.problem(&outcome.name, "closes", message, help);
        }
        let waits = lateness(builder.spec(), |_| true);
        let plan = OutcomePlan {
            of: of.unwrap_or(usize::MAX),
            tellers: [
                positive.zip(by).map(|(kind, by)| Teller {
                    kind,
                    by: by.0,
                    says: None,
                }),
                verdicts,
            ],
            closes: outcome.closes.0,
            waits,
            used: false,
        };
        let known = builder.outcomes.iter().position(|known| *known == plan);
        let at = known.unwrap_or(builder.outcomes.len());
        if known.is_none() {
            builder.outcomes.push(plan);
        }
        builder.outcomes_of[builder.now].push(at);
    }
    if builder.outcomes.len() > 32 {
        let message = format!("{} outcomes are declared", builder.outcomes.len());
        builder.problem("outcomes", "outcomes", message, "at most 32".to_owned());
    }
}

fn entity_fields(builder: &mut Builder<'_>) -> Vec<Vec<Option<IdPlaces>>> {
    let united = builder.united;
    let mut carried = vec![false; united.entities.len()];
    let mut all = Vec::new();
    for kind in &united.events {
        let mut fields = Vec::new();
        for (entity, carried) in united.entities.iter().zip(&mut carried) {
            let places: Option<IdPlaces> = id_fields(&entity.field)
                .map(|field| kind.position(field))
                .collect();
            *carried |= places.is_some();
            for &at in places.iter().flatten() {
                if !is_name(kind.fields[at].kind) {
                    let field = &kind.fields[at].name;
                    let message = format!("`{}.{field}` does not hold an id", kind.name);
                    let help = "declare it as id".to_owned();
                    builder.problem(&entity.name, "entities", message, help);
                }
            }
            fields.push(places);
        }
        all.push(fields);
    }
    for (entity, carried) in united.entities.iter().zip(carried) {
        if !carried {
            let (message, help) = not_carried(united, entity);
            builder.problem(&entity.name, "entities", message, help);
        }
    }
    all
}

/// What is wrong with an entity whose id no event type carries, and what to do.
fn not_carried(united: &United, entity: &Entity) -> (String, String) {
    let names = || united.events.iter().flat_map(|kind| &kind.fields);
    let unknown = id_fields(&entity.field).find(|field| names().all(|known| known.name != **field));
    match unknown {
        Some(field) => (
            format!("no event has a field `{field}`"),
            suggest(field, names().map(|known| known.name.as_str())),
        ),
        None => (
            format!("no event has all of `{}`", entity.field),
            "name fields of one event type".to_owned(),
        ),
    }
}

/// 0 for features that read events, 1 for those of events for which a condition holds, 2 for those
/// that gather the columns of other keys, 3 for those that are derived from columns.
fn rank(feature: &FeatureSpec) -> u8 {
    match operator_name(feature) {
        "derived" => 3,
        _ if feature.params.contains_key("gather") => 2,
        _ => u8::from(feature.params.contains_key(WHERE.name)),
    }
}

fn operator_name(feature: &FeatureSpec) -> &str {
    match feature.operator.as_str() {
        "" if !feature.aggregations.is_empty() => "aggregate",
        "" if feature.params.contains_key("cel") => "derived",
        name => name,
    }
}

fn compile_feature<'a>(mut builder: Builder<'a>, feature: &'a FeatureSpec) -> Builder<'a> {
    let now = builder.now;
    if let Some(columns) = builder.computed(feature) {
        builder.features[now].push((feature.name.clone(), columns));
        return builder;
    }
    let name = operator_name(feature);
    let Some(found) = operator(name) else {
        let help = suggest(name, OPERATORS.iter().map(|op| op.name()));
        let message = match name {
            "" => "no operator is named".to_owned(),
            _ => format!("there is no operator `{name}`"),
        };
        builder.problem(&feature.name, "operator", message, help);
        builder.features[now].push((feature.name.clone(), Vec::new()));
        return builder;
    };
    check_shape(&mut builder, feature, found);
    let mut context = Context {
        feature,
        builder,
        columns: Vec::new(),
    };
    found.compile(&mut context);
    let Context {
        mut builder,
        columns,
        ..
    } = context;
    builder.note(feature, &columns);
    builder.features[now].push((feature.name.clone(), columns));
    builder
}

/// What every operator's declaration is checked for.
fn check_shape(builder: &mut Builder<'_>, feature: &FeatureSpec, found: &dyn Operator) {
    let accepts = found.accepts();
    let must = |needed: bool| if needed { Need::Must } else { Need::Never };
    let (windows, aggregations) = (must(accepts.windows), must(accepts.aggregations));
    let shapes = [
        ("by", accepts.by, feature.by.is_empty(), "by: customer"),
        (
            "window",
            windows,
            feature.windows.is_empty(),
            "window: [1h, 24h]",
        ),
        (
            "aggregations",
            aggregations,
            feature.aggregations.is_empty(),
            "aggregations: [count]",
        ),
    ];
    for (key, need, empty, example) in shapes {
        if need == Need::Must && empty {
            let message = format!("`{}` needs `{key}`", found.name());
            builder.problem(&feature.name, key, message, format!("such as `{example}`"));
        } else if need == Need::Never && !empty {
            let message = format!("`{}` takes no `{key}`", found.name());
            builder.problem(&feature.name, key, message, "leave it out".to_owned());
        }
    }
    for name in feature.params.keys() {
        if !found.params().iter().any(|param| param.name == name) {
            let help = suggest(name, found.params().iter().map(|param| param.name));
            let message = format!("`{}` has no parameter `{name}`", found.name());
            builder.problem(&feature.name, name, message, help);
        }
    }
    for param in found.params() {
        if param.default.is_empty() && !feature.params.contains_key(param.name) {
            let message = format!("`{}` needs `{}`", found.name(), param.name);
            builder.problem(&feature.name, param.name, message, param.doc.to_owned());
        }
    }
}

fn check_view(builder: &mut Builder<'_>, view: &ViewSpec) -> (usize, Vec<ColumnDraft>) {
    let kind = builder.kind(&view.name, "event", &view.event).unwrap_or(0);
    let mut drafts = Vec::new();
    for name in &view.features {
        let features = builder.features();
        match features.iter().find(|feature| feature.0 == *name) {
            Some(feature) => drafts.extend(feature.1.iter().cloned()),
            None => {
                let help = suggest(name, features.iter().map(|f| f.0.as_str()));
                let message = format!("there is no feature `{name}`");
                builder.problem(&view.name, "features", message, help);
            }
        }
    }
    if let Some(each) = &view.each {
        check_each(builder, view, each);
    }
    if drafts.len() > COLUMNS_MAX {
        let message = format!("a row of {} columns", drafts.len());
        let help = format!("at most {COLUMNS_MAX}");
        builder.problem(&view.name, "features", message, help);
    }
    (kind, drafts)
}

/// Rows that are read for each key of an entity hold what is known of it, or of the time alone.
fn check_each(builder: &mut Builder<'_>, view: &ViewSpec, each: &str) {
    let entities = builder.united.entities.iter();
    let Some(entity) = entities.clone().position(|entity| entity.name == *each) else {
        let help = suggest(each, entities.map(|entity| entity.name.as_str()));
        let message = format!("there is no entity `{each}`");
        return builder.problem(&view.name, "each", message, help);
    };
    for feature in &builder.spec().features {
        let of_time = matches!(operator_name(feature), "derived" | "calendar");
        let mut features = builder.features().iter();
        let found = features.find(|found| found.0 == feature.name);
        let mut columns = found.into_iter().flat_map(|found| &found.1);
        let foreign = columns.any(|draft| draft.entity != Some(entity)) && !of_time;
        if foreign && view.features.contains(&feature.name) {
            let message = format!("a row here is of each {each}, and of no event");
            let (key, help) = match feature.by.is_empty() {
                true => (
                    "operator",
                    format!("keep what is known of the {each}: `by: {each}`"),
                ),
                false => ("by", format!("write `by: {each}`")),
            };
            builder.problem(&feature.name, key, message, help);
        }
    }
}

/// Puts a derived column behind the units.
fn behind(at: &mut At, units: usize) {
    if at.0 >= DERIVED {
        at.0 = at.0 - DERIVED + units;
    }
}

/// The columns of a view and all that they are derived from.
pub(crate) fn needed(drafts: &[ColumnDraft], derived: &[Derived], units: usize) -> BTreeSet<At> {
    let mut needed: BTreeSet<At> = drafts.iter().map(|draft| draft.at).collect();
    for (index, derived) in derived.iter().enumerate().rev() {
        if needed.contains(&(units + index, 0)) {
            needed.extend(derived.expression.columns());
        }
    }
    needed
}

/// Which units and derived features a row is read from, and where its columns stand among all.
pub(crate) fn read_from(
    drafts: &[ColumnDraft],
    needed: &BTreeSet<At>,
    offsets: &[usize],
) -> (Vec<bool>, Vec<usize>) {
    let mut wanted = vec![false; offsets.len() - 1];
    for at in needed {
        wanted[at.0] = true;
    }
    let place = |draft: &ColumnDraft| offsets[draft.at.0] + draft.at.1;
    (wanted, drafts.iter().map(place).collect())
}

/// The columns of a view. A row means what its features mean, and the features that these are
/// derived from; what other specs declare does not change it.
fn columns(
    spec: &PipelineSpec,
    (view, drafts): (&ViewSpec, Vec<ColumnDraft>),
    (needed, gathered): (&BTreeSet<At>, &BTreeSet<At>),
    features: &[(String, Vec<ColumnDraft>)],
) -> Arc<Columns> {
    let columns = |name: &str| features.iter().find(|f| f.0 == name).map(|f| &f.1);
    let means = |feature: &&FeatureSpec| {
        let mut columns = columns(&feature.name).into_iter().flatten();
        view.features.contains(&feature.name)
            || columns.any(|draft| needed.contains(&draft.at) || gathered.contains(&draft.at))
    };
    let means: Vec<&FeatureSpec> = spec.features.iter().filter(means).collect();
    let definition = (
        spec.currency,
        &spec.entities,
        &spec.rates,
        &spec.outcomes,
        means,
    );
    let definition = format!("{:016x}", fingerprint(&definition));
    let list = drafts.into_iter().map(|draft| draft.column).collect();
    Arc::new(Columns::new(list, &definition))
}
