//! The tour: five simulated portals, an incident at each, and everything that a person would see of it.
//!
//! A part is one program: it sets a [`Stage`], lets something happen and shows what the program says. A run that ends
//! otherwise than its part says ends the tour.

mod bulk_guard;
mod compliance_monthly;
mod ip_fence;
mod nudge_inactive;
mod receiver;
mod stage;
mod vdr_watch;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::ValueEnum;
use stage::{REPORT, Stage};

/// What the tour can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Show this program only.
    #[arg(long, value_name = "NAME")]
    program: Option<Program>,
    /// Folder for settings, reports and what the programs remember; a new temporary one if not given. It is kept.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    VdrWatch,
    BulkGuard,
    IpFence,
    ComplianceMonthly,
    NudgeInactive,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Program::VdrWatch => "vdr-watch",
            Program::BulkGuard => "bulk-guard",
            Program::IpFence => "ip-fence",
            Program::ComplianceMonthly => "compliance-monthly",
            Program::NudgeInactive => "nudge-inactive",
        }
    }
}

/// Runs the tour with portals whose clocks go as `clock` does.
pub(crate) async fn run(demo: Demo, clock: fn() -> DateTime<Utc>) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    let programs = demo.program.map_or_else(|| Program::value_variants().to_vec(), |program| vec![program]);
    for program in &programs {
        if beside_us(program.name())?.is_none() {
            writeln!(
                out,
                "The tour runs {}, which is not built yet. Build everything, then come back:\n",
                program.name()
            )?;
            writeln!(out, "    cargo build --workspace\n    target/debug/portal-sim demo")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    let folder = folder(demo.dir)?;
    writeln!(
        out,
        "A tour of {}: an incident on a simulated portal, and what you would see of it.\nNothing leaves this machine. Settings, reports and alerts stay in {}\n",
        if programs.len() == 1 { "one program" } else { "five programs" },
        folder.display()
    )?;
    for (index, program) in programs.iter().enumerate() {
        writeln!(out, "=== {} of {}: {} ===\n", index + 1, programs.len(), program.name())?;
        let path = beside_us(program.name())?.with_context(|| format!("find {}", program.name()))?;
        let stage = Stage { program: program.name(), path, folder: folder.join(program.name()), clock };
        match program {
            Program::VdrWatch => vdr_watch::show(&stage).await?,
            Program::BulkGuard => bulk_guard::show(&stage).await?,
            Program::IpFence => ip_fence::show(&stage).await?,
            Program::ComplianceMonthly => compliance_monthly::show(&stage).await?,
            Program::NudgeInactive => nudge_inactive::show(&stage).await?,
        }
    }
    out.write_all(last_words(&programs, &folder.display().to_string()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn last_words(programs: &[Program], folder: &str) -> String {
    let pages = programs.iter().map(|program| format!("    {folder}/{}/{REPORT}\n", program.name()));
    let pages: String = pages.collect();
    let name = programs.first().map_or("", |program| program.name());
    format!(
        "=== What to do next ===\n\nOpen the reports in a browser:\n{pages}\nSet a program up for your own portal; it asks for an API key, proves that it works, and prints the cron line:\n    target/debug/{name} init https://docs.example.com\n\nOr try more first. This serves a portal, and prints its address and a key:\n    target/debug/portal-sim serve --scenario incident\nand this, in another terminal, runs a program on it:\n    DOCSPACE_API_KEY=KEY target/debug/{name} --portal ADDRESS --state try\n`target/debug/portal-sim scenarios` lists what else can happen there.\n\nEach program has a README in bins/PROGRAM; docs/README.md lists the rest.\n"
    )
}

/// The folder of the tour, which is there and empty.
fn folder(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let Some(folder) = given else {
        return Ok(tempfile::Builder::new().prefix("docspace-demo-").tempdir().context("make a folder")?.keep());
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let mut entries = std::fs::read_dir(&folder).with_context(|| format!("read the folder {}", folder.display()))?;
    if entries.next().is_some() {
        bail!("{} is not empty; give a new folder with --dir", folder.display());
    }
    Ok(folder)
}

/// The program of this name in the folder of our own executable, if it is there.
fn beside_us(name: &str) -> anyhow::Result<Option<PathBuf>> {
    let own = std::env::current_exe().context("find our own executable")?;
    let path = own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(path.is_file().then_some(path))
}
