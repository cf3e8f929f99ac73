//! The audit trail from portals that lie, fail, or answer in another form: everything comes back, or what is missing is named, and it
//! takes a handful of requests to find out.

use std::collections::BTreeSet;

use audit_model::{AuditEvent, GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, ErrorKind, Rest, Slice};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{AnswerForm, Event, Fault, FaultKind, PortalSim, Room, RowForm, Scenario};
use secrecy::SecretString;
use url::Url;

const EVENTS: &str = "security/audit/events";

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

/// This many downloads, so many in each second, a minute apart.
fn portal(count: i32, per_second: i32) -> Scenario {
    let mut portal = Scenario::bare(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..count {
        let at = now() - TimeDelta::minutes(i64::from(n / per_second) + 1);
        portal.add_event(Event::new(5009, owner, at).file(9_000 + n, "a.docx").in_room(71));
    }
    portal
}

/// A portal, and how its clients connect: reading this machine's certificates once is enough.
struct Setting {
    sim: PortalSim,
    http: reqwest::Client,
    expected: Vec<(i64, DateTime<Utc>)>,
}

impl Setting {
    async fn new(portal: Scenario) -> Self {
        let in_span = portal.events.iter().filter(|event| last_day().contains(event.at));
        let expected = in_span.map(|event| (event.id, event.at)).collect();
        let sim = PortalSim::start(portal).await.unwrap();
        let http = http_client(&HttpOptions::new("test", "1.0.0"), &sim.url().parse().unwrap()).unwrap();
        Setting { sim, http, expected }
    }

    fn client(&self) -> Client {
        let base: Url = self.sim.url().parse().unwrap();
        let key = ApiKey::new(SecretString::from(self.sim.key()));
        Client::new(self.http.clone(), base, key, RetryPolicy::immediate(), Budget::default())
    }

    /// Reads the last day, and gives how many requests that took.
    async fn read(&self, faults: Vec<Fault>) -> (Slice<AuditEvent>, usize) {
        self.sim.set_faults(faults);
        let before = self.sim.requests().len();
        let slice = self.client().audit_slice(last_day()).await;
        (slice, self.sim.requests().len() - before)
    }

    /// What is neither in the slice nor in its gaps.
    fn lost(&self, slice: &Slice<AuditEvent>) -> Vec<i64> {
        let seen: BTreeSet<i64> = slice.rows.iter().map(|row| row.id).collect();
        assert_eq!(seen.len(), slice.rows.len(), "each row once");
        let is_named = |at| slice.gaps.iter().any(|gap| gap.span.contains(at));
        self.expected.iter().filter(|(id, at)| !seen.contains(id) && !is_named(*at)).map(|(id, _)| *id).collect()
    }
}

fn fewer(drop: u32, at: u32) -> FaultKind {
    FaultKind::FewerRows { drop: Some(drop), at: Some(at), total: None }
}

/// Ways in which an answer is shorter than the truth, with a correct envelope and status 200.
fn short_answers() -> Vec<FaultKind> {
    let mut kinds = vec![FaultKind::FewerRows { drop: None, at: None, total: None }];
    kinds.extend([1, 30].map(|drop| FaultKind::FewerRows { drop: Some(drop), at: None, total: None }));
    kinds.extend([fewer(1, 0), fewer(1, 1), fewer(100, 1), fewer(10, 20), fewer(1, 50)]);
    kinds
}

/// Rows are left out of one answer, whichever it is: it is asked for again.
#[tokio::test]
async fn one_answer_that_is_too_short_is_asked_for_again() {
    let portals = [(0, 1, true), (1, 1, true), (100, 1, true), (220, 3, false), (220, 3, true), (240, 130, false)];
    for (count, per_second, stable) in portals {
        let portal = portal(count, per_second);
        let setting = Setting::new(if stable { portal.with_stable_order() } else { portal }).await;
        let (_, honest) = setting.read(Vec::new()).await;
        for kind in short_answers() {
            for skip in 0..honest as u32 {
                let context =
                    format!("{kind:?} of {count} rows, answer {skip}, {per_second} a second, stable {stable}");
                let (slice, asked) = setting.read(vec![Fault::new(kind.clone()).on(EVENTS).after(skip).times(1)]).await;
                assert_eq!(setting.lost(&slice), [] as [i64; 0], "{context}");
                assert_eq!(slice.gaps, [], "one answer is no reason to give up: {context}");
                assert!(asked <= honest + 8, "{asked} requests instead of {honest}: {context}");
            }
        }
    }
}

/// Two answers one after the other: the page, and the question whether it was the last.
#[tokio::test]
async fn two_answers_that_are_too_short_never_agree_on_the_end() {
    for (count, per_second, days_before) in [(16, 1, true), (16, 1, false), (101, 3, true), (240, 130, true)] {
        let mut portal = portal(count, per_second);
        if days_before {
            let owner = portal.owner().id;
            portal.add_event(Event::new(5009, owner, now() - TimeDelta::days(3)).file(7, "a.docx").in_room(71));
        }
        let setting = Setting::new(portal).await;
        let (_, honest) = setting.read(Vec::new()).await;
        for kind in short_answers() {
            for skip in 0..honest as u32 {
                let context = format!("{kind:?} of {count} rows, answer {skip}, more before {days_before}");
                let (slice, _) = setting.read(vec![Fault::new(kind.clone()).on(EVENTS).after(skip).times(2)]).await;
                if !slice.none_ever {
                    assert_eq!(setting.lost(&slice), [] as [i64; 0], "{context}");
                }
            }
        }
    }
}

/// Rows of one date come in another order each time, and every answer lacks its second one.
#[tokio::test]
async fn a_row_that_every_answer_lacks_is_missed_in_a_dense_second() {
    for skip in 0..8 {
        let mut portal = portal(199, 199);
        let owner = portal.owner().id;
        portal.add_event(Event::new(5009, owner, now() - TimeDelta::hours(2)).file(7, "a.docx").in_room(71));
        portal.add_event(Event::new(5009, owner, now() - TimeDelta::days(3)).file(7, "a.docx").in_room(71));
        let setting = Setting::new(portal).await;
        let (slice, _) = setting.read(vec![Fault::new(fewer(1, 1)).on(EVENTS).after(skip)]).await;
        assert_eq!(setting.lost(&slice), [] as [i64; 0], "from answer {skip} on");
    }
}

/// A part of the span is asked for on its own when a row beside it cannot be read. From some answer on the portal has nothing.
#[tokio::test]
async fn nothing_behind_an_unreadable_row_is_not_believed_of_a_portal_that_shows_nothing() {
    let mut portal = portal(30, 1);
    let owner = portal.owner().id;
    portal.add_event(Event::poison(owner, now() - TimeDelta::seconds(30)));
    let mut setting = Setting::new(portal).await;
    setting.expected.retain(|(_, at)| *at < now() - TimeDelta::seconds(30));
    let (_, honest) = setting.read(Vec::new()).await;
    for kind in [FaultKind::FewerRows { drop: None, at: None, total: None }, fewer(30, 0)] {
        for skip in 0..honest as u32 {
            let (slice, _) = setting.read(vec![Fault::new(kind.clone()).on(EVENTS).after(skip)]).await;
            if !slice.none_ever {
                assert_eq!(setting.lost(&slice), [] as [i64; 0], "{kind:?} from answer {skip} on");
            }
        }
    }
}

/// Every answer from some point on: what is missing is named, and nobody asks for ever.
#[tokio::test]
async fn answers_that_stay_too_short_are_a_gap() {
    let setting = Setting::new(portal(330, 2).with_stable_order()).await;
    let (_, honest) = setting.read(Vec::new()).await;
    for kind in short_answers() {
        for skip in 0..honest as u32 {
            let context = format!("{kind:?} from answer {skip} on");
            let (slice, asked) = setting.read(vec![Fault::new(kind.clone()).on(EVENTS).after(skip)]).await;
            let lost = setting.lost(&slice).len();
            match kind {
                // a portal that says to everything that there is nothing
                FaultKind::FewerRows { drop: None, .. } if skip == 0 => continue,
                _ => assert_eq!(lost, 0, "{context}"),
            }
            let why = slice.gaps.iter().all(|gap| gap.why == GapReason::UnstablePaging);
            assert!(why, "{:?}: {context}", slice.gaps);
            assert!(asked <= honest + 60, "{asked} requests instead of {honest}: {context}");
        }
    }
}

/// Whatever leaves out the last rows of every answer leaves out those of the answer that shows the end, too.
#[tokio::test]
async fn the_last_rows_of_every_answer_are_missed() {
    for count in [2, 16, 31, 45, 100, 101, 131, 199, 250] {
        for (per_second, days_before) in [(1, false), (1, true), (3, false), (3, true), (count, true)] {
            for stable in [true, false].into_iter().filter(|stable| *stable || per_second > 1) {
                let mut portal = portal(count, per_second);
                if days_before {
                    let owner = portal.owner().id;
                    portal.add_event(Event::new(5009, owner, now() - TimeDelta::days(3)).file(7, "a.docx").in_room(71));
                }
                let setting = Setting::new(if stable { portal.with_stable_order() } else { portal }).await;
                for drop in [1, 2, 30, 99] {
                    let context =
                        format!("{drop} of {count}, {per_second} a second, more before {days_before}, {stable}");
                    let kind = FaultKind::FewerRows { drop: Some(drop), at: None, total: None };
                    let (slice, asked) = setting.read(vec![Fault::new(kind).on(EVENTS)]).await;
                    assert!(!slice.gaps.is_empty() || slice.none_ever, "nothing is named: {context}");
                    if !slice.none_ever {
                        assert_eq!(setting.lost(&slice), [] as [i64; 0], "{context}");
                    }
                    assert!(asked <= 60, "{asked} requests: {context}");
                }
            }
        }
    }
}

/// The plan ends in the middle of the read, whenever that is: from then on each answer is the newest 20 rows.
#[tokio::test]
async fn a_plan_that_ends_in_the_middle_is_never_the_end() {
    for count in [1, 5, 20, 101, 320] {
        let setting = Setting::new(portal(count, 3)).await;
        let (_, honest) = setting.read(Vec::new()).await;
        for skip in 0..honest as u32 {
            let (slice, asked) = setting.read(vec![Fault::new(FaultKind::Fallback).on(EVENTS).after(skip)]).await;
            assert_eq!(setting.lost(&slice), [] as [i64; 0], "{count} rows, from answer {skip} on");
            assert!(asked <= honest + 6, "{asked}");
            let whys: Vec<GapReason> = slice.gaps.iter().map(|gap| gap.why).collect();
            assert!(whys.is_empty() || whys == [GapReason::AuditFeatureMissing], "{count}, {skip}: {whys:?}");
        }
    }
}

/// A row without a date, with an id of more than 64 bits, of a person without a GUID: one row, and not its page.
#[tokio::test]
async fn a_row_of_another_form_costs_itself_alone() {
    for form in [RowForm::NoDate, RowForm::HugeId, RowForm::NoGuid, RowForm::Null, RowForm::Text] {
        for (per_second, every) in [(1, 7), (3, 41), (130, 97)] {
            let setting = Setting::new(portal(520, per_second)).await;
            let (_, honest) = setting.read(Vec::new()).await;
            let odd = FaultKind::OddRows { form, every: Some(every), id: None };
            let (slice, asked) = setting.read(vec![Fault::new(odd).on(EVENTS)]).await;
            let context = format!("{form:?}, {per_second} a second, every {every}th");
            assert_eq!(setting.lost(&slice), [] as [i64; 0], "{context}");
            let seen: BTreeSet<i64> = slice.rows.iter().map(|row| row.id).collect();
            let readable = setting.expected.iter().filter(|(id, _)| id % i64::from(every) != 0);
            if per_second < 100 {
                assert!(readable.clone().all(|(id, _)| seen.contains(id)), "the others are kept: {context}");
            }
            assert!(
                !slice.gaps.is_empty() && slice.gaps.iter().all(|gap| gap.why == GapReason::UnknownForm),
                "{context}: {:?}",
                slice.gaps
            );
            assert!(slice.error.is_none(), "{context}: {:?}", slice.error);
            assert!(asked <= honest + 12, "{asked} requests instead of {honest}: {context}");
            // as wide as the dates of its neighbours, which are a minute apart
            let unseen: TimeDelta = slice.gaps.iter().map(|gap| gap.span.length()).sum();
            let odd = i32::try_from(setting.expected.len() - readable.count()).unwrap();
            assert!(unseen <= TimeDelta::seconds(121) * odd, "{unseen}: {context}");
        }
    }
}

/// When nothing can be understood it is the form and not a row.
#[tokio::test]
async fn a_form_that_nobody_knows_is_named_after_a_handful_of_requests() {
    let answers = [
        AnswerForm::NullResponse,
        AnswerForm::NoMembers,
        AnswerForm::OtherResponse,
        AnswerForm::List,
        AnswerForm::Text,
    ];
    let rows = [RowForm::NoDate, RowForm::HugeId, RowForm::NoGuid, RowForm::Null, RowForm::Text];
    let answers = answers.map(|form| FaultKind::OddAnswer { form });
    let rows = rows.map(|form| FaultKind::OddRows { form, every: None, id: None });
    let setting = Setting::new(portal(500, 1)).await;
    for kind in answers.into_iter().chain(rows) {
        let (slice, asked) = setting.read(vec![Fault::new(kind.clone()).on(EVENTS)]).await;
        assert!(asked <= 5, "{asked} requests for {kind:?}");
        let gaps: Vec<_> = slice.gaps.iter().map(|gap| (gap.span, gap.why)).collect();
        assert_eq!(gaps, [(last_day(), GapReason::UnknownForm)], "{kind:?}");
        let error = slice.error.unwrap();
        assert_eq!(error.kind, ErrorKind::UnexpectedForm, "{kind:?}");
        assert!(error.to_string().contains("in a form that this version does not know"), "{error}");
    }
    // once, it passes
    for skip in 0..7 {
        let kind = FaultKind::OddAnswer { form: AnswerForm::NullResponse };
        let (slice, _) = setting.read(vec![Fault::new(kind).on(EVENTS).after(skip).times(1)]).await;
        assert_eq!((slice.rows.len(), slice.gaps.len()), (500, 0), "answer {skip}");
    }
}

/// Whoever asks about nobody is answered, and every page with rows fails.
#[tokio::test]
async fn a_portal_that_fails_wherever_there_are_rows_is_given_up_after_a_handful_of_requests() {
    let mut broken = Scenario::bare(now());
    let owner = broken.owner().id;
    for n in 0..300 {
        broken.add_event(Event::poison(owner, now() - TimeDelta::minutes(n + 1)));
    }
    let setting = Setting::new(broken).await;
    let (slice, asked) = setting.read(Vec::new()).await;
    assert!(asked <= 12, "{asked} requests");
    assert!(matches!(slice.error.unwrap().kind, ErrorKind::ServerFault { .. }));
    let gaps: Vec<_> = slice.gaps.iter().map(|gap| (gap.span, gap.why)).collect();
    assert_eq!(gaps, [(last_day(), GapReason::ServerFailed)]);
}

/// Rows of one date lie on both sides of the end of a slice: until the next slice is read, that date is not.
#[tokio::test]
async fn a_date_at_the_end_of_a_slice_belongs_to_what_is_left() {
    let setting = Setting::new(portal(1_500, 30)).await;
    let mut rest = Rest::from(last_day());
    let mut seen = 0;
    loop {
        let slice = setting.client().audit_slice_of(rest, 400).await;
        assert_eq!(slice.gaps, []);
        seen += slice.rows.len();
        let oldest = slice.rows.iter().map(|row| row.at).min().unwrap();
        let Some(left) = slice.unread.into_iter().next() else { break };
        assert!(left.span.contains(oldest), "{oldest} is not behind {}", left.span);
        rest = left;
    }
    assert_eq!(seen, 1_500);
}
