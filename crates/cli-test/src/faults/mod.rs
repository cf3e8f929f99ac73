//! The fault matrix: every fault at every source that a program asks, once, always and from some request on.
//!
//! Nothing in it is typed by hand. A run without a fault tells which sources there are; each is put to every fault of the simulated
//! portal, and then the clock and the store. A run must say what it says without the fault, or that it did not see everything; it
//! never accuses anybody else, never panics, and never asks without end.

mod cells;
mod oracle;
mod sample;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use portal_sim::{RequestLine, Scenario};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::way::Way;
use crate::{Clock, Setting};
use cells::{Cell, StoreTrouble, Trouble};
use oracle::Ended;
pub(crate) use world::{hostile_world, quiet_world, world};

/// A run that takes longer hangs.
const TIME_LIMIT: Duration = Duration::from_secs(600);
/// After which a run ends itself that asks a portal in vain: long enough for the tries of a few questions, and those after them are
/// like them.
const RUN_LIMIT: &str = "10s";
/// On a machine that is busy with something else a run may get no further in that time than to what it asks first. One that does not say
/// what it did not see is looked at once more, with so much time.
const LONG_RUN_LIMIT: &str = "100s";
/// Runs at a time that get an answer, sooner or later.
const AT_ONCE: usize = 6;
/// And runs at a time that do not: most of them wait before they ask again.
const IN_VAIN_AT_ONCE: usize = 24;
/// Bytes of a page of the store.
const PAGE: usize = 4096;

/// A program, and how it is put to the faults.
#[derive(Clone, Copy)]
pub struct Matrix {
    /// The path of the binary: `env!("CARGO_BIN_EXE_…")`.
    pub program: &'static str,
    /// Flags of every run, besides the portal, the state and the form of the report.
    pub flags: &'static [&'static str],
    /// Files that lie beside the state: name and content.
    pub files: &'static [(&'static str, &'static str)],
    /// First parts of the addresses of all who must be found on the portal of the matrix, and nobody else.
    pub found: &'static [&'static str],
    /// Cells that do not hold yet, by the reason; a cell that has begun to hold fails the test, too.
    pub known: &'static [(&'static str, &'static [&'static str])],
}

impl Matrix {
    /// Runs the cells for every day, or every cell where the variable `FAULTS` is `all`.
    ///
    /// # Panics
    /// With one line per cell that fails and is not known, and per known cell that holds.
    pub async fn check(self) {
        let cells = |asked: &[RequestLine]| {
            let all = cells::cells(asked, cells::IN_FILE);
            if crate::plays_all_faults() { all } else { sample::usual(all, &self.known()) }
        };
        self.check_those(cells, Engine::File).await;
    }

    /// Runs some cells with the store on a server, if there is one: each source, each fault and each time at least once.
    ///
    /// # Panics
    /// As [`check`](Self::check) does.
    pub async fn check_on_server(self) {
        if job_store::testing::socket_folder().is_some() {
            self.check_those(|asked| sample::sample(&cells::cells(asked, cells::ON_SERVER)), Engine::Server).await;
        }
    }

    async fn check_those(self, cells: impl FnOnce(&[RequestLine]) -> Vec<Cell>, engine: Engine) {
        let scenario = Arc::new(world());
        let sound = Arc::new(self.sound(&scenario, engine).await);
        let (busy, waiting) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(IN_VAIN_AT_ONCE)));
        let mut runs = JoinSet::new();
        for cell in cells(&sound.asked) {
            let (scenario, sound) = (Arc::clone(&scenario), Arc::clone(&sound));
            let slots = Arc::clone(if cell.in_vain { &waiting } else { &busy });
            runs.spawn(async move {
                let _slot = slots.acquire().await.unwrap();
                let mut verdict = self.judge((&scenario, engine), &cell, &sound, RUN_LIMIT).await;
                if verdict.is_err() && cell.in_vain {
                    verdict = self.judge((&scenario, engine), &cell, &sound, LONG_RUN_LIMIT).await;
                }
                (cell.name(), verdict)
            });
        }
        let verdicts: BTreeMap<String, Result<(), String>> = runs.join_all().await.into_iter().collect();
        let known = self.known();
        let mut lines = Vec::new();
        for (name, verdict) in &verdicts {
            match (verdict, known.contains(name.as_str())) {
                (Err(why), false) => lines.push(format!("FAILS  {name:?}: {why}")),
                (Ok(()), true) => lines.push(format!("HOLDS by now, so it is no longer known to fail  {name:?}")),
                _ => {}
            }
        }
        lines.extend(
            known.iter().filter(|name| !verdicts.contains_key(**name)).map(|name| format!("NO SUCH CELL  {name:?}")),
        );
        assert!(lines.is_empty(), "{} of {} cells:\n{}", lines.len(), verdicts.len(), lines.join("\n"));
    }

    /// The cells that do not hold yet.
    fn known(self) -> BTreeSet<&'static str> {
        self.known.iter().flat_map(|(_, cells)| cells.iter().copied()).collect()
    }

    /// The runs without a fault: a first one and a second one with the same store.
    async fn sound(self, scenario: &Scenario, engine: Engine) -> Sound {
        let setting = self.setting(scenario, engine).await;
        let first = self.run(&setting, None).await.expect("it ends in time");
        assert_eq!(first.exit, Some(0), "{} {}", first.stdout, first.stderr);
        let report = serde_json::from_str(&first.stdout).unwrap();
        let expected = self.found.iter().map(|name| format!("{name}@example.com")).collect();
        assert_eq!(oracle::accused(&report), expected, "who is found without a fault");
        let asked = setting.sim.requests();
        let second = self.run(&setting, None).await.expect("it ends in time");
        Sound { first, second, asked }
    }

    async fn setting(self, scenario: &Scenario, engine: Engine) -> Setting {
        let mut setting = Setting::new(self.program, scenario.clone()).await;
        if let Engine::Server = engine {
            setting.keep_on_server();
        }
        for (name, content) in self.files {
            setting.file(name, content);
        }
        setting
    }

    async fn judge(
        self,
        (scenario, engine): (&Scenario, Engine),
        cell: &Cell,
        sound: &Sound,
        run_limit: &'static str,
    ) -> Result<(), String> {
        let mut setting = self.setting(scenario, engine).await;
        let mut expected = &sound.first;
        let bounds =
            Some(Bounds { requests: oracle::most_requests(expected), run_limit: cell.in_vain.then_some(run_limit) });
        match &cell.trouble {
            Trouble::Portal(fault) => setting.sim.set_faults(vec![fault.clone()]),
            Trouble::ClockAhead(minutes) => {
                setting.clock = Clock::At(scenario.now + TimeDelta::minutes(*minutes));
            }
            Trouble::Store(trouble) => {
                let way = way_to_server(&mut setting).await;
                self.run(&setting, bounds).await?;
                break_store(&setting, way.as_ref(), *trouble);
                expected = &sound.second;
            }
        }
        let ended = self.run(&setting, bounds).await?;
        oracle::wrong(cell, &ended, expected)
    }

    /// One run within these bounds; an error when it does not end.
    async fn run(self, setting: &Setting, bounds: Option<Bounds>) -> Result<Ended, String> {
        let before = setting.sim.requests().len();
        let url = setting.sim.url();
        let arguments = [&["--portal", &url, "--format", "json"], self.flags].concat();
        let mut command = setting.command(&arguments);
        let name = Path::new(self.program).file_name().unwrap().to_string_lossy().to_uppercase().replace('-', "_");
        if let Some(bounds) = bounds {
            command.env(format!("{name}_BUDGET__REQUESTS"), bounds.requests.to_string());
            if let Some(limit) = bounds.run_limit {
                command.env(format!("{name}_RUN_LIMIT"), limit);
            }
        }
        let output = tokio::time::timeout(TIME_LIMIT, command.output());
        let requests = || setting.sim.requests().len() - before;
        let output = output.await.map_err(|_| format!("hangs, after {} questions", requests()))?.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace(&url, "https://docs.example.com");
        Ok(Ended {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            exit: output.status.code(),
            requests: requests(),
        })
    }
}

/// So that a run ends soon that would ask without end, or wait for a portal that is down for good.
#[derive(Clone, Copy)]
struct Bounds {
    requests: usize,
    /// `None` for the program's own.
    run_limit: Option<&'static str>,
}

/// Where the stores of a matrix are.
#[derive(Clone, Copy)]
enum Engine {
    File,
    Server,
}

/// What a program says and asks when nothing is wrong.
struct Sound {
    first: Ended,
    second: Ended,
    asked: Vec<RequestLine>,
}

/// From now on the setting asks its server in a way that can be cut off.
async fn way_to_server(setting: &mut Setting) -> Option<Way> {
    let server = setting.server.as_mut()?;
    let way = Way::for_bytes(usize::MAX).await?;
    server.url = way.address.parse().unwrap();
    Some(way)
}

fn break_store(setting: &Setting, way: Option<&Way>, trouble: StoreTrouble) {
    match (trouble, way) {
        (StoreTrouble::Away, Some(way)) => way.cut_after(0),
        // what a run sends to know what was stored before is less than a quarter
        (StoreTrouble::GoesAway, Some(way)) => way.cut_after(way.sent() + way.sent() / 4),
        _ => break_file(setting, trouble),
    }
}

fn break_file(setting: &Setting, trouble: StoreTrouble) {
    let store = setting.state_file("sqlite");
    let write = |bytes: &[u8]| std::fs::write(&store, bytes).unwrap();
    let mut bytes = std::fs::read(&store).unwrap();
    let middle = bytes.len() / PAGE / 2 * PAGE;
    match trouble {
        StoreTrouble::ZeroedPages => {
            bytes[PAGE..middle].fill(0);
            write(&bytes);
        }
        StoreTrouble::NoDatabase => {
            bytes[..PAGE].fill(0x55);
            write(&bytes);
        }
        StoreTrouble::CutInHalf => write(&bytes[..middle]),
        StoreTrouble::Nowhere => {
            let folder = setting.state.path().join("state");
            std::fs::remove_dir_all(&folder).unwrap();
            std::fs::write(Path::new(&folder), "not a folder").unwrap();
        }
        StoreTrouble::Away | StoreTrouble::GoesAway => panic!("no file goes away"),
    }
}
