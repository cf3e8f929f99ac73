//! The mails with the report: short enough for every mail server and every reader. Pure.

use std::collections::BTreeMap;

use ::report::{Block, Document, Line, Section, TEXT_WIDTH, Table};
use alerting::{Mail, MailFile, Recipient, is_mail_address};
use audit_model::{Person, PersonStatus, Verdict};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::list;
use crate::body::{self, Report, RoomReport};
use crate::config::Config;
use crate::report::part;

/// People in one mail; the others stand in a file that goes with it.
const MOST_PEOPLE: usize = 100;

/// Rows of one table in a mail.
const MOST_ROWS: usize = 50;

/// The subject that people who filter mails rely on, where a report is of a month.
const MONTHLY: &str = "Monthly report: infrequent room users";

/// Stands in `manager.subject` for the sentence above the report.
pub(crate) const HEADLINE: &str = "{headline}";

/// What was told before is known only after this, and is of whoever runs the program: the manager gets everybody in every report.
pub(super) fn without_states(mut document: Document) -> Document {
    fn forget(blocks: &mut [Block]) {
        for block in blocks {
            match block {
                Block::Person(person) => person.state = None,
                Block::Details(details) => forget(&mut details.blocks),
                Block::Paragraph(_) | Block::Warning(_) | Block::List(_) | Block::Quote(_) | Block::Table(_) => {}
            }
        }
    }
    document.sections.iter_mut().for_each(|section| forget(&mut section.blocks));
    document
}

/// The whole report for one manager.
pub(super) fn whole(config: &Config, report: &Report, document: &Document, address: &str) -> Mail {
    let rooms: Vec<&RoomReport> = report.body.rooms.iter().collect();
    let to = Recipient { name: String::new(), address: address.to_owned() };
    mail(config, report, (document, &rooms), to)
}

/// For each owner of rooms in which somebody is inactive, the report of these rooms.
pub(super) fn of_owners(config: &Config, report: &Report, document: &Document) -> Vec<Mail> {
    let mut owned: BTreeMap<Uuid, (&Person, Vec<&RoomReport>)> = BTreeMap::new();
    for room in report.body.rooms.iter().filter(|room| !room.inactive.is_empty()) {
        let Some(owner) = &room.owner else { continue };
        owned.entry(owner.id).or_insert_with(|| (owner, Vec::new())).1.push(room);
    }
    let has_it_all = |address: &str| config.manager.mail_to.iter().any(|whole| whole.eq_ignore_ascii_case(address));
    let letter = |(owner, rooms): &(&Person, Vec<&RoomReport>)| {
        let address = owner.email.as_ref()?.raw().to_owned();
        if owner.status != Some(PersonStatus::Active) || !is_mail_address(&address) || has_it_all(&address) {
            return None;
        }
        let mut own = Document { notes: Vec::new(), timelines: Vec::new(), ..document.clone() };
        part(report, rooms, &mut own);
        own.headline = body::headline_of(report, rooms);
        let own = report.head.naming.document(own);
        let to = Recipient { name: owner.name.for_terminal(), address };
        Some(mail(config, report, (&without_states(own), rooms), to))
    };
    owned.values().filter_map(letter).collect()
}

/// The same window and address give the same `Message-ID`.
fn mail(config: &Config, report: &Report, (document, rooms): (&Document, &[&RoomReport]), to: Recipient) -> Mail {
    let (short, is_cut) = shortened(document.clone());
    let head = &report.head;
    let key = format!("manager {} {} {}", to.address, head.portal.shown(), head.window);
    let host = head.portal.url.host_str().unwrap_or("localhost");
    let all = || MailFile {
        name: "inactive-members.csv".to_owned(),
        kind: "text/csv; charset=utf-8",
        content: list::csv(rooms, document.clock(), &head.naming),
    };
    Mail {
        to,
        subject: subject(config, report, document),
        text: short.text(TEXT_WIDTH),
        html: Some(short.html()),
        message_id: format!("{}@{host}", hex::encode(&Sha256::digest(key)[..16])),
        references: Vec::new(),
        unsubscribe: Vec::new(),
        one_click: false,
        reply_to: None,
        files: is_cut.then(all).into_iter().collect(),
        date: head.run.started_at,
    }
}

fn subject(config: &Config, report: &Report, document: &Document) -> String {
    let headline = document.headline.for_terminal();
    let is_month = (28..=31).contains(&config.period_days);
    let chosen = config.manager.subject.as_deref().or(is_month.then_some(MONTHLY)).unwrap_or(HEADLINE);
    if chosen.contains(HEADLINE) {
        return chosen.replace(HEADLINE, &headline);
    }
    match report.coverage().verdict() {
        Verdict::Complete => chosen.to_owned(),
        Verdict::Incomplete => format!("{chosen} (incomplete)"),
        Verdict::Nothing => format!("{chosen} (nothing can be concluded)"),
    }
}

/// The worst of it, and whether there is more.
fn shortened(mut document: Document) -> (Document, bool) {
    let mut left = MOST_PEOPLE;
    let mut is_cut = false;
    for section in &mut document.sections {
        let all = section.people().len();
        section.blocks = within(std::mem::take(&mut section.blocks), &mut left);
        let cut = all - section.people().len();
        if cut > 0 {
            is_cut = true;
            let more =
                format!("{cut} more of this room stand in the file inactive-members.csv, which came with this mail");
            section.blocks.push(Block::Paragraph(more.into()));
        }
    }
    // a room of which nobody is shown is one line, and these are as few as the rows of a table
    let is_bare =
        |section: &Section| !section.blocks.iter().any(|block| matches!(block, Block::Person(_) | Block::Details(_)));
    let bare = document.sections.iter().filter(|section| is_cut && section.page.is_some() && is_bare(section)).count();
    if bare > MOST_ROWS {
        let mut seen = 0;
        document.sections.retain(|section| {
            seen += usize::from(section.page.is_some() && is_bare(section));
            !(section.page.is_some() && is_bare(section)) || seen <= MOST_ROWS
        });
        document.notes.push(Line::from(format!(
            "{} more rooms stand in the file inactive-members.csv, which came with this mail",
            bare - MOST_ROWS
        )));
    }
    (document, is_cut)
}

/// The first people and rows of these blocks.
fn within(blocks: Vec<Block>, left: &mut usize) -> Vec<Block> {
    let mut kept = Vec::new();
    for block in blocks {
        match block {
            Block::Person(_) if *left == 0 => {}
            Block::Person(person) => {
                *left -= 1;
                kept.push(Block::Person(person));
            }
            Block::Details(mut details) => {
                details.blocks = within(details.blocks, left);
                if !details.blocks.is_empty() {
                    kept.push(Block::Details(details));
                }
            }
            Block::Table(table) => kept.extend(few_rows(table)),
            other => kept.push(other),
        }
    }
    kept
}

fn few_rows(mut table: Table) -> Vec<Block> {
    let cut = table.rows.len().saturating_sub(MOST_ROWS);
    table.rows.truncate(MOST_ROWS);
    let more = (cut > 0).then(|| Block::Paragraph(format!("and {cut} more").into()));
    [Some(Block::Table(table)), more].into_iter().flatten().collect()
}
