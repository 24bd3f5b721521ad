//! Lists for visitors: trained, live, explained, and never of what may not be shown.

use acumen_base::Control;
use acumen_engine::{Engine, RankAnswer, RankRequest, Refusal, RequestEvent};

use super::shop::{HOUR, START, days, ingest};
use super::wares::{Wares, asks, feedback, ids, rank, ware};

/// No chance: the same request gives the same list.
const CALM: (&str, &str) = ("explore: {epsilon: 5%}", "explore: {epsilon: 0}");

fn send(engine: &Engine, line: &str) {
    let sent = ingest(engine, line).unwrap();
    assert_eq!(sent.logged, 1, "{sent:?}");
}

/// How many items of a list are of a kind: wares w10 to w19 are of kind 1.
fn of_kind(ids: &[String], kind: usize) -> usize {
    let number = |id: &String| id.trim_start_matches('w').parse::<usize>().unwrap();
    ids.iter().filter(|id| number(id) / 10 == kind).count()
}

#[test]
fn sources_are_trained_judged_and_live_after_a_restart() {
    let wares = Wares::grown(&[CALM]);
    let trained = wares.train();
    let table = trained.ranking.as_ref().unwrap();
    assert_eq!(
        table.sources.len(),
        4,
        "the bandit is not trained: {table:?}"
    );
    assert!(table.judged > 30 && table.coverage > 0.3, "{table:?}");
    assert!(table.blend.ndcg >= table.declared.ndcg, "{table:?}");
    let often = table
        .sources
        .iter()
        .find(|source| source.name == "often")
        .unwrap();
    assert!(table.blend.ndcg > 2.0 * often.alone.ndcg, "{table:?}");
    let again = acumen_engine::train(&wares.sources(), 0, None, &mut |_| ()).unwrap();
    assert_eq!(
        again.ranking, trained.ranking,
        "the same log and seed, the same versions"
    );

    let engine = wares.open();
    let first = rank(&engine, &asks("c1")).unwrap();
    assert_eq!(first.items.len(), 10);
    assert!(
        first
            .sources
            .iter()
            .all(|source| source.status == "answered"),
        "{first:?}"
    );
    let weight: f32 = first.sources.iter().map(|source| source.weight).sum();
    assert!((weight - 1.0).abs() < 1e-5, "{weight}");
    engine.snapshot().unwrap();
    engine.close().unwrap();
    let engine = wares.open();
    let second = rank(&engine, &asks("c1")).unwrap();
    assert_eq!(ids(&second), ids(&first));
    assert_eq!(second.objectives, first.objectives);
    engine.close().unwrap();
    assert_eq!(wares.listings().len(), 2);
}

#[test]
fn the_next_request_reflects_a_click_and_a_visitor_nobody_knows() {
    let wares = Wares::grown(&[CALM]);
    wares.train();
    let engine = wares.open();
    let stranger = RankRequest {
        session: Some("v-new".to_owned()),
        ..RankRequest::default()
    };
    let before = rank(&engine, &stranger).unwrap();
    assert_eq!(
        before.items.len(),
        10,
        "somebody of whom nothing is known gets a list"
    );
    let now = engine.clock().now();
    send(
        &engine,
        &feedback("n1", (None, "v-new"), ("w33", "click"), None, now),
    );
    let after = rank(&engine, &stranger).unwrap();
    let status = |of: &RankAnswer, name: &str| {
        let line = of.sources.iter().find(|line| line.name == name);
        line.unwrap().status
    };
    assert_eq!(
        status(&after, "als"),
        "answered",
        "it had nothing to go by before"
    );
    assert!(
        of_kind(&ids(&after), 3) > of_kind(&ids(&before), 3),
        "{before:?} {after:?}"
    );
    assert!(of_kind(&ids(&after)[..3], 3) >= 2, "{after:?}");
    let kept = rank(&engine, &stranger).unwrap();
    assert!(
        kept.sources
            .iter()
            .take(4)
            .all(|line| line.status == "cached")
    );
    assert_eq!(ids(&kept), ids(&after));

    // What the request tells of itself counts as well, and is not kept for others.
    let told = RankRequest {
        events: vec![RequestEvent {
            item: "w52".to_owned(),
            kind: "click".to_owned(),
        }],
        ..stranger.clone()
    };
    let told = rank(&engine, &told).unwrap();
    assert!(of_kind(&ids(&told)[..3], 5) >= 2, "{told:?}");
    assert_eq!(ids(&rank(&engine, &stranger).unwrap()), ids(&after));

    // Who signs in brings along what they did before.
    let signed_in = RankRequest {
        visitor: Some("somebody new".to_owned()),
        ..stranger
    };
    assert_eq!(ids(&rank(&engine, &signed_in).unwrap()), ids(&after));

    // Whoever did something before need not be looked at from all sides after every click.
    send(
        &engine,
        &feedback("n2", (None, "v-new"), ("w52", "click"), None, now),
    );
    let later = rank(&engine, &signed_in).unwrap();
    assert_eq!(
        (status(&later, "next"), status(&later, "als")),
        ("answered", "cached")
    );
    assert!(
        of_kind(&ids(&later), 5) > of_kind(&ids(&after), 5),
        "{later:?}"
    );
    engine.close().unwrap();
}

#[test]
fn what_is_out_of_stock_hidden_bought_or_excluded_is_not_shown() {
    let wares = Wares::grown(&[CALM]);
    wares.train();
    let engine = wares.open();
    let first = ids(&rank(&engine, &asks("c1")).unwrap());
    let now = engine.clock().now();
    let number = |id: &str| id.trim_start_matches('w').parse::<u32>().unwrap();
    let gone = &first[0];
    send(
        &engine,
        &ware(gone, number(gone) / 10, number(gone) % 7, 0, now),
    );
    let second = rank(&engine, &asks("c1")).unwrap();
    assert!(
        second.cached,
        "stock is looked at when the list is made, not when candidates are"
    );
    assert!(!ids(&second).contains(gone));
    // Told late of an earlier time, it stays out of stock.
    send(
        &engine,
        &ware(gone, number(gone) / 10, number(gone) % 7, 9, now - HOUR),
    );
    assert!(!ids(&rank(&engine, &asks("c1")).unwrap()).contains(gone));

    let (hidden, bought) = (&first[1], &first[2]);
    for (id, ware, what) in [("h", hidden, "hide"), ("b", bought, "buy")] {
        send(
            &engine,
            &feedback(id, (Some("c1"), "v"), (ware, what), None, now),
        );
    }
    let request = RankRequest {
        exclude: vec![first[3].clone()],
        n: Some(50),
        ..asks("c1")
    };
    let list = ids(&rank(&engine, &request).unwrap());
    for gone in &first[..4] {
        assert!(!list.contains(gone), "{gone} is in {list:?}");
    }
    assert!(ids(&rank(&engine, &asks("c2")).unwrap()).len() == 10);

    let nothing = RankRequest {
        filters: [("kind".to_owned(), vec!["kind 99".to_owned()])].into(),
        ..asks("c1")
    };
    let nothing = rank(&engine, &nothing).unwrap();
    assert!(nothing.items.is_empty());
    let why = nothing.short_because.unwrap();
    assert!(
        why.contains("not of the kind that was asked for") && why.contains("hidden"),
        "{why}"
    );
    let of_two = RankRequest {
        filters: [("kind".to_owned(), vec!["kind 2".to_owned()])].into(),
        ..asks("c1")
    };
    let of_two = ids(&rank(&engine, &of_two).unwrap());
    assert!(
        of_two.len() > 5 && of_kind(&of_two, 2) == of_two.len(),
        "{of_two:?}"
    );
    engine.close().unwrap();
}

#[test]
fn stock_holds_while_many_ask() {
    let wares = Wares::grown(&[]);
    wares.train();
    let engine = wares.open();
    let at = |n: i64| START + days(71) + acumen_base::Span(n);
    wares.clock.set(at(10_000));
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let engine = &engine;
            scope.spawn(move || {
                let who = asks(&format!("c{thread}"));
                for _ in 0..60 {
                    rank(engine, &who).unwrap();
                }
            });
        }
        for n in 0..60_u32 {
            let id = format!("w{}", n % 60);
            send(&engine, &ware(&id, n / 10, n % 7, 0, at(i64::from(n))));
            let list = rank(
                &engine,
                &RankRequest {
                    n: Some(60),
                    ..asks("c1")
                },
            )
            .unwrap();
            for gone in 0..=n {
                let gone = format!("w{gone}");
                assert!(
                    !ids(&list).contains(&gone),
                    "{gone} was out of stock before {list:?}"
                );
            }
        }
    });
    let last = rank(&engine, &asks("c1")).unwrap();
    assert!(last.items.is_empty());
    assert!(last.short_because.unwrap().contains("60 cannot be had"));
    engine.close().unwrap();
}

#[test]
fn a_new_ware_is_found_by_what_it_is_like_from_its_first_minute() {
    let wares = Wares::grown(&[CALM, ("weights: dynamic", "weights: fixed")]);
    wares.train();
    let engine = wares.open();
    let now = engine.clock().now();
    send(&engine, &ware("new4", 4, 99, 3, now));
    send(
        &engine,
        &feedback("n1", (None, "v-new"), ("w44", "click"), None, now),
    );
    let request = RankRequest {
        session: Some("v-new".to_owned()),
        n: Some(20),
        explain: true,
        ..RankRequest::default()
    };
    let list = rank(&engine, &request).unwrap();
    let found = list.items.iter().find(|item| &*item.item == "new4");
    let why = found.expect("it is like w44").why.as_ref().unwrap();
    let speaks = why
        .sources
        .iter()
        .find(|(name, _)| name != "bandit")
        .unwrap();
    assert!(speaks.0 == "words" && speaks.1 > 0.2, "{why:?}");
    assert_eq!(&*why.because[0].item, "w44", "{why:?}");
    assert!(why.words.contains("because of w44"), "{why:?}");
    engine.close().unwrap();
    // The same after a restart, from the log alone.
    let engine = wares.open();
    assert_eq!(ids(&rank(&engine, &request).unwrap()), ids(&list));
    let similar = engine.similar("wares", "w44", 10).unwrap();
    assert!(
        similar.items.iter().any(|item| &*item.item == "new4"),
        "{similar:?}"
    );
    assert!(similar.items.iter().all(|item| &*item.item != "w44"));
    engine.close().unwrap();
}

#[test]
fn two_towers_know_a_new_ware_by_its_words_live_and_after_a_restart() {
    let towers = "words: {algorithm: two_tower, width: 8, layers: [16], item_dropout: 0.4, \
                  batch_size: 100, epochs: 6, learning_rate: 0.02}";
    let wares = Wares::grown(&[
        CALM,
        ("weights: dynamic", "weights: fixed"),
        ("words: {algorithm: content}", towers),
        ("caps: {maker: 4}", "caps: {maker: 62}"),
    ]);
    wares.train();
    let engine = wares.open();
    let now = engine.clock().now();
    for (id, kind) in [("new4", 4), ("new1", 1)] {
        send(&engine, &ware(id, kind, 3, 3, now));
    }
    send(
        &engine,
        &feedback("n1", (None, "v-new"), ("w44", "click"), None, now),
    );
    let request = RankRequest {
        session: Some("v-new".to_owned()),
        n: Some(62),
        explain: true,
        ..RankRequest::default()
    };
    let said = |engine: &Engine, id: &str| {
        let list = rank(engine, &request).unwrap();
        let found = list.items.iter().find(|item| &*item.item == id);
        let why = found.and_then(|item| item.why.clone());
        let why = why.unwrap_or_else(|| panic!("{id} is not in the list"));
        let mut sources = why.sources.iter();
        sources.find(|(name, _)| name == "words").unwrap().1
    };
    let live = ["new4", "new1"].map(|id| said(&engine, id));
    assert!(live[0] > 0.0 && live[0] > live[1], "{live:?}");
    engine.close().unwrap();
    let engine = wares.open();
    assert_eq!(["new4", "new1"].map(|id| said(&engine, id)), live);
    engine.close().unwrap();
}

#[test]
fn self_attention_reads_what_was_just_done_live_and_after_a_restart() {
    let attention = "next: {algorithm: self_attention, width: 16, window: 8, batch_size: 100, \
                     epochs: 8, learning_rate: 0.01}";
    let wares = Wares::grown(&[
        CALM,
        ("weights: dynamic", "weights: fixed"),
        ("next: {algorithm: sequential_cooccurrence}", attention),
        ("caps: {maker: 4}", "caps: {maker: 62}"),
    ]);
    wares.train();
    let engine = wares.open();
    let now = engine.clock().now();
    let said = |engine: &Engine, visit: &str, id: &str| {
        let request = RankRequest {
            session: Some(visit.to_owned()),
            n: Some(62),
            explain: true,
            ..RankRequest::default()
        };
        let list = rank(engine, &request).unwrap();
        let found = list.items.iter().find(|item| &*item.item == id);
        let why = found.and_then(|item| item.why.clone());
        let why = why.unwrap_or_else(|| panic!("{id} is not in the list"));
        let mut sources = why.sources.iter();
        sources.find(|(name, _)| name == "next").unwrap().1
    };
    let clicks = |id: &str, visit: &str, ware: &str| {
        let by = (None, visit);
        send(&engine, &feedback(id, by, (ware, "click"), None, now));
    };
    // One after the other is clicked on, of a kind.
    clicks("n1", "v-new", "w44");
    let first = ["w45", "w43", "w15"].map(|id| said(&engine, "v-new", id));
    assert!(first[0] > first[1] && first[0] > first[2], "{first:?}");
    clicks("n2", "v-new", "w14");
    let second = ["w45", "w15"].map(|id| said(&engine, "v-new", id));
    assert!(second[0] < first[0] && second[1] > first[2], "{second:?}");
    // What came after its training is no event to it.
    send(&engine, &ware("new4", 4, 99, 3, now));
    clicks("n3", "v-late", "w14");
    clicks("n4", "v-late", "new4");
    clicks("n5", "v-plain", "w14");
    let late = ["w45", "w15"].map(|id| said(&engine, "v-late", id));
    assert_eq!(late, ["w45", "w15"].map(|id| said(&engine, "v-plain", id)));
    engine.close().unwrap();
    let engine = wares.open();
    assert_eq!(late, ["w45", "w15"].map(|id| said(&engine, "v-late", id)));
    engine.close().unwrap();
}

#[test]
fn the_bandit_learns_from_outcomes_and_remembers_them() {
    let wares = Wares::grown(&[("explore: {epsilon: 5%}", "explore: {epsilon: 20%}")]);
    wares.train();
    let engine = wares.open();
    let now = engine.clock().now();
    let mut explored = 0;
    for n in 0..40 {
        let who = format!("c{n}");
        let list = rank(&engine, &asks(&who)).unwrap();
        let left = |place: usize| 20 - (place - 1);
        for item in &list.items {
            explored += usize::from(item.explored);
            let chance = 0.2 / left(item.place) as f64;
            assert!(item.propensity >= chance - 1e-9 && item.propensity <= 0.8 + chance + 1e-9);
            let id = |what: &str| format!("{what}-{n}-{}", item.place);
            let by = (Some(who.as_str()), "v");
            let on = |what| feedback(&id(what), by, (&item.item, what), Some(&list.id), now);
            send(&engine, &on("seen"));
            if item.place == 1 {
                send(&engine, &on("click"));
            }
        }
    }
    assert!(explored > 20, "{explored}");
    let known = engine.ranking("wares").unwrap();
    assert_eq!(
        (known.lists.lists, known.lists.seen, known.lists.outcomes),
        (40, 400, 40)
    );
    assert_eq!(known.learnt, 400);
    // Said twice, of a list nobody made, of an item that was not in it: counted, not lost.
    let list = rank(&engine, &asks("c2")).unwrap();
    let item = list.items[0].item.to_string();
    for (id, ware, list) in [("s1", &item, &list.id), ("s2", &item, &list.id)] {
        send(
            &engine,
            &feedback(id, (None, "v"), (ware, "seen"), Some(list), now),
        );
    }
    send(
        &engine,
        &feedback("s3", (None, "v"), ("w1", "click"), Some("nobody's"), now),
    );
    let told = engine.ranking("wares").unwrap().lists;
    assert_eq!((told.seen_again, told.unknown), (1, 1));
    let before = engine.ranking("wares").unwrap();
    engine.snapshot().unwrap();
    engine.close().unwrap();
    let engine = wares.open();
    assert_eq!(
        engine.ranking("wares").unwrap(),
        before,
        "from the snapshot"
    );
    engine.close().unwrap();
    std::fs::remove_dir_all(wares.folder().snapshots()).unwrap();
    let engine = wares.open();
    assert_eq!(
        engine.ranking("wares").unwrap(),
        before,
        "from the log alone"
    );
    engine.close().unwrap();
}

#[test]
fn a_late_source_is_left_out_and_named_and_a_list_always_comes() {
    let wares = Wares::grown(&[
        CALM,
        ("stages: {candidates: 2s}", "stages: {candidates: 300ms}"),
    ]);
    let engine = wares.open();
    let untrained = rank(&engine, &asks("c1")).unwrap();
    assert!(
        untrained.fallback && untrained.items.len() == 10,
        "{untrained:?}"
    );
    assert!(
        untrained
            .sources
            .iter()
            .take(4)
            .all(|line| line.status == "not deployed")
    );
    engine.close().unwrap();
    wares.train();
    let engine = wares.open();
    engine.drill(vec!["als=30s".parse().unwrap()]).unwrap();
    let list = rank(&engine, &asks("c1")).unwrap();
    let line = |name: &str| list.sources.iter().find(|line| line.name == name).unwrap();
    assert_eq!((line("als").status, line("als").weight), ("late", 0.0));
    assert_eq!(line("next").status, "answered");
    assert!(!list.fallback && !list.cached && list.items.len() == 10);
    let again = rank(&engine, &asks("c1")).unwrap();
    let line = |name: &str| again.sources.iter().find(|line| line.name == name).unwrap();
    assert_eq!(
        (line("als").status, line("words").status),
        ("late", "cached")
    );
    // The engine is left behind like a process that is killed: the drill still sleeps.
}

#[test]
fn what_was_kept_for_a_short_list_does_not_bound_a_long_one() {
    let stages = "stages: {candidates: 2s}";
    let many = format!("candidates: 400\n{stages}");
    let wares = Wares::grown(&[CALM, (stages, &many), ("caps: {maker: 4}\n", "")]);
    wares.train();
    let engine = wares.open();
    for number in 0..400 {
        let id = format!("x{number}");
        send(
            &engine,
            &ware(&id, number % 6, number % 40, 5, START + days(70)),
        );
    }
    let asks = |n: usize| RankRequest {
        n: Some(n),
        diversity: Some(0.8),
        ..asks("c1")
    };
    let whole = ids(&rank(&engine, &asks(100)).unwrap());
    engine.close().unwrap();
    let engine = wares.open();
    rank(&engine, &asks(1)).unwrap();
    assert_eq!(ids(&rank(&engine, &asks(100)).unwrap()), whole);
    engine.close().unwrap();
}

#[test]
fn items_are_found_behind_those_that_are_excluded() {
    let stages = "stages: {candidates: 2s}";
    let few = format!("candidates: 8\n{stages}");
    let wares = Wares::grown(&[CALM, (stages, &few), ("caps: {maker: 4}\n", "")]);
    wares.train();
    let engine = wares.open();
    let mut shown: Vec<String> = Vec::new();
    for page in 0..5 {
        let request = RankRequest {
            exclude: shown.clone(),
            ..asks("c1")
        };
        let next = ids(&rank(&engine, &request).unwrap());
        assert_eq!(next.len(), 10, "page {page}");
        assert!(next.iter().all(|id| !shown.contains(id)));
        shown.extend(next);
    }
    engine.close().unwrap();
}

#[test]
fn what_people_pick_is_shown_from_the_very_next_request_on() {
    let picks = "  picks: {algorithm: editorial, list: shop_window}\n  often: {algorithm: popular}";
    let wares = Wares::grown(&[
        CALM,
        (
            "training: {seed: 3}",
            "lists: {shop_window: ware_id}\ntraining: {seed: 3}",
        ),
        ("  often: {algorithm: popular}", picks),
        (
            "alike: {run: [words], weight: 0.2}",
            "alike: {run: [words], weight: 0.2}\n    by_hand: {run: [picks], weight: 3}",
        ),
    ]);
    let add = |ids: &[&str], until| Control::ListAdd {
        list: "shop_window".to_owned(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        until,
    };
    let first_two = |engine: &Engine| ids(&rank(engine, &asks("c1")).unwrap())[..2].to_vec();
    let engine = wares.open();
    engine
        .control_now(add(&["w58", "w57"], None), "a person")
        .unwrap();
    let untrained = rank(&engine, &asks("c1")).unwrap();
    assert!(
        untrained.fallback && untrained.items.len() == 10,
        "{untrained:?}"
    );
    assert_eq!(first_two(&engine), ["w58", "w57"], "beside the fallback");
    engine.close().unwrap();

    wares.train();
    let engine = wares.open();
    assert_eq!(
        first_two(&engine),
        ["w58", "w57"],
        "still there after a restart"
    );
    let until = Some(START + days(71));
    engine.control_now(add(&["w3"], until), "a person").unwrap();
    assert_eq!(
        first_two(&engine),
        ["w3", "w58"],
        "the newest first, whatever was kept"
    );
    send(&engine, &ware("w58", 5, 2, 0, START + days(70)));
    assert_eq!(
        first_two(&engine),
        ["w3", "w57"],
        "what is sold out is not shown"
    );
    let explained = RankRequest {
        explain: true,
        ..asks("c1")
    };
    let list = rank(&engine, &explained).unwrap();
    let why = list.items[0].why.as_ref().unwrap();
    assert_eq!(why.sources[0].0, "picks", "{why:?}");
    wares.clock.set(START + days(71));
    assert_eq!(first_two(&engine)[0], "w57", "its time is over");
    engine.control_now(add(&["w3"], None), "a person").unwrap();
    assert_eq!(first_two(&engine)[0], "w3", "picked once more");
    engine.close().unwrap();
}

#[test]
fn wrong_requests_are_answered_with_what_to_do() {
    let wares = Wares::grown(&[CALM]);
    wares.train();
    let engine = wares.open();
    let said = |request: RankRequest| rank(&engine, &request).unwrap_err().to_string();
    let of = |n| RankRequest {
        n: Some(n),
        ..RankRequest::default()
    };
    assert_eq!(said(of(0)), "a list has 1 to 100 items, not 0");
    assert_eq!(said(of(10_000)), "a list has 1 to 100 items, not 10000");
    let event = |item: &str, kind: &str| RankRequest {
        events: vec![RequestEvent {
            item: item.to_owned(),
            kind: kind.to_owned(),
        }],
        ..RankRequest::default()
    };
    assert!(said(event("w1", "clik")).contains("`click`"));
    assert!(said(event("v1", "click")).contains("there is no item `v1`"));
    let filters = [("knd".to_owned(), vec![])].into();
    assert!(
        said(RankRequest {
            filters,
            ..RankRequest::default()
        })
        .contains("`kind`")
    );
    let diversity = Some(1.0);
    assert!(
        said(RankRequest {
            diversity,
            ..RankRequest::default()
        })
        .contains("below 1")
    );
    let similar = engine.similar("wares", "nothing", 5).unwrap_err();
    assert!(
        similar.to_string().contains("there is no item"),
        "{similar}"
    );
    let decided = super::shop::decide(&engine, "{}").unwrap_err();
    assert!(
        matches!(decided, Refusal::NotFound { .. }),
        "there is no use case `orders`"
    );
    // An unknown visitor is somebody of whom nothing is known.
    assert_eq!(rank(&engine, &asks("never seen")).unwrap().items.len(), 10);
    engine.close().unwrap();
}

#[test]
fn diversity_and_caps_are_kept_and_measured() {
    let wares = Wares::grown(&[CALM, ("caps: {maker: 4}", "caps: {kind: 3}")]);
    wares.train();
    let engine = wares.open();
    let with = |diversity: f32| {
        let request = RankRequest {
            diversity: Some(diversity),
            ..asks("c1")
        };
        rank(&engine, &request).unwrap()
    };
    let (plain, varied) = (with(0.0), with(0.7));
    assert!(varied.objectives.diversity > plain.objectives.diversity);
    assert!(varied.objectives.relevance <= plain.objectives.relevance);
    for kind in 0..6 {
        assert!(of_kind(&ids(&plain), kind) <= 3, "{:?}", ids(&plain));
    }
    engine.close().unwrap();
}

#[test]
fn other_lists_are_judged_by_the_log_of_those_that_were_shown() {
    let wares = Wares::grown(&[
        ("explore: {epsilon: 5%}", "explore: {epsilon: 30%}"),
        ("weights: dynamic", "weights: fixed"),
    ]);
    wares.train();
    let engine = wares.open();
    let now = engine.clock().now();
    // Wares that are worth much are clicked on, whatever their place.
    let worth = |id: &str| acumen_base::Key::of(id).0 % 9;
    for n in 0..300 {
        let list = rank(&engine, &asks(&format!("c{}", n % 100))).unwrap();
        for item in &list.items {
            let by = (None, "v");
            let on = |what: &str| {
                let id = format!("{what}-{n}-{}", item.place);
                feedback(&id, by, (&item.item, what), Some(&list.id), now)
            };
            send(&engine, &on("seen"));
            if worth(&item.item) > 5 {
                send(&engine, &on("click"));
            }
        }
    }
    engine.close().unwrap();
    let judged = |changes: &[(&str, &str)]| wares.judged_as(changes);
    let same = judged(&[]).unwrap();
    assert_eq!((same.lists, same.judged, same.places), (300, 300, 3_000));
    assert!(same.agrees > 0.99, "{same:?}");
    let off = (same.by_place.ips.value - same.by_place.logged.value).abs();
    assert!(off < 1e-9, "the same lists are worth the same: {same:?}");
    let dearer = judged(&[("business_value: 0.1", "business_value: 3")]).unwrap();
    let gained = dearer.by_place.snips.value - dearer.by_place.logged.value;
    assert!(
        gained > 0.1,
        "lists of what is worth much are clicked on more: {dearer:?}"
    );
    let refused = judged(&[("remember: 20", "remember: 30")])
        .unwrap_err()
        .to_string();
    assert!(refused.contains("reads other events"), "{refused}");
}

#[test]
fn every_source_is_heard_by_all_who_ask_at_once() {
    let wares = Wares::grown(&[CALM]);
    wares.train();
    let engine = wares.open();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let engine = &engine;
            scope.spawn(move || {
                for n in 0..10 {
                    let list = rank(engine, &asks(&format!("c{}", 10 * thread % 120 + n))).unwrap();
                    for line in &list.sources {
                        assert!(matches!(line.status, "answered" | "cached"), "{line:?}");
                    }
                }
            });
        }
    });
    engine.close().unwrap();
}
