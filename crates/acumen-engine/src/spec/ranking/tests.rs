//! Mistakes in what orders lists.

use crate::spec::tests::problems_of;

const WARES: &str = include_str!("../../../tests/data/wares/usecase.yaml");
const BANDIT: &str = "  bandit: {algorithm: contextual_bandit}\n";
const GROUPS: &str = "ensemble:\n";

/// The problems of wares with a ranker of these parameters, and some of the text replaced.
fn problems(params: &str, changes: &[(&str, &str)]) -> Vec<String> {
    let ranker = format!("{BANDIT}  ranker: {{algorithm: lambda_mart{params}}}\n");
    let mut text = WARES.replace(BANDIT, &ranker);
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    problems_of("wares", &text)
}

#[test]
fn a_ranker_is_declared_and_named() {
    let sound = problems(
        ", truncation: 5, monotone_constraints: {worth: 1, says.next: 1, same.kind: 1}",
        &[(GROUPS, "ensemble:\n  ranker: ranker\n")],
    );
    assert_eq!(sound, Vec::<String>::new());
    assert_eq!(problems("", &[]), Vec::<String>::new(), "to be judged only");
}

#[test]
fn each_mistake_is_told_with_its_line_and_what_to_do() {
    for (params, (old, new), told) in [
        (
            ", max_dept: 3",
            (GROUPS, GROUPS),
            "did you mean `max_depth`?",
        ),
        (", truncation: 0", (GROUPS, GROUPS), "`truncation` is 0"),
        (
            ", monotone_constraints: {wort: 1}",
            (GROUPS, GROUPS),
            "did you mean `worth`?",
        ),
        (
            ", search: {trials: 3}",
            (GROUPS, GROUPS),
            "`search` changes nothing",
        ),
        (
            "",
            (GROUPS, "ensemble:\n  ranker: rankr\n"),
            "`rankr` is no ranker | did you mean `ranker`?",
        ),
        (
            "",
            (GROUPS, "ensemble:\n  ranker: next\n"),
            "`next` is no ranker | did you mean `ranker`?",
        ),
        (
            "",
            ("run: [bandit]", "run: [bandit, ranker]"),
            "write `ranker: ranker` beside `groups`",
        ),
        (
            "",
            ("fallback: often", "fallback: ranker"),
            "cannot stand in",
        ),
        (
            "",
            ("  list: list_id\n", ""),
            "`feedback.list` says nothing of it",
        ),
        (
            "",
            ("  rewards: {click: 1, buy: 5}\n", ""),
            "`feedback.rewards` says nothing of it",
        ),
        (
            "",
            (BANDIT, "  bandit: {algorithm: lambda_mart}\n"),
            "a list has one ranker",
        ),
    ] {
        let found = problems(params, &[(old, new)]);
        let is_told = |line: &String| line.contains(told) && !line.starts_with("0:");
        assert!(found.iter().any(is_told), "{told}: {found:?}");
    }
    let both = problems(
        ", max_dept: 3, truncation: 0",
        &[(GROUPS, "ensemble:\n  ranker: rankr\n")],
    );
    assert_eq!(both.len(), 3, "all at once: {both:?}");
}

#[test]
fn a_list_that_people_edit_is_one_of_items() {
    let picks = |list: &str| format!("models:\n  picks: {{algorithm: editorial{list}}}\n");
    for (list, lists, told) in [
        (", list: staff", "lists: {staff: ware_id}\n", None),
        (", list: staf", "lists: {staff: ware_id}\n", Some("`staff`")),
        (
            ", list: staff",
            "lists: {staff: visit_id}\n",
            Some("name a list of `ware_id`"),
        ),
        ("", "lists: {staff: ware_id}\n", Some("names no list")),
        (
            ", list: staff",
            "",
            Some("declare one: `lists: {staff_picks: ware_id}`"),
        ),
    ] {
        let text = WARES.replace("models:\n", &format!("{lists}{}", picks(list)));
        let found = problems_of("wares", &text);
        match told {
            None => assert_eq!(found, Vec::<String>::new()),
            Some(told) => assert!(
                found.iter().any(|line| line.contains(told)),
                "{told}: {found:?}"
            ),
        }
    }
}

#[test]
fn moments_are_told_apart_by_what_feedback_says_of_them() {
    let fields = "what: category, list_id: id, weather: category, degrees: number, note: text}";
    let with = |context: &str, popular: &str| {
        let text = WARES
            .replace("what: category, list_id: id}", fields)
            .replace(
                "  remember: 20",
                &format!("  remember: 20\n  context: {context}"),
            );
        let model = format!("often: {{algorithm: popular{popular}}}");
        problems_of(
            "wares",
            &text.replace("often: {algorithm: popular}", &model),
        )
    };
    let sound = with("[weather, degrees]", ", context: weather");
    assert_eq!(sound, Vec::<String>::new());
    for (context, popular, told) in [
        ("[wether]", "", "`weather`"),
        ("[note]", "", "`note` is of type `text`"),
        ("[weather, weather]", "", "named twice"),
        (
            "[weather]",
            ", context: degrees",
            "`degrees` is no category or flag",
        ),
        ("[weather]", ", context: wether", "did you mean `weather`?"),
        (
            "[degrees]",
            ", context: weather",
            "declare it: `feedback: {context: [weather]}`",
        ),
        (
            "[weather]",
            ", context: weather, segment: kind",
            "both tell people apart",
        ),
    ] {
        let found = with(context, popular);
        assert!(
            found.len() == 1 && found[0].contains(told),
            "{told}: {found:?}"
        );
    }
}

#[test]
fn people_are_told_apart_by_an_attribute_of_items() {
    let with = |segment: &str| {
        let popular = format!("often: {{algorithm: popular, segment: {segment}}}");
        problems_of(
            "wares",
            &WARES.replace("often: {algorithm: popular}", &popular),
        )
    };
    assert_eq!(with("kind"), Vec::<String>::new());
    let found = with("kinds");
    assert!(found.len() == 1 && found[0].contains("`kind`"), "{found:?}");
}

#[test]
fn ensembles_are_declared_with_what_chooses_among_them() {
    let with = |ensembles: &str, choose: &str| {
        let changes = format!("ensembles: {ensembles}\n{choose}fallback: often");
        problems_of("wares", &WARES.replace("fallback: often", &changes))
    };
    let sound = "{steady: {}, fresh: {weights: {alike: 2}, objectives: {novelty: 0.4}}}";
    assert_eq!(with(sound, ""), Vec::<String>::new());
    let choose = "choose: {policy: lin_ucb, alpha: 0.2, epsilon: 2%, ridge: 2}\n";
    assert_eq!(with(sound, choose), Vec::<String>::new());
    for (ensembles, choose, told) in [
        ("{fresh: {weights: {alik: 2}}}", "", "did you mean `alike`?"),
        (
            "{fresh: {weights: {alike: -1}}}",
            "",
            "a weight of 0 or more",
        ),
        (
            "{fresh: {weights: {together: 0, alike: 0, often: 0, learning: 0}}}",
            "",
            "no group has a weight above 0",
        ),
        (
            "{fresh: {objectives: {noveltee: 1}}}",
            "",
            "did you mean `novelty`?",
        ),
        (
            sound,
            "choose: {policy: lin_usb}\n",
            "did you mean `lin_ucb`?",
        ),
        (sound, "choose: {draws: 0}\n", "from 1 to 10000"),
        (sound, "choose: {ridge: 0}\n", "a number above 0"),
    ] {
        let found = with(ensembles, choose);
        assert!(
            found.len() == 1 && found[0].contains(told),
            "{told}: {found:?}"
        );
    }
    let alone = WARES.replace("fallback: often", "choose: {epsilon: 2%}\nfallback: often");
    let alone = problems_of("wares", &alone);
    assert!(
        alone.len() == 1 && alone[0].contains("nothing to choose among"),
        "{alone:?}"
    );
    let text = WARES.replace(
        "fallback: often",
        &format!("ensembles: {sound}\nfallback: often"),
    );
    let untold = problems_of("wares", &text.replace("  list: list_id\n", ""));
    assert!(
        untold.len() == 1 && untold[0].contains("among 2 ensembles"),
        "{untold:?}"
    );
}

#[test]
fn a_bandit_says_how_it_explores() {
    let with = |params: &str| {
        let bandit = format!("bandit: {{algorithm: contextual_bandit{params}}}");
        problems_of("wares", &WARES.replace(BANDIT.trim(), &bandit))
    };
    assert_eq!(
        with(", policy: linear_thompson, scale: 0.3, draws: 200"),
        Vec::<String>::new()
    );
    for (params, told) in [
        (", policy: linear_thomson", "linear_thompson"),
        (", draws: 0", "`draws` is 0"),
        (", scale: -1", "`scale` is -1"),
    ] {
        let found = with(params);
        assert!(
            found.len() == 1 && found[0].contains(told),
            "{told}: {found:?}"
        );
    }
}

#[test]
fn who_tires_has_to_remember_what_was_shown() {
    let objectives = "objectives: {diversity: 0.1, business_value: 0.1}";
    let with = |fatigue: &str, remembers: &str| {
        let tired = format!("objectives: {{fatigue: {fatigue}}}");
        let text = WARES.replace(objectives, &tired);
        problems_of("wares", &text.replace("  remember: 20\n", remembers))
    };
    assert_eq!(with("0.3", "  seen_within: 30m\n"), Vec::<String>::new());
    for (fatigue, remembers, told) in [
        ("0.3", "  remember: 20\n", "`feedback: {seen_within: 1h}`"),
        ("-1", "  seen_within: 30m\n", "a number of 0 or more"),
        ("0.3", "  seen_within: long\n", "a span such as"),
    ] {
        let found = with(fatigue, remembers);
        assert!(
            found.iter().any(|problem| problem.contains(told)),
            "{told}: {found:?}"
        );
    }
    let text = WARES.replace(
        "fallback: often",
        "ensembles: {calm: {}, tired: {objectives: {fatigue: 1}}}\nfallback: often",
    );
    let found = problems_of("wares", &text);
    assert!(
        found.len() == 1 && found[0].contains("which is forgotten"),
        "{found:?}"
    );
}
