//! A small policy, rows, and members that answer as they are told to.

use std::sync::Arc;

use acumen_base::decision::RuleMode;
use acumen_base::row::ColumnKind;
use acumen_base::{
    Attribution, Clock, Column, Columns, Currency, Deadline, Decision, Event, EventType, Field,
    FieldType, ManualClock, Member, MemberError, Money, Prediction, Row, Seed, Span, Time, Value,
};
use acumen_decision::{
    ActionSpec, EnsembleSpec, ExploreSpec, LayerSpec, ListSpec, Policy, PolicySpec, Pool, Request,
    RuleSpec, State, linear_knots,
};

pub(crate) fn event_type() -> Arc<EventType> {
    let field = |name: &str, kind| Field {
        name: name.into(),
        kind,
        optional: true,
        personal: false,
        signed: false,
    };
    Arc::new(EventType {
        name: "order".into(),
        id_field: "order_id".into(),
        time_field: "ordered_at".into(),
        lateness: Span::days(1),
        fields: vec![
            field("card_id", FieldType::Id),
            field("amount", FieldType::Money),
            field("channel", FieldType::Category),
            field("place", FieldType::Geo),
        ],
    })
}

pub(crate) fn columns() -> Arc<Columns> {
    let column = |name: &str, kind, unit: &str, help: &str| Column {
        name: name.into(),
        kind,
        unit: unit.into(),
        help: help.into(),
    };
    let number = ColumnKind::Number;
    Arc::new(Columns::new(
        vec![
            column(
                "recent.count",
                number,
                "",
                "orders of this card in the last hour",
            ),
            column(
                "recent.sum",
                number,
                "GBP",
                "spent with this card in the last hour",
            ),
            column("channel", ColumnKind::Category, "", "channel"),
        ],
        "v1",
    ))
}

pub(crate) fn rule(id: &str, when: &str, effect: &str) -> RuleSpec {
    RuleSpec {
        id: id.into(),
        when: when.into(),
        effect: effect.into(),
        reason: format!("because of {id}"),
        mode: RuleMode::On,
        roll_out_by: None,
        suppress: None,
        is_final: false,
    }
}

pub(crate) fn layer(name: &str, deadline_ms: i64, run: &[&str]) -> LayerSpec {
    LayerSpec {
        name: name.into(),
        deadline: Span(deadline_ms),
        run: run.iter().map(ToString::to_string).collect(),
        final_when: None,
        beside: false,
    }
}

/// Two layers: rules until 5 ms, the models `one` and `two` until 30 ms; four actions.
pub(crate) fn spec() -> PolicySpec {
    let action = |name: &str, from, to| ActionSpec {
        name: name.into(),
        from,
        to,
    };
    let mut allowed = rule("allowed", "order.card_id in lists.allowed", "approve");
    allowed.is_final = true;
    PolicySpec {
        use_case: "orders".into(),
        event: event_type(),
        columns: columns(),
        lists: ["stolen", "allowed"]
            .map(|name| ListSpec {
                name: name.into(),
                field: "card_id".into(),
            })
            .into(),
        models: vec!["one".into(), "two".into()],
        shadow: Vec::new(),
        rules: vec![
            allowed,
            rule("stolen", "order.card_id in lists.stolen", "block"),
            rule(
                "burst",
                "recent.count > 10.0 && recent.sum >= 500.0",
                "step_up",
            ),
        ],
        layers: vec![
            layer("rules", 5, &["allowed", "stolen", "burst"]),
            layer("models", 30, &["one", "two"]),
        ],
        ensemble: EnsembleSpec::default(),
        knots: linear_knots(),
        actions: vec![
            action("approve", 0.0, 30.0),
            action("verify", 31.0, 70.0),
            action("step_up", 71.0, 85.0),
            action("block", 86.0, 100.0),
        ],
        fallback: Some("verify".into()),
        explore: None,
        amount: Some("amount".into()),
    }
}

pub(crate) fn exploring(share: f64) -> ExploreSpec {
    ExploreSpec {
        of: None,
        action: "approve".into(),
        share,
    }
}

/// What a member does when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    Says(f64),
    Fails,
    Panics,
    /// Answers after so many microseconds of the clock.
    Takes(u64, f64),
    /// Notices its deadline before it has an answer.
    GivesUp,
}

pub(crate) struct Fake {
    pub(crate) name: String,
    pub(crate) manner: Manner,
    pub(crate) columns: Arc<Columns>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Member for Fake {
    fn name(&self) -> &str {
        &self.name
    }
    fn version(&self) -> &str {
        "v1"
    }
    fn columns(&self) -> &Columns {
        &self.columns
    }
    fn predict(&self, _: &Row, _: &Deadline) -> Result<Prediction, MemberError> {
        match self.manner {
            Manner::Says(value) => Ok(Prediction { value, raw: value }),
            Manner::Fails => Err(MemberError::Failed("has no weights".into())),
            Manner::Panics => panic!("index out of range"),
            Manner::Takes(micros, value) => {
                self.clock.advance_nanos(micros * 1_000);
                Ok(Prediction { value, raw: value })
            }
            Manner::GivesUp => Err(MemberError::Late),
        }
    }
    fn attributions(&self, row: &Row) -> Vec<Attribution> {
        let contribution = [0.5, -0.25, 0.75];
        let one = |(i, column): (usize, &Column)| Attribution {
            column: column.name.clone(),
            value: row.values[i],
            contribution: contribution[i],
        };
        self.columns.list.iter().enumerate().map(one).collect()
    }
}

/// A compiled policy with its state, a clock that stands still, and one event to decide on.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) policy: Policy,
    pub(crate) state: State,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) event: Event,
    pub(crate) row: Row,
}

impl Bench {
    pub(crate) fn new(spec: PolicySpec) -> Bench {
        let policy = Policy::compile(spec).expect("the spec is right");
        Bench {
            state: policy.initial_state(),
            clock: ManualClock::at(Time(1_000_000)),
            event: Event {
                kind: event_type(),
                id: "o1".into(),
                event_time: Time(999_000),
                known_at: Time(999_500),
                received_at: Time(999_500),
                values: vec![
                    Value::text("c1"),
                    Value::Money(Money::new(1_250, Currency::GBP)),
                    Value::text("web"),
                    Value::Missing,
                ],
            },
            row: Row {
                columns: columns(),
                values: vec![14.0, 20.5, acumen_base::key::category_code("web")].into(),
                at: Time(999_000),
                position: 77,
            },
            policy,
        }
    }

    pub(crate) fn with(mut self, name: &str, manner: Manner) -> Bench {
        self.deploy(name, manner);
        self
    }

    pub(crate) fn deploy(&mut self, name: &str, manner: Manner) {
        let member = Fake {
            name: name.into(),
            manner,
            columns: columns(),
            clock: Arc::clone(&self.clock),
        };
        self.state.deploy(5, Arc::new(member));
    }

    /// Decides as if the event had been received `waited_us` microseconds ago.
    pub(crate) fn decide_after(&self, waited_us: u64) -> Decision {
        self.decide_under(waited_us, None, 0)
    }

    /// The same with threads for members, and with so many requests that wait behind.
    pub(crate) fn decide_under(
        &self,
        waited_us: u64,
        pool: Option<&Arc<Pool>>,
        waiting: usize,
    ) -> Decision {
        let received_nanos = self.clock.nanos();
        self.clock.advance_nanos(waited_us * 1_000);
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let request = Request {
            id: format!("orders:{}", self.event.id),
            event: &self.event,
            row: &self.row,
            received_nanos,
            decided_at: self.clock.now(),
            clock,
            seed: Seed(7),
            build: "test",
            pool,
            waiting,
        };
        self.policy.decide(&request, &self.state)
    }

    pub(crate) fn decide(&self) -> Decision {
        self.decide_after(0)
    }

    pub(crate) fn replay(&self, record: &Decision) -> Decision {
        self.policy
            .replay(record, &self.event, &self.row, &self.state)
    }
}
