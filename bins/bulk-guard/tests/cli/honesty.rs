//! What was found is told, whatever is wrong with the clock, the store or the journal.

use chrono::TimeDelta;
use cli_test::{Clock, Setting};
use portal_sim::{Fault, Login, Person, PersonKind, Scenario};

use crate::common::{Burst, found, hire, json, now, office, plan, setting};

/// Somebody renames so many documents to names that ransomware leaves, so that a plan is made.
fn attacked() -> Scenario {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    Burst::new(5001, 150).by(&mut portal, &mallory, &[71, 72, 73], ".locked");
    portal
}

async fn in_store(setting: &Setting, sql: &'static str) {
    let store = job_store::Store::open(&format!("sqlite://{}", setting.state_file("sqlite").display())).await.unwrap();
    store.script("changing the store", sql).await.unwrap();
    store.close().await;
}

/// A program that was rolled back finds a journal that it does not know: it tells, and plans nobody.
#[tokio::test]
async fn a_journal_of_a_newer_version_keeps_the_findings() {
    let setting = setting(attacked()).await;
    assert_eq!(plan(&json(&setting, &[]).await)[0].1, "planned");
    in_store(&setting, "UPDATE component_schema SET number = 99 WHERE component = 'journal'").await;
    for _ in 0..2 {
        let run = json(&setting, &[]).await;
        assert_eq!((run.exit, found(&run).len()), (1, 1), "{}", run.stdout);
        assert_eq!((plan(&run)[0].1.as_str(), plan(&run)[0].2.as_str()), ("held", "protection_unread"));
        assert!(run.json()["notes"].to_string().contains("update the program"), "{}", run.stdout);
        assert!(!run.stdout.contains("no_memory"), "{}", run.stdout);
    }
}

/// Without what was told before nobody is planned, whichever table is gone.
#[tokio::test]
async fn nobody_is_planned_without_memory() {
    for (sql, exit) in [("DROP TABLE matter", 3), ("DROP TABLE journal_entry", 1)] {
        let setting = setting(attacked()).await;
        assert_eq!(plan(&json(&setting, &[]).await)[0].1, "planned");
        in_store(&setting, sql).await;
        let run = json(&setting, &[]).await;
        assert_eq!((run.exit, found(&run).len()), (exit, 1), "{sql}: {}", run.stdout);
        assert_eq!((plan(&run)[0].1.as_str(), plan(&run)[0].2.as_str()), ("held", "protection_unread"), "{sql}");
        let notes = run.json()["notes"].to_string();
        assert!(notes.contains("move it away to start with an empty one"), "{sql}: {notes}");
    }
}

/// Four hours of which nobody knows are no all-clear, and nobody is planned by a clock that is wrong.
#[tokio::test]
async fn a_clock_that_is_behind_is_no_all_clear() {
    let mut setting = setting(attacked()).await;
    setting.clock = Clock::At(now() - TimeDelta::hours(4));
    let url = setting.sim.url();
    let blind = setting.run_with(&["--portal", &url, "--format", "json"]).await;
    let gaps = blind.json()["coverage"]["gaps"].clone();
    assert_eq!((blind.exit, gaps[0]["why"].as_str()), (4, Some("clock_skew")), "{gaps}");
    setting.clock = Clock::At(now() - TimeDelta::minutes(3));
    let run = setting.run_with(&["--portal", &url, "--format", "json"]).await;
    assert_eq!((run.exit, found(&run).len(), plan(&run)[0].1.as_str()), (4, 1, "held"), "{}", run.stdout);
}

/// The ordinary window is an hour long. Of a clock that is ahead it lay in the portal's future, and nothing could be concluded.
#[tokio::test]
async fn a_clock_that_is_ahead_hides_nothing_that_came_before() {
    for hours in [1, 4, 26] {
        let mut setting = setting(attacked()).await;
        setting.clock = Clock::At(now() + TimeDelta::hours(hours));
        let run = setting.run_with(&["--portal", &setting.sim.url(), "--format", "json"]).await;
        let gaps = run.json()["coverage"]["gaps"].clone();
        assert_eq!((run.exit, gaps[0]["why"].as_str()), (4, Some("clock_skew")), "{gaps}");
        assert_eq!((found(&run).len(), plan(&run)[0].1.as_str()), (1, "held"), "{}", run.stdout);
    }
}

/// The logins of the incident are read and those to compare with are not: that is said, and the next run compares.
#[tokio::test]
async fn a_country_that_cannot_be_compared_is_said_to_be_unknown() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let mut sign_in = |country: &str, at| {
        portal.add_login(Login { country: Some(country.to_owned()), ..Login::success(&mara, at) });
    };
    (12..350).for_each(|n| sign_in("Germany", now() - TimeDelta::hours(n * 2 + 24)));
    sign_in("Iceland", now() - TimeDelta::hours(3));
    Burst::new(5017, 21).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    setting.sim.set_faults(vec![Fault::status(403).on("security/audit/login/filter").after(1)]);
    let run = json(&setting, &[]).await;
    let unknown = |run: &cli_test::Run| run.json()["findings"][0]["reasons"].to_string();
    assert_eq!((run.exit, found(&run).len()), (0, 1), "{}", run.stdout);
    let said = "cannot tell whether the country of the sign-in is new, because earlier ones could not be read: the key does not have the permission";
    assert!(unknown(&run).contains(said), "{}", run.stdout);
    setting.sim.set_faults(Vec::new());
    let run = json(&setting, &[]).await;
    assert!(!unknown(&run).contains("country"), "{}", run.stdout);
    let finding = &run.json()["findings"][0];
    assert_eq!((finding["state"].as_str(), finding["severity"].as_str()), (Some("grown"), Some("critical")));
}

/// Without the login history nobody knows whether a sign-in came from a new country. The run that can read it judges again, and tells what
/// became more severe, once.
#[tokio::test]
async fn a_finding_whose_logins_could_not_be_read_is_judged_again() {
    for (country, severity) in [("Germany", "medium"), ("Iceland", "critical")] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let mut sign_in = |country: &str, at| {
            let mut login = Login::success(&mara, at);
            login.country = Some(country.to_owned());
            portal.add_login(login);
        };
        (2..29).for_each(|day| sign_in("Germany", now() - TimeDelta::days(day)));
        sign_in(country, now() - TimeDelta::hours(3));
        Burst::new(5017, 21).by(&mut portal, &mara, &[71], "");
        let mut setting = setting(portal).await;
        setting.sim.set_faults(vec![Fault::status(500).on("security/audit/login")]);
        let mut told = Vec::new();
        // the second and the third run have the burst in no window of the usual length
        for (hours, is_down) in [(0, true), (3, true), (6, false), (7, false)] {
            let at = now() + TimeDelta::hours(hours);
            setting.sim.edit(|portal| portal.now = at);
            setting.scenario.now = at;
            if !is_down {
                setting.sim.set_faults(Vec::new());
            }
            let url = setting.sim.url();
            let run = setting.run_with(&["--portal", &url, "--format", "json"]).await;
            let report = run.json();
            let gap =
                report["coverage"]["gaps"].as_array().unwrap().iter().find(|gap| gap["what"] == "logins").cloned();
            assert_eq!(
                (run.exit, gap.is_some()),
                if is_down { (4, true) } else { (0, false) },
                "{}",
                report["coverage"]
            );
            let finding = &report["findings"][0];
            let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
            told.push((text("state"), text("severity")));
        }
        let row = |state: &str, severity: &str| (state.to_owned(), severity.to_owned());
        let then = if severity == "critical" { "grown" } else { "ended" };
        assert_eq!(told, [row("new", "high"), row("known", "high"), row(then, severity), row("", "")], "{country}");
    }
}

/// A sign-in from a country that may be new is no ordinary one because the logins before it could not be read.
#[tokio::test]
async fn a_country_that_nobody_can_compare_is_not_taken_for_a_usual_one() {
    let all_read = Vec::new();
    let older_fail = vec![Fault::status(500).on("security/audit/login").after(1)];
    let not_asked = vec![Fault::status(500).on("security/audit/settings/lifetime")];
    let unread = ", because earlier ones could not be read: ";
    for (faults, severity, unknown) in
        [(all_read, "critical", ""), (older_fail, "high", unread), (not_asked, "high", unread)]
    {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let other = hire(&mut portal, "other@example.com", PersonKind::User);
        let mut sign_in = |person: &Person, country: &str, at| {
            let mut login = Login::success(person, at);
            login.country = Some(country.to_owned());
            portal.add_login(login);
        };
        (2..29).for_each(|day| sign_in(&mara, "Germany", now() - TimeDelta::days(day)));
        (0..240).for_each(|n| sign_in(&other, "Germany", now() - TimeDelta::hours(2 * n + 48)));
        sign_in(&mara, "Iceland", now() - TimeDelta::hours(3));
        Burst::new(5017, 21).by(&mut portal, &mara, &[71], "");
        let setting = setting(portal).await;
        setting.sim.set_faults(faults);
        let run = json(&setting, &[]).await;
        let finding = &run.json()["findings"][0];
        assert_eq!((run.exit, finding["severity"].as_str()), (0, Some(severity)), "{}", run.stdout);
        let reasons = finding["reasons"].to_string();
        let open = "cannot tell whether the country of the sign-in is new";
        let told = reasons.split_once(open).map(|(_, why)| why.starts_with(unknown));
        assert_eq!(told, (!unknown.is_empty()).then_some(true), "{unknown}: {reasons}");
    }
}
