use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::wire;

pub(super) const WORLD: &str = include_str!("../../../../../usecases/recommendations/world.yaml");

fn small(customers: u32, days: u32) -> Parameters {
    let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
    (parameters.customers, parameters.days) = (customers, days);
    parameters.goods.products = 400;
    // So that there is enough to count.
    parameters.buying.level = -2.0;
    parameters
}

fn world(customers: u32, days: u32, seed: u64) -> World {
    World::new(small(customers, days), Seed(seed)).unwrap()
}

fn written(seed: u64) -> (Vec<u8>, Vec<u8>, Summary) {
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    let quiet = &mut |_, _| {};
    let summary = simulate(small(80, 8), Seed(seed), &mut events, &mut truth, quiet).unwrap();
    (events, truth, summary)
}

/// Runs a world, answering visits; gives all events.
fn run(world: &mut World, mut list: impl FnMut(&World, &Visit) -> Vec<Arc<str>>) -> Vec<Event> {
    let mut events = Vec::new();
    let mut lists = 0;
    while let Some(moment) = world.next_moment() {
        match moment {
            Moment::Event(event) => events.push(event),
            Moment::Visit(visit) => {
                let ids = list(world, &visit);
                let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
                lists += 1;
                world.answer(&ids, &format!("d{lists}")).unwrap();
            }
        }
    }
    events
}

fn text<'a>(event: &'a Event, field: &str) -> &'a str {
    event.value(field).as_text().unwrap_or_default()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert!(written(1) == written(1));
    assert!(written(1).0 != written(2).0);
}

#[test]
fn what_is_written_is_what_is_told() {
    let (events, truth, summary) = written(3);
    let (mut lines, mut told) = (Vec::new(), world(80, 8, 3));
    while let Some(event) = told.next_event() {
        wire::write_line(&event, &mut lines);
    }
    assert!(lines == events);
    let rows = truth.iter().filter(|&&b| b == b'\n').count() as u64;
    assert_eq!(rows, summary.lists + 1);
    for line in events.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        serde_json::from_slice::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn events_come_in_order_once_and_conform_to_their_types() {
    let (mut last, mut ids, mut kinds) = (Time::EARLIEST, BTreeSet::new(), BTreeSet::new());
    let mut world = world(300, 20, 5);
    for event in run(&mut world, |world, _| world.dressed()) {
        assert!(event.known_at >= last);
        last = event.known_at;
        assert!(ids.insert(event.dedup_key()), "{} twice", event.id);
        for (field, value) in event.kind.fields.iter().zip(&event.values) {
            let fine = match value {
                Value::Missing => field.optional,
                Value::Money(money) => money.minor > 0 || field.signed,
                Value::Number(stars) => (1.0..=5.0).contains(stars),
                Value::Int(count) => *count >= i64::from(field.name == "place"),
                Value::Text(text) => !text.is_empty(),
                other => matches!(other, Value::Bool(_)),
            };
            assert!(fine, "{} of {}: {value}", field.name, event.id);
        }
        kinds.insert(text(&event, "kind").to_owned());
    }
    let all = [
        "cart",
        "click",
        "hide",
        "impression",
        "purchase",
        "rating",
        "view",
    ];
    kinds.remove("");
    assert_eq!(kinds.iter().collect::<Vec<_>>(), all);
}

#[test]
fn what_happens_is_what_its_chance_says() {
    let mut world = world(700, 20, 6);
    let (mut expected, mut best, mut came) = ([0.0; 2], 0.0, [0.0; 2]);
    while let Some(moment) = world.next_moment() {
        let Moment::Visit(_) = moment else { continue };
        let list = world.best(Aim::Purchases);
        let list: Vec<&str> = list.iter().map(|id| &**id).collect();
        let told = world.expected(&list);
        let clicks = world.best(Aim::Clicks);
        let clicks: Vec<&str> = clicks.iter().map(|id| &**id).collect();
        best += world.expected(&clicks).clicks;
        let outcome = world.answer(&list, "list").unwrap();
        expected = [expected[0] + told.clicks, expected[1] + told.purchases];
        came[0] += f64::from(outcome.clicks);
        came[1] += f64::from(outcome.purchases);
    }
    // Counts of some thousand, each with a spread below that of Poisson's.
    for (came, expected) in came.into_iter().zip(expected) {
        assert!(expected > 300.0, "{expected}");
        assert!(
            (came - expected).abs() < 4.0 * expected.sqrt(),
            "{came} {expected}"
        );
    }
    assert!(best > expected[0], "{best} {expected:?}");
}

#[test]
fn who_comes_and_what_is_new_do_not_depend_on_answers() {
    let arrivals = |list: fn(&World, &Visit) -> Vec<Arc<str>>| {
        let mut world = world(150, 10, 7);
        let (mut first, mut new) = (BTreeMap::new(), BTreeSet::new());
        while let Some(moment) = world.next_moment() {
            match moment {
                Moment::Visit(visit) => {
                    let ids = list(&world, &visit);
                    let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
                    world.answer(&ids, "list").unwrap();
                    let known = (visit.customer, visit.region, visit.device);
                    first.entry(visit.session).or_insert(known);
                }
                Moment::Event(event) if event.kind.name == "product" => {
                    new.insert((
                        text(&event, "product_id").to_owned(),
                        event.value("title").to_string(),
                    ));
                }
                Moment::Event(_) => {}
            }
        }
        (first, new)
    };
    assert_eq!(
        arrivals(|world, _| world.dressed()),
        arrivals(|world, _| world.best(Aim::Revenue))
    );
    assert_eq!(
        arrivals(|world, _| world.dressed()),
        arrivals(|_, _| Vec::new())
    );
}

#[test]
fn nothing_is_sold_that_is_not_there_and_hidden_products_are_left_alone() {
    let mut parameters = small(400, 15);
    parameters.goods.stock = 3.0;
    parameters.hides.share = 0.3;
    let mut world = World::new(parameters, Seed(8)).unwrap();
    let (mut stock, mut ran_out, mut back) = (BTreeMap::new(), 0, 0);
    let (mut hidden, mut sold) = (BTreeSet::new(), 0);
    for event in run(&mut world, |world, _| world.dressed()) {
        let id = text(&event, "product_id").to_owned();
        if event.kind.name == "product" {
            let Value::Int(now) = event.value("stock") else {
                panic!("{event:?}");
            };
            let before = stock.insert(id, *now);
            ran_out += u32::from(*now == 0);
            back += u32::from(before == Some(0) && *now > 0);
            continue;
        }
        let who = (text(&event, "customer_id").to_owned(), id);
        match text(&event, "kind") {
            "hide" => assert!(who.0.is_empty() || hidden.insert(who)),
            "click" => assert!(!hidden.contains(&who), "{event:?}"),
            "purchase" => {
                assert!(stock[&who.1] > 0, "{event:?}");
                sold += 1;
            }
            _ => {}
        }
    }
    assert!(
        sold > 50 && ran_out > 5 && back > 0,
        "{sold} {ran_out} {back}"
    );
    assert!(hidden.len() > 10, "{}", hidden.len());
}

#[test]
fn upper_places_are_clicked_more_and_the_best_lists_most() {
    let clicks = |list: fn(&World, &Visit) -> Vec<Arc<str>>| {
        let mut by_place = [0_u32; 10];
        let mut world = world(500, 15, 9);
        for event in run(&mut world, list) {
            if let ("click", Value::Int(place)) = (text(&event, "kind"), event.value("place")) {
                by_place[*place as usize - 1] += 1;
            }
        }
        by_place
    };
    let by_chance = clicks(|world, visit| {
        let chances = world.chances();
        let step = chances.len() / visit.places;
        let at = |place| (visit.at.0 as usize + place * step) % chances.len();
        let places = (0..visit.places).map(|place| chances[at(place)].product);
        world.ids(&places.collect::<Vec<_>>())
    });
    let [first, last]: [u32; 2] = [by_chance[..3].iter().sum(), by_chance[7..].iter().sum()];
    assert!(first > 2 * last, "{by_chance:?}");
    let best = clicks(|world, _| world.best(Aim::Clicks));
    assert!(best.iter().sum::<u32>() > 3 * by_chance.iter().sum::<u32>());
}

#[test]
fn a_purchase_makes_what_goes_with_it_wanted() {
    let mut world = world(600, 25, 10);
    let names = world.goods.kinds.iter().map(|kind| kind.name.to_string());
    let kinds: BTreeMap<String, usize> = names.zip(0..).collect();
    let kind = |title: &str| kinds[title.rsplit(' ').next().unwrap()];
    // By session: the kind clicked last, whether it was bought, and in which list.
    let (mut titles, mut last) = (BTreeMap::new(), BTreeMap::new());
    let mut next = [[0.0_f64; 2]; 2];
    for event in run(&mut world, |world, _| world.best(Aim::Purchases)) {
        let id = text(&event, "product_id").to_owned();
        if event.kind.name == "product" {
            titles.insert(id, kind(text(&event, "title")));
            continue;
        }
        let (session, list) = (text(&event, "session_id"), text(&event, "decision_id"));
        let now = |bought: bool| (titles[&id], bought, list.to_owned());
        match text(&event, "kind") {
            "purchase" => drop(last.insert(session.to_owned(), now(true))),
            "click" => {
                let before = last.insert(session.to_owned(), now(false));
                let before = before.filter(|(.., seen)| seen != list);
                if let Some((before, bought, _)) = before {
                    let beside = world_beside(&kinds, before).contains(&titles[&id]);
                    next[usize::from(bought)][usize::from(beside)] += 1.0;
                }
            }
            _ => {}
        }
    }
    let share = |[other, beside]: [f64; 2]| beside / (other + beside);
    assert!(next[1][1] > 50.0, "{next:?}");
    assert!(share(next[1]) > 2.0 * share(next[0]), "{next:?}");
}

/// The kinds that go with one, as the file says.
fn world_beside(kinds: &BTreeMap<String, usize>, kind: usize) -> Vec<usize> {
    let parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
    let all = parameters.categories.values().flat_map(|c| &c.kinds);
    let of = all.filter(|(name, _)| kinds[*name] == kind);
    of.flat_map(|(_, others)| others.iter().map(|other| kinds[other]))
        .collect()
}

#[test]
fn lists_that_cannot_be_shown_are_refused_and_the_visitor_waits_on() {
    let mut world = world(50, 3, 11);
    assert_eq!(world.answer(&[], "l"), Err(AnswerError::NobodyWaits));
    while !matches!(world.next_moment(), Some(Moment::Visit(_))) {}
    let unknown = world.answer(&["p000000", "lamp"], "l").unwrap_err();
    assert!(unknown.to_string().contains("`lamp`"), "{unknown}");
    let twice = world.answer(&["p000001", "p000001"], "l");
    assert_eq!(twice, Err(AnswerError::Twice("p000001".into())));
    let list = world.dressed();
    let list: Vec<&str> = list.iter().map(|id| &**id).collect();
    assert_eq!(world.answer(&list, "l").unwrap().shown, 10);
    assert_eq!(world.answer(&list, "l"), Err(AnswerError::NobodyWaits));
}

#[test]
fn customers_have_the_ids_of_the_other_worlds_and_come_after_their_account() {
    let parameters = small(1, 12);
    let accounts: Vec<Account> = (0..60)
        .map(|number| Account {
            opened_at: Time(parameters.start().0 + (number % 12) * DAY_MS),
            verification: 0,
        })
        .collect();
    let mut world = World::among(&accounts, parameters, Seed(12), &event_types()).unwrap();
    let mut seen = BTreeSet::new();
    for event in run(&mut world, |world, _| world.dressed()) {
        if let Some(id) = event.value("customer_id").as_text() {
            let number: usize = id[1..].parse().unwrap();
            assert_eq!(id, crate::world::account::id(number));
            assert!(event.event_time >= accounts[number].opened_at);
            seen.insert(number);
        }
    }
    assert!(seen.len() > 20, "{}", seen.len());
}
