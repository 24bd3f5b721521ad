//! The log as a whole: what comes back after crashes, damage, rolls and trims.

use std::sync::Arc;

use acumen_base::{Control, Event, Field, FieldType, Money, Span, Time, Value};

use super::*;
use crate::reader::LogReader;
use crate::snapshots::Snapshots;

mod crash;
mod disk;
mod roundtrip;

/// An event type with a field of every kind.
fn order() -> Arc<EventType> {
    let field = |kind: FieldType| Field {
        name: format!("a_{kind}"),
        kind,
        optional: true,
        personal: false,
        signed: true,
    };
    Arc::new(EventType {
        name: "order".into(),
        id_field: "order_id".into(),
        time_field: "at".into(),
        lateness: Span::days(1),
        fields: FieldType::ALL.into_iter().map(field).collect(),
    })
}

fn event(kind: &Arc<EventType>, number: i64) -> Body {
    let mut values = vec![Value::Missing; kind.fields.len()];
    values[0] = Value::text(&format!("customer-{number}"));
    values[3] = Value::Money(Money::new(number * 7, "EUR".parse().unwrap()));
    Body::Event(Arc::new(Event {
        kind: Arc::clone(kind),
        id: format!("order-{number}").into(),
        event_time: Time(number * 1_000),
        known_at: Time(number * 1_000 + 50),
        received_at: Time(number * 1_000 + 60),
        values,
    }))
}

fn edit(number: usize) -> Body {
    Body::Control {
        control: Control::ListAdd {
            list: "stolen".into(),
            ids: vec![format!("card-{number}")],
            until: None,
        },
        by: "someone".into(),
        at: Time(number as i64),
    }
}

fn small_segments() -> LogOptions {
    LogOptions {
        segment_bytes: 2_000,
        durability: Durability::Os,
        ..LogOptions::default()
    }
}

/// A log of so many orders, committed and closed.
fn filled(folder: &Path, options: LogOptions, count: i64) -> Vec<Body> {
    let kind = order();
    let (mut log, _) = Log::open(folder, options).unwrap();
    let bodies: Vec<Body> = (0..count).map(|number| event(&kind, number)).collect();
    for body in &bodies {
        log.append(body).unwrap();
    }
    log.commit().unwrap();
    bodies
}

fn bodies(records: Records) -> Vec<Body> {
    records.map(|record| record.unwrap().body).collect()
}

fn the_last_segment(folder: &Path) -> PathBuf {
    segment_path(folder, *list_segments(folder).unwrap().last().unwrap())
}

#[test]
fn records_come_back_in_order_after_reopening_and_appending() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = filled(folder.path(), LogOptions::default(), 10);
    let (mut log, recovery) = Log::open(folder.path(), LogOptions::default()).unwrap();
    assert_eq!((recovery.records, recovery.torn_bytes), (10, 0));
    expected.push(edit(1));
    assert_eq!(log.append(&expected[10]).unwrap(), 10);
    assert_eq!(
        bodies(log.read(0)).len(),
        10,
        "what is not flushed is not read"
    );
    assert_eq!(log.commit().unwrap(), 11);
    assert_eq!(bodies(log.read(0)), expected);
    assert_eq!(log.get(10).unwrap().body, expected[10]);
    assert!(matches!(
        log.get(11),
        Err(LogError::NotThere { next: 11, .. })
    ));
    assert!(matches!(
        log.read(12).next(),
        Some(Err(LogError::NotThere { .. }))
    ));
    assert_eq!(log.read(11).count(), 0);
}

#[test]
fn segments_roll_and_every_one_can_be_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), small_segments(), 300);
    let firsts = list_segments(folder.path()).unwrap();
    assert!(firsts.len() > 5, "{firsts:?}");
    let (log, recovery) = Log::open(folder.path(), small_segments()).unwrap();
    assert_eq!((recovery.segments, recovery.records), (firsts.len(), 300));
    for from in 0..=300 {
        assert_eq!(
            bodies(log.read(from)),
            expected[from as usize..],
            "from {from}"
        );
    }
    drop(log);
    // The last segment with a position asked for in it, without its neighbours.
    let alone = tempfile::tempdir().unwrap();
    let last = *firsts.last().unwrap();
    std::fs::copy(
        segment_path(folder.path(), last),
        segment_path(alone.path(), last),
    )
    .unwrap();
    let reader = LogReader::open(alone.path()).unwrap();
    assert_eq!(bodies(reader.read(last)), expected[last as usize..]);
}

#[test]
fn a_lost_index_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), small_segments(), 200);
    for first in list_segments(folder.path()).unwrap() {
        let _ = std::fs::remove_file(index_path(folder.path(), first));
    }
    let (log, _) = Log::open(folder.path(), small_segments()).unwrap();
    assert_eq!(bodies(log.read(120)), expected[120..]);
    assert!(index_path(folder.path(), 0).exists());
}

#[test]
fn marks_lead_into_the_middle_of_a_large_segment() {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), LogOptions::default(), 20_000);
    let (log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    assert!(log.active.mark_before(19_999).1 > 1_000_000);
    for position in [0, 4_095, 9_999, 19_999] {
        assert_eq!(log.get(position).unwrap().body, expected[position as usize]);
    }
}

#[test]
fn the_buffer_is_flushed_when_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let kind = order();
    let (mut log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    for number in 0..LOG_BUFFER_BYTES_MAX as i64 / 50 {
        log.append(&event(&kind, number)).unwrap();
        assert!(log.buffer.len() < LOG_BUFFER_BYTES_MAX + 1_000);
    }
    assert!(log.flushed_position() > 0);
    assert_eq!(log.sync_handle().synced(), 0, "written is not durable");
}

#[test]
fn two_owners_of_one_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Log::open(folder.path(), LogOptions::default()).unwrap();
    let error = Log::open(folder.path(), LogOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is in use by another process — stop that process, or name another data folder; \
             two writers of one folder would destroy it",
            folder.path().display()
        )
    );
    drop(first);
    assert!(Log::open(folder.path(), LogOptions::default()).is_ok());
}

#[test]
fn a_reader_follows_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let kind = order();
    let (mut log, _) = Log::open(folder.path(), small_segments()).unwrap();
    let reader = LogReader::open(folder.path()).unwrap();
    let mut records = reader.read(0);
    assert!(records.next().is_none());
    for number in 0..200 {
        log.append(&event(&kind, number)).unwrap();
        assert!(records.next().is_none(), "it is not flushed");
        log.flush().unwrap();
        let record = records.next().unwrap().unwrap();
        assert_eq!(
            (record.position, record.body),
            (number as u64, event(&kind, number))
        );
    }
}

#[test]
fn a_reader_beside_a_writing_thread_sees_whole_records_only() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), small_segments()).unwrap();
    let reader = LogReader::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let kind = order();
            for number in 0..2_000 {
                log.append(&event(&kind, number)).unwrap();
                if number % 7 == 0 {
                    log.flush().unwrap();
                }
            }
            log.commit().unwrap();
        });
        let mut next = 0;
        let mut records = reader.read(0);
        while next < 2_000 {
            match records.next() {
                Some(record) => {
                    assert_eq!(record.unwrap().position, next);
                    next += 1;
                }
                None => std::thread::yield_now(),
            }
        }
    });
}

#[test]
fn events_keep_the_type_they_were_written_with() {
    let folder = tempfile::tempdir().unwrap();
    let old = order();
    let mut changed = (*old).clone();
    changed.fields.remove(1);
    let new = Arc::new(changed);
    let (mut log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    log.append(&event(&old, 1)).unwrap();
    log.append(&event(&new, 2)).unwrap();
    log.commit().unwrap();
    drop(log);
    let (mut log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    log.register(&new).unwrap();
    let kinds: Vec<Arc<EventType>> = log
        .read(0)
        .map(|record| match record.unwrap().body {
            Body::Event(event) => Arc::clone(&event.kind),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds[0], old);
    assert!(
        Arc::ptr_eq(&kinds[1], &new),
        "the registered allocation is shared"
    );
    assert_eq!(log.event_types(), [new]);
}

#[test]
fn nothing_is_trimmed_without_a_snapshot_that_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), small_segments(), 300);
    let (mut log, _) = Log::open(folder.path(), small_segments()).unwrap();
    let snapshots = Snapshots::open(&folder.path().join("snapshots")).unwrap();
    assert!(matches!(
        log.trim_before(200, &snapshots),
        Err(LogError::Trim { .. })
    ));
    snapshots.write(150, b"state", 1).unwrap();
    assert!(matches!(
        log.trim_before(200, &snapshots),
        Err(LogError::Trim { .. })
    ));
    snapshots.write(200, b"state", 1).unwrap();
    let path = folder
        .path()
        .join("snapshots")
        .join(format!("{:020}.snapshot", 200));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(
        log.trim_before(200, &snapshots),
        Err(LogError::Trim { .. })
    ));
    assert_eq!(log.first_position(), 0);
    std::fs::write(&path, &whole).unwrap();

    let trimmed = log.trim_before(200, &snapshots).unwrap();
    let first = log.first_position();
    assert!(trimmed.segments > 1 && first > 100 && first <= 200);
    assert_eq!(trimmed.records, first);
    assert!(matches!(
        log.read(0).next(),
        Some(Err(LogError::NotThere { .. }))
    ));
    drop(log);
    let (log, _) = Log::open(folder.path(), small_segments()).unwrap();
    assert_eq!(log.first_position(), first);
    assert_eq!(bodies(log.read(first)), expected[first as usize..]);
}

#[test]
fn retention_expires_whole_segments_by_their_newest_event() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), small_segments(), 300);
    let (log, _) = Log::open(folder.path(), small_segments()).unwrap();
    let now = Time(300_000);
    assert_eq!(log.expired_before(Span::ALL, now), 0);
    let expired = log.expired_before(Span::seconds(100), now);
    // Event n became known at second n: 0 to 199 are older than 100 seconds.
    assert!(expired > 150 && expired <= 200, "{expired}");
    assert!(list_segments(folder.path()).unwrap().contains(&expired));
}

#[test]
fn a_record_that_is_too_long_is_refused_and_the_log_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    let Body::Control { by, at, .. } = edit(1) else {
        panic!("an edit is a control record")
    };
    let control = Control::ListAdd {
        list: "x".repeat(limits::RECORD_BYTES_MAX),
        ids: Vec::new(),
        until: None,
    };
    let long = Body::Control { control, by, at };
    assert!(matches!(log.append(&long), Err(LogError::TooLong { .. })));
    assert_eq!(log.append(&edit(2)).unwrap(), 0);
    log.commit().unwrap();
    assert_eq!(bodies(log.read(0)), [edit(2)]);
}
