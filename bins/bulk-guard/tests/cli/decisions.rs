//! What people decide about suspensions: `release`, `keep`, `extend`, `cancel`, `approve`.

use cli_test::holding::Holding;
use cli_test::in_time;
use job_store::{Journal, Store};
use portal_sim::Person;
use serde_json::json;

use crate::common::now;
use crate::suspended::{KIND, entry, held, kept, merge, off, remember, three, three_in};

/// Each with who and why, each once, on both engines.
#[tokio::test]
async fn a_decision_is_kept_with_who_and_why_and_can_be_repeated() {
    let places = [None, job_store::testing::place()];
    let places = places.iter().enumerate().filter(|(number, place)| *number == 0 || place.is_some());
    for (_, place) in places {
        let (setting, [mara, ben, cleo]) = three_in(place.clone()).await;
        let mut needs = off();
        merge(&mut needs, json!({ "incident": { "needs_decision": "documents were deleted for good" } }));
        let entries = [
            entry(&mara, "k3f9-q2mw", "done", off()),
            entry(&ben, "b2b2-b2b2", "held", held()),
            entry(&cleo, "c3c3-c3c3", "done", needs),
        ];
        remember(&setting, &entries).await;
        let extend = ["extend", "K3F9-q2mw", "--until", "2026-11-20T18:00:00Z", "--reason", "still looking"];
        let table: [(&[&str], &Person, &str, &str, &str); 4] = [
            (&extend, &mara, "extended", "olga", "still looking"),
            (&["release", "mara@example.com", "--reason", "a migration"], &mara, "released", "olga", "a migration"),
            (&["approve", "b2b2-b2b2", "--by", "Ulrike", "--reason", "called"], &ben, "approved", "Ulrike", "called"),
            (&["keep", "c3c3-c3c3", "--reason", "police"], &cleo, "kept", "olga", "police"),
        ];
        let url = setting.sim.url();
        for (command, person, what, who, why) in table {
            let mut said = Vec::new();
            for _ in 0..2 {
                let told = setting.run_with(&[command, &["--portal", &url]].concat()).await;
                assert_eq!((told.exit, told.stderr.as_str()), (0, ""), "{command:?} {}", told.stdout);
                said.push(told.stdout);
            }
            assert!(said[0].contains(&person.id.to_string()) && !said[0].contains("decided before"), "{}", said[0]);
            assert!(said[1].contains("This was decided before."), "{}", said[1]);
            let kept = kept(&setting, person).await;
            let decision = kept["decisions"].as_array().unwrap().last().unwrap();
            assert_eq!([&decision["what"], &decision["who"], &decision["why"]], [what, who, why], "{kept}");
            let same = kept["decisions"].as_array().unwrap().iter().filter(|one| one["what"] == what).count();
            assert_eq!(same, 1, "{kept}");
        }
        let extended = kept(&setting, &mara).await;
        assert_eq!(extended["intent"]["deadline"], "2026-11-20T18:00:00Z");
        assert_eq!(extended["state"], "released", "{extended}");
        let cancelled = setting.run(&["cancel", "b2b2-b2b2"]).await;
        assert_eq!(cancelled.exit, 0, "{}", cancelled.stderr);
        assert_eq!(kept(&setting, &ben).await["state"], "cancelled");
        let status = setting.run(&["status", "--format", "json"]).await.json();
        let states =
            |list: &str| status[list].as_array().unwrap().iter().map(|one| one["state"].clone()).collect::<Vec<_>>();
        assert_eq!(
            (states("off"), states("ended")),
            (vec![json!("done")], vec![json!("released"), json!("cancelled")])
        );
    }
}

#[tokio::test]
async fn what_cannot_be_decided_is_said_with_the_reason() {
    let (setting, [mara, ben, cleo]) = three().await;
    let mut too_late = held();
    merge(&mut too_late, json!({ "incident": { "last": { "event": 9040, "at": "2026-11-20T08:49:59Z" } } }));
    let unclear = json!({ "why": "the account could not be read" });
    let mut unknown = off();
    merge(&mut unknown, unclear);
    let entries = [
        entry(&mara, "k3f9-q2mw", "done", off()),
        entry(&ben, "b2b2-b2b2", "held", too_late),
        entry(&cleo, "c3c3-c3c3", "unknown", unknown),
    ];
    remember(&setting, &entries).await;
    let url = setting.sim.url();
    let table: [(&[&str], i32, &str); 17] = [
        (&["keep", "zzzz-zzzz", "--reason", "x"], 2, "c3c3-c3c3, b2b2-b2b2, k3f9-q2mw"),
        (&["keep", "k3f9-q2mw", "--reason", " "], 2, "the value of '--reason <TEXT>' is empty"),
        (&["keep", "", "--reason", "x"], 2, "the value of '<INCIDENT>' is empty"),
        (&["cancel", " "], 2, "the value of '<INCIDENT>' is empty"),
        (&["approve", "", "--by", "Olga", "--reason", "x"], 2, "the value of '<INCIDENT>' is empty"),
        (&["release", "", "--reason", "x"], 2, "the value of '[PERSON]' is empty"),
        (&["explain", ""], 2, "the value of '<PERSON|INCIDENT>' is empty"),
        (&["keep", "k3f9-q2mw"], 2, "--reason <TEXT>"),
        (&["release", "--reason", "x"], 2, "--all"),
        (&["release", "nobody@example.com", "--reason", "x"], 2, "nobody has the id"),
        (&["release", "person7@example.com", "--reason", "x"], 1, "is not disabled through this program"),
        (&["release", "cleo@example.com", "--reason", "x"], 1, "look at it in the portal"),
        (&["cancel", "k3f9-q2mw"], 1, "there is nothing to cancel; use `release`"),
        (
            &["approve", "b2b2-b2b2", "--by", "Olga", "--reason", "x"],
            1,
            "it is too late: the last event was at 2026-11-20 08:49 UTC",
        ),
        (&["extend", "k3f9-q2mw"], 2, "such as 2026-11-20T13:00:00Z"),
        (&["extend", "k3f9-q2mw", "--until", "4h"], 2, "is an age, which is in the past"),
        (&["extend", "k3f9-q2mw", "--until", "2026-11-20T10:00:00Z"], 1, "the new end must be after the present one"),
    ];
    let before = [kept(&setting, &mara).await, kept(&setting, &ben).await, kept(&setting, &cleo).await];
    for (command, exit, said) in table {
        let told = setting.run_with(&[command, &["--portal", &url]].concat()).await;
        let (text, nothing) = if exit == 2 { (&told.stderr, &told.stdout) } else { (&told.stdout, &told.stderr) };
        assert_eq!((told.exit, nothing.as_str()), (exit, ""), "{command:?} {text}");
        assert!(text.contains(said), "{command:?} {text}");
    }
    assert_eq!([kept(&setting, &mara).await, kept(&setting, &ben).await, kept(&setting, &cleo).await], before);
    let dry = setting.run_with(&["keep", "k3f9-q2mw", "--reason", "x", "--dry-run", "--portal", &url]).await;
    assert_eq!((dry.exit, dry.stdout.as_str()), (2, ""), "{}", dry.stderr);
}

/// Whoever is awake at night does not wait for cron: the command asks the portal all that a run asks, and says what it has seen. What somebody
/// has decided in the portal meanwhile stands.
#[tokio::test]
async fn release_enables_the_account_at_once() {
    let (setting, [mara, ben, _]) = three().await;
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", off()), entry(&ben, "b2b2-b2b2", "done", off())]).await;
    let switches = || {
        let log = setting.sim.requests();
        log.into_iter().filter(|one| one.method == "PUT").map(|one| one.target).collect::<Vec<_>>()
    };
    let told = setting.run(&["release", "Mara mara", "--reason", "a migration"]).await;
    assert_eq!((told.exit, told.stderr.as_str()), (0, ""), "{}", told.stdout);
    assert!(told.stdout.contains("the account is enabled again."), "{}", told.stdout);
    assert_eq!(switches().len(), 1);
    let again = setting.run(&["release", "k3f9-q2mw", "--reason", "a migration"]).await;
    assert!(again.exit == 0 && again.stdout.contains("decided before"), "{}", again.stdout);
    // somebody has enabled this one in the portal
    let other = setting.run(&["release", "ben@example.com", "--reason", "a migration"]).await;
    assert_eq!(other.exit, 1, "{}", other.stderr);
    let why = "this program leaves the account alone, because somebody else has enabled the account; look at it in the portal";
    assert!(other.stdout.contains(why), "{}", other.stdout);
    assert_eq!(switches().len(), 1);
}

/// Somebody who is suspended has chosen the address of somebody else as a name: whoever releases that address means its owner.
#[tokio::test]
async fn nobody_is_released_by_a_name_that_is_somebody_elses_address() {
    let (setting, [_, ben, _]) = three().await;
    let mut hostile = off();
    merge(&mut hostile, json!({ "incident": { "name": "Mara@example.com" } }));
    remember(&setting, &[entry(&ben, "b2b2-b2b2", "done", hostile)]).await;
    setting.sim.edit(|portal| {
        for person in portal.people.iter_mut().filter(|person| person.id == ben.id) {
            (person.first_name, person.last_name) = ("mara@example.com".to_owned(), String::new());
        }
    });
    let told = setting.run(&["release", "mara@example.com", "--reason", "a migration"]).await;
    assert_eq!((told.exit, told.stderr.as_str()), (1, ""), "{}", told.stdout);
    assert!(told.stdout.contains("mara@example.com is not disabled through this program"), "{}", told.stdout);
    assert_eq!(kept(&setting, &ben).await["decisions"], json!([]));
}

/// Where the portal cannot be asked, the decision stands all the same.
#[tokio::test]
async fn a_release_without_a_portal_is_left_to_the_next_run() {
    let (setting, [mara, ..]) = three().await;
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", off())]).await;
    let mut command = setting.command(&["release", "k3f9-q2mw", "--reason", "x", "--portal", &setting.sim.url()]);
    command.env_remove("DOCSPACE_API_KEY");
    let told = cli_test::run(command).await;
    assert_eq!((told.exit, told.stderr.as_str()), (1, ""), "{}", told.stdout);
    assert!(told.stdout.contains("could not be asked to enable the account now: no API key"), "{}", told.stdout);
    assert!(told.stdout.contains("The next run enables the account"), "{}", told.stdout);
    assert_eq!(kept(&setting, &mara).await["decisions"][0]["what"], "released");
}

/// Several people share an incident: whoever approves looks at each.
#[tokio::test]
async fn an_approval_is_of_exactly_one_person() {
    let (setting, [mara, ben, _]) = three().await;
    remember(&setting, &[&mara, &ben].map(|one| entry(one, "k3f9-q2mw", "held", held()))).await;
    let both = setting.run(&["approve", "k3f9-q2mw", "--by", "Olga", "--reason", "called both"]).await;
    assert_eq!((both.exit, both.stderr.as_str()), (1, ""));
    let own = format!("bulk-guard approve {}-9000 --by NAME --reason TEXT", ben.id);
    assert!(both.stdout.contains(&own), "{}", both.stdout);
    assert_eq!(kept(&setting, &mara).await["decisions"], json!([]));
    let one = setting.run(&["approve", &format!("{}-9000", ben.id), "--by", "Olga", "--reason", "called Ben"]).await;
    assert_eq!(one.exit, 0, "{}", one.stderr);
    // ten minutes after the last event, which comes before the end of the approval
    assert!(one.stdout.contains("A run that begins before 2026-11-20 09:04 UTC disables"), "{}", one.stdout);
    assert_eq!(kept(&setting, &mara).await["decisions"], json!([]));
    assert_eq!(kept(&setting, &ben).await["decisions"][0]["who"], "Olga");
}

/// What is kept stays kept, and of whom nothing is known nobody says that they are released.
#[tokio::test]
async fn release_all_leaves_whom_somebody_keeps() {
    let (setting, [mara, ben, cleo]) = three().await;
    let none = setting.run(&["release", "--all", "--reason", "a false alarm"]).await;
    assert_eq!((none.exit, none.stdout.as_str()), (0, "Nobody's account is disabled through this program.\n"));
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", off()), entry(&ben, "b2b2-b2b2", "kept", off())]).await;
    let told = setting.run(&["release", "--all", "--reason", "a false alarm"]).await;
    assert_eq!((told.exit, told.stderr.as_str()), (0, ""));
    assert!(
        told.stdout.contains(&format!("({}): not released. The account stays disabled", ben.id)),
        "{}",
        told.stdout
    );
    assert_eq!(kept(&setting, &mara).await["decisions"][0]["what"], "released");
    assert_eq!(kept(&setting, &ben).await["decisions"], json!([]));
    remember(&setting, &[entry(&cleo, "c3c3-c3c3", "unknown", off())]).await;
    let unclear = setting.run(&["release", "--all", "--reason", "a false alarm"]).await;
    assert_eq!(unclear.exit, 1, "{}", unclear.stdout);
    assert!(unclear.stdout.contains("Look at the account in the portal."), "{}", unclear.stdout);
}

/// A run that is at work neither keeps anybody from deciding nor undoes it.
#[tokio::test]
async fn a_decision_does_not_wait_for_a_run_at_work() {
    let (setting, [mara, ..]) = three().await;
    let mut holding = Holding::start(&setting.sim.url(), "GET", 0).await;
    let portal = holding.url.clone();
    // the same folder, another portal: its store is of that address
    let first = setting.run_with(&["--portal", &setting.sim.url(), "--dry-run"]).await;
    assert_eq!(first.exit, 0, "{}", first.stderr);
    let mut run = setting.command(&["--portal", &portal]).stdout(std::process::Stdio::null()).spawn().unwrap();
    in_time(holding.held()).await;
    let made = std::fs::read_dir(setting.state.path().join("state")).unwrap().map(|entry| entry.unwrap().path());
    let port = portal.rsplit(':').next().unwrap().to_owned();
    let store = made.filter(|path| path.extension().is_some_and(|ending| ending == "sqlite"));
    let store = store.into_iter().find(|path| path.display().to_string().contains(&port));
    assert!(store.is_some(), "the run has made its store");
    let store = Store::open(&format!("sqlite://{}", store.unwrap().display())).await.unwrap();
    let journal = Journal::open(store.clone()).await.unwrap();
    let (own, payload) = (format!("{KIND} {}-9000", mara.id), entry(&mara, "k3f9-q2mw", "waiting", json!({})));
    let planned = journal.clone();
    let keep = move |write: &job_store::Write<'_>| planned.plan(write, (&own, KIND, "x"), &payload, now()).map(|_| ());
    store.write("writing entries", keep).await.unwrap();
    let told = setting.run_with(&["cancel", "k3f9-q2mw", "--portal", &portal]).await;
    assert_eq!((told.exit, told.stderr.as_str()), (0, ""), "{}", told.stdout);
    assert!(told.stdout.contains("Note: another run is at work now."), "{}", told.stdout);
    holding.release();
    in_time(run.wait()).await.unwrap();
    assert_eq!(journal.of_kind(KIND).await.unwrap()[0].payload["state"], "cancelled");
    store.close().await;
}
