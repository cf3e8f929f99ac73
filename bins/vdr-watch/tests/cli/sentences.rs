//! What people read when something fails: one sentence per cause, which is true and says what to do.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use cli_test::holding::Holding;
use cli_test::{Clock, ClosedPort, Run, run};
use portal_sim::{AnswerForm, Certificate, Fault, FaultBody, FaultKind, LimitKind, PortalSim, RowForm, Scenario};
use tokio::task::JoinSet;

use crate::common::{Setting, now};

/// After which a run ends itself where a portal would keep it waiting.
const RUN_LIMIT: (&str, &str) = ("VDR_WATCH_RUN_LIMIT", "12s");
/// Where the audit trail is asked; the first question of a run only tests whether the portal listens.
const TRAIL: &str = "security/audit/events/filter";

/// One thing that goes wrong.
enum Trouble {
    Portal(Fault),
    /// The program's clock is so many minutes ahead of the portal's.
    Clock(i64),
    /// The store of an earlier run is damaged like this.
    Store(fn(&Setting)),
    /// A portal with this certificate, which is asked under this scheme.
    Tls(Certificate, &'static str),
    NobodyListens,
    /// Somebody ends the run while the portal holds back the answer to such a question.
    Signal(&'static str),
    OneRequest,
}

fn status(status: u16, body: Option<FaultBody>) -> FaultKind {
    FaultKind::Status { status, body }
}

/// What the whole portal may do, or what stands before it.
fn kinds() -> Vec<(&'static str, FaultKind)> {
    let odd = |form| FaultKind::OddAnswer { form };
    vec![
        ("key refused (401)", status(401, None)),
        ("key without the scope (403)", status(403, Some(FaultBody::Empty))),
        ("owner of the key without the right (403)", status(403, Some(FaultBody::Error))),
        ("route closed (403)", status(403, Some(FaultBody::Problem))),
        ("address blocked (403)", FaultKind::Blocked),
        ("database down (403)", status(403, Some(FaultBody::Database))),
        ("unpaid (402)", FaultKind::Unpaid),
        ("plan lacks it (402)", status(402, Some(FaultBody::Error))),
        ("suspended (404)", FaultKind::Suspended),
        ("no such entry (404)", status(404, Some(FaultBody::Error))),
        ("call unknown (404)", status(404, Some(FaultBody::Empty))),
        ("refused (400)", status(400, Some(FaultBody::Error))),
        ("too many a minute (429)", FaultKind::TooManyRequests { retry_after: None }),
        ("too many a day (429)", FaultKind::Limited { by: LimitKind::Day, retry_after: Some(3_600) }),
        ("server fails (500)", status(500, Some(FaultBody::Error))),
        ("proxy fails (502)", status(502, None)),
        ("page of a proxy (403)", status(403, Some(FaultBody::Html))),
        ("redirect (302)", status(302, None)),
        ("connection reset", FaultKind::Reset),
        ("connection reset inside", FaultKind::ResetInside),
        ("answer cut", FaultKind::Truncated),
        ("answer never comes", FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 }),
        ("answer in drops", FaultKind::Slow { pieces: 100_000, pause_ms: 500 }),
        ("page to sign in at (200)", odd(AnswerForm::Html)),
        ("answer without content", odd(AnswerForm::NullResponse)),
        ("answer of another form", odd(AnswerForm::List)),
        ("filters ignored", FaultKind::Fallback),
    ]
}

fn troubles() -> Vec<(String, Trouble)> {
    let mut all = Vec::new();
    for (name, kind) in kinds() {
        all.push((format!("{name}: always"), Trouble::Portal(Fault::new(kind.clone()))));
        let fault = Fault::new(kind).on(TRAIL).after(1);
        all.push((format!("{name}: only when the audit trail is read"), Trouble::Portal(fault)));
    }
    for (name, kind) in [
        ("key refused (401)", status(401, None)),
        ("unpaid (402)", status(402, Some(FaultBody::Problem))),
        ("answer cut", FaultKind::Truncated),
        ("answer of another form", FaultKind::OddAnswer { form: AnswerForm::List }),
    ] {
        all.push((format!("{name}: only the list of rooms"), Trouble::Portal(Fault::new(kind).on("files/rooms"))));
    }
    for (name, kind) in [
        ("rows left out", FaultKind::FewerRows { drop: Some(3), at: Some(1), total: None }),
        ("no rows", FaultKind::FewerRows { drop: None, at: None, total: None }),
        ("rows without date", FaultKind::OddRows { form: RowForm::NoDate, every: Some(7), id: None }),
    ] {
        all.push((format!("{name}: audit trail"), Trouble::Portal(Fault::new(kind).on(TRAIL).after(1))));
    }
    let lists = [("rows left out", Some(1)), ("no rows", None)];
    for (name, drop) in lists {
        let kind = FaultKind::FewerRows { drop, at: None, total: None };
        all.push((format!("{name}: list of rooms"), Trouble::Portal(Fault::new(kind).on("files/rooms"))));
    }
    let others = [
        ("clock: an hour ahead", Trouble::Clock(60)),
        ("clock: an hour behind", Trouble::Clock(-60)),
        ("store: no database", Trouble::Store(no_database)),
        ("store: cut in half", Trouble::Store(cut_in_half)),
        ("store: zeros in the middle", Trouble::Store(zeroed)),
        ("store: a file where its folder should be", Trouble::Store(nowhere)),
        ("certificate: issued by nobody we know", Trouble::Tls(Certificate::Issued, "https")),
        ("certificate: expired", Trouble::Tls(Certificate::Expired, "https")),
        ("certificate: for another name", Trouble::Tls(Certificate::OtherName, "https")),
        ("certificate: signed by itself", Trouble::Tls(Certificate::SelfSigned, "https")),
        ("http to a port that speaks TLS", Trouble::Tls(Certificate::Issued, "http")),
        ("nobody listens", Trouble::NobodyListens),
        ("signal: before anything was read", Trouble::Signal("people/@self")),
        ("signal: while the audit trail is read", Trouble::Signal("audit/events/filter?from=")),
        ("signal: while the list of rooms is read", Trouble::Signal("files/rooms")),
        ("limit: one request", Trouble::OneRequest),
    ];
    all.extend(others.map(|(name, trouble)| (name.to_owned(), trouble)));
    all
}

fn damage(setting: &Setting, change: impl FnOnce(&mut Vec<u8>)) {
    let store = setting.state_file("sqlite");
    let mut bytes = std::fs::read(&store).unwrap();
    change(&mut bytes);
    std::fs::write(&store, bytes).unwrap();
}

fn no_database(setting: &Setting) {
    damage(setting, |bytes| bytes[..4_096].fill(0x55));
}

fn cut_in_half(setting: &Setting) {
    damage(setting, |bytes| bytes.truncate(bytes.len() / 8_192 * 4_096));
}

fn zeroed(setting: &Setting) {
    damage(setting, |bytes| {
        let middle = bytes.len() / 8_192 * 4_096;
        bytes[4_096..middle].fill(0);
    });
}

fn nowhere(setting: &Setting) {
    let folder = setting.state.path().join("state");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(folder, "not a folder").unwrap();
}

/// What somebody reads: the exit code, the sentence on top, what was not seen, and what else is to be known.
async fn told(trouble: Trouble) -> String {
    let mut setting = Setting::new("incident").await;
    let mut url = setting.sim.url();
    let mut tls = None;
    let mut closed = None;
    let mut holding = None;
    let mut limit = None;
    let is_cut = matches!(trouble, Trouble::Signal(_));
    match trouble {
        Trouble::Portal(fault) => {
            limit = keeps_waiting(&fault.kind).then_some(RUN_LIMIT);
            setting.sim.set_faults(vec![fault]);
        }
        Trouble::Clock(minutes) => setting.clock = Clock::At(now() + TimeDelta::minutes(minutes)),
        Trouble::Store(damage) => {
            assert_eq!(setting.run(&[]).await.exit, 0);
            damage(&setting);
        }
        Trouble::Tls(certificate, scheme) => {
            let sim = PortalSim::start_tls(Scenario::builtin("incident", now()).unwrap(), certificate).await.unwrap();
            url = sim.url().replace("https", scheme);
            tls = Some(sim);
        }
        Trouble::NobodyListens => {
            let port = ClosedPort::take();
            url = format!("http://127.0.0.1:{}", port.number);
            closed = Some(port);
        }
        Trouble::Signal(wanted) => {
            let there = Holding::start(&url, wanted, 0).await;
            url.clone_from(&there.url);
            holding = Some(there);
        }
        Trouble::OneRequest => limit = Some(("VDR_WATCH_BUDGET__REQUESTS", "1")),
    }
    let mut command = setting.command(&["--portal", &url]);
    command.envs(limit);
    let ended = match holding {
        None => run(command).await,
        Some(mut holding) => {
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let child = command.spawn().unwrap();
            holding.held().await;
            let mut kill = cli_test::command("/bin/sh".as_ref(), setting.state.path());
            kill.args(["-c", &format!("kill -TERM {}", child.id().unwrap())]);
            assert_eq!(run(kill).await.exit, 0);
            let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            Run { stdout: text(ended.stdout), stderr: text(ended.stderr), exit: ended.status.code().unwrap() }
        }
    };
    drop((tls, closed));
    let state = setting.state.path().display().to_string();
    let port = url.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let shown = if is_cut { cut(&ended) } else { shown(&ended) };
    shown.replace(&url, "https://docs.example.com").replace(&state, "DIR").replace(&port, "PORT")
}

/// Whether a run would wait for minutes.
fn keeps_waiting(kind: &FaultKind) -> bool {
    use FaultKind::{Latency, Limited, Slow, TooManyRequests};
    matches!(kind, Latency { .. } | Slow { .. } | TooManyRequests { .. } | Limited { .. })
}

/// Of a run that somebody has ended, only why something was not seen: how much it could still judge depends on the machine.
fn cut(ended: &Run) -> String {
    let not_seen = ended.stdout.lines().filter_map(|line| line.strip_prefix("Not seen: "));
    let mut reasons: Vec<&str> = not_seen.filter_map(|line| Some(line.split_once(": ")?.1)).collect();
    reasons.dedup();
    format!("  exit {}\n  Not seen: …: {}\n", ended.exit, reasons.join("\n  Not seen: …: "))
}

fn shown(ended: &Run) -> String {
    let is_told =
        |line: &&str| ["vdr-watch: ", "Not seen: ", "Note: ", "Not known"].iter().any(|head| line.starts_with(head));
    let mut lines = vec![format!("exit {}", ended.exit)];
    lines.extend(ended.stdout.lines().filter(is_told).map(|line| {
        // spans differ with the moment at which something broke
        let mut words: Vec<&str> = line.split(' ').collect();
        words.retain(|word| !is_moment(word));
        words.join(" ").replace(", to ", ": ")
    }));
    lines.dedup();
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn is_moment(word: &str) -> bool {
    let word = word.trim_end_matches([':', ',']);
    word.parse::<chrono::NaiveDate>().is_ok() || word.parse::<chrono::NaiveTime>().is_ok()
}

#[tokio::test]
async fn each_cause_has_its_sentence_and_says_what_to_do() {
    let mut runs = JoinSet::new();
    let slots = std::sync::Arc::new(tokio::sync::Semaphore::new(12));
    for (name, trouble) in troubles() {
        let slots = std::sync::Arc::clone(&slots);
        runs.spawn(async move {
            let _slot = slots.acquire().await.unwrap();
            (name, told(trouble).await)
        });
    }
    let told: BTreeMap<String, String> = runs.join_all().await.into_iter().collect();
    let table: Vec<String> = told.into_iter().map(|(name, told)| format!("{name}\n{told}")).collect();
    insta::assert_snapshot!("sentences", table.join("\n"));
}
