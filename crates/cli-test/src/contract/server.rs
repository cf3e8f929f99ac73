//! Stores on a server, for hosts that share nothing else.

use job_store::{OnServer, SeenServer, Store};
use tempfile::TempDir;

use super::{Program, SETTINGS};
use crate::faults::world;
use crate::holding::Holding;
use crate::{Run, Setting, in_time, run};

impl Program {
    /// Where this program keeps what it knows of a portal.
    pub(super) fn place_for(&self, place: OnServer, portal: &str) -> OnServer {
        let portal = portal.trim_start_matches("http://").trim_end_matches('/').replace(':', "-");
        OnServer { schema: self.name().replace('-', "_"), portal, ..place }
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
        // as if so many seconds had gone by for the server
        let store = Store::on_server(&place).await.unwrap();
        store.execute("waiting", "UPDATE lease SET until_us = until_us - 90000000", []).await.unwrap();
        let next = self.on_another_host(&setting, &config).await;
        assert_eq!((next.exit, next.stderr.as_str()), (0, ""), "{}", next.stdout);
        for name in self.found {
            assert!(next.stdout.contains(&format!("{name}@example.com")), "{name}: {}", next.stdout);
        }
        assert_eq!(SeenServer::at(&place).await.unwrap().lease, None, "a run that ends lets the next one in");
    }

    /// One that shares no folder with the others.
    async fn on_another_host(&self, setting: &Setting, config: &str) -> Run {
        let folder = TempDir::new().unwrap();
        let mut command = setting.command(&["--config", config]);
        command.env("TMPDIR", folder.path());
        run(command).await
    }
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
