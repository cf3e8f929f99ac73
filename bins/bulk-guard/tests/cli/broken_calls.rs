//! Calls that break, runs that end at any step, and what the next run makes of it.

use portal_sim::{Fault, FaultKind};

use crate::common::{Burst, PURGED};
use crate::watched::{ENFORCE, ON_WEAK_SIGNS, Watched, moves_on, portal};

/// Whatever breaks at the call: it is read back, made once, and told as it is.
#[tokio::test]
async fn a_call_that_breaks_is_read_back_and_never_repeated() {
    let done = || Fault::new(FaultKind::DoneThenReset);
    for (fault, status, expected) in [
        (done(), 2, "done"),
        (Fault::new(FaultKind::DoneThenStatus { status: 500 }), 2, "done"),
        (Fault::status(403), 1, "failed"),
        // the limiter has refused it, and what it asks to wait for is left to the next incident
        (Fault::new(FaultKind::TooManyRequests { retry_after: Some(30) }), 1, "failed"),
        // it says that it was done, so it may still come
        (Fault::new(FaultKind::Unchanged), 1, "unknown"),
        (Fault::new(FaultKind::Reset), 1, "unknown"),
    ] {
        let watched = Watched::new(ENFORCE).await;
        watched.purges();
        let shown = format!("{fault:?}");
        watched.setting.sim.set_faults(vec![fault.on("people/status").times(1)]);
        let run = watched.run(&[]).await;
        assert_eq!(watched.steps(), ["suspending", expected], "{shown} {}", run.stderr);
        assert_eq!((watched.status(watched.mara), watched.calls().len()), (status, 1), "{shown}");
        assert_eq!(run.exit, i32::from(expected == "unknown"), "{shown} {}", run.stderr);
        watched.pass(1);
        watched.run(&[]).await;
        assert_eq!(watched.calls().len(), 1, "{shown}");
    }
}

/// Ends a run by a signal as soon as this is so.
async fn ended_when(watched: &Watched, signal: &str, is_so: impl Fn() -> bool) {
    let url = watched.setting.sim.url();
    let quiet = std::process::Stdio::null;
    let mut command = watched.setting.command(&watched.arguments(&url));
    let mut run = command.stdout(quiet()).stderr(quiet()).kill_on_drop(true).spawn().unwrap();
    cli_test::until(is_so).await;
    cli_test::send(signal, run.id().unwrap()).await;
    cli_test::in_time(run.wait()).await.unwrap();
}

/// Ended while the answer is on its way, or while the portal's row is: the next run reads back what was done, and makes no second call.
#[tokio::test]
async fn a_run_that_is_ended_after_the_call_is_settled_by_the_next() {
    let answer = || Fault::new(FaultKind::Latency { ms: 600_000, jitter_ms: 0 });
    let row = || Fault::new(FaultKind::LateRows { requests: None, seconds: Some(30) });
    for (fault, signal) in [(answer(), "KILL"), (answer(), "TERM"), (row(), "TERM")] {
        let shown = format!("{fault:?} {signal}");
        let watched = Watched::new(ENFORCE).await;
        watched.purges();
        watched.setting.sim.set_faults(vec![fault.on("people/status").times(1)]);
        ended_when(&watched, signal, || watched.status(watched.mara) == 2).await;
        watched.setting.sim.set_faults(Vec::new());
        watched.pass(1);
        let run = watched.run(&[]).await;
        assert_eq!((watched.status(watched.mara), run.exit), (2, 0), "{shown} {} {}", run.stdout, run.stderr);
        let steps = watched.steps();
        assert_eq!(
            (steps.first().unwrap().as_str(), steps.last().unwrap().as_str()),
            ("suspending", "done"),
            "{shown}"
        );
        watched.pass(12);
        watched.run(&[]).await;
        assert!(watched.calls().len() <= 1, "{shown} {:?}", watched.calls());
    }
}

/// A second channel that takes a connection and never answers: whoever announces something waits for it.
struct Silent {
    settings: String,
    is_asked: tokio::sync::watch::Receiver<bool>,
    listening: tokio::task::JoinHandle<()>,
}

impl Silent {
    async fn of(watched: &Watched) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let settings = std::fs::read_to_string(watched.setting.state.path().join("bulk-guard.toml")).unwrap();
        watched.setting.file("bulk-guard.toml", &format!("{settings}[alerts.webhook]\nurl = \"{url}\"\n"));
        let (asked, is_asked) = tokio::sync::watch::channel(false);
        let listening = tokio::spawn(async move {
            let taken = listener.accept().await;
            asked.send_replace(true);
            std::future::pending::<()>().await;
            drop(taken);
        });
        Silent { settings, is_asked, listening }
    }

    fn is_asked(&self) -> bool {
        *self.is_asked.borrow()
    }

    fn end(self, watched: &Watched) {
        self.listening.abort();
        watched.setting.file("bulk-guard.toml", &self.settings);
    }
}

/// A host is held up between the intent and the call for so long that another one takes the lease over: it makes no call, and nobody makes one
/// for that intent later.
#[tokio::test]
async fn a_host_that_has_lost_its_lease_makes_no_call() {
    let (portal, mara) = portal();
    let mut setting = crate::common::setting(portal).await;
    if !setting.keep_on_server() {
        return;
    }
    let watched = Watched::at(setting, &mara, ENFORCE).await;
    let silent = Silent::of(&watched).await;
    watched.purges();
    let place = watched.setting.server.clone().unwrap();
    let taken_over = async {
        cli_test::until(|| silent.is_asked()).await;
        watched.setting.lease_ends().await;
        let other = job_store::Store::on_server(&place).await.unwrap();
        let lease = other.lease("another host", std::time::Duration::from_secs(90)).await.unwrap();
        assert!(matches!(lease, job_store::Leased::Taken(_)), "{lease:?}");
        (other, lease)
    };
    let (run, (other, lease)) = tokio::join!(watched.run(&[]), taken_over);
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (0, 1), "{}", run.stderr);
    assert!([1, 4].contains(&run.exit) && run.stderr.contains("passed to another run"), "{} {}", run.exit, run.stderr);
    drop(lease);
    other.close().await;
    silent.end(&watched);
    watched.setting.lease_ends().await;
    for minutes in [1, 11] {
        watched.pass(minutes);
        watched.run(&[]).await;
    }
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (0, 1));
    assert_eq!(watched.steps().last().unwrap(), "failed");
}

/// Ended between the intent and the call, while the announcement waits for a channel that does not answer: no call is made for it, ever.
#[tokio::test]
async fn a_run_that_is_ended_before_the_call_makes_none_later() {
    for signal in ["KILL", "TERM"] {
        let watched = Watched::new(ENFORCE).await;
        let silent = Silent::of(&watched).await;
        watched.purges();
        ended_when(&watched, signal, || silent.is_asked()).await;
        silent.end(&watched);
        assert_eq!((watched.calls().len(), watched.status(watched.mara)), (0, 1), "{signal}");
        let run = watched.run(&[]).await;
        assert_eq!((watched.calls().len(), run.exit), (0, 1), "{signal} {}", run.stderr);
        watched.pass(11);
        let run = watched.run(&[]).await;
        assert_eq!((watched.calls().len(), run.exit), (0, 0), "{signal} {}", run.stderr);
        assert_eq!(watched.steps(), ["suspending", "unknown", "failed"], "{signal}");
    }
}

/// The portal's own row says who did it, however late it comes. Where the portal had answered the call, the term goes on; where it had not,
/// somebody else who uses the key's account may have done it, and no term undoes that.
#[tokio::test]
async fn a_term_ends_only_what_the_portal_had_answered() {
    let late = Fault::new(FaultKind::LateRows { requests: None, seconds: Some(120) });
    let broken = Fault::new(FaultKind::DoneThenStatus { status: 502 });
    for (fault, first, has_term) in [(late, "unknown", true), (broken, "done", false)] {
        let watched = moves_on(ON_WEAK_SIGNS).await;
        watched.setting.sim.set_faults(vec![fault.on("people/status").times(1)]);
        let run = watched.run(&[]).await;
        assert_eq!(watched.steps(), ["suspending", first], "{} {}", run.stdout, run.stderr);
        watched.pass(3);
        let run = watched.run(&[]).await;
        let (_, step, words) = watched.told().pop().unwrap();
        assert_eq!((step.as_str(), run.exit), ("done", 0), "{} {}", run.stdout, run.stderr);
        assert_eq!(words.contains("will be enabled again at"), has_term, "{words}");
        assert_eq!(words.contains("the portal did not answer that"), !has_term, "{words}");
        for minutes in [3 * 60 + 50, 20] {
            watched.pass(minutes);
            watched.run(&[]).await;
        }
        let calls: &[&str] = if has_term { &["Terminated", "Active"] } else { &["Terminated"] };
        assert_eq!(
            (watched.calls(), watched.status(watched.mara)),
            (calls.iter().map(|call| call.to_string()).collect(), if has_term { 1 } else { 2 })
        );
    }
}

/// Two hosts with one store find the same at the same time: one has the lease and suspends, once, and the other leaves it to that one.
#[tokio::test]
async fn two_hosts_with_one_store_suspend_somebody_once() {
    let (portal, mara) = portal();
    let mut setting = crate::common::setting(portal).await;
    if !setting.keep_on_server() {
        return;
    }
    let watched = Watched::at(setting, &mara, ENFORCE).await;
    watched.purges();
    let late = Fault::new(FaultKind::Latency { ms: 1_000, jitter_ms: 0 });
    watched.setting.sim.set_faults(vec![late.on("people/status")]);
    let (one, other) = tokio::join!(watched.run(&[]), watched.run(&[]));
    assert_eq!((one.exit, other.exit), (0, 0), "{} {}", one.stderr, other.stderr);
    let again = watched.run(&[]).await;
    assert_eq!(watched.calls(), ["Terminated"], "{}", again.stderr);
    assert_eq!(watched.steps(), ["suspending", "done"]);
}

/// Two hosts with a store each, which knows nothing of the other: the second finds rows of the key's account that it cannot explain, suspends
/// nobody, whoever it is, and says why.
#[tokio::test]
async fn a_second_host_with_a_store_of_its_own_suspends_nobody() {
    let watched = Watched::new(ENFORCE).await;
    let folder = watched.setting.state.path().to_owned();
    // the store of this host makes way for that of the other
    let change_places = || {
        let at = |name: &str| folder.join(name);
        std::fs::rename(at("state"), at("aside")).unwrap();
        if at("elsewhere").exists() {
            std::fs::rename(at("elsewhere"), at("state")).unwrap();
        }
        std::fs::rename(at("aside"), at("elsewhere")).unwrap();
    };
    change_places();
    watched.prove().await;
    change_places();
    watched.purges();
    watched.run(&[]).await;
    assert_eq!(watched.calls(), ["Terminated"]);
    let ben = watched.setting.scenario.people[3].id;
    change_places();
    watched.pass(1);
    watched.run(&[]).await;
    watched.burst(&Burst { minutes: 1, ended: 1, first: 30_000, ..Burst::new(PURGED, 110) }, ben, "");
    let run = watched.run(&[]).await;
    assert!(run.stderr.contains("changes by the key's account that this program did not make"), "{}", run.stderr);
    assert_eq!((run.exit, watched.calls().len(), watched.status(ben)), (1, 1, 1), "{}", run.stdout);
    // whoever made the calls goes on
    change_places();
    let run = watched.run(&[]).await;
    assert_eq!((run.exit, watched.calls().len(), watched.status(ben)), (0, 2, 2), "{} {}", run.stdout, run.stderr);
}

/// The store is gone while somebody is off: nobody is released, nobody at all is suspended, not even for what is done after that, and somebody
/// hears of it.
#[tokio::test]
async fn without_the_journal_nobody_is_touched_and_somebody_is_told() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    watched.run(&[]).await;
    assert_eq!(watched.status(watched.mara), 2);
    std::fs::remove_dir_all(watched.setting.state.path().join("state")).unwrap();
    watched.prove().await;
    // somebody sees to it by hand, and the evidence is still fresh
    let mara = watched.mara;
    watched.setting.sim.edit(|portal| {
        portal.people.iter_mut().filter(|person| person.id == mara).for_each(|person| person.status = 1);
    });
    watched.pass(1);
    let run = watched.run(&[]).await;
    assert_eq!(watched.calls(), ["Terminated"], "{} {}", run.stdout, run.stderr);
    let told = watched.told();
    assert_eq!(
        told.iter().map(|(severity, step, _)| (severity.as_str(), step.as_str())).collect::<Vec<_>>(),
        [("critical", "settled")]
    );
    assert!(told[0].2.contains("does not remember why"), "{told:?}");
    let ben = watched.setting.scenario.people[3].id;
    watched.burst(&Burst { minutes: 1, ended: 1, first: 30_000, ..Burst::new(PURGED, 110) }, ben, "");
    let run = watched.run(&[]).await;
    assert!(run.stderr.contains("changes by the key's account that this program did not make"), "{}", run.stderr);
    assert_eq!((run.exit, watched.calls().len(), watched.status(ben)), (1, 1, 1), "{}", run.stdout);
    watched.setting.sim.edit(|portal| {
        portal.people.iter_mut().filter(|person| person.id == mara).for_each(|person| person.status = 2);
    });
    for minutes in [3 * 60 + 50, 20] {
        watched.pass(minutes);
        watched.run(&[]).await;
    }
    assert_eq!((watched.calls().len(), watched.status(mara), watched.status(ben)), (1, 2, 1));
    assert_eq!(watched.steps(), ["settled", "dropped"]);
}
