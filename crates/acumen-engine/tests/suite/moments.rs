//! What a request says of the moment: for visitors of whom nothing else is known, for whoever learns
//! from lists, and for the log.

use std::sync::Arc;

use acumen_base::{Clock, Time, Value};
use acumen_engine::spec::{Catalogue, UseCase};
use acumen_engine::{Engine, RankRequest, evaluate_policy};
use serde_json::json;

use super::shop::{START, days, ingest};
use super::wares::{Wares, feedback, ids, rank};

/// Feedback says the weather and how warm it is, and a source goes by the weather.
const SAID: &[(&str, &str)] = &[
    (
        "what: category, list_id: id}",
        "what: category, list_id: id, weather: category, mobile: bool, degrees: number}",
    ),
    (
        "optional: [customer_id, list_id]",
        "optional: [customer_id, list_id, weather, mobile, degrees]",
    ),
    (
        "  remember: 20",
        "  remember: 20\n  context: [weather, mobile, degrees]",
    ),
    (
        "  often: {algorithm: popular}",
        "  outside: {algorithm: popular, context: weather}\n  often: {algorithm: popular}",
    ),
    (
        "    often: {run: [often], weight: 0.1}",
        "    often: {run: [often], weight: 0.1}\n    moment: {run: [outside], weight: 1}",
    ),
    ("weights: dynamic", "weights: fixed"),
];

/// Whoever comes when it rains takes wares of kind 3, and those who come in the sun of kind 5.
fn grown(more: &[(&str, &str)]) -> Wares {
    let wares = Wares::grown(&[SAID, more].concat());
    let mut lines: Vec<(Time, String)> = Vec::new();
    for n in 0..240_u32 {
        let (weather, kind) = if n % 2 == 0 { ("rain", 3) } else { ("sun", 5) };
        let at = START + days(62) + acumen_base::Span(i64::from(n) * 60_000);
        let ware = format!("w{}", 10 * kind + n / 2 % 10);
        let line = feedback(
            &format!("m{n}"),
            (None, &format!("m{n}")),
            (&ware, "click"),
            None,
            at,
        );
        let said = format!(r#","weather":"{weather}","degrees":{}}}"#, n % 30);
        lines.push((at, line.trim_end_matches('}').to_owned() + &said));
    }
    wares.take_in(lines);
    wares.clock.set(START + days(70));
    wares
}

const CALM: (&str, &str) = ("explore: {epsilon: 5%}", "explore: {epsilon: 0}");

/// Somebody of whom nothing is known.
fn stranger(context: serde_json::Value) -> RankRequest {
    RankRequest {
        context: serde_json::from_value(context).unwrap(),
        explain: true,
        ..RankRequest::default()
    }
}

fn of_kind(ids: &[String], kind: &str) -> usize {
    ids.iter().filter(|id| id.starts_with(kind)).count()
}

#[test]
fn a_stranger_is_served_by_the_moment() {
    let wares = grown(&[CALM, ("caps: {maker: 4}\n", "")]);
    wares.train();
    let engine = wares.open();
    let (rain, sun) = (
        json!({"weather": "rain"}),
        json!({"weather": "sun", "degrees": 30}),
    );
    let wet = rank(&engine, &stranger(rain.clone())).unwrap();
    let dry = rank(&engine, &stranger(sun)).unwrap();
    let plain = rank(&engine, &stranger(json!({}))).unwrap();
    assert!(of_kind(&ids(&wet)[..5], "w3") >= 4, "{wet:?}");
    assert!(of_kind(&ids(&dry)[..5], "w5") >= 4, "{dry:?}");
    assert!(
        of_kind(&ids(&plain), "w3") < of_kind(&ids(&wet), "w3"),
        "{plain:?}"
    );
    let why = wet.items[0].why.as_ref().unwrap();
    assert!(
        why.words
            .contains("`outside` (where `weather` is `rain`) puts it forward"),
        "{why:?}"
    );
    // What is kept is kept for such a moment; what nobody has said of one is like nothing said.
    let again = rank(&engine, &stranger(rain)).unwrap();
    assert!(again.cached);
    assert_eq!(ids(&again), ids(&wet));
    let fog = rank(&engine, &stranger(json!({"weather": "fog"}))).unwrap();
    assert_eq!(ids(&fog), ids(&plain));
    let status = engine.ranking("wares").unwrap();
    assert_eq!(status.context[0].0, "weather");
    engine.close().unwrap();

    let logged = wares.listings();
    let said = |at: usize| logged[at].circumstances.context.clone();
    assert_eq!(
        said(0),
        [("weather".to_owned(), Value::Text("rain".into()))]
    );
    assert_eq!(
        said(1),
        [
            ("weather".to_owned(), Value::Text("sun".into())),
            ("degrees".to_owned(), Value::Number(30.0)),
        ]
    );
    assert_eq!(said(2), []);
    // A constant, five sources, novelty and value; four signs, a flag and a number of the moment.
    assert_eq!(logged[0].places[0].context.len(), 8 + 6);
}

#[test]
fn what_is_said_wrong_is_told_at_once() {
    let wares = grown(&[]);
    let engine = wares.open();
    let said = |context| rank(&engine, &stranger(context)).unwrap_err().to_string();
    assert_eq!(
        said(json!({"degrees": "warm", "mobile": 1, "wether": "rain"})),
        "`context`: `degrees` is \"warm\", not a number, `mobile` is 1, not a bool, `wether` is \
         not declared; declared is `weather` (category), `mobile` (bool), `degrees` (number)"
    );
    assert!(
        rank(&engine, &stranger(json!({"weather": null}))).is_ok(),
        "nothing is said"
    );
    engine.close().unwrap();
    let wares = Wares::grown(&[]);
    let engine = wares.open();
    let said = rank(&engine, &stranger(json!({"weather": "rain"}))).unwrap_err();
    assert!(
        said.to_string().contains("declares no `feedback.context`"),
        "{said}"
    );
    engine.close().unwrap();
}

/// Clicks on what is seen of a kind when it rains.
fn visits(engine: &Engine, lists: usize) {
    let now = engine.clock().now();
    for n in 0..lists {
        let weather = if n % 2 == 0 { "rain" } else { "sun" };
        let request = RankRequest {
            visitor: Some(format!("c{}", n % 100)),
            ..stranger(json!({"weather": weather, "mobile": n % 3 == 0}))
        };
        let list = rank(engine, &request).unwrap();
        for item in &list.items {
            let on = |what: &str| {
                let id = format!("{what}-{n}-{}", item.place);
                feedback(&id, (None, "v"), (&item.item, what), Some(&list.id), now)
            };
            ingest(engine, &on("seen")).unwrap();
            if weather == "rain" && item.item.starts_with("w1") {
                ingest(engine, &on("click")).unwrap();
            }
        }
    }
}

#[test]
fn a_list_is_made_again_with_what_was_said_and_the_bandit_learns_by_it() {
    let wares = grown(&[("explore: {epsilon: 5%}", "explore: {epsilon: 20%}")]);
    wares.train();
    let engine = wares.open();
    visits(&engine, 60);
    let before = engine.ranking("wares").unwrap();
    assert_eq!(before.learnt, 600);
    let calm = stranger(json!({"weather": "rain", "mobile": true}));
    let bandit = |engine: &Engine| {
        let list = rank(engine, &calm).unwrap();
        let of = |item: &acumen_engine::RankedItem| {
            let why = item.why.as_ref().unwrap();
            let said = why
                .sources
                .iter()
                .find(|(name, _)| name == "bandit")
                .unwrap();
            (item.item.to_string(), said.1.to_bits())
        };
        let mut said: Vec<(String, u32)> = list.items.iter().map(of).collect();
        said.sort();
        said
    };
    engine.snapshot().unwrap();
    engine.close().unwrap();
    let engine = wares.open();
    assert_eq!(
        engine.ranking("wares").unwrap(),
        before,
        "from the snapshot"
    );
    let from_snapshot = bandit(&engine);
    engine.close().unwrap();
    std::fs::remove_dir_all(wares.folder().snapshots()).unwrap();
    let engine = wares.open();
    let from_log: std::collections::BTreeMap<String, u32> = bandit(&engine).into_iter().collect();
    for (item, bits) in from_snapshot {
        assert!(
            from_log.get(&item).is_none_or(|other| *other == bits),
            "{item}"
        );
    }
    engine.close().unwrap();

    let sources = wares.sources();
    let clock = wares.clock.clone() as Arc<dyn Clock>;
    let declared = &sources.plan.use_cases[0].declared;
    let same = declared.folder.join("usecase.yaml");
    let same = UseCase::load_as(&same, &declared.folder, &Catalogue::default()).unwrap();
    let found = evaluate_policy(&sources, 0, &same, &clock, &mut |_| ()).unwrap();
    assert_eq!((found.lists, found.judged), (62, 62));
    assert!(found.agrees > 0.99, "{found:?}");
    let off = (found.by_place.ips.value - found.by_place.logged.value).abs();
    assert!(off < 1e-9, "{found:?}");
}
