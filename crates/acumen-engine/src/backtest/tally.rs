//! Counting what a rule hits, stretch by stretch.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Currency, Event, EventType, Money, Time, Value};
use acumen_decision::{Past, Reads, State};

use super::question::Question;
use super::{Backtest, BacktestQuery, Hits, Overlap};
use crate::cache::{Made, Part, Said};
use crate::error::EngineError;
use crate::truth::{Known, truth};

/// A query over what a log says.
pub(super) struct Asked<'a> {
    question: &'a Question<'a>,
    said: &'a Said,
    state: &'a State,
    /// The severity of each action that was taken; none is of an action that is gone.
    severity: Vec<Option<usize>>,
    /// Whether each action that was taken hides the truth.
    hides: Vec<bool>,
}

/// Counts of some stretches.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    rows: u64,
    scored: u64,
    positives: u64,
    hits: Hits,
    changed: u64,
    gained: i128,
    unvalued: u64,
    amount: i128,
    /// For each declared rule: both, only the new one, only it.
    overlap: Vec<[u64; 3]>,
}

/// The streams of a stretch that a query reads.
struct Fetched {
    columns: Vec<(usize, Vec<f64>)>,
    fields: Vec<(usize, Vec<Value>)>,
    names: Option<Vec<Arc<str>>>,
    ids: Vec<u64>,
}

impl Fetched {
    fn of(part: &Part<'_>, reads: &Reads) -> Result<Fetched, EngineError> {
        fn each<T>(
            places: &BTreeSet<usize>,
            fetch: impl Fn(usize) -> Result<T, EngineError>,
        ) -> Result<Vec<(usize, T)>, EngineError> {
            places
                .iter()
                .map(|&place| Ok((place, fetch(place)?)))
                .collect()
        }
        Ok(Fetched {
            columns: each(&reads.columns, |column| part.column(column))?,
            fields: each(&reads.fields, |field| part.field(field))?,
            names: reads.event_id.then(|| part.names()).transpose()?,
            ids: part.ids()?,
        })
    }

    /// Puts one row and what was fetched of its event in place of what was there.
    fn place(&mut self, row: usize, time: i64, values: &mut [f64], event: &mut Event) {
        for (column, fetched) in &self.columns {
            values[*column] = fetched[row];
        }
        for (field, fetched) in &mut self.fields {
            event.values[*field] = std::mem::take(&mut fetched[row]);
        }
        if let Some(names) = &self.names {
            event.id = Arc::clone(&names[row]);
        }
        event.event_time = Time(time);
    }
}

impl<'a> Asked<'a> {
    /// A query over what a log says, with lists as a state has them.
    pub(super) fn new(question: &'a Question<'a>, said: &'a Said, state: &'a State) -> Asked<'a> {
        let hidden = question.plan.declared.outcome.as_ref();
        let hidden: &[String] = hidden.map_or(&[], |outcome| &outcome.hidden_by);
        let severity = |action: &String| question.plan.policy.severity(action);
        Asked {
            question,
            said,
            state,
            severity: said.actions.iter().map(severity).collect(),
            hides: said.actions.iter().map(|a| hidden.contains(a)).collect(),
        }
    }

    /// Counts one stretch.
    pub(super) fn tally(&self, part: &Part<'_>) -> Result<Tally, EngineError> {
        let question = self.question;
        let mut tally = Tally {
            overlap: vec![[0; 3]; question.plan.policy.spec().rules.len()],
            ..Tally::default()
        };
        let times = part.times()?;
        let wanted = question.from..question.to;
        if !times.iter().any(|time| wanted.contains(time)) {
            return Ok(tally);
        }
        let mut fetched = Fetched::of(part, &question.reads)?;
        let mut values = vec![f64::NAN; question.plan.columns.len()];
        let mut event = nothing(&question.kind);
        let positions = part.positions()?;
        let first = positions.first().copied().unwrap_or(0);
        let begin = self.said.made.partition_point(|made| made.position < first);
        let mut made = self.said.made[begin..].iter().peekable();
        for (row, (time, position)) in times.into_iter().zip(positions).enumerate() {
            while made.next_if(|made| made.position < position).is_some() {}
            let made = made
                .peek()
                .copied()
                .filter(|made| made.position == position);
            if wanted.contains(&time) {
                fetched.place(row, time, &mut values, &mut event);
                self.row(&mut tally, &values, &event, fetched.ids[row], made);
            }
        }
        Ok(tally)
    }

    fn row(&self, tally: &mut Tally, values: &[f64], event: &Event, id: u64, made: Option<&Made>) {
        let question = self.question;
        let policy = &question.plan.policy;
        let past = Past {
            event,
            values,
            state: self.state,
            probability: made.and_then(|made| made.probability),
            score: made.and_then(|made| made.score),
        };
        let hit = policy.holds(&question.rule, &past);
        for (rule, overlap) in tally.overlap.iter_mut().enumerate() {
            match (hit, policy.fires(rule, &past)) {
                (true, true) => overlap[0] += 1,
                (true, false) => overlap[1] += 1,
                (false, true) => overlap[2] += 1,
                (false, false) => {}
            }
        }
        let outcome = question.plan.declared.outcome.as_ref();
        let words = self.said.words(id);
        let known = truth(outcome, event.event_time, words, self.said.as_of);
        tally.rows += 1;
        tally.scored += u64::from(past.score.is_some());
        tally.positives += u64::from(known.truth == Truth::Positive);
        if hit {
            self.hit(tally, event, known, made);
        }
    }

    fn hit(&self, tally: &mut Tally, event: &Event, known: Known, made: Option<&Made>) {
        let question = self.question;
        let taken = match made {
            Some(made) => self.severity[made.action as usize],
            None => Some(0),
        };
        let acting = taken.map(|taken| taken.max(question.effect));
        tally.hits.all += 1;
        tally.changed += u64::from(acting != taken);
        let truth = known.truth;
        let hides = |made: &Made| self.hides[made.action as usize];
        let hidden = made.is_some_and(hides) && !known.found;
        match truth {
            Truth::Open => tally.hits.open += 1,
            Truth::Negative if hidden => tally.hits.hidden += 1,
            Truth::Negative => tally.hits.negative += 1,
            Truth::Positive => {
                tally.hits.positive += 1;
                tally.amount += i128::from(self.at_stake(event).unwrap_or(0));
            }
        }
        if truth == Truth::Open || (truth == Truth::Negative && hidden) {
            return;
        }
        match self.gained(event, truth, taken, acting) {
            Some(gained) => tally.gained += i128::from(gained),
            None => tally.unvalued += 1,
        }
    }

    /// What is at stake, in minor units of the use case's currency.
    fn at_stake(&self, event: &Event) -> Option<i64> {
        let money = event.values[self.question.amount?].as_money()?;
        let currency = self.currency();
        if money.currency == currency {
            return Some(money.minor);
        }
        let rate = self.said.rates.get(&money.currency)?;
        Some(money.convert(*rate, currency).minor)
    }

    fn gained(
        &self,
        event: &Event,
        truth: Truth,
        taken: Option<usize>,
        acting: Option<usize>,
    ) -> Option<i64> {
        let plan = self.question.plan;
        let valuation = plan.value.as_ref()?;
        let worth = |severity: usize| {
            let action = plan.policy.actions().nth(severity)?;
            let worth = valuation.value(action, truth, event, &self.said.rates)?;
            Some(worth.minor)
        };
        worth(acting?)?.checked_sub(worth(taken?)?)
    }

    fn currency(&self) -> Currency {
        self.question.plan.declared.currency
    }

    /// The counts as people read them.
    pub(super) fn report(&self, query: &BacktestQuery, tally: &Tally) -> Backtest {
        let question = self.question;
        let policy = &question.plan.policy;
        let hits = tally.hits;
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let money = |minor: i128| {
            let most = i128::from(i64::MAX);
            Money::new(minor.clamp(-most, most) as i64, self.currency())
        };
        let valued = question.plan.value.is_some();
        Backtest {
            use_case: question.plan.declared.name.clone(),
            rule: query.rule.clone(),
            effect: policy
                .actions()
                .nth(question.effect)
                .unwrap_or_default()
                .to_owned(),
            from: query.from,
            to: query.to,
            as_of: self.said.as_of,
            rows: tally.rows,
            positives: tally.positives,
            precision: share(hits.positive, hits.positive + hits.negative),
            recall: share(hits.positive, tally.positives),
            false_positive_ratio: share(hits.negative, hits.positive),
            changed: tally.changed,
            gained: valued.then(|| money(tally.gained)),
            unvalued: if valued { tally.unvalued } else { 0 },
            positive_amount: question.amount.map(|_| money(tally.amount)),
            overlap: policy
                .spec()
                .rules
                .iter()
                .zip(&tally.overlap)
                .map(|(rule, [both, only_new, only_old])| Overlap {
                    rule: rule.id.clone(),
                    both: *both,
                    only_new: *only_new,
                    only_old: *only_old,
                })
                .collect(),
            warning: self.warning(tally),
            hits,
        }
    }

    fn warning(&self, tally: &Tally) -> String {
        let mut warnings = Vec::new();
        if self.question.plan.declared.outcome.is_none() {
            warnings
                .push("the use case declares no `outcome`: nothing is known of any truth".into());
        }
        if self.question.scored && tally.scored < tally.rows {
            warnings.push(format!(
                "the rule reads a score, which {} of {} events have: those that were decided on \
                 while a model was deployed; at the others it does not fire",
                tally.scored, tally.rows
            ));
        }
        warnings.join("; ")
    }
}

impl Tally {
    pub(super) fn add(&mut self, other: &Tally) {
        self.rows += other.rows;
        self.scored += other.scored;
        self.positives += other.positives;
        self.hits.all += other.hits.all;
        self.hits.positive += other.hits.positive;
        self.hits.negative += other.hits.negative;
        self.hits.open += other.hits.open;
        self.hits.hidden += other.hits.hidden;
        self.changed += other.changed;
        self.gained += other.gained;
        self.unvalued += other.unvalued;
        self.amount += other.amount;
        self.overlap
            .resize(other.overlap.len().max(self.overlap.len()), [0; 3]);
        for (mine, other) in self.overlap.iter_mut().zip(&other.overlap) {
            for (mine, other) in mine.iter_mut().zip(other) {
                *mine += other;
            }
        }
    }
}

/// An event of which nothing has been fetched.
fn nothing(kind: &Arc<EventType>) -> Event {
    Event {
        kind: Arc::clone(kind),
        id: "".into(),
        event_time: Time(0),
        known_at: Time(0),
        received_at: Time(0),
        values: vec![Value::Missing; kind.fields.len()],
    }
}
