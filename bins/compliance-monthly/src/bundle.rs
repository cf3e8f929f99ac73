//! The files of a report. A second pass puts every event into every file, one after the other, in memory that does not grow with them;
//! where nothing would change, nothing is written.

pub(crate) mod folder;
pub(crate) mod manifest;
pub(crate) mod names;
mod ndjson;
pub(crate) mod subject;
mod tables;
pub(crate) mod txt;

use std::collections::BTreeSet;
use std::io::Write;

use ::report::{Document, Maker, PortalLine, TEXT_WIDTH, csv};
use anyhow::Context;
use audit_model::{Coverage, Person, SourceCoverage, Verdict, Window};
use event_archive::Archive;
use futures::TryStreamExt;
use job_runner::{Job, Naming, PortalName, ProgramName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::warn;
use uuid::Uuid;

use crate::body::Written;
use crate::bundle::folder::{Bundle, Short};
use crate::bundle::manifest::{FileEntry, Manifest, PSEUDONYM, SCHEMA, lasting};
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
    /// How people are named in it.
    pub(crate) naming: &'a Naming,
    /// What was asked.
    pub(crate) query: Value,
}

/// The name in the archive of [`Last`].
const LAST: &str = "last report in a folder";

/// What was written last into a folder.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    /// Of its manifest.
    digest: String,
    /// Of the events in it.
    rows_hash: String,
}

/// Writes the report into a folder; `None` when the one that is there saw more.
///
/// # Errors
/// Of the disk and of the store.
pub(crate) async fn write(job: &Job, source: &Source<'_>, mut folder: Bundle) -> anyhow::Result<Option<Written>> {
    let Source { facts, coverage, .. } = source;
    if folder.holds_more_than(coverage.verdict(), &facts.counts()) {
        return Ok(None);
    }
    let names = Names::new(&facts.period.label());
    let document = source.document(&names);
    let short = [source.page(&document), people(facts, &names, source.naming), rooms(facts, &names, source.naming)];
    let path = folder.folder().to_owned();
    let place = path.display().to_string();
    let rows_hash = facts.summary.rows_hash.clone();
    let last = job.archive.fact::<Last>(LAST, &place).await?.map(|fact| fact.value);
    if let Some(Last { digest, .. }) = last.filter(|last| last.rows_hash == rows_hash)
        && let Some((manifest, entry)) = folder.unchanged(&digest, &short, |files| source.manifest(files))
    {
        return Ok(Some(Written::new(path, manifest, entry)));
    }
    for file in &short {
        let mut part = folder.begin(&file.entry.name)?;
        part.write_all(&file.content)?;
        part.rows = file.entry.rows;
        folder.end(part)?;
    }
    let pages = document.text(TEXT_WIDTH);
    let entries = source.entries(&mut folder, &job.archive, &names, pages.as_bytes()).await;
    entries.with_context(|| format!("cannot write the report into {place}"))?;
    let mut files = folder.files();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = source.manifest(files).sealed()?;
    let entry = folder.publish(&manifest)?;
    let last = Last { digest: manifest.digest.clone(), rows_hash };
    if let Err(error) = job.archive.keep_fact(LAST, &place, &last, job.now).await {
        // the next run writes all of it again
        warn!("{:#}", anyhow::Error::new(error));
    }
    Ok(Some(Written::new(path, manifest, entry)))
}

impl Source<'_> {
    /// The pages of the report: only what the same facts make the same again.
    fn document(&self, names: &Names) -> Document {
        let Source { facts, decisions, coverage, .. } = self;
        let program = Maker { name: self.program.name.to_owned(), version: self.program.version.to_owned() };
        let portal = PortalLine {
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
        self.naming.document(document)
    }

    fn manifest(&self, files: Vec<FileEntry>) -> Manifest {
        let program = [("name", self.program.name), ("version", self.program.version)];
        Manifest {
            schema: SCHEMA.to_owned(),
            program: program.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            portal: json!(self.portal),
            period: self.facts.period.facts(),
            query: self.query.clone(),
            names: (!self.naming.is_clear()).then(|| PSEUDONYM.to_owned()),
            coverage: lasting(self.coverage),
            counts: self.facts.counts(),
            reading: self.facts.reading,
            files,
            digest: String::new(),
        }
    }

    fn page(&self, document: &Document) -> Short {
        Short::new(self.file_name(".html"), document.html(), None)
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
            // by the title that the room had, whoever it names
            let place = facts.rooms.place(&event);
            let event = self.naming.event(event);
            txt::event(&event, facts.period.zone, &mut text)?;
            table.write_all(tables::event(&event, &place, facts, &topics).as_bytes())?;
            ndjson::event(&event, &topics, &mut lines)?;
            written += 1;
        }
        let mut login_table = bundle.begin(&names.logins)?;
        login_table.write_all(csv::row(tables::LOGIN_COLUMNS).as_bytes())?;
        let mut logins = 0;
        let mut all = std::pin::pin!(archive.login_events(self.window()));
        while let Some(login) = all.try_next().await? {
            if filter.fits_login(&login) {
                let login = self.naming.login(login);
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

fn people(facts: &Facts, names: &Names, naming: &Naming) -> Short {
    let all = &facts.summary.people;
    let rows = all.iter().map(|(actor, row)| {
        let person = naming.person(Person::named(actor.id, row.name.clone()));
        tables::account(&person, row, &naming.text(&facts.remark(actor)))
    });
    let table: String = [tables::people_columns()].into_iter().chain(rows).collect();
    Short::new(names.people.clone(), table, Some(all.len()))
}

fn rooms(facts: &Facts, names: &Names, naming: &Naming) -> Short {
    let busy = facts.summary.rooms.iter().map(|(key, row)| {
        let (title, id) = facts.room_name(key, row);
        tables::room(&naming.portal_text(&title), id.as_ref(), row)
    });
    let quiet = facts.quiet.iter().map(|(id, title)| {
        let title = naming.portal_text(title);
        tables::room(&title, Some(id), &RoomRow::default())
    });
    let table: String = [tables::room_columns()].into_iter().chain(busy).chain(quiet).collect();
    Short::new(names.rooms.clone(), table, Some(facts.summary.rooms.len() + facts.quiet.len()))
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
