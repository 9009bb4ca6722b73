//! What a process has used, as Linux tells it.

use std::path::PathBuf;
use std::time::Duration;

/// The time on processors of all its threads.
pub(super) fn cpu(pid: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the server runs");
    let files = threads.map(|thread| thread.expect("the server runs").path().join("schedstat"));
    // A thread may end while they are read.
    Duration::from_nanos(files.filter_map(time_of).sum())
}

/// The first number is nanoseconds on a processor.
fn time_of(file: PathBuf) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.split_whitespace().next()?.parse().ok()
}

/// Bytes in memory now.
pub(super) fn resident_memory(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

/// The most bytes in memory since [`forget_peak`].
pub(super) fn peak_memory(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

/// Begins a new peak.
pub(super) fn forget_peak(pid: u32) {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the server runs");
}

fn status(pid: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells it");
    let kilobytes: u64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number");
    kilobytes * 1024
}
