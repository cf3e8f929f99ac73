//! What benches of built programs share. They run release builds, which know no clock but the machine's.

use std::io::{self, Write as _};

use chrono::{DateTime, SubsecRound, Utc};

/// The true time, whole seconds: what is delivered knows no other, and the portal must agree with it.
#[expect(clippy::disallowed_methods, reason = "a bench has no other clock than what it measures")]
pub fn true_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
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

/// The most memory that a process has had so far, in KiB. `None` once it has ended. Linux only.
pub fn peak_kib_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find(|line| line.starts_with("VmHWM:"))?.split_whitespace().nth(1)?.parse().ok()
}
