//! What a run measured, as a file for the textfile collector of Prometheus' node exporter.
//!
//! All programs use the same names, told apart by labels. Points in time are exported as such and not as ages, so that they stay
//! true between runs.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use audit_model::{Finding, PortalText, Severity, Verdict};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::files;

use crate::exit::Exit;
use crate::report::Report;

/// Counts of a run that came to a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measured {
    /// Events in the window.
    pub(crate) rows: u64,
    pub(crate) newest_event: Option<DateTime<Utc>>,
    /// Up to when rules have judged what was read.
    pub(crate) judged_until: Option<DateTime<Utc>>,
    /// In the order of [`Severity::ALL`].
    pub(crate) findings: [usize; 5],
    /// New ones, and those that have grown.
    pub(crate) told: usize,
    pub(crate) suppressed: u64,
    pub(crate) is_complete: bool,
    /// Whether the run knew what earlier ones had seen and told.
    pub(crate) has_memory: bool,
    /// Sent to the portal, repeats included.
    pub(crate) requests: u64,
    pub(crate) key_expires: Option<DateTime<Utc>>,
}

impl Measured {
    /// What the report tells; the rest is for the caller to add.
    pub(crate) fn of<D, B>(report: &Report<D, B>) -> Self {
        let findings: Vec<&Finding> = report.counted().collect();
        let audit = report.coverage().audit.as_ref();
        Measured {
            rows: audit.map_or(0, |audit| audit.rows),
            newest_event: audit.and_then(|audit| audit.newest),
            findings: Severity::ALL.map(|severity| findings.iter().filter(|it| it.severity == severity).count()),
            told: report.told().count(),
            suppressed: report.suppressed,
            is_complete: report.coverage().verdict() == Verdict::Complete,
            ..Measured::default()
        }
    }
}

/// So much later than now another run may have begun: the clock was set back a little, or was read on another machine.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// Which run it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels<'a> {
    pub(crate) program: &'a str,
    pub(crate) version: &'a str,
    /// Host, and port where it is not the usual one.
    pub(crate) portal: &'a str,
}

/// What metrics call a portal.
pub(crate) fn portal_label(portal: &url::Url) -> String {
    portal[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

/// Why the file is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "it holds {0}; give each program and portal a file of its own, for instance with `{{program}}` and `{{portal}}` in its name, or remove it if nothing writes it any more"
    )]
    SomebodyElses(String),
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Labels<'_> {
    /// As they stand in every line.
    fn text(&self) -> String {
        format!("portal=\"{}\",program=\"{}\"", escaped(self.portal), self.program)
    }

    /// The samples in `text` that are ours.
    pub(crate) fn own_lines<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let own = format!("{{{}", self.text());
        text.lines().filter(move |line| is_of(line, &own))
    }

    /// What a file should say that says `before`, and that a run of ours has written `page` for: of two runs the one that began later, and
    /// the later success. A run that began later than `now` had a clock that was wrong: what it wrote does not count, or nothing would be
    /// said of the portal until then.
    pub(crate) fn later(&self, page: &str, before: &str, now: DateTime<Utc>) -> String {
        let known: String = self.own_lines(before).map(|line| format!("{line}\n")).collect();
        if moment(&known, LAST_RUN) > Some((now + CLOCKS_DIFFER).timestamp()) {
            return page.to_owned();
        }
        let is_known_later = moment(&known, LAST_RUN) > moment(page, LAST_RUN);
        let (later, earlier) = if is_known_later { (known.as_str(), page) } else { (page, known.as_str()) };
        let success = moment(earlier, LAST_SUCCESS).unwrap_or(0);
        let with_success = |line: &str| match line.rsplit_once(' ') {
            Some((name, _)) if moment(line, LAST_SUCCESS).is_some_and(|known| known < success) => {
                format!("{name} {success}\n")
            }
            _ => format!("{line}\n"),
        };
        later.lines().map(with_success).collect()
    }

    /// Whose file this is, if it is not ours: alerts on the age of a success must never be kept silent by another's.
    pub(crate) fn stranger(&self, text: &str) -> Option<String> {
        let own = format!("{{{}", self.text());
        let other = samples(text).find(|line| !is_of(line, &own))?;
        let label = |name: &str| Some(other.split_once(&format!("{name}=\""))?.1.split_once('"')?.0.to_owned());
        Some(match (other.starts_with(PREFIX), label("program"), label("portal")) {
            (true, Some(program), Some(portal)) => {
                let shown = |text: String| PortalText::new(text).for_terminal_within(100);
                format!("the metrics of {} at {}", shown(program), shown(portal))
            }
            _ => "metrics of something else".to_owned(),
        })
    }
}

/// Whether a sample is one of ours with these labels, brace first.
fn is_of(line: &str, labels: &str) -> bool {
    let behind = line.strip_prefix(PREFIX).and_then(|line| line.find('{').map(|at| &line[at..]));
    behind.and_then(|found| found.strip_prefix(labels)).is_some_and(|rest| rest.starts_with([',', '}']))
}

/// The lines with a value.
fn samples(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// A sample that is not of this program, whatever its portal.
pub(crate) fn foreign_line<'t>(text: &'t str, program: &str) -> Option<&'t str> {
    let label = format!(",program=\"{program}\"");
    samples(text).find(|line| !line.starts_with(PREFIX) || !line.contains(&label))
}

/// One page of several, each metric once, with the samples of all. Comments say what a metric is and stand before its samples; those of
/// the first page that has it count.
pub(crate) fn merged<'t>(pages: impl Iterator<Item = &'t str>) -> String {
    let mut families: Vec<(&str, String, String)> = Vec::new();
    for line in pages.flat_map(str::lines).filter(|line| !line.is_empty()) {
        let comment = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        let name = comment.unwrap_or(line).split([' ', '{']).next().unwrap_or_default();
        let at = families.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
            families.push((name, String::new(), String::new()));
            families.len() - 1
        });
        let (_, head, body) = &mut families[at];
        match comment {
            Some(_) if head.lines().any(|known| known[..7] == line[..7]) => {}
            Some(_) => *head += &format!("{line}\n"),
            None => *body += &format!("{line}\n"),
        }
    }
    families.into_iter().filter(|(.., body)| !body.is_empty()).map(|(_, head, body)| head + &body).collect()
}

/// Replaces the file at once, readable by everybody, because the collector is another user. The moment of the last success is taken
/// over from the file before, unless this run is one.
///
/// # Errors
/// It belongs to another program or portal, or cannot be written.
pub(crate) fn write(
    path: &Path,
    labels: Labels<'_>,
    now: DateTime<Utc>,
    exit: Exit,
    measured: Option<&Measured>,
) -> Result<(), Refused> {
    let before = fs::read_to_string(path).unwrap_or_default();
    if let Some(stranger) = labels.stranger(&before) {
        return Err(Refused::SomebodyElses(stranger));
    }
    let text = render(labels, now, exit, measured, moment(&before, LAST_SUCCESS).unwrap_or(0));
    Ok(files::replace(path, text.as_bytes(), files::READABLE)?)
}

/// What the names of all metrics begin with.
const PREFIX: &str = "docspace_job_";

const LAST_RUN: &str = "docspace_job_last_run_timestamp_seconds";

const LAST_SUCCESS: &str = "docspace_job_last_success_timestamp_seconds";

/// A moment, as seconds since 1970; 0 for never, so that an alert on its age fires before the first success, too. `text` has our lines only.
fn moment(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.rsplit_once(' ')?.1.parse().unwrap_or(0))
}

fn render(
    labels: Labels<'_>,
    now: DateTime<Utc>,
    exit: Exit,
    measured: Option<&Measured>,
    last_success_before: i64,
) -> String {
    let mut page = Page { labels: labels.text(), text: String::new() };
    let version = format!("version=\"{}\"", escaped(labels.version));
    page.family("build_info", "Version of the program that ran last.", &[(&version, 1)]);
    page.one("last_run_timestamp_seconds", "When the last run started.", now.timestamp());
    let success = if exit.is_success() { now.timestamp() } else { last_success_before };
    page.one("last_success_timestamp_seconds", "When the last run started that concluded; 0 for never.", success);
    page.one(
        "last_run_exit_code",
        "0 and 3 concluded, 1 nothing could be concluded, 2 settings, 4 incomplete.",
        exit as i64,
    );
    let Some(measured) = measured else { return page.text };
    page.one("incomplete", "1 when the last run could not see everything.", i64::from(!measured.is_complete));
    page.one("without_memory", "1 when the last run could not use its store.", i64::from(!measured.has_memory));
    page.one("audit_rows", "Events in the window of the last run.", measured.rows as i64);
    let severities: Vec<String> = Severity::ALL.iter().map(|it| format!("severity=\"{}\"", it.name())).collect();
    let findings: Vec<(&str, i64)> =
        severities.iter().zip(measured.findings).map(|(label, count)| (label.as_str(), count as i64)).collect();
    page.family("findings", "Findings of the last run, known ones included.", &findings);
    page.one("findings_told", "Findings of the last run that are new or have grown.", measured.told as i64);
    page.one(
        "findings_suppressed",
        "Known findings that have grown and are not reported again yet.",
        measured.suppressed as i64,
    );
    page.one("portal_requests", "Requests that the last run sent to the portal.", measured.requests as i64);
    if let Some(newest) = measured.newest_event {
        page.one("newest_event_timestamp_seconds", "Date of the newest event read.", newest.timestamp());
    }
    if let Some(until) = measured.judged_until {
        page.one("judged_until_timestamp_seconds", "Up to when events have been judged.", until.timestamp());
        page.one("lag_seconds", "How far judging was behind when the last run started.", (now - until).num_seconds());
    }
    if let Some(expires) = measured.key_expires {
        page.one("api_key_expiry_timestamp_seconds", "When the API key expires.", expires.timestamp());
    }
    page.text
}

/// Text in the exposition format.
struct Page {
    labels: String,
    text: String,
}

impl Page {
    fn one(&mut self, name: &str, help: &str, value: i64) {
        self.family(name, help, &[("", value)]);
    }

    /// A metric with one sample per further label; `help` has neither backslash nor line break.
    fn family(&mut self, name: &str, help: &str, samples: &[(&str, i64)]) {
        let page = &mut self.text;
        let name = format!("{PREFIX}{name}");
        let written = writeln!(page, "# HELP {name} {help}\n# TYPE {name} gauge").and_then(|()| {
            samples.iter().try_for_each(|(label, value)| {
                let comma = if label.is_empty() { "" } else { "," };
                writeln!(page, "{name}{{{}{comma}{label}}} {value}", self.labels)
            })
        });
        written.expect("writing to a string cannot fail");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Labels<'_> = Labels { program: "bulk-guard", version: "1.0.0", portal: "docs.example.com" };

    /// Two fleets can look at the same portals, and one that waits for another portal writes last what it has seen first.
    #[test]
    fn the_later_run_and_the_later_success_stay() {
        let now = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let ran = |at, success| render(OURS, now(at), Exit::Incomplete, None, success);
        let samples_of = |text: &str| samples(text).map(str::to_owned).collect::<Vec<_>>();
        let other = render(Labels { portal: "docs.example.org", ..OURS }, now(50), Exit::Nothing, None, 50);
        for (page, before, expected) in
            [((20, 5), (10, 7), (20, 7)), ((20, 5), (10, 3), (20, 5)), ((10, 7), (20, 5), (20, 7))]
        {
            let before = merged([ran(before.0, before.1).as_str(), &other].into_iter());
            let later = OURS.later(&ran(page.0, page.1), &before, now(20));
            assert_eq!(samples_of(&later), samples_of(&ran(expected.0, expected.1)));
        }
        assert_eq!(OURS.later(&ran(20, 5), &other, now(20)), ran(20, 5), "the first lines of ours");
    }

    /// The clock was a day ahead, as after a restart of a machine without a battery.
    #[test]
    fn a_run_in_the_future_hides_no_other() {
        let now = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let future = render(OURS, now(86_400), Exit::Concluded, None, 0);
        let page = render(OURS, now(20), Exit::Nothing, None, 5);
        assert_eq!(OURS.later(&page, &future, now(20)), page);
        let soon = render(OURS, now(80), Exit::Concluded, None, 0);
        assert_eq!(moment(&OURS.later(&page, &soon, now(20)), LAST_RUN), Some(80), "clocks differ a little");
    }

    /// A metric that stands twice makes the collector refuse the whole file.
    #[test]
    fn pages_of_many_portals_become_one() {
        let other = Labels { portal: "docs.example.org", ..OURS };
        let measured = Measured { is_complete: true, ..Measured::default() };
        let long = render(other, DateTime::UNIX_EPOCH, Exit::Concluded, Some(&measured), 0);
        let page = merged([written(OURS).as_str(), &long].into_iter());
        let heads: Vec<&str> = page.lines().filter(|line| line.starts_with("# HELP")).collect();
        assert_eq!(heads.len(), long.lines().filter(|line| line.starts_with("# HELP")).count());
        assert_eq!(OURS.own_lines(&page).collect::<Vec<_>>(), samples(&written(OURS)).collect::<Vec<_>>());
        assert_eq!(other.own_lines(&page).count(), samples(&long).count());
        assert_eq!(merged([page.as_str(), &page].into_iter()).matches("# HELP").count(), heads.len());
        assert_eq!((foreign_line(&page, "bulk-guard"), foreign_line(&page, "vdr-watch").is_some()), (None, true));
        assert_eq!(foreign_line("node_load1 0.5\n", "bulk-guard"), Some("node_load1 0.5"));
    }

    fn written(labels: Labels<'_>) -> String {
        render(labels, DateTime::UNIX_EPOCH, Exit::Concluded, None, 0)
    }

    #[test]
    fn a_file_is_ours_when_every_line_has_our_labels() {
        let measured = Measured { is_complete: true, ..Measured::default() };
        let own = render(OURS, DateTime::UNIX_EPOCH, Exit::Concluded, Some(&measured), 0);
        for text in ["", "# only a remark\n", &own] {
            assert_eq!(OURS.stranger(text), None, "{text}");
        }
        for (labels, whose) in [
            (Labels { program: "vdr-watch", ..OURS }, "the metrics of vdr-watch at docs.example.com"),
            (Labels { portal: "docs.example.org", ..OURS }, "the metrics of bulk-guard at docs.example.org"),
            (Labels { portal: "docs.example.com:8443", ..OURS }, "the metrics of bulk-guard at docs.example.com:8443"),
        ] {
            assert_eq!(OURS.stranger(&written(labels)).as_deref(), Some(whose));
            assert_eq!(OURS.stranger(&format!("{own}{}", written(labels))).as_deref(), Some(whose), "behind our own");
        }
        assert_eq!(OURS.stranger("node_load1 0.5\n").as_deref(), Some("metrics of something else"));
    }
}
