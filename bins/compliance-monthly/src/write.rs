//! The second pass: every event into every file, one after the other, in memory that does not grow with them.

use std::io::Write;

use audit_model::{ActClass, Window};
use event_archive::Archive;
use futures::TryStreamExt;
use job_runner::{Job, PortalName, ProgramName};
use serde_json::{Value, json};

use crate::body::{Facts, Written};
use crate::bundle::Bundle;
use crate::document::Document;
use crate::filter::Filter;
use crate::manifest::{Manifest, SCHEMA};
use crate::sections::{self, Names};
use crate::summary::Tally;
use crate::topic::Topic;
use crate::{csv, html, ndjson, txt};

/// Whose report it is, for the manifest.
pub(crate) struct Origin<'a> {
    pub(crate) program: ProgramName,
    pub(crate) portal: &'a PortalName,
    /// What was asked.
    pub(crate) query: Value,
}

pub(crate) fn file_names(label: &str) -> Names {
    let name = |end: &str| format!("compliance-report-{label}{end}");
    Names {
        events: name("-events.csv"),
        logins: name("-logins.csv"),
        people: name("-people.csv"),
        rooms: name("-rooms.csv"),
    }
}

/// Writes the report into a folder. Events that the filter leaves out stand nowhere.
///
/// # Errors
/// Of the disk and of the store.
pub(crate) async fn bundle(
    job: &Job,
    facts: &Facts,
    filter: &Filter,
    origin: &Origin<'_>,
    mut bundle: Bundle,
) -> anyhow::Result<Option<Written>> {
    let label = facts.period.label();
    let names = file_names(&label);
    let document = facts.document(&names);
    let folder = bundle.folder().to_owned();
    if bundle.holds_more_than(facts.coverage.verdict()) {
        return Ok(None);
    }
    page(&mut bundle, facts, &document, &label)?;
    events(&mut bundle, &job.archive, (facts, filter), &document, &names).await?;
    people(&mut bundle, facts, &names)?;
    rooms(&mut bundle, facts, &names)?;
    let mut files = bundle.files();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        program: [("name", origin.program.name), ("version", origin.program.version)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        portal: serde_json::to_value(origin.portal)?,
        period: facts.period.facts(),
        query: origin.query.clone(),
        coverage: facts.lasting_coverage(),
        counts: facts.counts(),
        files: files.clone(),
        digest: String::new(),
    };
    let manifest = bundle.publish(&manifest)?;
    Ok(Some(Written { folder, files, manifest }))
}

fn published_lines(facts: &Facts) -> anyhow::Result<Vec<u8>> {
    let mut head = Vec::new();
    let period = &facts.period;
    txt::published_lines(period.first_day(), period.last_day(), facts.summary.events.count, &mut head)?;
    Ok(head)
}

fn page(bundle: &mut Bundle, facts: &Facts, document: &Document, label: &str) -> anyhow::Result<()> {
    let mut part = bundle.begin(&format!("compliance-report-{label}.html"))?;
    html::page(document, &String::from_utf8_lossy(&published_lines(facts)?), &mut part)?;
    bundle.end(part)
}

async fn events(
    bundle: &mut Bundle,
    archive: &Archive,
    (facts, filter): (&Facts, &Filter),
    document: &Document,
    names: &Names,
) -> anyhow::Result<()> {
    let label = facts.period.label();
    let mut text = bundle.begin(&format!("compliance-report-{label}.txt"))?;
    let mut table = bundle.begin(&names.events)?;
    let mut lines = bundle.begin(&format!("compliance-report-{label}-events.ndjson"))?;
    text.write_all(&published_lines(facts)?)?;
    txt::document(document, &mut text)?;
    txt::events_head(&mut text)?;
    csv::row(csv::EVENT_COLUMNS, &mut table)?;
    let zone = facts.period.zone;
    let mut written = 0;
    let mut all = std::pin::pin!(archive.detailed_events(window(facts)));
    while let Some(event) = all.try_next().await? {
        if !filter.fits(&event, &facts.rooms) {
            continue;
        }
        let topics: Vec<&'static str> = Topic::of(&event, &facts.own).map(Topic::name).collect();
        txt::event(&event, zone, &mut text)?;
        csv::event(&event, (zone, &facts.rooms), &topics.join(" "), &mut table)?;
        ndjson::event(&event, &topics, &mut lines)?;
        written += 1;
    }
    let mut login_table = bundle.begin(&names.logins)?;
    csv::row(csv::LOGIN_COLUMNS, &mut login_table)?;
    let mut logins = 0;
    let mut all = std::pin::pin!(archive.login_events(window(facts)));
    while let Some(login) = all.try_next().await? {
        if filter.fits_login(&login) {
            csv::login(&login, zone, &mut login_table)?;
            ndjson::login(&login, &mut lines)?;
            logins += 1;
        }
    }
    text.rows = Some(written);
    table.rows = Some(written);
    lines.rows = Some(written + logins);
    login_table.rows = Some(logins);
    for part in [text, table, lines, login_table] {
        bundle.end(part)?;
    }
    Ok(())
}

/// Nothing of a period of which nothing can be concluded.
fn window(facts: &Facts) -> Window {
    match facts.coverage.verdict() {
        audit_model::Verdict::Nothing => Window::new(facts.period.window.since, facts.period.window.since),
        _ => facts.period.window,
    }
}

const CLASSES: [ActClass; 6] = crate::page_one::CLASSES;

fn people(bundle: &mut Bundle, facts: &Facts, names: &Names) -> anyhow::Result<()> {
    let mut part = bundle.begin(&names.people)?;
    let columns = ["user", "user_id", "events", "first_event", "last_event"];
    csv::row(columns.into_iter().chain(class_columns()).chain(["remark"]), &mut part)?;
    for (id, row) in &facts.summary.people {
        let Tally { count, first, last } = row.events;
        let counts = CLASSES.map(|class| row.of_class(class).to_string());
        let [id_text, count, first, last] = [id.to_string(), count.to_string(), first.to_string(), last.to_string()];
        let remark = sections::remark(facts, *id);
        let cells = [row.name.raw(), &id_text, &count, &first, &last].into_iter();
        csv::row(cells.chain(counts.iter().map(String::as_str)).chain([remark.as_str()]), &mut part)?;
    }
    part.rows = Some(facts.summary.people.len() as u64);
    bundle.end(part)
}

fn rooms(bundle: &mut Bundle, facts: &Facts, names: &Names) -> anyhow::Result<()> {
    let mut part = bundle.begin(&names.rooms)?;
    let columns = ["room", "room_id", "events", "people", "first_event", "last_event"];
    csv::row(columns.into_iter().chain(class_columns()), &mut part)?;
    let mut write = |title: &str, id: &str, row: &crate::summary::RoomRow| {
        let Tally { count, first, last } = row.events;
        let of_event = |event: i64| if count > 0 { event.to_string() } else { String::new() };
        let counts = CLASSES.map(|class| row.by_class.get(&class).copied().unwrap_or(0).to_string());
        let numbers = [count.to_string(), row.people.len().to_string(), of_event(first), of_event(last)];
        csv::row([title, id].into_iter().chain(numbers.iter().chain(&counts).map(String::as_str)), &mut part)
    };
    for (key, row) in &facts.summary.rooms {
        let (title, id) = sections::room_name(facts, key, row);
        write(title.raw(), &id.map(|id| id.to_string()).unwrap_or_default(), row)?;
    }
    let mut quiet = 0;
    for room in facts.quiet_rooms() {
        write(room.title.raw(), &room.id.to_string(), &crate::summary::RoomRow::default())?;
        quiet += 1;
    }
    part.rows = Some(facts.summary.rooms.len() as u64 + quiet);
    bundle.end(part)
}

fn class_columns() -> [&'static str; 6] {
    CLASSES.map(|class| match class {
        ActClass::View => "views",
        ActClass::Download => "downloads",
        ActClass::Change => "changes",
        ActClass::Delete => "deletions",
        ActClass::Share => "shares",
        ActClass::Membership => "membership",
    })
}

/// The settings that shape the report, for whoever makes it again.
pub(crate) fn query(
    config: &crate::config::Config,
    own: &std::collections::BTreeSet<uuid::Uuid>,
    filter: &Filter,
) -> Value {
    let mut query = json!({
        "only": config.only,
        "settle": config.settle,
        "bulk_downloads": config.bulk_downloads,
        "failed_logins": config.failed_logins,
        "own_programs": own,
    });
    if !filter.important.is_empty() {
        query["important_documents"] = json!(filter.important);
    }
    query
}
