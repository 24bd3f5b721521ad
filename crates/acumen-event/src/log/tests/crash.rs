//! Torn ends are cut, damage is named.

use super::*;

#[test]
fn a_crash_at_any_byte_loses_nothing_before_it() {
    cut_at_every_byte(LogOptions::default(), 6);
    // Behind finished segments, the cut may also fall into the head and schemas of a new one.
    cut_at_every_byte(small_segments(), 45);
}

fn cut_at_every_byte(options: LogOptions, count: i64) {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), options, count);
    let path = the_last_segment(folder.path());
    let before = *list_segments(folder.path()).unwrap().last().unwrap() as usize;
    let bytes = std::fs::read(&path).unwrap();
    let ends = record_ends(&path);
    assert!(ends.len() > 2);
    for length in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let (mut log, recovery) = Log::open(folder.path(), options).unwrap();
        let whole = before + ends.iter().filter(|end| **end <= length as u64).count();
        assert_eq!(recovery.records, whole as u64, "cut at {length}");
        assert_eq!(bodies(log.read(0)), expected[..whole], "cut at {length}");
        assert_eq!(recovery.notes.is_empty(), recovery.torn_bytes == 0);
        let Body::Event(last) = &expected[expected.len() - 1] else {
            panic!("orders are events")
        };
        let next = event(&last.kind, 1_000);
        assert_eq!(log.append(&next).unwrap(), whole as u64);
        log.commit().unwrap();
        drop(log);
        let (log, _) = Log::open(folder.path(), options).unwrap();
        assert_eq!(log.get(whole as u64).unwrap().body, next, "cut at {length}");
        assert_eq!(the_last_segment(folder.path()), path, "nothing rolled");
    }
}

/// Where each record ends in a segment.
fn record_ends(path: &Path) -> Vec<u64> {
    let folder = path.parent().unwrap();
    let first = *list_segments(folder).unwrap().last().unwrap();
    let mut frames = crate::segment::Frames::open(folder, first)
        .unwrap()
        .unwrap();
    let mut ends = Vec::new();
    while let crate::segment::Next::Frame(frame) = frames.next().unwrap() {
        if frame.kind != FrameKind::Schema {
            ends.push(frames.offset());
        }
    }
    ends
}

#[test]
fn an_end_of_zeros_or_garbage_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), LogOptions::default(), 4);
    let path = the_last_segment(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let garbage: Vec<u8> = (0..300_u32).map(|i| (i * 167 % 251) as u8).collect();
    let mut half_frame = whole[whole.len() - 40..].to_vec();
    half_frame.extend_from_slice(&[0; 100]);
    for tail in [vec![0; 5_000], garbage, half_frame] {
        std::fs::write(&path, [&whole[..], &tail].concat()).unwrap();
        let (log, recovery) = Log::open(folder.path(), LogOptions::default()).unwrap();
        assert_eq!(recovery.torn_bytes, tail.len() as u64);
        assert!(recovery.to_string().contains("none of it was acknowledged"));
        assert_eq!(bodies(log.read(0)), expected);
    }
}

#[test]
fn a_flipped_bit_before_other_records_is_an_error_that_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), LogOptions::default(), 4);
    let path = the_last_segment(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let ends = record_ends(&path);
    for offset in 0..ends[2] as usize {
        let mut damaged = whole.clone();
        damaged[offset] ^= 1 << (offset % 8);
        std::fs::write(&path, &damaged).unwrap();
        let error = Log::open(folder.path(), LogOptions::default()).unwrap_err();
        let LogError::Corrupt {
            segment,
            offset: at,
            position,
            ..
        } = &error
        else {
            panic!("byte {offset}: {error}");
        };
        let before = ends.iter().filter(|end| **end <= offset as u64).count();
        assert_eq!((segment, *position), (&path, before as u64));
        assert!(*at <= offset as u64 && (before == 0 || *at >= ends[before - 1]));
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "nothing is touched");
    }
}

#[test]
fn salvage_reads_on_behind_the_damage_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let expected = filled(folder.path(), LogOptions::default(), 6);
    let path = the_last_segment(folder.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let ends = record_ends(&path);
    bytes[ends[2] as usize + 20] ^= 0x40;
    std::fs::write(&path, &bytes).unwrap();
    assert!(Log::open(folder.path(), LogOptions::default()).is_err());

    let reader = LogReader::open_salvaging(folder.path()).unwrap();
    let items: Vec<_> = reader.read(0).collect();
    let kept: Vec<u64> = items.iter().flatten().map(|r| r.position).collect();
    assert_eq!(kept, [0, 1, 2, 4, 5]);
    assert!(matches!(
        items[3],
        Err(LogError::Corrupt { position: 3, .. })
    ));

    let options = LogOptions {
        salvage: true,
        ..LogOptions::default()
    };
    let (mut log, recovery) = Log::open(folder.path(), options).unwrap();
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!(log.append(&edit(6)).unwrap(), 6);
    log.commit().unwrap();
    assert_eq!(log.get(4).unwrap().body, expected[4]);
    assert_eq!(log.read(0).filter(Result::is_err).count(), 1);
    assert_eq!(log.read(0).filter(Result::is_ok).count(), 6);
}

#[test]
fn damage_in_an_earlier_segment_is_found_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), small_segments(), 100);
    let path = segment_path(folder.path(), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let (log, _) = Log::open(folder.path(), small_segments()).unwrap();
    let items: Vec<_> = log.read(0).collect();
    let (error, good) = items.split_last().unwrap();
    assert!(good.iter().all(Result::is_ok));
    let error = error.as_ref().unwrap_err();
    assert!(matches!(error, LogError::Corrupt { segment, .. } if *segment == path));
    assert!(error.to_string().contains("salvage mode"), "{error}");
    // A reader of the folder does not take it for an end that is being written.
    let reader = LogReader::open(folder.path()).unwrap();
    assert!(reader.read(0).any(|item| item.is_err()));
    // In salvage mode the later segments are read.
    let salvaging = LogReader::open_salvaging(folder.path()).unwrap();
    assert_eq!(salvaging.read(0).flatten().count(), 99);
}

#[test]
fn a_missing_segment_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), small_segments(), 100);
    let second = list_segments(folder.path()).unwrap()[1];
    remove_segment(folder.path(), second).unwrap();
    let error = Log::open(folder.path(), small_segments()).unwrap_err();
    assert!(matches!(error, LogError::Corrupt { position, .. } if position == second));
}
