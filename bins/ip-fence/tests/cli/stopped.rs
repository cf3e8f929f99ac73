//! Commands about the list that somebody stops: none keeps the next run waiting until the time of its lease is over.

use std::process::{Output, Stdio};

use chrono::TimeDelta;
use cli_test::holding::Holding;
use cli_test::{Setting, in_time, logs, send};
use job_store::{OnServer, SeenServer};
use tokio::process::Child;

use crate::apply::{CONFIG, FAST, SLOW, before, command, now_at, planned_on, said, scenario};
use crate::common::portal_with;

/// So slow that nothing is over before somebody has decided, on a busy machine, too.
const AS_IT_IS: &str = "1";

/// A list that is written, with the memory on a server, and the process that waits for somebody to confirm it; and a way to its portal on which
/// nothing waits yet.
struct Written {
    setting: Setting,
    holding: Holding,
    waiting: Child,
}

impl Written {
    async fn with_way(wanted: &'static str) -> Option<Self> {
        let mut setting = portal_with(scenario()).await;
        let holding = Holding::start(&setting.sim.url(), wanted, 0).await;
        holding.let_pass();
        if !setting.keep_on_server() {
            return None;
        }
        // what is remembered is of the address
        let portal = holding.url.trim_start_matches("http://").replace(':', "-");
        setting.server = setting.server.take().map(|place| OnServer { portal, ..place });
        setting.way = Some(holding.url.clone());
        let setting = planned_on(setting, CONFIG).await;
        let mut apply = command(&setting, &["apply", "list.plan", "--without-shadow"], AS_IT_IS);
        let mut waiting = apply.stdout(Stdio::piped()).spawn().unwrap();
        said(&mut waiting, "is written").await;
        Some(Written { setting, holding, waiting })
    }

    /// So much later. Each process begins with the portal's clock, which stands still, and none may be before what another one has written.
    fn later(&self, time: TimeDelta) {
        self.setting.sim.edit(|scenario| scenario.now += time);
    }

    /// A command, as soon as it waits for what is wanted, and somebody has stopped it.
    async fn stopped(&mut self, (words, pace): (&[&str], &str), says: &str) -> Child {
        self.holding.hold();
        let mut started = command(&self.setting, words, pace);
        let mut child = started.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        in_time(self.holding.held()).await;
        send("TERM", child.id().unwrap()).await;
        logs(&mut child, says).await;
        child
    }

    /// How it ended, with nothing left of its lease.
    async fn ended(&self, child: Child) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = in_time(child.wait_with_output()).await.unwrap();
        let place = self.setting.server.as_ref().unwrap();
        assert_eq!(SeenServer::at(place).await.unwrap().lease, None);
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

/// A list that is taken back by half may shut people out: whoever stops that once has it finished, and whoever stops it twice leaves it to the
/// next run.
#[tokio::test]
async fn a_rollback_that_is_stopped_takes_back_first() {
    for is_twice in [false, true] {
        let Some(mut written) = Written::with_way("PUT").await else { return };
        let confirm = ["confirm", "--by", "ben", "--without-witness"];
        written.later(TimeDelta::minutes(1));
        let confirmed = cli_test::run(command(&written.setting, &confirm, AS_IT_IS)).await;
        assert_eq!(confirmed.exit, 0, "{}{}", confirmed.stdout, confirmed.stderr);
        in_time(written.waiting.wait()).await.unwrap();
        let child =
            written.stopped((&["rollback", "--by", "ben"], SLOW), "stopping: the list is taken back first").await;
        if is_twice {
            send("TERM", child.id().unwrap()).await;
            let (exit, _, log) = written.ended(child).await;
            assert!(
                exit == Some(1) && log.contains("this command was stopped before it was through"),
                "{exit:?} {log}"
            );
            written.holding.release();
            written.later(TimeDelta::hours(1));
            let next = cli_test::run(command(&written.setting, &[], FAST)).await;
            assert_eq!(now_at(&written.setting.sim), before(), "{}{}", next.stdout, next.stderr);
        } else {
            written.holding.release();
            let (exit, text, log) = written.ended(child).await;
            assert_eq!((exit, now_at(&written.setting.sim)), (Some(0), before()), "{text}{log}");
        }
    }
}

/// Nothing is on its way to the portal, so nothing is confirmed any more.
#[tokio::test]
async fn a_confirmation_that_is_stopped_confirms_nothing() {
    let Some(mut written) = Written::with_way("settings/iprestrictions").await else { return };
    written.waiting.kill().await.unwrap();
    written.setting.lease_ends().await;
    let confirm = ["confirm", "--by", "ben", "--without-witness"];
    written.later(TimeDelta::minutes(1));
    let child = written.stopped((&confirm, AS_IT_IS), "stopping: what has begun is finished first").await;
    written.holding.release();
    let (exit, text, log) = written.ended(child).await;
    assert_eq!((exit, text.as_str(), log.as_str()), (Some(1), "Not confirmed: this process was stopped.\n", ""));
    written.later(TimeDelta::minutes(1));
    let again = cli_test::run(command(&written.setting, &confirm, AS_IT_IS)).await;
    assert!(again.exit == 0 && again.stdout.contains("confirmed by ben"), "{}{}", again.stdout, again.stderr);
}
