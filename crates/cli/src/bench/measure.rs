//! What is measured, and how: one case, its acknowledgement times, CPU, memory and bytes on disk.

use std::path::Path;
use std::time::{Duration, Instant};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// Events in a batch.
    pub(super) batch: usize,
    /// Threads that append, each waiting for its acknowledgement.
    pub(super) producers: usize,
    /// Events in all.
    pub(super) events: usize,
    /// Makes the event ids of this run unlike those of any other.
    pub(super) run: u64,
}

impl Case {
    pub(super) fn batches_per_producer(&self) -> u64 {
        (self.events / self.batch / self.producers).max(1) as u64
    }
}

/// Acknowledgement times of one or more producers.
#[derive(Default)]
pub(super) struct Acknowledgements {
    times: Vec<Duration>,
    begun: Option<Instant>,
    /// Events acknowledged.
    pub(super) events: u64,
    /// Bytes of their lines.
    pub(super) bytes: u64,
}

impl Acknowledgements {
    pub(super) fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }

    pub(super) fn end(&mut self, events: usize) {
        self.times.extend(self.begun.take().map(|begun| begun.elapsed()));
        self.events += events as u64;
    }

    pub(super) fn join(&mut self, other: Self) {
        self.times.extend(other.times);
        self.events += other.events;
        self.bytes += other.bytes;
    }

    /// The time that this share of the acknowledgements did not exceed, in microseconds.
    pub(super) fn quantile_us(&mut self, share: f64) -> f64 {
        self.times.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let place = ((self.times.len().saturating_sub(1)) as f64 * share).round() as usize;
        self.times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}

/// CPU time that this process has used.
pub(super) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Memory of this process that is resident now, in MiB; 0 where the system does not say.
pub(super) fn resident_mib() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()));
    pages.unwrap_or(0.0) * 4096.0 / f64::from(1 << 20)
}

/// The most memory of this process that was ever resident, in MiB; 0 where the system does not say.
pub(super) fn peak_resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Bytes of all files below a folder.
pub(super) fn bytes_below(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
