//! A portal in memory: what it has, what it shows, and what really happened to it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::schedules::Dice;
use docspace_client::{AddressList, ListEntry};
use uuid::Uuid;

use super::super::entry::{Answer, Entry};
use super::super::merge;
use super::super::seen::{Read, Row, Trail};

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Refused,
    BreaksBefore,
    BreaksAfter,
    BreaksAndComes,
    Repeated,
    LostSwitch,
}

/// A write that really happened.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) at: DateTime<Utc>,
    /// `None`: another admin.
    pub(super) tag: Option<String>,
    pub(super) event: i64,
    /// What an admin wanted: entries in and out, and the switch.
    pub(super) wanted: (Vec<ListEntry>, Vec<ListEntry>, Option<bool>),
}

impl Happened {
    /// What an admin put in or took out.
    pub(super) fn entries(&self) -> impl Iterator<Item = &ListEntry> {
        self.wanted.0.iter().chain(&self.wanted.1)
    }
}

/// What a read was made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// By the true clock.
    pub(super) at: DateTime<Utc>,
    /// How many writes had happened by the older half of what it showed.
    pub(super) had: usize,
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) now: DateTime<Utc>,
    pub(super) portal_skew: TimeDelta,
    pub(super) here_skew: TimeDelta,
    pub(super) list: AddressList,
    /// Earlier lists, with the moment until which each stood.
    earlier: Vec<(DateTime<Utc>, AddressList)>,
    /// Rows, with the moment from which each is shown.
    rows: Vec<(DateTime<Utc>, Row)>,
    next_event: i64,
    /// Writes on their way.
    coming: Vec<(DateTime<Utc>, AddressList, String)>,
    pub(super) fate: Option<Fate>,
    pub(super) is_down: bool,
    pub(super) rows_come_late: bool,
    pub(super) reads_are_stale: bool,
    pub(super) ledger: Option<Entry>,
    /// Whether the run that is at work holds the lease.
    pub(super) has_lease: bool,
    /// Whether it was told that it may write, once.
    pub(super) may_write: bool,
    /// The file beside the store that says that a list is being applied.
    pub(super) has_marker: bool,
    pub(super) happened: Vec<Happened>,
    /// What our writes go by, with the number of the write.
    pub(super) read_for: BTreeMap<u32, Reading>,
    last_read: Option<Reading>,
    pub(super) wrong: Vec<String>,
    pub(super) reached: BTreeMap<&'static str, u64>,
    pub(super) log: Vec<String>,
    is_logged: bool,
}

impl World {
    pub(super) fn new(seed: u64, is_logged: bool, list: AddressList) -> Self {
        World {
            dice: Dice::new(seed),
            now: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
            portal_skew: TimeDelta::zero(),
            here_skew: TimeDelta::zero(),
            list,
            earlier: Vec::new(),
            rows: Vec::new(),
            next_event: 100,
            coming: Vec::new(),
            fate: None,
            is_down: false,
            rows_come_late: false,
            reads_are_stale: false,
            ledger: None,
            has_lease: false,
            may_write: false,
            has_marker: false,
            happened: Vec::new(),
            read_for: BTreeMap::new(),
            last_read: None,
            wrong: Vec::new(),
            reached: BTreeMap::new(),
            log: Vec::new(),
            is_logged,
        }
    }

    pub(super) fn portal_now(&self) -> DateTime<Utc> {
        self.now + self.portal_skew
    }

    pub(super) fn here_now(&self) -> DateTime<Utc> {
        self.now + self.here_skew
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if self.is_logged {
            let line = format!("{} {}", self.now.format("%H:%M:%S%.3f"), what());
            self.log.push(line);
        }
    }

    pub(super) fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    pub(super) fn accuse(&mut self, what: String) {
        self.note(|| format!("WRONG: {what}"));
        self.wrong.push(what);
    }

    /// Keeps the application as the journal does: the file comes first.
    pub(super) fn keep(&mut self, entry: Entry) {
        self.has_marker |= entry.state.is_open();
        self.ledger = Some(entry);
    }

    /// A process has ended in order, and takes the file away where nothing is open.
    pub(super) fn clear_marker(&mut self) {
        self.has_marker &= self.ledger.as_ref().is_some_and(|entry| entry.state.is_open());
    }

    /// Time goes by, and what is on its way arrives.
    pub(super) fn pass(&mut self, time: TimeDelta) {
        let end = self.now + time;
        self.coming.sort_by_key(|(at, _, _)| *at);
        while self.coming.first().is_some_and(|(at, _, _)| *at <= end) {
            let (at, list, tag) = self.coming.remove(0);
            self.now = self.now.max(at);
            self.note(|| format!("comes later: {tag}"));
            self.save(list, Some(tag), (Vec::new(), Vec::new(), None));
        }
        self.now = end;
    }

    fn save(&mut self, list: AddressList, tag: Option<String>, wanted: (Vec<ListEntry>, Vec<ListEntry>, Option<bool>)) {
        self.earlier.push((self.now, self.list.clone()));
        self.note(|| format!("saved by {tag:?}: {}", shown(&list)));
        self.list = list;
        self.next_event += 1;
        let mut from = self.now;
        if self.rows_come_late && self.dice.percent(60) {
            from += TimeDelta::seconds(1 + self.dice.below(60) as i64);
            self.reach("late event");
        }
        let at = DateTime::from_timestamp(self.portal_now().timestamp(), 0).unwrap();
        let row = Row {
            event: self.next_event,
            at,
            actor: Uuid::from_u128(1),
            name: "Olga".to_owned(),
            ip: None,
            tag: tag.clone(),
        };
        self.rows.push((from, row));
        self.happened.push(Happened { at: self.now, tag, event: self.next_event, wanted });
    }

    pub(super) fn read(&mut self) -> Result<Read, String> {
        if self.is_down {
            return Err("the portal is down".to_owned());
        }
        let mut list = self.list.clone();
        let mut had = self.happened.len();
        let since = self.now - TimeDelta::seconds(15);
        if self.reads_are_stale && self.dice.percent(50) {
            // each write has left an earlier list behind
            let old: Vec<(usize, &AddressList)> = self
                .earlier
                .iter()
                .enumerate()
                .filter(|(_, (until, _))| *until > since)
                .map(|(at, (_, list))| (at, list))
                .collect();
            if !old.is_empty() {
                let pick = self.dice.below(old.len() as u64) as usize;
                // list and switch are remembered apart
                let (halves, (at, old)) = (self.dice.below(3), (old[pick].0, old[pick].1.clone()));
                had = at;
                if halves != 1 {
                    list.entries = old.entries.clone();
                }
                if halves != 2 {
                    list.enabled = old.enabled;
                }
                self.reach("stale read");
            }
        }
        self.last_read = Some(Reading { at: self.now, had });
        self.note(|| format!("read: {}", shown(&list)));
        Ok(Read { list, tenant: Some(2) })
    }

    /// A read of somebody who only decides: no write goes by it.
    pub(super) fn glance(&mut self) -> Result<Read, String> {
        let last = self.last_read;
        let read = self.read();
        self.last_read = last;
        read
    }

    pub(super) fn trail(&self) -> Trail {
        let shown = self.rows.iter().filter(|(from, _)| *from <= self.now).map(|(_, row)| row.clone());
        Trail { rows: shown.collect(), is_complete: !self.is_down }
    }

    pub(super) fn put(&mut self, list: &AddressList, tag: &str) -> Answer {
        self.check_put(list);
        if let Some(put) = self.ledger.as_ref().and_then(|entry| entry.puts.last()) {
            self.read_for.extend(self.last_read.map(|read| (put.number, read)));
        }
        self.reach("written");
        if self.is_down {
            return Answer::Unknown("the portal is down".to_owned());
        }
        let fate = self.fate.take();
        self.note(|| format!("PUT {tag} ({fate:?})"));
        let nothing = || (Vec::new(), Vec::new(), None);
        match fate {
            None => {
                self.save(list.clone(), Some(tag.to_owned()), nothing());
                Answer::Taken
            }
            Some(Fate::Refused) => Answer::Refused("429".to_owned()),
            Some(Fate::BreaksBefore) => {
                self.reach("lost answer");
                Answer::Unknown("the connection broke".to_owned())
            }
            Some(Fate::BreaksAfter) => {
                self.reach("lost answer");
                self.save(list.clone(), Some(tag.to_owned()), nothing());
                Answer::Unknown("the connection broke".to_owned())
            }
            Some(Fate::BreaksAndComes) => {
                self.reach("came later");
                let at = self.now + TimeDelta::seconds(1 + self.dice.below(60) as i64);
                self.coming.push((at, list.clone(), tag.to_owned()));
                Answer::Unknown("the connection broke".to_owned())
            }
            Some(Fate::Repeated) => {
                self.reach("repeated");
                self.save(list.clone(), Some(tag.to_owned()), nothing());
                let at = self.now + TimeDelta::milliseconds(self.dice.below(5_000) as i64);
                self.coming.push((at, list.clone(), tag.to_owned()));
                Answer::Taken
            }
            Some(Fate::LostSwitch) => {
                self.reach("lost switch");
                let saved = AddressList { enabled: self.list.enabled, ..list.clone() };
                self.save(saved, Some(tag.to_owned()), nothing());
                Answer::Taken
            }
        }
    }

    /// Another admin changes one thing, by what the portal has at this moment.
    pub(super) fn administer(&mut self, pool: &[ListEntry]) {
        let mut list = self.list.clone();
        let (mut add, mut remove, mut switch) = (Vec::new(), Vec::new(), None);
        match self.dice.below(10) {
            0..5 => add.push(pool[self.dice.below(pool.len() as u64) as usize].clone()),
            5..9 if list.entries.len() > 1 => {
                remove.push(list.entries[self.dice.below(list.entries.len() as u64) as usize].clone());
            }
            _ => switch = Some(!list.enabled),
        }
        list.entries = merge::changed(&list.entries, &add, &remove);
        list.enabled = switch.unwrap_or(list.enabled);
        if merge::trouble(&list).is_some() {
            return;
        }
        self.reach("another admin");
        self.note(|| format!("another admin: +{} -{} {switch:?}", shown_entries(&add), shown_entries(&remove)));
        self.save(list, None, (add, remove, switch));
    }
}

pub(super) fn shown(list: &AddressList) -> String {
    format!("{} {}", if list.enabled { "on" } else { "off" }, shown_entries(&list.entries))
}

pub(super) fn shown_entries(entries: &[ListEntry]) -> String {
    let texts: Vec<&str> = entries.iter().map(|entry| entry.ip.raw()).collect();
    format!("[{}]", texts.join(" "))
}
