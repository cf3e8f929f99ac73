//! Stores on a server, for hosts that share nothing else.

use std::process::Stdio;

use job_store::{OnServer, SeenServer, Store};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{Program, SETTINGS};
use crate::faults::world;
use crate::holding::Holding;
use crate::{Run, Setting, in_time, run};

impl Program {
    /// Where this program keeps what it knows of a portal.
    pub(super) fn place_for(&self, place: OnServer, portal: &str) -> OnServer {
        crate::place_for(place, self.binary, portal)
    }

    /// Of two hosts at the same time one works, and the other one ends with 0 and a line. A host that dies keeps the others waiting until
    /// its lease is over, by the clock of the server.
    pub async fn two_hosts(&self) {
        let Some(place) = job_store::testing::place() else { return };
        let mut setting = self.setting(world()).await;
        let mut holding = Holding::start(&setting.sim.url(), "GET", 0).await;
        setting.file(SETTINGS, &self.settings_for(&holding.url));
        let place = self.place_for(place, &holding.url);
        setting.server = Some(place.clone());
        let config = setting.state.path().join(SETTINGS).display().to_string();
        let mut first = setting.command(&["--config", &config]).spawn().unwrap();
        in_time(holding.held()).await;
        holding.let_pass();
        let second = self.on_another_host(&setting, &config).await;
        assert_eq!((second.exit, second.stdout.as_str()), (0, ""), "{}", second.stderr);
        let lines: Vec<&str> = second.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains("WARN another run ("), "{}", second.stderr);
        assert!(lines[0].contains("is still at work"), "{}", second.stderr);
        let doctor = self.run(&setting, &["doctor"]).await;
        assert!(doctor.stdout.contains("lock: a run is at work since"), "{} {}", doctor.stdout, doctor.stderr);

        first.kill().await.unwrap();
        assert!(SeenServer::at(&place).await.unwrap().lease.is_some(), "it lasts for its time");
        let waiting = self.on_another_host(&setting, &config).await;
        assert_eq!((waiting.exit, waiting.stdout.as_str()), (0, ""), "{}", waiting.stderr);
        setting.lease_ends().await;
        let next = self.on_another_host(&setting, &config).await;
        assert_eq!((next.exit, next.stderr.as_str()), (0, ""), "{}", next.stdout);
        for name in self.found {
            assert!(next.stdout.contains(&format!("{name}@example.com")), "{name}: {}", next.stdout);
        }
        assert_eq!(SeenServer::at(&place).await.unwrap().lease, None, "a run that ends lets the next one in");
    }

    /// What is known moves to a server and back. A move that is killed leaves the source in use, and the target refuses runs with 2; the same
    /// command goes on, and after it the source is the one that refuses.
    pub async fn moves(&self) {
        let Some(place) = job_store::testing::place() else { return };
        let mut setting = self.setting(world()).await;
        let place = self.place_for(place, &setting.sim.url());
        let folder = setting.state.path().join("state");
        let (file, server) = (folder.display().to_string(), place.url.to_string());
        let told = self.run(&setting, &[]).await;
        assert_eq!((told.exit, told.stderr.as_str()), (0, ""), "{}", told.stdout);
        fill(&setting).await;

        let config = setting.state.path().join(SETTINGS).display().to_string();
        let there = ["store", "move", &file, &server];
        let mut moving = setting.command(&[&["--config", &config, "-v"], there.as_slice()].concat());
        let mut moving = moving.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(moving.stderr.take().unwrap()).lines();
        in_time(async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("copied") && line.contains("fact") {
                    return;
                }
            }
            panic!("it has ended");
        })
        .await;
        moving.kill().await.unwrap();

        self.knows(&setting, "after a move was killed").await;
        setting.server = Some(place.clone());
        let half = self.run(&setting, &[]).await;
        assert_eq!((half.exit, half.stdout.as_str()), (2, ""), "{}", half.stderr);
        assert!(
            half.stderr.contains("has not ended, so this store is not used yet; repeat `store move`"),
            "{}",
            half.stderr
        );
        setting.lease_ends().await;
        setting.server = None;
        let moved = self.run(&setting, &there).await;
        assert_eq!((moved.exit, moved.stderr.as_str()), (0, ""), "{}", moved.stdout);
        for said in ["audit_event: ", "the same in both", "set `state` to it"] {
            assert!(moved.stdout.contains(said), "{}", moved.stdout);
        }

        for flags in [[].as_slice(), &["--dry-run"]] {
            let away = self.run(&setting, flags).await;
            assert_eq!((away.exit, away.stdout.as_str()), (2, ""), "{}", away.stderr);
            assert!(
                away.stderr.contains("was moved to postgres://tester@") && away.stderr.contains("; set `state`"),
                "{}",
                away.stderr
            );
        }
        let doctor = self.run(&setting, &["doctor"]).await;
        assert!(doctor.exit != 0 && doctor.stdout.contains("was moved to postgres://"), "{}", doctor.stdout);
        setting.server = Some(place.clone());
        self.knows(&setting, "on the server").await;
        self.comes_back_from_a_backup(&mut setting).await;
        let again = self.run(&setting, &there).await;
        assert_eq!(again.exit, 0, "{}", again.stderr);
        assert!(again.stdout.contains("there is nothing left to do"), "{}", again.stdout);

        let back = ["store", "move", &server, &file];
        let refused = self.run(&setting, &back).await;
        assert_eq!(refused.exit, 2, "{}", refused.stderr);
        let moved = self.run(&setting, &[&back, ["--replace"].as_slice()].concat()).await;
        assert_eq!((moved.exit, moved.stderr.as_str()), (0, ""), "{}", moved.stdout);
        setting.server = None;
        self.knows(&setting, "back in a file").await;

        // what was moved away is used again only when the other one is lost
        let refused = self.run(&setting, &["store", "take-back", &server]).await;
        assert!(refused.exit == 2 && refused.stderr.contains("is still there"), "{}", refused.stderr);
        std::fs::remove_dir_all(&folder).unwrap();
        let taken = self.run(&setting, &["store", "take-back", &server]).await;
        assert_eq!((taken.exit, taken.stderr.as_str()), (0, ""), "{}", taken.stdout);
        assert!(taken.stdout.contains("is used again: set `state` to it"), "{}", taken.stdout);
        setting.server = Some(place);
        self.knows(&setting, "taken back").await;
        let again = self.run(&setting, &["store", "take-back", &server]).await;
        assert!(again.exit == 2 && again.stderr.contains("was not moved away"), "{}", again.stderr);
    }

    /// What a server holds is copied into a file, which serves as a store where the file of this portal would be.
    async fn comes_back_from_a_backup(&self, setting: &mut Setting) {
        let copy = setting.state.path().join("backup.sqlite");
        let backup = ["store", "backup", &copy.display().to_string()];
        let copied = self.run(setting, &backup).await;
        assert_eq!((copied.exit, copied.stderr.as_str()), (0, ""), "{}", copied.stdout);
        let refused = self.run(setting, &backup).await;
        assert!(refused.exit == 2 && refused.stderr.contains("exists already"), "{}", refused.stderr);
        let server = setting.server.take();
        let file = setting.state_file("sqlite");
        let moved_away = setting.state.path().join("moved-away.sqlite");
        std::fs::rename(&file, &moved_away).unwrap();
        std::fs::rename(&copy, &file).unwrap();
        self.knows(setting, "from a backup").await;
        std::fs::rename(&moved_away, &file).unwrap();
        setting.server = server;
    }

    /// A run finds nothing that was not told before.
    async fn knows(&self, setting: &Setting, when: &str) {
        let (report, ended) = self.report(setting).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{when}: {}", ended.stdout);
        let findings = report["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["state"] != "new"), "{when}: {}", ended.stdout);
    }

    /// One that shares no folder with the others.
    async fn on_another_host(&self, setting: &Setting, config: &str) -> Run {
        let folder = TempDir::new().unwrap();
        let mut command = setting.command(&["--config", config]);
        command.env("TMPDIR", folder.path());
        run(command).await
    }
}

/// Gives the store in a file enough to do for a move, and nothing that a run looks for.
async fn fill(setting: &Setting) {
    let file = std::path::absolute(setting.state_file("sqlite")).unwrap();
    let store = Store::open(&format!("sqlite://{}", file.display())).await.unwrap();
    let facts = "INSERT INTO fact (kind, name, value, learned_us)
        WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < 20000)
        SELECT 'none', CAST(i AS TEXT), '', 4102444800000000 FROM counted";
    store.execute("filling", facts, []).await.unwrap();
    store.close().await;
}

/// All that the store of a setting holds on its server.
pub(super) async fn rows(place: &OnServer) -> Vec<u8> {
    let store = Store::on_server(place).await.unwrap();
    let tables =
        "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
    let tables = store.all("listing the tables", tables, [], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    let mut bytes = Vec::new();
    for table in tables {
        let sql = format!("SELECT to_json(t)::text FROM {table} AS t");
        for row in store.all("reading", sql, [], |row| Ok(row.text(0)?.to_owned())).await.unwrap() {
            bytes.extend(row.into_bytes());
        }
    }
    store.close().await;
    bytes
}
