//! Reads over an hour that comes twice: whatever an answer lacks, no row gets a wrong date, and what is not seen is named.

use std::collections::HashMap;

use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Rest};
use portal_sim::{Event, Fault, FaultKind, PortalSim, Scenario};

use crate::common::client;

/// In Berlin, when the second pass begins.
fn change() -> DateTime<Utc> {
    "2025-10-26T01:00:00Z".parse().unwrap()
}

/// A portal whose newest row is one of these, so that nothing stands behind the repeated hour.
async fn start(dates: &[DateTime<Utc>]) -> (PortalSim, HashMap<i64, DateTime<Utc>>) {
    let mut portal = Scenario::bare(change() + TimeDelta::hours(2)).with_zone(chrono_tz::Tz::Europe__Berlin);
    let owner = portal.owner().id;
    for (n, at) in dates.iter().enumerate() {
        portal.add_event(Event::new(5009, owner, *at).file(9_000 + n as i32, "a.docx"));
    }
    let truth = portal.events.iter().map(|event| (event.id, event.at)).collect();
    (PortalSim::start(portal).await.unwrap(), truth)
}

async fn known(sim: &PortalSim) -> Client {
    let client = client(sim, &sim.key());
    client.probe().await.unwrap();
    client
}

/// What a read told wrongly, in words; `None` when nothing.
async fn untruth(client: &Client, truth: &HashMap<i64, DateTime<Utc>>, span: Window) -> Option<String> {
    let (mut seen, mut gaps, mut left) = (HashMap::new(), Vec::new(), vec![Rest::from(span)]);
    while let Some(rest) = left.pop() {
        let slice = client.audit_slice(rest).await;
        if slice.none_ever {
            return None;
        }
        seen.extend(slice.rows.iter().map(|row| (row.id, row.at)));
        gaps.extend(slice.gaps);
        left.extend(slice.unread);
    }
    let misdated = seen.iter().filter(|(id, at)| truth.get(id) != Some(at)).count();
    let is_named = |at: DateTime<Utc>| gaps.iter().any(|gap| gap.span.contains(at));
    let expected = truth.iter().filter(|(_, at)| span.contains(**at));
    let lost = expected.filter(|(id, at)| !seen.contains_key(id) && !is_named(**at)).count();
    (misdated + lost > 0).then(|| format!("{misdated} dated wrong, {lost} lost, {} seen; {gaps:?}", seen.len()))
}

/// Dates by a generator that gives the same ones each time: `count` of them, `spread` apart at most, `tied` that share one.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound.unsigned_abs()) as i64
    }

    fn dates(&mut self) -> Vec<DateTime<Utc>> {
        let count = [2, 3, 20, 21, 60, 99, 120, 199, 249, 342][self.below(10) as usize];
        let unit =
            [TimeDelta::microseconds(1), TimeDelta::milliseconds(250), TimeDelta::seconds(1)][self.below(3) as usize];
        let bound = [40, 900, 3_599][self.below(3) as usize];
        let ties = self.below(3) * 40;
        let mut dates: Vec<DateTime<Utc>> = Vec::new();
        let passes = self.below(3);
        while dates.len() < count {
            let printed = change() + unit * (self.below(bound) as i32);
            let is_first = passes == 0 || passes == 1 && self.below(2) == 0;
            let at = if is_first { printed - TimeDelta::hours(1) } else { printed };
            let same = self.below(ties + 1) as usize;
            dates.extend(std::iter::repeat_n(at, (same + 1).min(count - dates.len())));
        }
        dates
    }
}

/// What reads of these dates tell wrongly, whatever answers lack or ignore.
async fn untruths(dates: &[DateTime<Utc>]) -> Vec<String> {
    let (sim, truth) = start(dates).await;
    let spans = [
        Window::new(change() - TimeDelta::hours(5), change() + TimeDelta::hours(2)),
        Window::new(change() - TimeDelta::hours(1), change()),
        Window::new(change() - TimeDelta::minutes(40), change() + TimeDelta::minutes(40)),
    ];
    let faults = [
        (FaultKind::Fallback, 1),
        (FaultKind::Fallback, 2),
        (FaultKind::FewerRows { drop: Some(1), at: Some(0), total: None }, 3),
        (FaultKind::FewerRows { drop: Some(7), at: Some(0), total: None }, 1),
        (FaultKind::FewerRows { drop: Some(7), at: Some(0), total: None }, 3),
        (FaultKind::FewerRows { drop: Some(1), at: None, total: None }, 3),
    ];
    let client = known(&sim).await;
    let mut untruths = Vec::new();
    for span in spans {
        sim.set_faults(Vec::new());
        untruths.extend(untruth(&client, &truth, span).await.map(|told| format!("no fault, {span:?}: {told}")));
        for (kind, times) in &faults {
            for skip in 0..4 {
                sim.set_faults(vec![Fault::new(kind.clone()).on("security/audit/events").after(skip).times(*times)]);
                let told = untruth(&client, &truth, span).await;
                untruths.extend(told.map(|told| format!("{kind:?} after {skip}, {times} times, {span:?}: {told}")));
            }
        }
    }
    untruths
}

/// Set `CASES=60` for many; that takes minutes.
#[tokio::test]
async fn no_answer_that_lacks_rows_or_ignores_the_question_dates_one_wrong() {
    let mut random = Random(7);
    let mut all = Vec::new();
    let cases: usize = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3);
    for case in 0..cases {
        let mut dates = random.dates();
        if random.below(2) == 0 {
            dates.push(change() - TimeDelta::hours(30));
        }
        let rows = dates.len();
        all.extend(untruths(&dates).await.into_iter().map(|told| format!("case {case} of {rows} rows, {told}")));
    }
    assert!(all.is_empty(), "{}:\n{}", all.len(), all.join("\n"));
}

/// In either pass many rows can share a second, and a page that tells the passes can come after one that lacked the rows which do.
#[tokio::test]
async fn rows_that_are_printed_alike_are_not_told_apart_by_their_order() {
    let second: fn(i32) -> DateTime<Utc> = |seconds| change() + TimeDelta::seconds(seconds.into());
    let first: fn(i32) -> DateTime<Utc> = |seconds| change() - TimeDelta::hours(1) + TimeDelta::seconds(seconds.into());
    let pairs = |at: fn(i32) -> DateTime<Utc>, count| (0..count).map(move |n| at(1_500 + n / 2));
    let one_each = |at: fn(i32) -> DateTime<Utc>, seconds, count| (0..count).map(move |n| at(seconds + n));
    let before = [change() - TimeDelta::hours(30)];
    let cases: [Vec<DateTime<Utc>>; 5] = [
        pairs(first, 20).collect(),
        pairs(first, 20).chain(before).collect(),
        pairs(second, 10).chain(pairs(first, 10)).collect(),
        one_each(second, 1_300, 4).chain(one_each(first, 1_500, 7)).collect(),
        std::iter::repeat_n(second(1_500), 3).chain(std::iter::repeat_n(first(1_500), 3)).collect(),
    ];
    for (case, dates) in cases.iter().enumerate() {
        let told = untruths(dates).await;
        assert!(told.is_empty(), "case {case}: {}", told.join("\n"));
    }
}

/// A sparse portal has the repeated hours of two years on one page: where dates jump in the older one says nothing of the newer.
#[tokio::test]
async fn a_page_that_tells_the_passes_of_one_autumn_does_not_tell_those_of_another() {
    let earlier: DateTime<Utc> = "2024-10-27T01:00:00Z".parse().unwrap();
    let minutes = |change: DateTime<Utc>, minutes| change + TimeDelta::minutes(minutes);
    for newer in [-20, 20] {
        let mut dates = vec![minutes(change(), newer), minutes(change(), newer - 5)];
        dates.extend([10, -10, -40].map(|past| minutes(earlier, past)));
        let (sim, truth) = start(&dates).await;
        let span = Window::new(earlier - TimeDelta::days(2), change() + TimeDelta::hours(2));
        assert_eq!(untruth(&known(&sim).await, &truth, span).await, None, "{newer} minutes after the change");
    }
}
