use super::*;

fn refused(text: &str) -> Rejected {
    Rejected::because("wrong_type", Some("amount"), "no", "yes", text.as_bytes())
}

#[test]
fn what_is_refused_is_kept_until_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut quarantine = Quarantine::open(folder.path(), QUARANTINE_BYTES_MAX).unwrap();
    let first = quarantine.put(&refused("a"), "line 1", Time(5)).unwrap();
    let second = quarantine.put(&refused("b"), "line 2", Time(6)).unwrap();
    assert_eq!(quarantine.take(first).unwrap().unwrap().original, b"a");
    assert_eq!(quarantine.take(first).unwrap(), None);
    drop(quarantine);

    let mut quarantine = Quarantine::open(folder.path(), QUARANTINE_BYTES_MAX).unwrap();
    let listed = quarantine.list(0, 10).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id, listed[0].source.as_str()),
        (second, "line 2")
    );
    assert_eq!(listed[0].problems, refused("b").problems);
    assert_eq!(quarantine.counters().open(), 1);
    assert_eq!(quarantine.put(&refused("c"), "line 3", Time(7)).unwrap(), 3);
    assert_eq!(quarantine.list(second, 10).unwrap()[0].id, 3);
}

#[test]
fn the_oldest_are_dropped_and_counted_when_there_is_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut quarantine = Quarantine::open(folder.path(), 4_000).unwrap();
    for _ in 0..200 {
        quarantine
            .put(&refused(&"x".repeat(1_000)), "body", Time(1))
            .unwrap();
    }
    let counters = quarantine.counters();
    assert_eq!(counters.refused, 200);
    assert_eq!((counters.open(), counters.dropped), (3, 197));
    let kept: Vec<u64> = quarantine
        .list(0, 10)
        .unwrap()
        .iter()
        .map(|r| r.id)
        .collect();
    assert_eq!(kept, [198, 199, 200]);
    assert!(std::fs::metadata(&quarantine.path).unwrap().len() < 100_000);
    drop(quarantine);
    let reopened = Quarantine::open(folder.path(), 4_000).unwrap();
    assert_eq!(reopened.counters(), counters);
    assert_eq!(reopened.list(0, 10).unwrap().len(), 3);
}

#[test]
fn a_half_written_entry_is_cut_and_a_damaged_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut quarantine = Quarantine::open(folder.path(), QUARANTINE_BYTES_MAX).unwrap();
    quarantine.put(&refused("first"), "", Time(1)).unwrap();
    let whole = quarantine.length;
    quarantine.put(&refused("second"), "", Time(2)).unwrap();
    let path = quarantine.path.clone();
    drop(quarantine);
    let bytes = std::fs::read(&path).unwrap();
    for length in whole as usize..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let reopened = Quarantine::open(folder.path(), QUARANTINE_BYTES_MAX).unwrap();
        assert_eq!(reopened.list(0, 10).unwrap().len(), 1);
    }
    let mut damaged = bytes;
    damaged[12] ^= 4;
    std::fs::write(&path, &damaged).unwrap();
    let error = Quarantine::open(folder.path(), QUARANTINE_BYTES_MAX).unwrap_err();
    assert!(
        matches!(error, LogError::Corrupt { offset: 0, .. }),
        "{error}"
    );
}
