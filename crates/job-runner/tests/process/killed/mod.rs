//! A run that is killed while it delivers: the next one sends what is missing, and repeats at most the message that was on its way.

mod receivers;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use portal_sim::{Event, Person, PersonKind, PortalSim, Scenario};
use tokio::process::{Child, Command};

use crate::common::{Desk, NOW};
use receivers::{Has, Receivers, Taken};

/// An external link to a file is made.
const SHARED: i32 = 5088;

/// Kills at random: a dozen by default, more with `KILLS=500 cargo test -p job-runner --test process killed`.
fn kills() -> u64 {
    std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// A portal on which some people shared much, and channels of every way in which receivers know copies, or do not.
struct World {
    sim: PortalSim,
    receivers: Receivers,
}

/// The memory of one run and of those after it.
struct Memory<'a> {
    world: &'a World,
    desk: Desk,
    config: String,
}

impl World {
    async fn new(people: u32) -> World {
        let mut portal = Scenario::empty(NOW.parse().unwrap());
        for number in 0..people {
            let name = format!("P{number}");
            let person = Person::new(&format!("p{number}@example.com"), &name, "Example").kind(PersonKind::User);
            for second in 0..11 {
                let at = portal.now - TimeDelta::minutes(40) + TimeDelta::seconds(second);
                portal.add_event(Event::new(SHARED, person.id, at));
            }
            portal = portal.with_person(person);
        }
        World { sim: PortalSim::start(portal).await.unwrap(), receivers: Receivers::start().await }
    }

    fn memory(&self) -> Memory<'_> {
        let desk = Desk { key: Some(self.sim.key()), ..Desk::new() };
        let (http, smtp) = (format!("http://127.0.0.1:{}", self.receivers.http), self.receivers.smtp);
        let of = |kind: &str, more: &str| format!("[[alerts.channel]]\nname = \"{kind}\"\nkind = \"{kind}\"\n{more}\n");
        let url = |kind: &str| of(kind, &format!("url = \"{http}/{kind}/in\""));
        let settings = [
            format!(
                "[mail]\nhost = \"127.0.0.1\"\nport = {smtp}\nsecurity = \"none\"\nfrom = \"docspace@example.com\"\n"
            ),
            url("webhook"),
            url("slack"),
            of("matrix", &format!("server = \"{http}/matrix\"\nroom = \"!soc:example.com\"")),
            of("email", "to = \"soc@example.com\""),
            url("pagerduty"),
            url("alertmanager"),
        ];
        let config = desk.write("share-watch.toml", &settings.concat());
        Memory { world: self, desk, config }
    }

    /// How often each receiver got each message, after a run that is not disturbed, and how many steps that has.
    async fn undisturbed(&self) -> (BTreeMap<(String, String), usize>, usize) {
        self.receivers.reset(None);
        self.memory().run().await;
        let counted = counted(&self.receivers.taken());
        assert!(counted.values().all(|count| *count == 1), "{counted:?}");
        (counted, self.receivers.steps())
    }
}

impl Memory<'_> {
    fn command(&self) -> Command {
        let url = self.world.sim.url();
        let mut command = self.desk.command_of("share-watch", &["--portal", &url, "--config", &self.config]);
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        command.envs([("ALERT_WEBHOOK_SECRET", secret), ("ALERT_MATRIX_TOKEN", "s3cret")]);
        command.env("ALERT_PAGERDUTY_ROUTING_KEY", "s3cret");
        command
    }

    fn start(&self) -> Child {
        self.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// A run that nothing disturbs.
    async fn run(&self) {
        let ended = cli_test::run(self.command()).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    }
}

/// By receiver and by what it knows a copy by.
fn counted(taken: &[Taken]) -> BTreeMap<(String, String), usize> {
    let mut counted = BTreeMap::new();
    for Taken { channel, key } in taken {
        *counted.entry((channel.clone(), key.clone())).or_default() += 1;
    }
    counted
}

/// The receivers that got a message twice. None got one more often, and none missed one or got one that nobody else would have sent.
fn repeated(taken: &[Taken], expected: &BTreeMap<(String, String), usize>, kill: &str) -> Vec<String> {
    let counted = counted(taken);
    let keys = |of: &BTreeMap<(String, String), usize>| of.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&counted), keys(expected), "{kill}");
    let twice = counted.into_iter().filter(|(_, count)| *count > 1);
    twice
        .map(|((channel, _), count)| {
            assert_eq!(count, 2, "{kill}: {channel}");
            channel
        })
        .collect()
}

/// One kill at each step of each receiver: nothing is lost, and only the message is repeated that the receiver had and had not answered, or
/// whose answer was not written down yet. The copy has the id of the first, so a receiver that goes by ids knows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_killed_at_any_step_of_a_delivery_loses_nothing_and_repeats_what_was_on_its_way() {
    let world = World::new(1).await;
    let (expected, steps) = world.undisturbed().await;
    assert_eq!(expected.len(), 6, "{expected:?}");
    for step in 1..=steps {
        let memory = world.memory();
        world.receivers.reset(Some(step));
        let mut child = memory.start();
        let has = cli_test::in_time(world.receivers.stopped()).await;
        child.kill().await.unwrap();
        let on_its_way = world.receivers.taken().last().map(|taken| taken.channel.clone());
        world.receivers.go_on();
        memory.run().await;
        let repeated = repeated(&world.receivers.taken(), &expected, &format!("step {step}"));
        match has {
            Has::NotYet => assert_eq!(repeated, [""; 0], "step {step}"),
            Has::Unanswered => assert_eq!(repeated, [on_its_way.unwrap()], "step {step}"),
            Has::Answered => {
                assert!(repeated.iter().all(|channel| Some(channel) == on_its_way.as_ref()), "step {step}")
            }
        }
    }
}

/// Numbers that look random and are the same in each run.
fn scattered(number: u64, below: u64) -> u64 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % below
}

/// One kill at whatever the run does just then, from its start to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_deliveries_lose_nothing_and_repeat_at_most_one_message() {
    let world = World::new(3).await;
    let (expected, steps) = world.undisturbed().await;
    let started = Instant::now();
    world.undisturbed().await;
    let whole = started.elapsed();
    let (mut met, mut twice) = (0, BTreeMap::<String, usize>::new());
    for n in 0..kills() {
        let memory = world.memory();
        world.receivers.reset(None);
        let mut child = memory.start();
        // some before anything is sent, most around a step of a receiver
        let step = scattered(n, steps as u64 * 5 / 4).saturating_sub(steps as u64 / 4) as usize;
        let longest = if step == 0 { whole } else { Duration::from_millis(20) };
        let pause = longest.mul_f64(scattered(n + 1_000_000, 1_000) as f64 / 1_000.0);
        let has_ended = reached(&world.receivers, step, pause, &mut child).await;
        if !has_ended {
            child.kill().await.unwrap();
        }
        memory.run().await;
        let repeated = repeated(&world.receivers.taken(), &expected, &format!("kill {n} at step {step}"));
        assert!(repeated.len() <= usize::from(!has_ended), "kill {n} at step {step}: {repeated:?}");
        met += usize::from(!has_ended);
        repeated.into_iter().for_each(|channel| *twice.entry(channel).or_default() += 1);
    }
    tell(&format!("{met} of {} kills met a run; repeated, each by one kill and once: {twice:?}; lost: none", kills()));
}

#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn tell(figures: &str) {
    eprintln!("{figures}");
}

/// Lets the run go on to this step, and so long after it; whether it has ended by then.
async fn reached(receivers: &Receivers, step: usize, pause: Duration, child: &mut Child) -> bool {
    let mut since = None;
    cli_test::in_time(async {
        loop {
            if child.try_wait().unwrap().is_some() {
                return true;
            }
            if receivers.steps() >= step && since.get_or_insert_with(Instant::now).elapsed() >= pause {
                return false;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}
