//! What it costs to read a policy of 100 000 entries, beside one of 10 000: it must grow with their number and no faster.
//!
//! `cargo bench -p ip-fence --bench policy`.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const RUNS: u32 = 3;
const RULES: usize = 100;

fn main() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let [some, many] = [10_000, 100_000];
    let (of_some, of_many) = (seconds(folder.path(), some)?, seconds(folder.path(), many)?);
    writeln!(
        io::stdout(),
        "{many} entries in {of_many:.3} s, {:.1} times as long as {some}; the process included",
        of_many / of_some
    )?;
    Ok(())
}

/// How long `policy check` takes, without a portal.
fn seconds(folder: &Path, entries: usize) -> Fallible<f64> {
    let path = folder.join(format!("{entries}.toml"));
    std::fs::write(&path, policy(entries))?;
    let started = Instant::now();
    for _ in 0..RUNS {
        let checked =
            Command::new(env!("CARGO_BIN_EXE_ip-fence")).args(["policy", "check", "--policy"]).arg(&path).output()?;
        if !checked.status.success() {
            return Err(String::from_utf8_lossy(&checked.stderr).into());
        }
    }
    Ok(started.elapsed().as_secs_f64() / f64::from(RUNS))
}

/// An entry a line, as lists grow that nobody cleans up.
fn policy(entries: usize) -> String {
    let rule = |rule: usize| {
        let entry = |n: usize| {
            let n = rule * (entries / RULES) + n;
            format!("  \"10.{}.{}.{}\",\n", n >> 16 & 0xff, n >> 8 & 0xff, (n & 0xff) | 1)
        };
        let entries: String = (0..entries / RULES).map(entry).collect();
        format!("[[rule]]\nlabel = \"{rule}\"\npeople = [\"p{rule}@example.com\"]\nallow = [\n{entries}]\n")
    };
    (0..RULES).map(rule).collect()
}
