//! What counts as new, grown and known.

use alerting::{Alert, Outbox, Told, state_of};
use audit_model::{Counts, Finding, FindingState, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::outbox;
use crate::common::{alert_of, at, complete, finding};

const QUIET: TimeDelta = TimeDelta::hours(1);

/// The finding of the other tests: 41 acts from 08:00 to 08:41, high.
fn told_at(time: &str) -> Told {
    let Finding { window, counts, severity, .. } = finding();
    Told { window, counts, severity, at: at(time), suppressed: 0 }
}

fn grown_by(change: impl FnOnce(&mut Finding)) -> Finding {
    let mut finding = finding();
    change(&mut finding);
    finding
}

#[test]
fn states() {
    use FindingState::{Grown, Known, New};
    let now = at("2026-11-20T09:00:00Z");
    let (just_now, an_hour_ago) = ("2026-11-20T08:50:00Z", "2026-11-20T08:00:00Z");
    let acts = |acts| grown_by(|finding| finding.counts.acts = acts);
    let until = |hours, seconds| {
        let later = TimeDelta::hours(hours) + TimeDelta::seconds(seconds);
        grown_by(|finding| finding.window.until += later)
    };
    let severity = |severity| grown_by(|finding| finding.severity = severity);
    let table = [
        ("the same again", finding(), just_now, Known),
        ("the same, long ago", finding(), "2026-11-13T09:00:00Z", Known),
        ("smaller", acts(10), an_hour_ago, Known),
        ("one more, just now", acts(42), just_now, Known),
        ("one more, after the quiet time", acts(42), an_hour_ago, Grown),
        ("not quite double", acts(81), just_now, Known),
        ("double", acts(82), just_now, Grown),
        ("more severe", severity(Severity::Critical), just_now, Grown),
        ("less severe", severity(Severity::Low), an_hour_ago, Known),
        ("not quite a day longer", until(24, -1), an_hour_ago, Known),
        ("a day longer", until(24, 0), just_now, Grown),
        ("more documents only", grown_by(|finding| finding.counts.documents = 41), an_hour_ago, Known),
        ("told by a clock that was an hour ahead", acts(42), "2026-11-20T10:00:00Z", Grown),
    ];
    for (case, finding, told, expected) in table {
        assert_eq!(state_of(&finding, Some(&told_at(told)), QUIET, now), expected, "{case}");
    }
    assert_eq!(state_of(&finding(), None, QUIET, now), New);
    let nothing = grown_by(|finding| finding.counts.acts = 0);
    let told = Told { counts: nothing.counts, ..told_at(an_hour_ago) };
    assert_eq!(state_of(&nothing, Some(&told), QUIET, now), Known, "twice nothing is no growth");
}

/// One run: judges, remembers, and gives the states and how many were held back.
async fn run(outbox: &Outbox, findings: &mut [Finding], now: DateTime<Utc>) -> (Vec<FindingState>, u64) {
    let suppressed = outbox.judge(findings, QUIET, now).await.unwrap();
    outbox.keep(findings, &mut [], &[], now).await.unwrap();
    (findings.iter().map(|finding| finding.state).collect(), suppressed)
}

#[tokio::test]
async fn growth_is_held_back_counted_and_told_with_the_next_alert() {
    use FindingState::{Grown, Known, New};
    let outbox = outbox().await;
    let acts = |acts| [grown_by(|finding| finding.counts.acts = acts)];
    let time = |time: &str| at(&format!("2026-11-20T{time}Z"));
    assert_eq!(run(&outbox, &mut acts(41), time("09:00:00")).await, (vec![New], 0));
    assert_eq!(run(&outbox, &mut acts(41), time("09:10:00")).await, (vec![Known], 0));
    assert_eq!(run(&outbox, &mut acts(50), time("09:20:00")).await, (vec![Known], 1));
    assert_eq!(run(&outbox, &mut acts(60), time("09:30:00")).await, (vec![Known], 1));

    let mut findings = acts(60);
    let now = time("10:00:00");
    outbox.judge(&mut findings, QUIET, now).await.unwrap();
    assert_eq!(findings[0].state, Grown);
    assert_eq!(
        findings[0].reasons,
        ["41 actions within 1 h, more than 20", "already reported with 41 actions; now 60"]
    );
    let mut alerts: Vec<Alert> = findings.iter().map(|finding| alert_of(finding, &complete())).collect();
    outbox.keep(&findings, &mut alerts, &[], now).await.unwrap();
    assert_eq!(alerts[0].suppressed, 2);
    assert_eq!(run(&outbox, &mut acts(60), time("10:10:00")).await, (vec![Known], 0));
    assert_eq!(run(&outbox, &mut acts(61), time("10:50:00")).await, (vec![Known], 1), "the quiet time begins anew");
    let mut findings = acts(200);
    outbox.judge(&mut findings, QUIET, time("10:55:00")).await.unwrap();
    let mut alerts = [alert_of(&findings[0], &complete())];
    outbox.keep(&findings, &mut alerts, &[], time("10:55:00")).await.unwrap();
    assert_eq!(alerts[0].suppressed, 1, "counted since the last alert only");
}

/// Whoever silenced a matter is not told of it, and it does not count as told when that ends.
#[tokio::test]
async fn what_is_silenced_stays_so_and_is_new_afterwards() {
    use FindingState::{New, Silenced};
    let outbox = outbox().await;
    let silenced = || [grown_by(|finding| finding.state = Silenced)];
    let now = at("2026-11-20T09:00:00Z");
    assert_eq!(run(&outbox, &mut silenced(), now).await, (vec![Silenced], 0));
    assert_eq!(run(&outbox, &mut [finding()], now).await.0, [New]);
    assert_eq!(run(&outbox, &mut silenced(), now).await, (vec![Silenced], 0));
}

#[tokio::test]
async fn two_episodes_of_one_fingerprint_are_told_each() {
    use FindingState::{Known, New};
    let outbox = outbox().await;
    let afternoon = grown_by(|finding| {
        finding.window = Window::new(at("2026-11-20T14:00:00Z"), at("2026-11-20T14:30:00Z"));
        finding.counts = Counts { acts: 25, documents: 25 };
    });
    let now = at("2026-11-20T15:00:00Z");
    assert_eq!(run(&outbox, &mut [finding(), afternoon.clone()], now).await.0, [New, New]);
    assert_eq!(run(&outbox, &mut [afternoon, finding()], now).await.0, [Known, Known]);
}

#[tokio::test]
async fn what_a_run_still_finds_is_not_forgotten() {
    use FindingState::{Known, New};
    let outbox = outbox().await;
    let mut other = grown_by(|finding| finding.fingerprint.push('2'));
    let (told, later) = (at("2026-11-20T09:00:00Z"), at("2027-02-01T09:00:00Z"));
    run(&outbox, &mut [finding(), other.clone()], told).await;
    assert_eq!(run(&outbox, &mut [finding()], later).await.0, [Known]);
    let after_90_days = at("2027-02-19T09:00:00Z");
    assert_eq!(run(&outbox, std::slice::from_mut(&mut other), after_90_days).await.0, [Known]);
    run(&outbox, &mut [finding()], at("2027-05-01T09:00:00Z")).await;
    let forgotten = at("2027-05-21T09:00:00Z");
    run(&outbox, &mut [finding()], forgotten).await;
    assert_eq!(run(&outbox, std::slice::from_mut(&mut other), forgotten).await.0, [New]);
    assert_eq!(run(&outbox, &mut [finding()], forgotten).await.0, [Known]);
}

/// A finding of one of two fingerprints, anywhere in four days.
fn any_finding() -> impl Strategy<Value = Finding> {
    (0..2, 0..4_320i64, 1..1_500i64, 1..100u64, 0..5usize).prop_map(|(fingerprint, since, length, acts, severity)| {
        let start = at("2026-11-16T00:00:00Z") + TimeDelta::minutes(since);
        grown_by(|finding| {
            finding.fingerprint = format!("matter {fingerprint}");
            finding.window = Window::new(start, start + TimeDelta::minutes(length));
            finding.counts = Counts { acts, documents: 1 };
            finding.severity =
                [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical][severity];
        })
    })
}

/// What was told that hangs together with this finding: findings that overlap it, those that overlap them, and so on.
fn chain(told: &[Finding], finding: &Finding) -> Vec<Finding> {
    let same: Vec<&Finding> = told.iter().filter(|other| other.fingerprint == finding.fingerprint).collect();
    let mut chain: Vec<Finding> = Vec::new();
    let mut edge = vec![finding.window];
    while let Some(window) = edge.pop() {
        for other in &same {
            if !chain.contains(other) && !other.window.intersection(&window).is_empty() {
                edge.push(other.window);
                chain.push((*other).clone());
            }
        }
    }
    chain
}

fn is_told(state: FindingState) -> bool {
    matches!(state, FindingState::New | FindingState::Grown)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever runs find and whenever: everything is told, nothing twice without growth, and in the end there is silence.
    #[test]
    fn everything_is_told_and_nothing_twice_without_growth(
        runs in prop::collection::vec((prop::collection::vec(any_finding(), 0..5), 1..200i64), 1..8),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let outbox = outbox().await;
            let mut now = at("2026-11-20T09:00:00Z");
            let (mut told, mut seen): (Vec<Finding>, Vec<Finding>) = Default::default();
            for (mut found, pause) in runs {
                now += TimeDelta::minutes(pause);
                run(&outbox, &mut found, now).await;
                for finding in &found {
                    let before = chain(&told, finding);
                    let acts = before.iter().map(|other| other.counts.acts).max();
                    let severity = before.iter().map(|other| other.severity).max();
                    let until = before.iter().map(|other| other.window.until).max();
                    match finding.state {
                        FindingState::New => assert_eq!(acts, None),
                        FindingState::Grown => {
                            let (acts, severity, until) = (acts.unwrap(), severity.unwrap(), until.unwrap());
                            assert!(
                                finding.counts.acts > acts
                                    || finding.severity > severity
                                    || finding.window.until >= until + TimeDelta::days(1)
                            );
                        }
                        FindingState::Known | FindingState::Silenced => {
                            assert!(finding.counts.acts < 2 * acts.unwrap() && finding.severity <= severity.unwrap());
                        }
                    }
                }
                told.extend(found.iter().filter(|finding| is_told(finding.state)).cloned());
                seen.extend(found);
            }
            // after the quiet time nothing is held back any more
            now += QUIET;
            run(&outbox, &mut seen, now).await;
            told.extend(seen.iter().filter(|finding| is_told(finding.state)).cloned());
            for finding in &seen {
                let told = chain(&told, finding);
                assert!(told.iter().any(|other| other.counts.acts >= finding.counts.acts));
                assert!(told.iter().any(|other| other.severity >= finding.severity));
            }
            let (states, suppressed) = run(&outbox, &mut seen, now).await;
            assert!(states.iter().all(|state| *state == FindingState::Known));
            assert_eq!(suppressed, 0);
        });
    }
}
