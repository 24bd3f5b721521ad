//! `acumen demo`, on a small world.

use crate::program::{acumen, repository, well};

#[test]
fn the_demo_ends_by_itself_and_its_decisions_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let data = data.to_str().unwrap();
    let small = [
        "--customers",
        "200",
        "--days",
        "100",
        "--port",
        "0",
        "--data",
        data,
    ];
    let mut arguments = vec!["demo", "--for", "2s", "--rate", "200"];
    arguments.extend(small);
    let said = well(&repository(), &arguments);
    assert!(said.contains("running    2 s of 2 s"), "{said}");
    assert!(said.contains("saved against always"), "{said}");
    assert!(said.contains(" keys scored, "), "{said}");
    assert!(said.contains("/scores/c"), "{said}");
    assert!(!said.contains("refused  "), "{said}");
    let again = well(&repository(), &["replay", "--all", "--data", data]);
    assert!(
        again.contains(", 0 differ") && !again.starts_with("0 decisions"),
        "{again}"
    );
    let twice = acumen(&repository(), &arguments);
    assert_eq!(twice.code, 1);
    assert!(twice.err.contains("holds a log already"), "{}", twice.err);
}
