//! How long after a mass deletion its alert arrives: by a run of cron, and by a webhook of the portal.
//!
//! `cargo bench -p bulk-guard --bench alerted`. The README has the figures.

use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use cli_test::bench::{program, say, true_now};
use cli_test::docspace_webhook::{Delivery, SIGNATURE};
use cli_test::receiver::Receiver;
use outbound::HttpOptions;
use portal_sim::{Event, Fault, FaultKind, Person, PortalSim, Room, Scenario};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const SECRET: &str = "Secret-Key-2026!";

/// Mass deletions for each figure.
const TIMES: u32 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    for latency in [0, 150] {
        // several people who do the same would be one finding, so each has a portal of their own
        let (mut by_run, mut by_webhook) = (0.0, 0.0);
        for _ in 0..TIMES {
            by_run += Office::open(latency).await?.seconds_by_run().await? / f64::from(TIMES);
            by_webhook += Office::open(latency).await?.seconds_by_webhook().await? / f64::from(TIMES);
        }
        say(&format!(
            "{latency} ms for each answer of the portal: a run tells after {by_run:.2} s, to which cron adds 0 to 60 s; \
             a webhook leads to the alert after {by_webhook:.2} s, with a debounce of 5 s"
        ))?;
    }
    Ok(())
}

/// A portal of forty people, and somebody who receives alerts.
struct Office {
    sim: PortalSim,
    alerts: Receiver,
    folder: tempfile::TempDir,
}

impl Office {
    async fn open(latency: u64) -> Fallible<Self> {
        let mut portal = Scenario::empty(true_now()).with_room(Room::vdr(71, "Project"));
        for n in 0..40 {
            portal.people.push(Person::new(&format!("person{n}@example.com"), "Person", &format!("N{n}")));
        }
        let sim = PortalSim::start(portal).await?;
        sim.follow(true_now);
        let (alerts, folder) = (Receiver::start().await, tempfile::tempdir()?);
        std::fs::write(folder.path().join("token"), "a-token-that-nobody-guesses")?;
        std::fs::write(folder.path().join("secret"), SECRET)?;
        let settings = format!(
            "[serve]\ntoken_file = \"token\"\nwebhook_secret_file = \"secret\"\n[alerts.webhook]\nurl = \"{}\"\n",
            alerts.url
        );
        std::fs::write(folder.path().join("bulk-guard.toml"), settings)?;
        let office = Office { sim, alerts, folder };
        // what every later run has behind it
        office.command(&[]).status().await?;
        if latency > 0 {
            office.sim.set_faults(vec![Fault::new(FaultKind::Latency { ms: latency, jitter_ms: 0 })]);
        }
        Ok(office)
    }

    fn command(&self, extra: &[&str]) -> Command {
        let mut command = Command::new(program(env!("CARGO_BIN_EXE_bulk-guard")));
        command.args(extra).args(["--portal", &self.sim.url(), "--config"]);
        command.arg(self.folder.path().join("bulk-guard.toml")).arg("--state").arg(self.folder.path().join("state"));
        command.env("DOCSPACE_API_KEY", self.sim.key()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Somebody has just deleted 110 documents for good; gives the moment at which the portal has written it down.
    fn deletion(&self) -> Instant {
        self.sim.edit(|portal| {
            // a run looks at whole seconds that are over
            let (at, person) = (true_now() - TimeDelta::seconds(2), portal.people[1].id);
            for n in 0..110 {
                let title = format!("paper {n}.docx");
                portal.add_event(Event::new(5018, person, at).file(9_000 + n, &title).in_room(71));
            }
        });
        Instant::now()
    }

    /// From there until the alert has arrived.
    async fn alerted(&self, since: Instant) -> Duration {
        cli_test::until(|| !self.alerts.told().is_empty()).await;
        since.elapsed()
    }

    /// With a run that begins at the moment of the deletion.
    async fn seconds_by_run(&self) -> Fallible<f64> {
        let since = self.deletion();
        let mut command = self.command(&[]);
        let mut run = std::pin::pin!(command.stdout(Stdio::piped()).output());
        tokio::select! {
            took = self.alerted(since) => Ok(took.as_secs_f64()),
            ended = run.as_mut() => Err(format!("a run told nobody: {:?}", ended?).into()),
        }
    }

    /// With a webhook that is sent at the moment of the deletion.
    async fn seconds_by_webhook(&self) -> Fallible<f64> {
        let mut server = self.command(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
        let stdout = server.stdout.take().ok_or("no stdout")?;
        let url = BufReader::new(stdout).lines().next_line().await?.ok_or("the server does not listen")?;
        let http = outbound::http_client(&HttpOptions::new("a bench", "1"), &url.parse()?)?;
        let since = self.deletion();
        let Delivery { signature, body, .. } = Delivery::trashed(SECRET, 1);
        let request = http.post(format!("{url}/webhooks/docspace")).header(SIGNATURE, signature).body(body);
        request.send().await?.error_for_status()?;
        Ok(self.alerted(since).await.as_secs_f64())
    }
}
