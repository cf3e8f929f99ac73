//! What benches of built programs share. They run release builds, which know no clock but the machine's.

use std::ffi::OsString;
use std::io::{self, Write as _};

use chrono::{DateTime, SubsecRound, Utc};

/// The true time, whole seconds: what is delivered knows no other, and the portal must agree with it.
#[expect(clippy::disallowed_methods, reason = "a bench has no other clock than what it measures")]
pub fn true_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

/// The program to measure: the one that was built for the bench, or the file that `PROGRAM` names, such as one that was packaged.
pub fn program(built: &str) -> OsString {
    std::env::var_os("PROGRAM").unwrap_or_else(|| built.into())
}

/// Prints a line of the result.
///
/// # Errors
/// Stdout is full or closed.
#[expect(clippy::print_stdout, reason = "a bench reports on stdout")]
pub fn say(line: &str) -> Result<(), Box<dyn std::error::Error>> {
    println!("{line}");
    Ok(io::stdout().flush()?)
}

/// User and system time so far, in seconds: hundredths of them, exact enough for sums.
#[derive(Clone, Copy, Debug)]
pub struct CpuSeconds {
    /// Of this process.
    pub own: f64,
    /// Of everything below it that has ended.
    pub children: f64,
}

/// What this process and its children have used so far. Linux only.
///
/// # Errors
/// `/proc/self/stat` is not there, or has an unknown form.
pub fn cpu_seconds() -> Result<CpuSeconds, Box<dyn std::error::Error>> {
    // clock ticks are hundredths of a second on every Linux that Rust runs on
    const TICKS_PER_SECOND: f64 = 100.0;
    const UNKNOWN: &str = "an unknown form of /proc/self/stat";
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(')').ok_or(UNKNOWN)?.1;
    let ticks = behind_name.split_whitespace().skip(11).take(4).map(str::parse);
    let ticks: Vec<f64> = ticks.collect::<Result<_, _>>()?;
    let [user, system, user_below, system_below] = ticks[..] else { return Err(UNKNOWN.into()) };
    Ok(CpuSeconds { own: (user + system) / TICKS_PER_SECOND, children: (user_below + system_below) / TICKS_PER_SECOND })
}

/// The most memory that a process has had so far, in KiB. `None` once it has ended. Linux only.
pub fn peak_kib_of(process: u32) -> Option<u64> {
    kib_of(process, "VmHWM:")
}

/// The memory that a process has now, in KiB. `None` once it has ended. Linux only.
pub fn resident_kib_of(process: u32) -> Option<u64> {
    kib_of(process, "VmRSS:")
}

fn kib_of(process: u32, what: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find(|line| line.starts_with(what))?.split_whitespace().nth(1)?.parse().ok()
}
