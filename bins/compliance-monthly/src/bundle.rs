//! The second pass: every event into every file, one after the other, in memory that does not grow with them.

pub(crate) mod folder;
pub(crate) mod manifest;
pub(crate) mod names;
mod ndjson;
mod tables;
pub(crate) mod txt;

use std::collections::BTreeSet;
use std::io::Write;

use ::report::{Document, Portal, Program, TEXT_WIDTH, csv};
use audit_model::{Coverage, SourceCoverage, Verdict, Window};
use event_archive::Archive;
use futures::TryStreamExt;
use job_runner::{Job, PortalName, ProgramName};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::body::Written;
use crate::bundle::folder::Bundle;
use crate::bundle::manifest::{Manifest, SCHEMA, lasting};
use crate::bundle::names::{Names, file_name};
use crate::config::Config;
use crate::facts::Facts;
use crate::facts::summary::RoomRow;
use crate::facts::topic::Topic;
use crate::filter::Filter;
use crate::report;
use crate::rule::Decision;

/// What a report is made from.
pub(crate) struct Source<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) decisions: &'a [Decision],
    /// Events and logins that it leaves out stand nowhere.
    pub(crate) filter: &'a Filter,
    pub(crate) coverage: &'a Coverage,
    pub(crate) program: &'a ProgramName,
    pub(crate) portal: &'a PortalName,
    /// What was asked.
    pub(crate) query: Value,
}

/// Writes the report into a folder; `None` when the one that is there saw more.
///
/// # Errors
/// Of the disk and of the store.
pub(crate) async fn write(job: &Job, source: &Source<'_>, mut bundle: Bundle) -> anyhow::Result<Option<Written>> {
    let Source { facts, coverage, .. } = source;
    if bundle.holds_more_than(coverage.verdict(), &facts.counts()) {
        return Ok(None);
    }
    let names = Names::new(&facts.period.label());
    let document = source.document(&names);
    let mut page = bundle.begin(&source.file_name(".html"))?;
    page.write_all(document.html().as_bytes())?;
    bundle.end(page)?;
    source.entries(&mut bundle, &job.archive, &names, document.text(TEXT_WIDTH).as_bytes()).await?;
    people(&mut bundle, facts, &names.people)?;
    rooms(&mut bundle, facts, &names.rooms)?;
    let mut files = bundle.files();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        program: [("name", source.program.name), ("version", source.program.version)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        portal: serde_json::to_value(source.portal)?,
        period: facts.period.facts(),
        query: source.query.clone(),
        coverage: lasting(coverage),
        counts: facts.counts(),
        reading: facts.reading,
        files: files.clone(),
        digest: String::new(),
    }
    .sealed()?;
    let folder = bundle.folder().to_owned();
    let entry = bundle.publish(&manifest)?;
    Ok(Some(Written { folder, files, manifest: entry, digest: manifest.digest.clone(), content: manifest }))
}

impl Source<'_> {
    /// The pages of the report: only what the same facts make the same again.
    fn document(&self, names: &Names) -> Document {
        let Source { facts, decisions, coverage, .. } = self;
        let program = Program { name: self.program.name.to_owned(), version: self.program.version.to_owned() };
        let portal = Portal {
            url: self.portal.shown().to_owned(),
            version: self.portal.version.clone(),
            time_zone: Some(facts.period.zone),
        };
        // how many rows came late is known only to the run that found them
        let on_time = |source: &SourceCoverage| SourceCoverage { late_rows: 0, ..source.clone() };
        let coverage = Coverage {
            audit: coverage.audit.as_ref().map(on_time),
            logins: coverage.logins.as_ref().map(on_time),
            ..(*coverage).clone()
        };
        let mut document = Document::new(program, portal, None, facts.period.window, coverage);
        document.headline = report::headline(facts, decisions, &document.coverage);
        report::pages(facts, decisions, names, &mut document);
        document
    }

    fn file_name(&self, end: &str) -> String {
        file_name(&self.facts.period.label(), end)
    }

    /// Nothing of a period of which nothing can be concluded.
    fn window(&self) -> Window {
        let whole = self.facts.period.window;
        match self.coverage.verdict() {
            Verdict::Nothing => Window::new(whole.since, whole.since),
            Verdict::Incomplete | Verdict::Complete => whole,
        }
    }

    /// Every event and login, one after the other, into the files that hold each.
    async fn entries(&self, bundle: &mut Bundle, archive: &Archive, names: &Names, pages: &[u8]) -> anyhow::Result<()> {
        let Source { facts, filter, .. } = self;
        let mut text = bundle.begin(&self.file_name(".txt"))?;
        let mut table = bundle.begin(&names.events)?;
        let mut lines = bundle.begin(&self.file_name("-events.ndjson"))?;
        text.write_all(txt::published_lines(facts, self.coverage.verdict()).as_bytes())?;
        text.write_all(b"\n")?;
        text.write_all(pages)?;
        txt::events_head(&mut text)?;
        table.write_all(csv::row(tables::EVENT_COLUMNS).as_bytes())?;
        let mut written = 0;
        let mut all = std::pin::pin!(archive.detailed_events(self.window()));
        while let Some(event) = all.try_next().await? {
            if !filter.fits(&event, &facts.rooms) {
                continue;
            }
            let topics: Vec<&'static str> = Topic::of(&event, &facts.own).map(Topic::name).collect();
            txt::event(&event, facts.period.zone, &mut text)?;
            table.write_all(tables::event(&event, facts, &topics).as_bytes())?;
            ndjson::event(&event, &topics, &mut lines)?;
            written += 1;
        }
        let mut login_table = bundle.begin(&names.logins)?;
        login_table.write_all(csv::row(tables::LOGIN_COLUMNS).as_bytes())?;
        let mut logins = 0;
        let mut all = std::pin::pin!(archive.login_events(self.window()));
        while let Some(login) = all.try_next().await? {
            if filter.fits_login(&login) {
                login_table.write_all(tables::login(&login, &facts.period).as_bytes())?;
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
}

fn people(bundle: &mut Bundle, facts: &Facts, name: &str) -> anyhow::Result<()> {
    let mut part = bundle.begin(name)?;
    part.write_all(tables::people_columns().as_bytes())?;
    for (actor, row) in &facts.summary.people {
        part.write_all(tables::account(actor.id, row, &facts.remark(actor)).as_bytes())?;
    }
    part.rows = Some(facts.summary.people.len() as u64);
    bundle.end(part)
}

fn rooms(bundle: &mut Bundle, facts: &Facts, name: &str) -> anyhow::Result<()> {
    let mut part = bundle.begin(name)?;
    part.write_all(tables::room_columns().as_bytes())?;
    for (key, row) in &facts.summary.rooms {
        let (title, id) = facts.room_name(key, row);
        part.write_all(tables::room(&title, id.as_ref(), row).as_bytes())?;
    }
    for (id, title) in &facts.quiet {
        part.write_all(tables::room(title, Some(id), &RoomRow::default()).as_bytes())?;
    }
    part.rows = Some((facts.summary.rooms.len() + facts.quiet.len()) as u64);
    bundle.end(part)
}

/// The settings that shape the report, for whoever makes it again.
pub(crate) fn query(config: &Config, own: &BTreeSet<Uuid>, filter: &Filter) -> Value {
    let mut query = json!({
        "only": config.only,
        "settle": config.settle,
        "bulk_downloads": config.bulk_downloads,
        "failed_logins": config.failed_logins,
        "recheck": config.recheck,
        "own_programs": own,
    });
    if !filter.important.is_empty() {
        query["important_documents"] = json!(filter.important);
    }
    query
}
