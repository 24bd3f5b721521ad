//! A shop of 100,000 products with a million visitors, in a log, and sources trained on it.

use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::{Clock, Control, Currency, Event, EventType, Money, Seed, Span, Time, Value};
use acumen_engine::{Folder, LogOptions, Offline, TrainOptions, Trained, train_with};
use acumen_model::ModelStore;
use acumen_model::recommend::proposal::best;
use acumen_model::recommend::{History, Open};
use tempfile::TempDir;

use super::lists;
use crate::child;
use crate::report::Failure;
use crate::settings::{Settings, workspace};
use crate::stage::{self, copy};

/// The use case that is served.
pub(super) const USE_CASE: &str = "recommendations";
/// Products.
pub(super) const ITEMS: usize = 100_000;
/// Products that most of the events are with.
pub(super) const FAMILIAR: usize = 5_000;
/// What each visitor did, at most.
const EVENTS_EACH: usize = 5;
/// The source whose search is judged, for how many visitors, and by how many of the best items.
const FACTORS: &str = "als";
const ASKED: usize = 200;
const BEST: usize = 100;
/// Kinds of products, brands and words of titles.
const CATEGORIES: usize = 50;
const BRANDS: usize = 500;
const WORDS: usize = 2_000;

/// A project and a data folder, gone when it is dropped.
pub(super) struct Shop {
    _folder: TempDir,
    pub(super) root: PathBuf,
    pub(super) data: PathBuf,
    /// The edits that deploy what was trained.
    pub(super) controls: Vec<Control>,
    pub(super) training_seconds: f64,
    /// The share of the best items by exact products that the factors propose.
    pub(super) recall_at_100: f64,
}

/// The id of a visitor.
pub(super) fn visitor(number: usize) -> String {
    format!("c{number}")
}

/// The id of a product.
pub(super) fn product(number: usize) -> String {
    format!("p{number}")
}

impl Shop {
    /// Fills a log and trains on it.
    pub(super) fn build(settings: &Settings) -> Result<Shop, Failure> {
        let folder = tempfile::tempdir()?;
        let (root, data) = (folder.path().join("project"), folder.path().join("data"));
        copy(&workspace("catalogue"), &root.join("catalogue"))?;
        let use_case = format!("usecases/{USE_CASE}");
        copy(&workspace(&use_case), &root.join(&use_case))?;
        let plan = child::plan(&root)?;
        let clock = stage::clock();
        let until = clock.now();
        let mut offline = Offline::open(Arc::clone(&plan), Folder::new(&data), log())?;
        let events = fill(&mut offline, settings, until)?;
        println!(
            "{events} events of {} visitors with {ITEMS} products",
            settings.customers
        );
        learn(&mut offline, until)?;
        offline.close()?;
        // What orders lists learns from lists.
        lists::show(&plan, &data, Seed(settings.seed).derive("shown"))?;
        let mut offline = Offline::open(plan, Folder::new(&data), log())?;
        let began = clock.nanos();
        let trained = learn(&mut offline, clock.now())?;
        let training_seconds = (clock.nanos() - began) as f64 / 1e9;
        println!("trained in {training_seconds:.0} s");
        let recall_at_100 = recall(&offline.sources.store, &trained.controls, settings)?;
        offline.close()?;
        Ok(Shop {
            _folder: folder,
            root,
            data,
            controls: trained.controls,
            training_seconds,
            recall_at_100,
        })
    }
}

fn log() -> LogOptions {
    LogOptions::default()
}

/// Trains on all that is known and deploys what was learnt.
fn learn(offline: &mut Offline, at: Time) -> Result<Trained, Failure> {
    offline.log.commit()?;
    let position = offline.sources.plan.position(USE_CASE).unwrap_or_default();
    let options = TrainOptions::default();
    let trained = train_with(&offline.sources, position, options, &mut |_| ())?;
    for control in &trained.controls {
        offline.control(control.clone(), "prove", at)?;
    }
    let ranker = trained
        .ranking
        .as_ref()
        .and_then(|table| table.ranker.as_ref());
    if let Some(ranker) = ranker {
        match &ranker.held {
            Some(why) => println!("the ranker is held back: {why}"),
            None => println!("the ranker is live, learnt from {} lists", ranker.lists),
        }
    }
    Ok(trained)
}

/// How many of the best items by exact products are among as many that the factors propose, for
/// visitors who touched a few items each.
fn recall(store: &ModelStore, controls: &[Control], settings: &Settings) -> Result<f64, Failure> {
    let deployed = controls.iter().find_map(|control| match control {
        Control::Deploy {
            member, version, ..
        } if member == FACTORS => Some(version),
        _ => None,
    });
    let version = deployed.ok_or_else(|| Failure::new(format!("`{FACTORS}` was not trained")))?;
    let source = store.get_recommender(USE_CASE, FACTORS, version)?.source;
    let shown = vec![true; source.n_items()];
    let (open, mut scores) = (Open::new(&shown), vec![0.0; source.n_items()]);
    let mut found = 0;
    for asks in 0..ASKED {
        let draw = |at: usize| {
            Seed(settings.seed)
                .derive("asks")
                .unit(&format!("{asks} {at}"))
        };
        let items: Vec<u32> = (0..EVENTS_EACH)
            .map(|at| (draw(at) * FAMILIAR as f64) as u32)
            .collect();
        let history = History {
            items: &items,
            weights: &[1.0; EVENTS_EACH],
        };
        source.score(history, &mut scores);
        let exact = best(&scores, &open, BEST);
        let proposed = source.propose(history, &open, BEST).items;
        found += exact.iter().filter(|item| proposed.contains(item)).count();
    }
    Ok(found as f64 / (ASKED * BEST) as f64)
}

/// Appends all products and what visitors did; gives how many events.
fn fill(offline: &mut Offline, settings: &Settings, until: Time) -> Result<usize, Failure> {
    let seed = Seed(settings.seed).derive("lists");
    let kind = |name: &str| {
        let kind = offline.sources.plan.event_type(name).cloned();
        kind.ok_or_else(|| Failure::new(format!("there is no event `{name}`")))
    };
    let (of_product, of_feedback) = (kind("product")?, kind("feedback")?);
    let from = until - Span::days(30);
    for number in 0..ITEMS {
        let event = product_event(&of_product, seed, number, from);
        offline.import(&Arc::new(event))?;
    }
    let (mut count, visits) = (ITEMS, EVENTS_EACH * settings.customers);
    let step = Span::days(29).0 as f64 / visits as f64;
    for visit in 0..visits {
        let who = visit % settings.customers;
        let round = visit / settings.customers;
        let draw = |what: &str| seed.derive(what).unit(&format!("{who} {round}"));
        // Everybody did something; some did more.
        if round > 0 && draw("comes") < 0.5 {
            continue;
        }
        let at = from + Span::days(1) + Span((visit as f64 * step) as i64);
        let taste = seed.derive("taste").unit(&who.to_string());
        let near = (taste + 0.02 * draw("near")).fract();
        let among = if draw("familiar") < 0.8 {
            FAMILIAR
        } else {
            ITEMS
        };
        let what = (near * among as f64) as usize;
        let said = if draw("buys") < 0.1 {
            "purchase"
        } else {
            "click"
        };
        let event = feedback_event(&of_feedback, visit, (who, what, said), at);
        offline.import(&Arc::new(event))?;
        count += 1;
    }
    Ok(count)
}

fn product_event(kind: &Arc<EventType>, seed: Seed, number: usize, at: Time) -> Event {
    let draw =
        |what: &str, of: usize| (seed.derive(what).unit(&number.to_string()) * of as f64) as usize;
    let money = |pence: usize| {
        Value::Money(Money {
            currency: Currency::GBP,
            minor: pence as i64,
        })
    };
    let price = 500 + draw("price", 20_000);
    let title = format!("word{} word{}", draw("word", WORDS), draw("other", WORDS));
    let value = |name: &str| match name {
        "product_id" => Value::text(&product(number)),
        "category" => Value::text(&format!("category {}", number * CATEGORIES / ITEMS)),
        "brand" => Value::text(&format!("brand {}", draw("brand", BRANDS))),
        "title" => Value::text(&title),
        "price" => money(price),
        "margin" => money(price * draw("margin", 50) / 100),
        "stock" => Value::Int(if draw("stock", 20) == 0 { 0 } else { 10 }),
        _ => Value::Missing,
    };
    event(kind, &format!("added-{number}"), at, value)
}

fn feedback_event(
    kind: &Arc<EventType>,
    number: usize,
    (who, what, said): (usize, usize, &str),
    at: Time,
) -> Event {
    let value = |name: &str| match name {
        "customer_id" => Value::text(&visitor(who)),
        "session_id" => Value::text(&format!("v{number}")),
        "product_id" => Value::text(&product(what)),
        "kind" => Value::text(said),
        _ => Value::Missing,
    };
    event(kind, &format!("past-{number}"), at, value)
}

pub(super) fn event(
    kind: &Arc<EventType>,
    id: &str,
    at: Time,
    value: impl Fn(&str) -> Value,
) -> Event {
    Event {
        kind: Arc::clone(kind),
        id: id.into(),
        event_time: at,
        known_at: at,
        received_at: at,
        values: kind.fields.iter().map(|field| value(&field.name)).collect(),
    }
}
