//! Two use cases that read one feature set of the catalogue: it costs one computation, and each
//! has the rows that it has alone.

use std::path::Path;
use std::sync::Arc;

use acumen_base::row::same_bits;
use acumen_base::{Clock, ManualClock, Time};
use acumen_engine::history::{Sources, replay_all};
use acumen_engine::{
    Durability, Engine, Folder, LogOptions, Offline, Options, Plan, Wanted, origin_rows, rows,
};
use acumen_event::DecodeLimits;
use acumen_feature::{Pipeline, PipelineSpec};
use acumen_model::ModelStore;
use tempfile::TempDir;

use super::shop::{DAY, HOUR, START, days, decide, order, plan_of};

const ORDERS: &str = include_str!("../data/orders/usecase.yaml");
const REGULARS: &str = include_str!("../data/regulars/usecase.yaml");

const ORDER: &str = "\
id: order_id
time: ordered_at
lateness: 1d
fields: {customer_id: id, amount: money, channel: category}
optional: [customer_id, channel]
personal: [customer_id]
";
const CUSTOMER: &str = "\
entities: {customer: customer_id}
features:
  spending: {of: order.amount, by: customer, window: [7d, 30d], aggregations: [sum, avg]}
  rhythm: {operator: recurrence, of: order.amount, by: customer}
  last: {operator: since_last, of: order, by: customer}
  cheap: {operator: count, of: order, by: customer, window: [30d], where: \"order.amount < money('50 EUR')\"}
";

/// The events of a use case, with its orders in the catalogue, whose set it reads.
fn reader(text: &str) -> String {
    let (before, rest) = text.split_once("  order:\n").unwrap();
    let (_, after) = rest.split_once("    personal: [customer_id]\n").unwrap();
    format!("{before}  order: catalogue\n{after}").replace("decide:", "uses: [customer]\ndecide:")
}

/// A project of some of the two use cases, with a data folder of its own.
struct Project {
    home: TempDir,
    plan: Arc<Plan>,
}

fn project(use_cases: &[(&str, &str)]) -> Project {
    let home = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("catalogue/events/order.yaml", ORDER);
    write("catalogue/features/customer.yaml", CUSTOMER);
    for (name, text) in use_cases {
        write(&format!("usecases/{name}/usecase.yaml"), &reader(text));
    }
    let plan = plan_of(home.path());
    Project { home, plan }
}

const LOG: LogOptions = LogOptions {
    durability: Durability::Os,
    segment_bytes: 64 * 1024 * 1024,
    salvage: false,
};

impl Project {
    fn folder(&self) -> Folder {
        Folder::new(self.home.path().join("data"))
    }

    fn sources(&self) -> Sources {
        let folder = self.folder();
        Sources {
            plan: Arc::clone(&self.plan),
            store: Arc::new(ModelStore::open(&folder.models()).unwrap()),
            folder,
        }
    }

    /// Orders of three months, and customers who only signed up.
    fn import(&self) {
        let mut offline = Offline::open(Arc::clone(&self.plan), self.folder(), LOG).unwrap();
        for i in 0..1_000_i64 {
            let at = Time(START.0 + i * 2 * HOUR.0);
            let customer = format!("c{}", i * i % 37);
            let json = match i % 50 {
                7 => format!(
                    r#"{{"type":"sign_up","sign_up_id":"s{i}","signed_up_at":{},"customer_id":"only-{i}"}}"#,
                    at.0
                ),
                _ => order(&format!("past-{i}"), &customer, (i % 90) as f64 + 5.0, at),
            };
            let decoder = &self.plan.decoder;
            let decoded = decoder.decode_json(json.as_bytes(), None, at, &DecodeLimits::default());
            if let Ok(event) = decoded {
                offline.import(&Arc::new(event)).unwrap();
            }
        }
        offline.close().unwrap();
    }
}

fn units(specs: Vec<PipelineSpec>) -> usize {
    Pipeline::compile_all(specs).unwrap().units()
}

#[test]
fn a_set_that_two_read_is_computed_once() {
    let both = project(&[("orders", ORDERS), ("regulars", REGULARS)]);
    assert_eq!(both.plan.pipelines.len(), 1);
    let alone = |i: usize| both.plan.use_cases[i].pipeline.clone();
    let mut set = alone(0);
    set.features.retain(|f| f.name.starts_with("customer."));
    set.views[0].features.retain(|f| f.starts_with("customer."));
    let (first, second) = (units(vec![alone(0)]), units(vec![alone(1)]));
    let shared = units(vec![set]);
    assert_eq!(
        shared, 4,
        "a ring, one of cheap orders, a rhythm and a last order"
    );
    // Besides the set, what each declares itself of the orders' amounts is read from one ring.
    let together = units(both.plan.pipelines[0].clone());
    assert_eq!(together, first + second - shared);

    // Money that is converted otherwise keeps them apart.
    let pounds = REGULARS.replace("EUR", "GBP");
    let apart = project(&[("orders", ORDERS), ("regulars", &pounds)]);
    assert_eq!(apart.plan.pipelines.len(), 2);
}

#[test]
fn each_has_the_rows_that_it_has_alone() {
    let both = project(&[("orders", ORDERS), ("regulars", REGULARS)]);
    both.import();
    let end = START + days(120);
    let wanted = Wanted {
        from: START,
        to: end,
        as_of: None,
        sample: None,
    };
    let decided = |project: &Project| {
        let rows = rows(&project.sources(), 0, wanted, &mut |_| ()).unwrap();
        assert_eq!(rows.len(), 980);
        rows
    };
    let alone = project(&[("orders", ORDERS)]);
    alone.import();
    let (one, other) = (decided(&both), decided(&alone));
    assert_eq!(one.columns.fingerprint, other.columns.fingerprint);
    for (one, other) in one.data.iter().zip(&other.data) {
        assert!(same_bits(one, other));
    }

    let alone = project(&[("regulars", REGULARS)]);
    alone.import();
    let at = [START + days(40), START + days(80)];
    let keyed = |project: &Project, use_case: usize| {
        origin_rows(&project.sources(), use_case, &at, &mut |_| ()).unwrap()
    };
    let (one, other) = (keyed(&both, 1), keyed(&alone, 0));
    assert!(one.len() > 20 && one.outside > 0);
    assert_eq!((&one.ids, one.outside), (&other.ids, other.outside));
    for (one, other) in one.data.iter().zip(&other.data) {
        assert!(same_bits(one, other));
    }
}

fn open(project: &Project) -> Engine {
    let options = Options {
        log: LOG,
        workers: 2,
    };
    let clock = ManualClock::at(START + days(100)) as Arc<dyn Clock>;
    Engine::open(Arc::clone(&project.plan), project.folder(), options, clock).unwrap()
}

#[test]
fn live_replayed_and_trained_rows_agree_when_features_are_shared() {
    let both = project(&[("orders", ORDERS), ("regulars", REGULARS)]);
    both.import();
    let engine = open(&both);
    let at = START + days(100);
    for i in 0..40 {
        let json = order(&format!("new-{i}"), &format!("c{}", i % 5), i as f64, at);
        decide(&engine, &json).unwrap();
    }
    engine.close().unwrap();
    let read = |path: &Path| std::fs::read_dir(path).unwrap().count();
    assert!(read(&both.folder().snapshots()) > 0);
    let engine = open(&both);
    let decision = engine.decision("orders:new-39").unwrap();
    drop(engine);
    let replayed = replay_all(&both.sources(), &mut |_| ()).unwrap();
    assert_eq!((replayed.decisions, replayed.mismatches), (40, 0));
    let wanted = Wanted {
        from: at,
        to: at + DAY,
        as_of: None,
        sample: None,
    };
    let rows = rows(&both.sources(), 0, wanted, &mut |_| ()).unwrap();
    assert_eq!(rows.len(), 40);
    assert!(same_bits(&rows.row(39).values, &decision.row));
}
