//! Ninety days of some offices, from a seed: what is ordinary, what is ordinary and looks bad, and what is bad.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use audit_model::{ActionId, GUEST_ACCOUNT, Person, PersonStatus, PortalRole, PortalText};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use docspace_client::{Account, Directory, Group};
use uuid::Uuid;

use crate::rule::sighting::{Sighting, Source};

pub(super) const UNTIL: &str = "2026-11-20T09:00:00Z";
pub(super) const ZONE: Tz = chrono_tz::Europe::Berlin;

pub(super) struct Office {
    pub(super) directory: Directory,
    pub(super) robots: Vec<String>,
    pub(super) logins: Vec<Sighting>,
    pub(super) acts: Vec<Sighting>,
    /// Addresses that no rule may ever hold.
    pub(super) attackers: BTreeSet<IpAddr>,
    /// People who are active and no robots.
    pub(super) active: BTreeSet<Uuid>,
    names: BTreeMap<String, Uuid>,
    random: u64,
}

/// When something happened: day 0 is the first, in minutes after midnight.
type Moment = (i64, i64);

impl Office {
    fn empty(seed: u64) -> Self {
        Office {
            directory: Directory::default(),
            robots: Vec::new(),
            logins: Vec::new(),
            acts: Vec::new(),
            attackers: BTreeSet::new(),
            active: BTreeSet::new(),
            names: BTreeMap::new(),
            random: seed | 1,
        }
    }

    pub(super) fn id(&self, name: &str) -> Uuid {
        self.names[name]
    }

    /// Up to a number, itself excluded.
    fn below(&mut self, most: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % most
    }

    fn hire(&mut self, name: &str) {
        let id = Uuid::from_u128(self.names.len() as u128 + 1);
        let person = Person {
            email: Some(PortalText::new(format!("{name}@example.com"))),
            role: Some(PortalRole::User),
            status: Some(PersonStatus::Active),
            ..Person::named(id, name.into())
        };
        let account = Account { person, is_ldap: false, is_sso: false, culture: None };
        self.directory.people.insert(id, account);
        self.names.insert(name.to_owned(), id);
        self.active.insert(id);
    }

    fn at(&self, (day, minute): Moment) -> DateTime<Utc> {
        let until: DateTime<Utc> = UNTIL.parse().unwrap();
        let midnight = until - TimeDelta::hours(9) - TimeDelta::days(89);
        midnight + TimeDelta::days(day) + TimeDelta::minutes(minute)
    }

    fn row(&mut self, source: Source, user: Uuid, action: i32, ip: &str, moment: Moment) -> Sighting {
        let country = if source == Source::Logins { Some("Germany".into()) } else { None };
        Sighting {
            source,
            id: (self.logins.len() + self.acts.len()) as i64,
            at: self.at(moment) + TimeDelta::seconds(self.random as i64 & 31),
            user,
            user_name: "somebody".into(),
            login: None,
            action: ActionId(action),
            text: None,
            ip: (!ip.is_empty()).then(|| ip.into()),
            ip_was_set: false,
            country,
            city: None,
            browser: None,
            platform: None,
            targets: Vec::new(),
        }
    }

    fn login(&mut self, name: &str, ip: &str, moment: Moment) -> &mut Sighting {
        let user = self.names.get(name).copied().unwrap_or(Uuid::from_u128(999));
        let row = self.row(Source::Logins, user, 1029, ip, moment);
        self.logins.push(row);
        self.logins.last_mut().unwrap()
    }

    fn act(&mut self, name: &str, action: i32, ip: &str, moment: Moment) {
        let row = self.row(Source::Audit, self.names[name], action, ip, moment);
        self.acts.push(row);
    }

    fn fail(&mut self, name: &str, ip: &str, moment: Moment) {
        let login = Some(PortalText::new(format!("{name}@example.com")));
        let row = self.row(Source::Logins, GUEST_ACCOUNT, 1013, ip, moment);
        self.logins.push(Sighting { login, ..row });
    }

    /// One working day: a login in the morning, then some actions.
    fn work(&mut self, name: &str, ip: &str, day: i64) {
        let minute = 420 + self.below(90) as i64;
        self.login(name, ip, (day, minute));
        for hour in 0..self.below(3) as i64 {
            self.act(name, 5009, ip, (day, minute + 5 + hour * 20));
        }
    }

    /// The last moment is at nine of day 89.
    fn finish(mut self) -> Self {
        let until: DateTime<Utc> = UNTIL.parse().unwrap();
        self.logins.retain(|row| row.at < until);
        self.acts.retain(|row| row.at < until);
        self.logins.sort_by_key(Sighting::order);
        self.acts.sort_by_key(Sighting::order);
        self
    }

    fn attacked(&mut self, ip: &str) {
        self.attackers.insert(ip.parse().unwrap());
    }

    /// An office with four addresses, people at home, and whatever happens to them.
    pub(super) fn usual(seed: u64) -> Self {
        let mut office = Office::empty(seed);
        let workers: Vec<String> = (0..8).map(|number| format!("worker{number}")).collect();
        let homes: Vec<String> = (0..4).map(|number| format!("home{number}")).collect();
        workers.iter().chain(&homes).for_each(|name| office.hire(name));
        ["mover", "roamer", "six", "leaver", "robot", "joiner", "absent"].iter().for_each(|name| office.hire(name));
        office.group("Office", &workers);
        office.retire();
        for day in 0..90 {
            for name in &workers {
                let ip = format!("198.51.100.{}", 4 + office.below(4));
                if office.below(5) > 0 {
                    office.work(name, &ip, day);
                }
            }
            if office.below(3) == 0 {
                office.work("worker0", "203.0.113.50", day);
            }
            for (number, name) in homes.iter().enumerate() {
                office.work(name, &format!("203.0.113.{}", 10 + number), day);
            }
            office.strangers(day);
        }
        for ip in 4..8 {
            // on each of the four addresses enough people on enough days
            (0..6).for_each(|day| workers.iter().for_each(|name| office.work(name, &format!("198.51.100.{ip}"), day)));
        }
        office.looks_bad();
        office.says_nothing();
        let day = 20 + office.below(30) as i64;
        office.guessed("worker3", day);
        let day = 20 + office.below(30) as i64;
        office.travelling("home3", day);
        office.finish()
    }

    fn group(&mut self, name: &str, members: &[String]) {
        let id = Uuid::from_u128(5_000 + self.directory.groups.len() as u128);
        self.directory.groups.push(Group { id, name: name.into(), manager: None, size: None });
        self.directory.members.insert(id, members.iter().map(|name| self.names[name]).collect());
    }

    fn retire(&mut self) {
        let (leaver, robot) = (self.names["leaver"], self.names["robot"]);
        self.directory.people.get_mut(&leaver).unwrap().person.status = Some(PersonStatus::Disabled);
        self.robots.push(robot.to_string());
        self.active.remove(&leaver);
        self.active.remove(&robot);
    }

    /// One day of people of whom something is special.
    fn strangers(&mut self, day: i64) {
        // the last quarter begins with day 67
        let home = if day < 67 { "203.0.113.60" } else { "203.0.114.60" };
        self.work("mover", home, day);
        let network = 1 + self.below(200);
        self.work("roamer", &format!("100.100.{network}.7").replace("100.100", "44.7"), day);
        self.work("six", "2001", day);
        if day < 60 {
            self.work("leaver", "203.0.113.70", day);
        }
        self.act("robot", 5009, "203.0.113.200", (day, 200));
        if day >= 88 {
            self.work("joiner", "203.0.113.80", day);
        }
    }

    /// What looks like an attack and is none.
    fn looks_bad(&mut self) {
        let day = 30 + self.below(40) as i64;
        (0..6).for_each(|minute| self.fail("home1", "203.0.113.11", (day, 500 + minute)));
        self.login("home1", "203.0.113.11", (day, 508));
        for hour in 0..48 {
            self.fail("home2", "203.0.113.12", (day + hour / 24, hour % 24 * 59));
        }
        // a Monday morning in the office
        for (number, worker) in (0..6).map(|number| (number, format!("worker{number}"))) {
            self.fail(&worker, "198.51.100.5", (day, 430 + number));
            self.login(&worker, "198.51.100.5", (day, 437 + number));
        }
        self.work("home0", "203.0.115.9", day);
        // somebody visits the office
        self.work("home0", "198.51.100.4", day + 1);
    }

    /// Rows that tell nothing of where a person is.
    fn says_nothing(&mut self) {
        for day in 10..20 {
            self.login("worker6", "192.0.2.150", (day, 600)).ip_was_set = true;
            self.login("worker6", "nowhere", (day, 601));
            self.login("worker6", "", (day, 602));
            self.login("worker6", "10.0.0.9", (day, 603));
            self.login("gone", "203.0.113.90", (day, 604));
            self.act("worker6", 5034, "203.0.113.91", (day, 605));
        }
        ["192.0.2.150", "10.0.0.9", "203.0.113.90", "203.0.113.91"].iter().for_each(|ip| self.attacked(ip));
    }

    /// Forty wrong passwords, then a right one; the attacker stays for some days, and later comes from elsewhere.
    fn guessed(&mut self, name: &str, day: i64) {
        (0..40).for_each(|number| self.fail(name, "192.0.2.66", (day, 120 + number / 10)));
        let minutes = self.below(60) as i64;
        self.login(name, "192.0.2.66", (day, 124 + minutes.min(55)));
        for later in 1..8 {
            self.login(name, "192.0.2.66", (day + later, 130));
            self.login(name, "192.0.2.99", (day + 5 + later, 140));
            self.act(name, 5009, "192.0.2.99", (day + 5 + later, 150));
        }
        ["192.0.2.66", "192.0.2.99"].iter().for_each(|ip| self.attacked(ip));
    }

    /// A stolen password, used from one country after another, each for several days.
    fn travelling(&mut self, name: &str, day: i64) {
        for (number, country) in ["France", "Spain", "Italy"].into_iter().enumerate() {
            let ip = format!("192.0.{}.7", 3 + number);
            for stay in 0..5 {
                self.login(name, &ip, (day + number as i64 * 5 + stay, 60)).country = Some(country.into());
                self.act(name, 5009, &ip, (day + number as i64 * 5 + stay, 70));
            }
            self.attacked(&ip);
        }
    }

    /// The usual office, and somebody with three stolen passwords who comes from one address from the first day on: at night, in the same
    /// country, and without a wrong password, but for the last night.
    pub(super) fn infiltrated(seed: u64, is_loud: bool) -> Self {
        let mut office = Office::usual(seed);
        for day in 0..89 {
            for number in 0..3 {
                office.login(&format!("home{number}"), "192.0.2.66", (day, 60 + number));
            }
        }
        if is_loud {
            (0..8).for_each(|number| office.fail(&format!("worker{number}"), "192.0.2.66", (88, 180 + number)));
            office.attacked("192.0.2.66");
        }
        office.finish()
    }

    /// The usual office, of which four are at a conference for five days. Somebody in the same hotel guesses passwords.
    pub(super) fn at_a_conference(seed: u64) -> Self {
        let mut office = Office::usual(seed);
        for day in 40..45 {
            (0..4).for_each(|number| office.work(&format!("worker{number}"), "192.0.2.77", day));
        }
        (4..8).for_each(|number| office.fail(&format!("worker{number}"), "192.0.2.77", (42, 1_300 + number)));
        (0..3).for_each(|number| office.fail(&format!("home{number}"), "192.0.2.77", (42, 1_305 + number)));
        office.attacked("192.0.2.77");
        office.finish()
    }

    /// The usual office, of which four work elsewhere in the last week. Somebody tries one account each night, and never gets in.
    pub(super) fn moving(seed: u64) -> Self {
        let mut office = Office::usual(seed);
        for day in 83..89 {
            (0..4).for_each(|number| office.work(&format!("worker{number}"), "198.51.101.4", day));
        }
        for day in 50..89 {
            (0..6).for_each(|minute| office.fail("worker6", "192.0.2.88", (day, 150 + minute)));
        }
        office.attacked("192.0.2.88");
        office.finish()
    }

    /// Everybody through one address, the attacker too.
    pub(super) fn behind_a_proxy(seed: u64) -> Self {
        let mut office = Office::empty(seed);
        let people: Vec<String> = (0..6).map(|number| format!("worker{number}")).collect();
        people.iter().for_each(|name| office.hire(name));
        for day in 0..90 {
            people.iter().for_each(|name| office.work(name, "198.51.100.1", day));
        }
        (0..40).for_each(|number| office.fail("worker3", "198.51.100.1", (40, 120 + number / 10)));
        office.login("worker3", "198.51.100.1", (40, 126));
        office.finish()
    }

    /// People at home only, two of them a couple; one attacker guesses all their passwords from one address.
    pub(super) fn scattered(seed: u64) -> Self {
        let mut office = Office::empty(seed);
        let people: Vec<String> = (0..6).map(|number| format!("home{number}")).collect();
        people.iter().for_each(|name| office.hire(name));
        office.hire("spouse");
        ["mover", "roamer", "six", "leaver", "robot", "joiner"].iter().for_each(|name| office.hire(name));
        office.retire();
        for day in 0..90 {
            for (number, name) in people.iter().enumerate() {
                if office.below(4) > 0 {
                    office.work(name, &format!("203.0.113.{}", 10 + number), day);
                }
            }
            office.work("spouse", "203.0.113.10", day);
            office.strangers(day);
        }
        let day = 20 + office.below(30) as i64;
        for (number, name) in people.iter().enumerate() {
            office.fail(name, "192.0.2.66", (day, 120 + number as i64));
        }
        for name in &people[..4] {
            for later in 0..8 {
                office.login(name, "192.0.2.66", (day + later, 150));
            }
        }
        office.attacked("192.0.2.66");
        let day = 20 + office.below(30) as i64;
        office.travelling("home5", day);
        office.finish()
    }
}
