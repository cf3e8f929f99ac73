//! Rows that make the portal fail, rows that tie, and rows or answers in a form that we do not know.

use std::collections::BTreeSet;

use audit_model::{GapReason, LoginEvent, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, ErrorKind, Slice};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{AnswerForm, Event, Fault, FaultKind, Login, PortalSim, Room, RowForm, Scenario};
use secrecy::SecretString;
use url::Url;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

async fn start(portal: Scenario) -> (PortalSim, Client) {
    let sim = PortalSim::start(portal).await.unwrap();
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    let client = Client::new(http, base, key, RetryPolicy::immediate(), Budget::default());
    (sim, client)
}

fn ids(slice: &Slice<LoginEvent>) -> BTreeSet<i64> {
    let ids: BTreeSet<i64> = slice.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), slice.rows.len(), "each row once");
    ids
}

fn gaps<E>(slice: &Slice<E>) -> Vec<(Window, GapReason)> {
    slice.gaps.iter().map(|gap| (gap.span, gap.why)).collect()
}

/// A login each minute; those at these positions have no address.
fn logins(rows: i64, unreadable: &[i64]) -> (Scenario, BTreeSet<i64>) {
    let mut portal = Scenario::bare(now());
    let owner = portal.owner().clone();
    for n in 0..rows {
        let at = minute(n);
        portal.add_login(if unreadable.contains(&n) { Login::poison(&owner, at) } else { Login::success(&owner, at) });
    }
    let readable = portal.logins.iter().filter(|login| login.stored.is_none()).map(|login| login.id).collect();
    (portal, readable)
}

/// When the login at this position was.
fn minute(position: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(position) - TimeDelta::seconds(1)
}

fn between(older: i64, newer: i64) -> Window {
    Window::new(minute(older), minute(newer) + TimeDelta::seconds(1))
}

#[tokio::test]
async fn an_unreadable_login_costs_one_row() {
    for position in [1, 49, 50, 99, 100, 163, 298] {
        let (portal, readable) = logins(300, &[position]);
        let (_sim, client) = start(portal).await;
        let slice = client.login_slice(last_day()).await;
        assert_eq!(ids(&slice), readable, "row {position}");
        let gap = between(position + 1, position - 1);
        assert_eq!(gaps(&slice), [(gap, GapReason::UnreadableRow)], "row {position}");
        assert!(slice.error.is_none() && client.requests() < 35, "row {position}: {}", client.requests());
    }
}

#[tokio::test]
async fn unreadable_logins_at_the_ends_reach_to_the_ends_of_the_span() {
    let (portal, readable) = logins(130, &[0, 129]);
    let (_sim, client) = start(portal).await;
    let slice = client.login_slice(last_day()).await;
    assert_eq!(ids(&slice), readable);
    let newest = Window::new(minute(1), now());
    let oldest = Window::new(last_day().since, minute(128) + TimeDelta::seconds(1));
    assert_eq!(gaps(&slice), [(newest, GapReason::UnreadableRow), (oldest, GapReason::UnreadableRow)]);
}

#[tokio::test]
async fn several_unreadable_logins_cost_themselves_alone() {
    let positions = [3, 4, 5, 97, 101, 180];
    let (portal, readable) = logins(240, &positions);
    let (_sim, client) = start(portal).await;
    let slice = client.login_slice(last_day()).await;
    assert_eq!(ids(&slice), readable);
    let expected = [between(6, 2), between(98, 96), between(102, 100), between(181, 179)];
    assert_eq!(gaps(&slice), expected.map(|span| (span, GapReason::UnreadableRow)));
}

/// A portal that fails at every login, and not at the question that none answers.
#[tokio::test]
async fn a_portal_that_fails_at_every_login_is_soon_left_alone() {
    let all: Vec<i64> = (0..300).collect();
    let (portal, _) = logins(300, &all);
    let (_sim, client) = start(portal).await;
    let slice = client.login_slice(last_day()).await;
    assert_eq!(gaps(&slice), [(last_day(), GapReason::ServerFailed)]);
    assert!(slice.error.is_some() && client.requests() < 30, "{}", client.requests());
}

/// What fails alike at everything is no row: neither of the logins nor of a room's log.
#[tokio::test]
async fn a_portal_that_fails_at_everything_is_no_row() {
    let (portal, _) = logins(300, &[]);
    let mut portal = portal.with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..300 {
        portal.add_event(Event::new(5011, owner, minute(n)).file(9_000, "a.docx").in_room(71));
    }
    let (sim, client) = start(portal).await;
    sim.set_faults(vec![Fault::status(500)]);
    let log = client.room_log(&RoomId::Number(71), last_day()).await;
    assert_eq!(gaps(&log), [(last_day(), GapReason::ServerFailed)]);
    let of_log = client.requests();
    let slice = client.login_slice(last_day()).await;
    assert_eq!(gaps(&slice), [(last_day(), GapReason::ServerFailed)]);
    assert!(of_log <= 4 && client.requests() - of_log <= 6, "{of_log} of {}", client.requests());
}

/// A room's log that answers only where it has nothing to say.
#[tokio::test]
async fn a_log_of_which_no_row_can_be_read_is_soon_left_alone() {
    let mut portal = Scenario::bare(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    portal.add_event(Event::new(5011, owner, minute(1)).file(9_000, "a.docx").in_room(71));
    let (sim, client) = start(portal).await;
    // the second question is the one that no row answers
    let faults = [Fault::status(500).times(1), Fault::status(500).after(1)];
    sim.set_faults(faults.map(|fault| fault.on("files/folder")).into());
    let log = client.room_log(&RoomId::Number(71), last_day()).await;
    assert_eq!(gaps(&log), [(last_day(), GapReason::ServerFailed)]);
    assert!(client.requests() <= 11, "{}", client.requests());
}

/// More logins of one second than a page holds, more than half a page, and fewer.
#[tokio::test]
async fn logins_of_one_second_are_counted() {
    for tied in [49, 50, 60, 98, 99, 100, 101, 150, 260] {
        for before in [0, 30, 75] {
            let mut portal = Scenario::bare(now());
            let owner = portal.owner().clone();
            let dense = minute(before);
            let dates = (0..before).map(minute).chain((0..tied).map(|_| dense));
            for at in dates.chain((0..70).map(|n| minute(before + 1 + n))) {
                portal.add_login(Login::success(&owner, at));
            }
            let truth: BTreeSet<i64> = portal.logins.iter().map(|login| login.id).collect();
            let (_sim, client) = start(portal).await;
            let slice = client.login_slice(last_day()).await;
            assert_eq!(gaps(&slice), [], "{tied} after {before}");
            assert_eq!(ids(&slice), truth, "{tied} after {before}");
            assert!(client.requests() < 80, "{tied} after {before}: {}", client.requests());
        }
    }
}

#[tokio::test]
async fn logins_that_arrive_meanwhile_are_no_contradiction() {
    let (portal, before) = logins(420, &[]);
    let owner = portal.owner().clone();
    let (sim, client) = start(portal).await;
    let read = async {
        let slice = client.login_slice(last_day()).await;
        (ids(&slice), gaps(&slice))
    };
    let arrive = async {
        for _ in 0..49 {
            tokio::task::yield_now().await;
            sim.edit(|portal| {
                portal.add_login(Login::success(&owner, now()));
            });
        }
    };
    let ((seen, gaps), ()) = tokio::join!(read, arrive);
    assert!(before.is_subset(&seen) && gaps.is_empty(), "{} of {}, {gaps:?}", seen.len(), before.len());
}

/// Rows of another form: each costs itself, where there are others.
#[tokio::test]
async fn a_row_of_another_form_costs_one_row() {
    let mut portal = logins(120, &[]).0.with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..120 {
        portal.add_event(Event::new(5011, owner, minute(n)).file(9_000 + n as i32, "a.docx").in_room(71));
    }
    let (sim, client) = start(portal).await;
    let whole = client.login_slice(last_day()).await;
    let row = whole.rows.iter().find(|row| row.at == minute(70)).unwrap();
    for form in [RowForm::NoDate, RowForm::HugeId, RowForm::NoGuid, RowForm::Null, RowForm::Text] {
        let odd = |id: String| Fault::new(FaultKind::OddRows { form, every: None, id: Some(id) });
        sim.set_faults(vec![odd(row.id.to_string())]);
        let before = client.requests();
        let slice = client.login_slice(last_day()).await;
        let lost: BTreeSet<i64> = ids(&whole).difference(&ids(&slice)).copied().collect();
        assert_eq!(lost, BTreeSet::from([row.id]), "{form:?}");
        let has_date = matches!(form, RowForm::HugeId | RowForm::NoGuid);
        let span = if has_date { between(70, 70) } else { between(71, 69) };
        assert_eq!(gaps(&slice), [(span, GapReason::UnknownForm)], "{form:?}");
        assert!(slice.error.is_none() && client.requests() - before <= 4, "{form:?}");
    }
    sim.set_faults(Vec::new());
    let log = client.room_log(&RoomId::Number(71), last_day()).await;
    let entry = log.rows.iter().find(|entry| entry.at == minute(70)).unwrap().event;
    for form in [RowForm::HugeId, RowForm::Null, RowForm::NoDate] {
        sim.set_faults(vec![Fault::new(FaultKind::OddRows { form, every: None, id: Some(entry.to_string()) })]);
        let before = client.requests();
        let slice = client.room_log(&RoomId::Number(71), last_day()).await;
        assert_eq!(slice.rows.len(), log.rows.len() - 1, "{form:?}");
        let span = if form == RowForm::HugeId { between(70, 70) } else { last_day() };
        assert_eq!(gaps(&slice), [(span, GapReason::UnknownForm)], "{form:?}");
        assert!(client.requests() - before <= 2, "{form:?}");
    }
}

/// When every row is of another form, or the answer itself, it is the server: named, and not asked again and again.
#[tokio::test]
async fn another_form_of_everything_is_named_after_a_few_requests() {
    let mut portal = logins(300, &[]).0.with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    for n in 0..120 {
        portal.add_event(Event::new(5011, owner, minute(n)).file(9_000 + n as i32, "a.docx").in_room(71));
    }
    let (sim, client) = start(portal).await;
    let rows = |form| FaultKind::OddRows { form, every: None, id: None };
    let answer = |form| FaultKind::OddAnswer { form };
    let kinds = [
        rows(RowForm::HugeId),
        rows(RowForm::Null),
        rows(RowForm::Text),
        rows(RowForm::NoDate),
        answer(AnswerForm::NullResponse),
        answer(AnswerForm::NoMembers),
        answer(AnswerForm::OtherResponse),
        answer(AnswerForm::List),
        answer(AnswerForm::Text),
    ];
    for kind in kinds {
        sim.set_faults(vec![Fault::new(kind.clone())]);
        let before = client.requests();
        let logins = client.login_slice(last_day()).await;
        let log = client.room_log(&RoomId::Number(71), last_day()).await;
        for (gaps, error) in [(gaps(&logins), logins.error), (gaps(&log), log.error)] {
            assert_eq!(gaps, [(last_day(), GapReason::UnknownForm)], "{kind:?}");
            let error = error.unwrap();
            assert_eq!(error.kind, ErrorKind::UnexpectedForm, "{kind:?}");
            assert!(error.to_string().contains("answers in a form that this version does not know"), "{error}");
        }
        let is_row = matches!(kind, FaultKind::OddRows { form: RowForm::HugeId | RowForm::NoDate, .. });
        if !is_row {
            assert_eq!(client.people().await.unwrap_err().kind, ErrorKind::UnexpectedForm, "{kind:?}");
        }
        assert!(client.requests() - before <= 6, "{kind:?}: {}", client.requests() - before);
    }
}
