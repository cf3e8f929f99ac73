//! Commands that somebody stops: what they have begun at the portal is finished and written down, and the next run need not wait for a lease.

use std::process::{Output, Stdio};

use cli_test::holding::Holding;
use cli_test::{Setting, in_time, logs, send};
use job_store::{OnServer, SeenServer};
use serde_json::json;
use tokio::process::Child;

use crate::suspended::{entry, kept, off, remember, three_in};

/// Two people whose accounts are disabled, with the memory on a server, and a way to their portal on which no write arrives.
async fn two_off() -> Option<(Setting, Holding, [portal_sim::Person; 2])> {
    let place = job_store::testing::place()?;
    let (mut setting, [mara, _, cleo]) = three_in(Some(place)).await;
    let holding = Holding::start(&setting.sim.url(), "PUT", 0).await;
    // what is remembered is of the address
    let portal = holding.url.trim_start_matches("http://").replace(':', "-");
    setting.server = setting.server.take().map(|place| OnServer { portal, ..place });
    let first = setting.run_with(&["--portal", &holding.url]).await;
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""));
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", off()), entry(&cleo, "c3c3-c3c3", "done", off())]).await;
    Some((setting, holding, [mara, cleo]))
}

/// A release of both, as soon as the portal is asked to enable one of them.
async fn releasing(setting: &Setting, holding: &mut Holding) -> Child {
    let words = ["release", "--all", "--reason", "a migration", "--portal", &holding.url];
    let mut command = setting.command(&words);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    in_time(holding.held()).await;
    child
}

async fn stop(child: &mut Child) {
    send("TERM", child.id().unwrap()).await;
    logs(child, "stopping: what has begun is finished first").await;
}

/// How it ended, with nothing left of its lease.
async fn ended(child: Child, setting: &Setting) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = in_time(child.wait_with_output()).await.unwrap();
    let place = setting.server.as_ref().unwrap();
    assert_eq!(SeenServer::at(place).await.unwrap().lease, None);
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn a_release_that_is_stopped_ends_with_the_account_that_it_is_at() {
    let Some((setting, mut holding, people)) = two_off().await else { return };
    let mut child = releasing(&setting, &mut holding).await;
    stop(&mut child).await;
    holding.release();
    let (exit, said, log) = ended(child, &setting).await;
    assert_eq!((exit, log.as_str()), (Some(1), ""), "{said}");
    for part in ["the account is enabled again", "the account is to be enabled", "This command was stopped."] {
        assert_eq!(said.matches(part).count(), 1, "{part}: {said}");
    }
    let states = async || {
        let mut states =
            [kept(&setting, &people[0]).await, kept(&setting, &people[1]).await].map(|it| it["state"].clone());
        states.sort_by_key(ToString::to_string);
        states
    };
    assert_eq!(states().await, [json!("done"), json!("released")]);
    let next = setting.run_with(&["--portal", &holding.url]).await;
    assert_eq!((next.exit, states().await), (0, [json!("released"), json!("released")]), "{}", next.stderr);
}

/// What becomes of the call is not known then, and the next run looks.
#[tokio::test]
async fn a_release_that_is_stopped_twice_is_settled_by_the_next_run() {
    let Some((setting, mut holding, people)) = two_off().await else { return };
    let mut child = releasing(&setting, &mut holding).await;
    stop(&mut child).await;
    send("TERM", child.id().unwrap()).await;
    let (exit, said, log) = ended(child, &setting).await;
    assert_eq!((exit, said.as_str()), (Some(1), ""), "{log}");
    assert!(log.contains("this command was stopped before it was through"), "{log}");
    let mut begun = Vec::new();
    for person in &people {
        begun.push(kept(&setting, person).await["state"].clone());
    }
    assert!(begun.contains(&json!("releasing")), "{begun:?}");
    holding.release();
    for _ in 0..3 {
        let next = setting.run_with(&["--portal", &holding.url]).await;
        assert!(next.exit < 2, "{}", next.stderr);
    }
    for person in &people {
        assert_eq!(kept(&setting, person).await["state"], "released");
    }
}
