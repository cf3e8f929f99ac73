//! What all reports say in the same words: numbers, plurals, lists, durations, instants, severities, sources.

pub mod german;

use audit_model::{
    BlindSpot, Coverage, Finding, FindingState, Gap, GapReason, PersonStatus, Severity, Verdict, Window,
};
use chrono::{DateTime, LocalResult, Offset, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Instants as the portal's own pages show them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock(pub Tz);

impl Clock {
    /// To the second; with its offset in the hour that the zone has twice.
    pub fn at(&self, instant: DateTime<Utc>) -> String {
        self.written(instant, "%Y-%m-%d %H:%M:%S")
    }

    /// To the minute, likewise.
    pub fn minute(&self, instant: DateTime<Utc>) -> String {
        self.written(instant, "%Y-%m-%d %H:%M")
    }

    /// The day alone.
    pub fn day(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d").to_string()
    }

    /// Both ends, to the second.
    pub fn span(&self, window: Window) -> String {
        format!("{} to {}", self.at(window.since), self.at(window.until))
    }

    fn written(&self, instant: DateTime<Utc>, form: &str) -> String {
        let local = instant.with_timezone(&self.0);
        let is_twice = matches!(self.0.from_local_datetime(&local.naive_local()), LocalResult::Ambiguous(..));
        let offset = if is_twice { format!(" {}", local.offset().fix()) } else { String::new() };
        format!("{}{offset}", local.format(form))
    }
}

/// For people, where no zone is known: to the second, in UTC.
pub fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// For programs, and for people who give it back as a flag: RFC 3339 in UTC.
pub fn utc(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `1,240`
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// `1 address`, `2 addresses`, `1,240 people`. `one` is a noun in the singular, with or without words before it.
pub fn plural(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {}", number(count), many(one)) }
}

/// The plural of a noun.
fn many(one: &str) -> String {
    if let Some(before) = one.strip_suffix("person") {
        return format!("{before}people");
    }
    let is_hissing = ["s", "x", "z", "ch", "sh"].iter().any(|ending| one.ends_with(ending));
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if is_hissing => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// The first `shown` of the items and how many `total` has besides: `1, 2, 3 and 4 more`.
pub fn list_of<S: AsRef<str>>(items: &[S], shown: usize, total: u64) -> String {
    let first: Vec<String> = items.iter().take(shown).map(|item| item.as_ref().to_owned()).collect();
    match total.saturating_sub(first.len() as u64) {
        0 => first.join(", "),
        more if first.is_empty() => format!("{} more", number(more)),
        more => format!("{} and {} more", first.join(", "), number(more)),
    }
}

/// The two largest units: `45 s`, `1 h 20 min`, `3 days 4 h`. A negative duration is none.
pub fn duration(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0).unsigned_abs();
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let units = [
        (days, plural(days, "day")),
        (hours, format!("{hours} h")),
        (minutes, format!("{minutes} min")),
        (rest, format!("{rest} s")),
    ];
    let Some(first) = units.iter().position(|(count, _)| *count > 0) else { return "0 s".to_owned() };
    let largest = units.iter().skip(first).take(2).filter(|(count, _)| *count > 0);
    largest.map(|(_, words)| words.as_str()).collect::<Vec<_>>().join(" ")
}

/// The word that a finding begins with.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFO",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// Whether a finding of that state is told: when it is new, has grown, or is over.
pub fn is_told(state: FindingState) -> bool {
    state.is_told()
}

/// What is told: findings that are new, have grown, or are over. JSON has the others too.
pub fn told(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| is_told(finding.state))
}

/// What is said of a finding that people know, after its severity; nothing of a new one.
pub(crate) fn state(state: FindingState) -> &'static str {
    match state {
        FindingState::New => "",
        FindingState::Grown => "has grown",
        FindingState::Known => "already reported",
        FindingState::Silenced => "silenced",
        FindingState::Ended => "is over",
    }
}

/// The state as programs read it.
pub(crate) fn state_name(state: FindingState) -> &'static str {
    match state {
        FindingState::New => "new",
        FindingState::Grown => "grown",
        FindingState::Known => "known",
        FindingState::Silenced => "silenced",
        FindingState::Ended => "ended",
    }
}

/// What is said of an account that is not active; nothing of one that is.
pub(crate) fn status(status: PersonStatus) -> Option<&'static str> {
    match status {
        PersonStatus::Active => None,
        PersonStatus::Disabled => Some("account disabled"),
        PersonStatus::Pending => Some("invited, not yet active"),
    }
}

/// What a report is stamped with.
pub fn seal(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complete => "Complete",
        Verdict::Incomplete => "Incomplete",
        Verdict::Nothing => "Nothing can be concluded",
    }
}

/// The same as programs read it.
pub(crate) fn seal_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complete => "complete",
        Verdict::Incomplete => "incomplete",
        Verdict::Nothing => "nothing",
    }
}

/// Whether all records were read, and what is missing is only that the report is where it was to go.
fn was_read(coverage: &Coverage) -> bool {
    coverage.gaps.iter().all(is_own)
}

/// Whether what is missing is only that the report is where it was to go.
fn is_own(gap: &Gap) -> bool {
    gap.what == "upload" || is_report_itself(&gap.what, gap.why)
}

/// Whether nothing failed, and what is missing is only so recent that the portal may still be storing it.
fn may_only_grow(coverage: &Coverage) -> bool {
    coverage.gaps.iter().all(|gap| gap.why == GapReason::NotSettled || is_own(gap))
}

/// What the stamp means.
pub(crate) fn seal_meaning(coverage: &Coverage) -> &'static str {
    match coverage.verdict() {
        Verdict::Complete => "Everything that the portal recorded in this time was read.",
        Verdict::Incomplete if was_read(coverage) => {
            "Not everything that was to be done was done. Everything that the portal recorded in this time was read."
        }
        Verdict::Incomplete if may_only_grow(coverage) => {
            "Everything that the portal has recorded so far was read. It may still be storing the latest events: run this again later."
        }
        Verdict::Incomplete => "Some records could not be read. What is not listed here may still have happened.",
        Verdict::Nothing => "The records could not be read. This report says nothing about what happened.",
    }
}

/// What has to be said beside numbers, unless everything was seen.
pub(crate) fn numbers_caveat(coverage: &Coverage) -> Option<&'static str> {
    match coverage.verdict() {
        Verdict::Complete => None,
        Verdict::Incomplete if was_read(coverage) => None,
        Verdict::Incomplete | Verdict::Nothing => {
            Some("These numbers count what could be read; the true ones may be higher.")
        }
    }
}

/// The sentence above a report of a program that counts findings: how many are told now, and how many there are in all.
pub fn headline(coverage: &Coverage, told: u64, all: u64) -> String {
    match (coverage.verdict(), told) {
        (Verdict::Nothing, _) => nothing(coverage),
        (Verdict::Incomplete, 0) if all == 0 => {
            "incomplete: nothing found so far, but some records could not be read".to_owned()
        }
        (Verdict::Incomplete, 0) => "incomplete: nothing new so far, but some records could not be read".to_owned(),
        (Verdict::Incomplete, told) => {
            format!("incomplete: {}, and some records could not be read", plural(told, "finding"))
        }
        (Verdict::Complete, 0) if all == 0 => "nothing found".to_owned(),
        (Verdict::Complete, 0) => "nothing new".to_owned(),
        (Verdict::Complete, told) => plural(told, "finding"),
    }
}

/// Why a report says nothing, for the sentence above it.
pub fn nothing(coverage: &Coverage) -> String {
    let main = coverage.main.name();
    let gap = ["store", "run", main].into_iter().find_map(|what| coverage.gaps.iter().find(|gap| gap.what == what));
    match gap.map(|gap| (gap.what.as_str(), gap.why)) {
        // what was read by then was not judged
        Some(("run", GapReason::Interrupted)) => "stopped before anything could be concluded; run it again".to_owned(),
        Some(("run", GapReason::BudgetExhausted)) => {
            "nothing can be concluded: the run reached a limit before it had judged what it read".to_owned()
        }
        Some((_, GapReason::Interrupted)) => "stopped before anything was read; run it again".to_owned(),
        Some((_, GapReason::BudgetExhausted)) => {
            "nothing can be concluded: the run reached a limit before anything was read".to_owned()
        }
        Some(("store", _)) => "nothing can be concluded: this program's own store could not be used".to_owned(),
        Some(("run", _)) => "nothing can be concluded: the run failed; the notes say why".to_owned(),
        _ => format!("nothing can be concluded: the {} could not be read", source(main)),
    }
}

/// The source of a gap, as people call it; a name that is not known here stays as it is.
pub fn source(what: &str) -> &str {
    match what {
        "audit" => "audit trail",
        "logins" => "login history",
        "rooms" => "list of rooms",
        "room_log" => "activity log of a room",
        "people" => "accounts of people",
        "folders" => "contents of folders",
        "hidden_folders" => "contents of some folders",
        "destinations" => "folders that something was moved to",
        "hidden_destinations" => "folders that something was moved to and that the key may not see",
        "files" => "documents that were looked up",
        "hidden_files" => "documents that the key may not see",
        "members" => "members of a room",
        "only" => "documents that `only` names",
        "restrictions" => "the portal's address list",
        "store" => "this program's own store",
        "run" => "this run",
        "upload" => "upload of the report",
        other => other,
    }
}

/// What a gap is about, as people call it.
pub(crate) fn lacking(what: &str, why: GapReason) -> &str {
    if is_report_itself(what, why) { "files of the report" } else { source(what) }
}

/// Whether what is missing are the files of the report: documents that were looked up leave another reason.
fn is_report_itself(what: &str, why: GapReason) -> bool {
    (what, why) == ("files", GapReason::StoreError)
}

/// What is never recorded, after "never recorded by the portal".
pub fn blind_spot(spot: BlindSpot) -> &'static str {
    match spot {
        BlindSpot::StreamDownloads => "downloads through action=stream",
        BlindSpot::ViewOnlySessions => "documents opened only for reading",
        BlindSpot::KeyLogins => "use of API keys",
        BlindSpot::FilesInFolderOperations => "the files inside folders that were downloaded, moved or deleted",
        BlindSpot::Ipv6 => "IPv6 addresses in full",
        BlindSpot::BlockedLogins => "logins that the address list refused",
        BlindSpot::NoMemory => "what was reported before, what has changed, and what earlier runs left unseen",
    }
}

/// With a capital letter, as a sentence begins.
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_words() {
        let names: std::collections::BTreeSet<&str> = audit_model::Source::ALL.map(audit_model::Source::name).into();
        assert_eq!(names.len(), audit_model::Source::ALL.len(), "{names:?}");
        names.into_iter().for_each(|name| assert_ne!(source(name), name));
    }

    #[test]
    fn what_was_not_done_is_no_record_that_was_not_read() {
        let gap = |what: &str, why| {
            let span = Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::hours(1));
            Gap { what: what.to_owned(), span, why }
        };
        let upload = gap("upload", GapReason::PortalError);
        let written = gap("files", GapReason::StoreError);
        let looked_up = gap("files", GapReason::PortalError);
        let logins = gap("logins", GapReason::PortalError);
        for (gaps, was_read) in [
            (vec![upload.clone()], true),
            (vec![upload.clone(), written], true),
            (vec![looked_up], false),
            (vec![upload, logins], false),
        ] {
            let coverage =
                Coverage { gaps, audit: Some(audit_model::SourceCoverage::default()), ..Coverage::default() };
            let says_done = seal_meaning(&coverage).starts_with("Not everything that was to be done was done");
            let says_files =
                crate::coverage::not_seen(&coverage, Clock::default()).concat().contains("files of the report");
            assert_eq!(says_files, coverage.gaps.iter().any(|gap| gap.why == GapReason::StoreError));
            assert_eq!((says_done, numbers_caveat(&coverage).is_none()), (was_read, was_read), "{:?}", coverage.gaps);
        }
    }

    /// Nothing failed where a month has merely not settled.
    #[test]
    fn what_may_only_grow_is_not_called_unreadable() {
        let now = Default::default();
        let gap = |why| Gap { what: "audit".to_owned(), span: Window::new(now, now), why };
        let meaning = |gaps| {
            let audit = Some(audit_model::SourceCoverage::default());
            seal_meaning(&Coverage { gaps, audit, ..Coverage::default() })
        };
        let fresh = gap(GapReason::NotSettled);
        assert!(meaning(vec![fresh.clone()]).contains("run this again later"));
        assert!(meaning(vec![fresh, gap(GapReason::PortalError)]).starts_with("Some records could not be read"));
    }

    #[test]
    fn nouns_have_their_own_plurals() {
        for (count, one, words) in [
            (1, "address", "1 address"),
            (2, "address", "2 addresses"),
            (0, "event", "0 events"),
            (1, "person", "1 person"),
            (7, "more person", "7 more people"),
            (3, "entry", "3 entries"),
            (2, "day", "2 days"),
            (2, "search", "2 searches"),
            (1_240, "failed login", "1,240 failed logins"),
        ] {
            assert_eq!(plural(count, one), words);
        }
    }

    #[test]
    fn numbers_are_grouped() {
        let written = [0, 999, 1_000, 12_480, 1_000_000, u64::MAX].map(number);
        assert_eq!(written, ["0", "999", "1,000", "12,480", "1,000,000", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn lists_say_what_they_leave_out() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list_of(&["a", "b", "c"], 5, 3), "a, b, c");
        assert_eq!(list_of(&["a", "b", "c"], 2, 3), "a, b and 1 more");
        assert_eq!(list_of(&["a"], 1, 2_001), "a and 2,000 more");
        assert_eq!(list_of(&["a"], 0, 2), "2 more");
    }

    #[test]
    fn durations_name_two_units() {
        for (seconds, words) in [
            (-5, "0 s"),
            (0, "0 s"),
            (45, "45 s"),
            (60, "1 min"),
            (4_800, "1 h 20 min"),
            (86_400, "1 day"),
            (3 * 86_400 + 4 * 3_600 + 59, "3 days 4 h"),
            (86_401, "1 day"),
        ] {
            assert_eq!(duration(TimeDelta::seconds(seconds)), words, "{seconds}");
        }
    }

    #[test]
    fn the_hour_that_a_zone_has_twice_is_told_apart() {
        let clock = Clock(chrono_tz::Europe::Berlin);
        let at = |text: &str| clock.at(text.parse().unwrap());
        assert_eq!(at("2026-10-25T00:30:00Z"), "2026-10-25 02:30:00 +02:00");
        assert_eq!(at("2026-10-25T01:30:00Z"), "2026-10-25 02:30:00 +01:00");
        assert_eq!(at("2026-10-25T02:30:00Z"), "2026-10-25 03:30:00");
        assert_eq!(clock.minute("2026-07-01T12:00:59Z".parse().unwrap()), "2026-07-01 14:00");
    }

    #[test]
    fn no_headline_of_an_incomplete_report_sounds_quiet() {
        let seen = Some(audit_model::SourceCoverage::default());
        let at = DateTime::UNIX_EPOCH;
        let window = Window::new(at, at + TimeDelta::hours(1));
        let with = |why, audit| Coverage { audit, ..Coverage::unseen("audit", window, why) };
        for (told, all) in [(0, 0), (0, 3), (2, 3)] {
            let said = |why, audit| headline(&with(why, audit), told, all);
            assert!(said(GapReason::Unreachable, seen.clone()).starts_with("incomplete: "));
            assert!(said(GapReason::Unreachable, None).starts_with("nothing can be concluded: the audit trail"));
            assert_eq!(said(GapReason::Interrupted, None), "stopped before anything was read; run it again");
        }
        let complete = Coverage { audit: seen, ..Coverage::default() };
        assert_eq!(headline(&complete, 0, 3), "nothing new");
        assert_eq!(headline(&complete, 1, 3), "1 finding");
    }
}
