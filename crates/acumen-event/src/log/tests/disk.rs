//! Disks that are full or fail: nothing is acknowledged after that.

use std::process::Command;

use super::*;

#[test]
fn a_full_device_stops_the_log_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    log.append(&edit(0)).unwrap();
    assert_eq!(log.commit().unwrap(), 1);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    log.shared.replace_file(full);
    log.append(&edit(1)).unwrap();
    let error = log.commit().unwrap_err();
    assert!(matches!(error, LogError::Write { .. }));
    assert!(
        error.to_string().contains("the disk is full: free space"),
        "{error}"
    );
    assert_eq!(log.sync_handle().synced(), 1);
    // Space being free again changes nothing: what the failure left is not known.
    let path = the_last_segment(folder.path());
    let mended = OpenOptions::new().append(true).open(path).unwrap();
    log.shared.replace_file(mended);
    for error in [log.append(&edit(2)).unwrap_err(), log.commit().unwrap_err()] {
        assert!(matches!(error, LogError::Poisoned { .. }));
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
    drop(log);
    let (log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    assert_eq!(bodies(log.read(0)), [edit(0)]);
}

#[test]
fn a_failed_sync_is_never_retried_as_if_all_were_well() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), LogOptions::default()).unwrap();
    let handle = log.sync_handle();
    log.append(&edit(0)).unwrap();
    // A device that takes bytes and cannot sync them.
    let device = OpenOptions::new().write(true).open("/dev/null").unwrap();
    log.shared.replace_file(device);
    log.flush().unwrap();
    assert!(matches!(handle.sync(), Err(LogError::Sync { .. })));
    assert!(matches!(handle.sync(), Err(LogError::Poisoned { .. })));
    assert!(matches!(
        log.append(&edit(1)),
        Err(LogError::Poisoned { .. })
    ));
    assert_eq!(handle.synced(), 0);
}

#[test]
fn a_file_system_that_fills_up_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str], tool: &str| {
        let status = Command::new(tool)
            .args(arguments)
            .arg(folder.path())
            .output();
        status.is_ok_and(|output| output.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"], "mount") {
        eprintln!("skipped: mounting a small file system needs more rights than this user has");
        return;
    }
    let outcome = std::panic::catch_unwind(|| fill_up(&folder.path().join("log")));
    assert!(mount(&[], "umount"));
    outcome.unwrap();
}

fn fill_up(folder: &Path) {
    let options = LogOptions {
        segment_bytes: 50_000,
        ..LogOptions::default()
    };
    let kind = order();
    let (mut log, _) = Log::open(folder, options).unwrap();
    let mut acknowledged = 0;
    let error = loop {
        let appended = log.append(&event(&kind, acknowledged as i64));
        match appended.and_then(|_| log.commit()) {
            Ok(durable) => acknowledged = durable,
            Err(error) => break error,
        }
    };
    assert!(acknowledged > 1_000);
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert!(log.append(&edit(0)).is_err());
    drop(log);
    let (log, _) = Log::open(folder, options).unwrap();
    let back = bodies(log.read(0));
    assert!(back.len() as u64 >= acknowledged);
    for (number, body) in back.iter().enumerate() {
        assert_eq!(*body, event(&kind, number as i64));
    }
}
