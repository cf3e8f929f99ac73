use audit_model::{GapReason, SourceCoverage, Window};
use chrono::SecondsFormat;
use docspace_client::ErrorKind;
use outbound::CertificateFault;

use std::path::PathBuf;

use super::class::class;
use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(100_000 + minutes)
}

/// Runs of a program, one after the other, with what they remember.
struct Runs {
    folder: tempfile::TempDir,
}

impl Runs {
    fn new() -> Self {
        Runs { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("docs.example.com.failures")
    }

    fn begin(&self, minutes: i64) -> (Gate, Failures) {
        let gate = Gate::default();
        let failures = Failures::read(vec![Place::from(self.path().as_path())], at(minutes), gate.clone());
        (gate, failures)
    }

    /// A run that logs this one line and ends like this; whether the line was shown at once.
    fn run(&self, minutes: i64, text: &str, exit: Exit) -> bool {
        let (gate, failures) = self.begin(minutes);
        let is_shown = gate.lets_through(Level::WARN, &line(minutes, text));
        failures.keep(Some(exit));
        is_shown
    }

    /// A run with these gaps; whether its report is news.
    fn gaps(&self, minutes: i64, gaps: &[(i64, i64, GapReason)], exit: Exit) -> bool {
        let (_, mut failures) = self.begin(minutes);
        let mut coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
        for (since, until, why) in gaps {
            coverage.gap("audit", Window::new(at(*since), at(*until)), *why);
        }
        let is_news = failures.is_news(&coverage);
        failures.keep(Some(exit));
        is_news
    }
}

/// Whether a run that ends like this shows what waits.
fn is_due(gate: &Gate, exit: Exit) -> bool {
    let mut state = gate.0.lock().unwrap();
    let told = state.told.as_mut().unwrap();
    let before = (told.lines.clone(), told.waiting.clone());
    let is_due = told.settle(patience(Some(exit)), false).is_some();
    if !is_due {
        assert_eq!((told.lines.clone(), told.waiting.clone()), before);
    }
    is_due
}

fn line(minutes: i64, text: &str) -> String {
    format!("{}  WARN {text}\n", at(minutes).to_rfc3339_opts(SecondsFormat::Micros, true))
}

#[test]
fn instants_and_measures_make_no_difference_and_other_numbers_do() {
    let one = class("the run that began at 2026-11-20T09:00:00Z failed after 4.2s (12 requests)");
    assert_eq!(one, class("the run that began at 2026-11-21T10:10:30.5Z failed after 17s (9 requests)"));
    assert_ne!(one, class("the run that began at 2026-11-20T09:00:00Z stopped after 4.2s (12 requests)"));
    let since = class("a run that began at 2026-11-20 08:00:00 UTC still holds the lock");
    assert_eq!(since, class("a run that began at 2026-11-21 09:10:00 UTC still holds the lock"));
    for (one, other) in [
        ("month 2026-13 is none", "month 2026-14 is none"),
        ("room.id=71 cannot be read", "room.id=72 cannot be read"),
        ("the key dies on 2026-12-01", "the key dies on 2026-12-02"),
        ("no answer (502)", "no answer (404)"),
    ] {
        assert_ne!(class(one), class(other));
    }
    assert!(!class("a\nb").contains('\n'));
}

#[test]
fn a_failure_is_told_at_once_and_then_once_an_hour_while_nothing_can_be_concluded() {
    let runs = Runs::new();
    assert!(runs.run(0, "no answer (502)", Exit::Nothing));
    assert!(!runs.run(10, "no answer (502)", Exit::Nothing));
    assert!(runs.run(20, "the disk is full", Exit::Nothing));
    // what waits is shown after an hour, and then it waits again
    for (minutes, exit, is_shown) in [
        (59, Exit::Nothing, false),
        (61, Exit::Incomplete, false),
        (62, Exit::Nothing, true),
        (70, Exit::Nothing, false),
    ] {
        let (gate, failures) = runs.begin(minutes);
        assert!(!gate.lets_through(Level::WARN, &line(minutes, "no answer (502)")));
        assert_eq!(is_due(&gate, exit), is_shown, "{minutes}");
        failures.keep(Some(exit));
    }
}

/// A portal that is down for a quarter of an hour fails at whatever it is asked first; a dead key, at whichever of several questions at
/// once is answered first.
#[test]
fn at_which_question_the_portal_failed_makes_no_difference() {
    let kinds = [
        ErrorKind::Unreachable,
        ErrorKind::TimedOut,
        ErrorKind::EndedEarly,
        ErrorKind::DatabaseDown,
        ErrorKind::ProxyFault { status: 502 },
        ErrorKind::TooManyRequests { limit: None, after: None },
        ErrorKind::MalformedKey,
        ErrorKind::DeadKey,
        ErrorKind::BlockedAddress,
        ErrorKind::SpeaksTls,
        ErrorKind::SpeaksPlainHttp,
        ErrorKind::BadCertificate(CertificateFault::Expired),
        ErrorKind::Unpaid,
        ErrorKind::NoPortal,
        ErrorKind::NotAPortal { status: 200 },
        ErrorKind::Redirected { to: None },
    ];
    for kind in &kinds {
        let at = |question: &str| class(&format!("cannot read {question}: {kind}; run again later"));
        assert_eq!(at("the audit trail"), at("the list of rooms"), "{kind}");
        assert!(
            kinds.iter().filter(|other| class(&format!("cannot read it: {other}")) == class(&kind.to_string())).count()
                == 1
        );
    }
    assert_ne!(class("cannot read a: the portal failed (500)"), class("cannot read b: the portal failed (500)"));
    let runs = Runs::new();
    let failed = |minutes: i64, question: &str, what: &str| {
        let (gate, mut failures) = runs.begin(minutes);
        let text = format!("cannot read {question}: {}", ErrorKind::ProxyFault { status: 502 });
        let is_shown = gate.lets_through(Level::ERROR, &line(minutes, &text));
        let nothing = Coverage::unseen(what, Window::new(at(-60), at(0)), GapReason::ProxyFailed);
        let is_news = failures.is_news(&nothing);
        failures.keep(Some(Exit::Nothing));
        (is_shown, is_news)
    };
    assert_eq!(failed(0, "the audit trail", "audit"), (true, true));
    assert_eq!(failed(10, "who we are", "portal"), (false, false));
    assert!(failed(60, "the audit trail", "audit").1, "an hour later");
}

#[test]
fn nothing_waits_for_somebody_who_edits_settings() {
    let runs = Runs::new();
    let (gate, failures) = runs.begin(0);
    assert!(gate.lets_through(Level::ERROR, &line(0, "no such room")));
    failures.keep(Some(Exit::Usage));
    let (gate, failures) = runs.begin(1);
    gate.lets_through(Level::ERROR, &line(1, "no such room"));
    assert!(!is_due(&gate, Exit::Nothing) && is_due(&gate, Exit::Usage));
    failures.keep(Some(Exit::Usage));
}

#[test]
fn a_run_that_concludes_forgets_what_it_has_not_met() {
    let runs = Runs::new();
    assert!(runs.run(0, "no answer", Exit::Nothing));
    assert!(runs.run(10, "the heartbeat was not taken", Exit::Concluded));
    assert!(!runs.run(20, "the heartbeat was not taken", Exit::Concluded));
    assert!(runs.run(30, "no answer", Exit::Nothing), "it was over");
    let (_, failures) = runs.begin(40);
    failures.keep(Some(Exit::Findings));
    assert!(!runs.path().exists(), "what is over leaves no file");
    assert!(runs.run(50, "no answer", Exit::Nothing));
    // another run was at work, and this one has seen nothing
    let (_, failures) = runs.begin(60);
    failures.keep(None);
    assert!(!runs.run(70, "no answer", Exit::Nothing));
    assert!(runs.run(30, "no answer", Exit::Nothing), "the clock was set back");
}

#[test]
fn a_line_is_shown_once_in_a_run() {
    let gate = Gate::default();
    let runs = Runs::new();
    let failures = Failures::read(vec![Place::from(runs.path().as_path())], at(0), gate.clone());
    assert!(gate.lets_through(Level::ERROR, &line(0, "a certificate is not trusted")));
    assert!(!gate.lets_through(Level::ERROR, &line(0, "a certificate is not trusted")));
    assert!(gate.lets_through(Level::INFO, &line(0, "a certificate is not trusted")), "what is only said on demand");
    assert_eq!(gate.0.lock().unwrap().told.as_mut().unwrap().settle(A_DAY, true), Some(Vec::new()));
    failures.keep(Some(Exit::Nothing));
}

#[test]
fn a_gap_that_stays_is_told_when_it_is_new_and_once_a_day() {
    let runs = Runs::new();
    let row = (-60, -59, GapReason::UnreadableRow);
    assert!(runs.gaps(0, &[row], Exit::Incomplete));
    assert!((1..144).all(|run| !runs.gaps(run * 10, &[row], Exit::Incomplete)), "143 runs of a day");
    assert!(runs.gaps(1_440, &[row], Exit::Incomplete));
    assert!(!runs.gaps(1_450, &[row], Exit::Incomplete));
    // it is over, and comes again
    assert!(runs.gaps(1_460, &[], Exit::Concluded));
    assert!(runs.gaps(1_470, &[row], Exit::Incomplete));
}

#[test]
fn a_gap_that_changes_is_told() {
    let runs = Runs::new();
    let row = (-60, -59, GapReason::UnreadableRow);
    let other = (-30, -29, GapReason::UnreadableRow);
    assert!(runs.gaps(0, &[row], Exit::Incomplete));
    assert!(runs.gaps(10, &[row, other], Exit::Incomplete), "another place");
    assert!(!runs.gaps(20, &[row, other], Exit::Incomplete));
    assert!(runs.gaps(30, &[row, (-60, -59, GapReason::PortalError)], Exit::Incomplete), "another reason");
    // a window that slides is no change, one that grows is
    let portal = |since, until| [(since, until, GapReason::Permission)];
    assert!(runs.gaps(40, &portal(-1_400, 40), Exit::Incomplete));
    assert!(!runs.gaps(50, &portal(-1_390, 50), Exit::Incomplete));
    assert!(runs.gaps(60, &portal(-9_000, 60), Exit::Incomplete));
    // the end of every window
    assert!(runs.gaps(70, &[(68, 70, GapReason::ClockSkew)], Exit::Incomplete));
    assert!(!runs.gaps(80, &[(78, 80, GapReason::ClockSkew)], Exit::Incomplete));
}

#[test]
fn log_and_report_agree() {
    let runs = Runs::new();
    let nothing = Coverage::unseen("audit", Window::new(at(-60), at(0)), GapReason::PortalError);
    for (minutes, is_told) in [(0, true), (10, false), (50, false), (60, true), (70, false)] {
        let (gate, mut failures) = runs.begin(minutes);
        let is_shown = gate.lets_through(Level::ERROR, &line(minutes, "the portal does not answer"));
        assert_eq!(failures.is_news(&nothing), is_told, "{minutes}");
        assert!(is_told || !is_shown);
        failures.keep(Some(Exit::Nothing));
    }
    // another line is news, and so is the report that belongs to it
    let (gate, mut failures) = runs.begin(80);
    assert!(gate.lets_through(Level::ERROR, &line(80, "the portal refuses the key")));
    assert!(failures.is_news(&nothing));
    failures.keep(Some(Exit::Nothing));
    // a gap that turns into nothing at all is another matter
    let runs = Runs::new();
    let gap = (-60, 0, GapReason::PortalError);
    assert!(runs.gaps(0, &[gap], Exit::Incomplete));
    let (_, mut failures) = runs.begin(10);
    assert!(failures.is_news(&nothing));
}

#[test]
fn notes_are_told_once_a_day() {
    let runs = Runs::new();
    let notes = ["nobody is meant by `a@example.com`".to_owned(), "nobody is meant by `b@example.com`".to_owned()];
    let told = |minutes: i64, notes: &[String]| {
        let (_, mut failures) = runs.begin(minutes);
        let told = failures.daily(notes).len();
        failures.keep(Some(Exit::Concluded));
        told
    };
    assert_eq!((told(0, &notes[..1]), told(10, &notes), told(20, &notes)), (1, 1, 0));
    assert_eq!((told(1_440, &notes), told(1_450, &notes)), (1, 1), "each by itself");
}

#[test]
fn everything_is_told_to_somebody_who_watches_and_without_a_memory() {
    let runs = Runs::new();
    let nothing = Coverage::unseen("audit", Window::new(at(-60), at(0)), GapReason::PortalError);
    for _ in 0..2 {
        let gate = Gate::watched();
        let mut failures = Failures::read(vec![Place::from(runs.path().as_path())], at(0), gate.clone());
        assert!(gate.lets_through(Level::WARN, &line(0, "no answer")));
        assert!(failures.is_news(&nothing));
        failures.keep(Some(Exit::Nothing));
        let gate = Gate::default();
        let mut failures = Failures::read(Vec::new(), at(0), gate.clone());
        assert!((0..2).all(|_| gate.lets_through(Level::WARN, &line(0, "no answer"))));
        assert!(failures.is_news(&nothing));
        failures.keep(Some(Exit::Nothing));
    }
}
