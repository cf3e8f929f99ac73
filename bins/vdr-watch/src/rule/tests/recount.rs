//! What limits find, against counting every moment anew: folders that weigh nothing or hundreds, several actions at one moment, windows that
//! begin and end to the microsecond, hours that are usual, and documents of a room.

use audit_model::MAX_EVIDENCE;
use chrono::NaiveDate;

use super::super::limits::{Basis, Limit};
use super::super::usual::Days;
use super::*;

/// Seconds between two actions: none, around an hour and a day, and a month.
const STEPS: [i64; 10] = [0, 0, 1, 600, 3_599, 3_600, 3_601, 40_000, 86_400, 30 * 86_400];

/// How many documents stand behind each target.
const WEIGHTS: [u64; 10] = [0, 1, 1, 1, 1, 2, 5, 21, 40, 500];

/// Seconds after the action before, which action, on which target, whether it is said of it that nobody could weigh it, and whether what is
/// over is settled before it.
type Row = (usize, usize, usize, bool, bool);

/// From when on a run judges, and from when on the whole window counts.
const JUDGED_SINCE: i64 = 50_000;
const WHOLE_SINCE: i64 = 30_000;

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(
        (0..STEPS.len(), 0usize..4, 0..WEIGHTS.len(), prop::bool::weighted(0.1), any::<bool>()),
        0..70,
    )
}

fn some_limits() -> impl Strategy<Value = Limits> {
    let most = |most: u64| prop_oneof![Just(0), 1..most];
    let class = (most(10), most(20)).prop_map(|(per_hour, per_day)| ClassLimits { per_hour, per_day });
    let all = (most(10), most(60), most(600), most(900));
    let own = (most(30), prop_oneof![Just(0), Just(50)]);
    (all, own, class).prop_map(
        |((per_hour, per_day, per_30_days, whole_window), (unusual_hours, share_of_room), deletions)| Limits {
            per_30_days,
            unusual_hours,
            share_of_room,
            deletions,
            ..common(per_hour, per_day, whole_window)
        },
    )
}

/// They work from 9 to 11, and the room holds 60 documents.
fn usual() -> Usual {
    let mut days = Days::default();
    for day in 1..8 {
        let at = NaiveDate::from_ymd_opt(1970, 1, day).unwrap().and_hms_opt(10, 0, 0).unwrap().and_utc();
        days.learn(&AuditEvent { at, ..event(1, 0, 1, DOWNLOAD, "1") }, chrono_tz::Tz::UTC);
    }
    let hours = [(Uuid::from_u128(1), days.hours(chrono_tz::Tz::UTC).unwrap())].into();
    let before = Window::new(DateTime::UNIX_EPOCH, moment(JUDGED_SINCE));
    Usual { before, hours, documents: [(RoomId::Number(71), 60)].into() }
}

fn placed(rows: &[Row], can_be_unweighed: bool) -> Vec<Placed> {
    let mut seconds = 20_000;
    let place = |(id, (step, action, target, is_unweighed, _)): (i64, &Row)| {
        seconds += STEPS[*step];
        let action = [DOWNLOAD, SAVE, 5017, 5018][*action];
        let event = AuditEvent { at: moment(seconds), ..event(id, 0, 1, action, &target.to_string()) };
        let weight = Weight { documents: WEIGHTS[*target], at_least: can_be_unweighed && *is_unweighed };
        Placed { weight, ..in_room(&event, 71) }
    };
    (1..).zip(rows).map(place).collect()
}

/// An episode: when it was, and of its fullest moment the number, since when, how many events there were, whether there may be more, and
/// which events are shown.
type Counted = (Window, u64, Window, u64, bool, Vec<i64>);

/// Everything that is an action, counted anew for every moment.
fn by_hand(limit: &Limit, events: &[Placed], usual: &Usual) -> Vec<Counted> {
    let hours = usual.hours[&Uuid::from_u128(1)];
    let all: Vec<&Placed> = events.iter().filter(|placed| placed.weight.documents > 0).collect();
    let class = |placed: &Placed| placed.event.action.class().unwrap();
    let is_again = |n: usize| {
        let is_same = |before: &&&Placed| {
            let is_near = all[n].event.at - before.event.at <= TimeDelta::hours(1);
            is_near && before.event.target == all[n].event.target && class(before) == class(all[n])
        };
        all[..n].iter().any(|before| is_same(&before))
    };
    let since = match limit.span {
        Span::Hour | Span::Day => moment(JUDGED_SINCE),
        Span::Month => DateTime::<Utc>::MIN_UTC,
        Span::WholeWindow => moment(WHOLE_SINCE),
    };
    let counts = |placed: &&Placed| {
        let is_meant = limit.class.is_none_or(|own| own == class(placed)) && placed.event.at >= since;
        is_meant && (limit.basis != Basis::UnusualHours || !hours.include(placed.event.at))
    };
    let acts: Vec<&Placed> = (0..all.len()).filter(|n| !is_again(*n)).map(|n| all[n]).filter(counts).collect();
    let mut episodes: Vec<Counted> = Vec::new();
    for (n, last) in acts.iter().enumerate() {
        let inside = || acts[..=n].iter().filter(|act| last.event.at - act.event.at < limit.span.length());
        let number: u64 = match limit.basis {
            Basis::ShareOfRoom { .. } => {
                let each: std::collections::BTreeMap<_, _> =
                    inside().map(|act| (act.event.target.clone(), act.weight.documents)).collect();
                each.values().sum()
            }
            Basis::Actions | Basis::UnusualHours => inside().map(|act| act.weight.documents).sum(),
        };
        if number <= limit.acts {
            continue;
        }
        let window = Window::new(inside().next().unwrap().event.at, last.event.at + TimeDelta::microseconds(1));
        let shown = inside().map(|act| act.event.id).take(MAX_EVIDENCE).collect();
        let is_more = inside().any(|act| act.weight.at_least);
        let now = (window, number, window, inside().count() as u64, is_more, shown);
        match episodes.last_mut().filter(|(known, ..)| window.since < known.until) {
            None => episodes.push(now),
            Some(episode) => {
                episode.0.until = window.until;
                if number > episode.1 {
                    *episode = (episode.0, now.1, now.2, now.3, now.4, now.5);
                }
            }
        }
    }
    episodes
}

proptest! {
    #[test]
    fn every_limit_finds_what_counting_anew_finds(rows in rows(), limits in some_limits()) {
        let (usual, events) = (usual(), placed(&rows, true));
        let mut counting = Counting::new(&limits, &usual, BTreeSet::new(), moment(WHOLE_SINCE));
        events.iter().for_each(|event| counting.push(event.clone()));
        let own = [limits.at_unusual_hours(), limits.for_share(60)];
        let expected: Vec<(Limit, Counted)> = limits.armed().into_iter().chain(own.into_iter().flatten()).flat_map(|limit| {
            by_hand(&limit, &events, &usual).into_iter().map(move |episode| (limit, episode))
        }).collect();
        let subjects = counting.into_subjects();
        let exceeded = subjects.iter().flat_map(|(_, subject)| subject.exceeded(OWN));
        let found: Vec<(Limit, Counted)> = exceeded.map(|(limit, episode)| {
            let peak = &episode.peak;
            let number = if matches!(limit.basis, Basis::ShareOfRoom { .. }) { peak.documents } else { peak.acts };
            let shown = peak.samples.iter().map(|event| event.id).collect();
            (*limit, (episode.window, number, peak.window, peak.events, peak.at_least, shown))
        }).collect();
        prop_assert_eq!(found, expected);
    }

    /// Whenever what is over is settled, of however many limits.
    #[test]
    fn what_is_settled_is_what_a_run_finds(rows in rows(), limits in prop::collection::vec(some_limits(), 1..4)) {
        let (usual, events) = (usual(), placed(&rows, false));
        let alone = |limits| {
            let mut counting = Counting::new(limits, &usual, BTreeSet::new(), moment(WHOLE_SINCE));
            events.iter().for_each(|event| counting.push(event.clone()));
            told_of(&findings(counting))
        };
        let mut counting = Counting::of_each(&limits, &usual, BTreeSet::new(), moment(WHOLE_SINCE));
        for (event, (.., settles)) in events.iter().zip(&rows) {
            if *settles {
                counting.settle(event.event.at);
            }
            counting.push(event.clone());
        }
        let (since, subjects) = (counting.judged_since(), counting.into_subjects());
        let at_once = |of| told_of(&told(&subjects, |(_, subject)| subject.outlined(of, since)));
        let at_once: Vec<Told> = (0..limits.len()).map(at_once).collect();
        prop_assert_eq!(at_once, limits.iter().map(alone).collect::<Vec<_>>());
    }
}
