//! One clear error for each thing that cannot be.

use acumen_base::{Column, ColumnKind, Columns};

use super::*;

fn plain() -> Columns {
    let column = Column {
        name: "raw.amount".into(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    Columns::new(vec![column], "")
}

#[test]
fn every_problem_of_the_parameters_is_named_at_once() {
    for each in LEARNERS {
        let given = params(json!({
            "layer": 3, "learning_rate": 0, "epochs": "many", "weight_decay": 2, "batch_size": 0,
        }));
        let problems = each.check(&given, &sampled::columns()).unwrap_err();
        let of = |param: &str| -> String {
            let own = problems.iter().find(|problem| problem.param == param);
            own.map(ToString::to_string).unwrap_or_default()
        };
        assert!(of("layer").contains("did you mean `layers`?"));
        assert!(of("learning_rate").contains("above 0 and up to 1"));
        assert!(of("epochs").contains("a whole number from 1 to 10000"));
        assert_eq!(problems.len(), 5, "{problems:#?}");
        let given = params(json!({"layers": [16, 0]}));
        let problems = each.check(&given, &sampled::columns()).unwrap_err();
        let said = problems[0].to_string();
        assert!(
            said.contains("a list of up to 8 whole numbers from 1 to 1024"),
            "{said}"
        );
    }
}

#[test]
fn what_is_written_down_can_be_given_again() {
    for each in LEARNERS {
        let given = params(json!({"layers": 7, "lr": 0.25, "early_stopping_rounds": 3}));
        let checked = each.check(&given, &sampled::columns()).unwrap();
        let written = checked.params_json();
        assert_eq!(written["learning_rate"], 0.25);
        assert_eq!(written["patience"], 3);
        assert_eq!(written["layers"], json!([7]));
        let again: Params = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(again.len(), each.params().len());
        let again = each.check(&again, &sampled::columns()).unwrap();
        assert_eq!(again.params_json(), written);
    }
}

#[test]
fn columns_that_a_network_needs_are_asked_for_once() {
    let problems = |learner: &dyn Learner, columns: &Columns| -> Vec<String> {
        let problems = learner.check(&params(json!({})), columns);
        let problems = problems.err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    };
    let said = problems(&crate::Lstm, &plain());
    assert!(
        said.len() == 1 && said[0].contains("operator: sequence"),
        "{said:?}"
    );
    let said = problems(&crate::GraphNeuralNetwork, &plain());
    assert!(
        said.len() == 1 && said[0].contains("each: true"),
        "{said:?}"
    );
    for each in LEARNERS {
        let none = Columns::new(Vec::new(), "");
        assert_eq!(problems(*each, &none).len(), 1);
        assert!(problems(*each, &sampled::columns()).is_empty());
    }
}

#[test]
fn rows_that_teach_nothing_are_refused_by_name() {
    let good = sampled(60, "refused");
    let change = |change: &dyn Fn(&mut Dataset)| {
        let mut data = good.clone();
        change(&mut data);
        data
    };
    let cases: [(&str, Dataset); 5] = [
        ("there are no training rows", good.select(&[])),
        (
            "training row 3 is NaN, which is not 0 or 1",
            change(&|d| d.outcome[3] = f32::NAN),
        ),
        (
            "the weight of training row 0 is 0",
            change(&|d| d.weight = Some(vec![0.0; 60])),
        ),
        (
            "there are 59 values of column 2",
            change(&|d| d.matrix.data[2].truncate(59)),
        ),
        (
            "`raw.channel` holds 0.5",
            change(&|d| d.matrix.data[1].fill(0.5)),
        ),
    ];
    let same = |value: f32| change(&|d| d.outcome.fill(value));
    for each in LEARNERS {
        for (said, data) in &cases {
            let error = fit(*each, quick(), (data, None)).unwrap_err().to_string();
            assert!(error.contains(said), "{}: {error}", each.name());
        }
        let error = fit(*each, quick(), (&good, Some(&cases[0].1))).unwrap_err();
        assert!(error.to_string().contains("no validation rows"));
        let is_autoencoder = each.name() == "autoencoder";
        let negative = fit(*each, quick(), (&same(0.0), None));
        assert_eq!(negative.is_ok(), is_autoencoder);
        let error = fit(*each, quick(), (&same(1.0), None))
            .unwrap_err()
            .to_string();
        let said = if is_autoencoder {
            "all 60 training rows are positive"
        } else {
            "a classifier needs both"
        };
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_single_step_is_no_sequence() {
    let mut columns = plain();
    columns.list[0].name = "recent.amount_1".into();
    assert!(crate::Lstm.check(&params(json!({})), &columns).is_err());
}
