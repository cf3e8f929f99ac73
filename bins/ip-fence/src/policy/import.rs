//! A policy out of lists that other tools have: CSV with the columns person, address and label, or JSON. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use audit_model::AddressRange;
use chrono::NaiveDate;
use docspace_client::{Account, Directory};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::error::Category;

use super::Mistake;
pub(crate) use super::file::LONGEST_LABEL;
use super::file::shown;

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    person: String,
    address: String,
    #[serde(default)]
    label: String,
    /// Where it stands; of JSON its number.
    #[serde(skip)]
    line: usize,
    #[serde(skip)]
    who: Who,
    /// The id that stands beside the e-mail address, where there are both.
    #[serde(skip)]
    id: Option<String>,
}

/// What the portal says about the person of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Who {
    /// It was not asked.
    #[default]
    NotAsked,
    Unknown,
    /// By this name.
    Known(String),
}

impl Row {
    fn new(person: impl Into<String>, address: impl Into<String>, line: usize) -> Self {
        let (person, address) = (person.into(), address.into());
        Row { person, address, label: String::new(), line, who: Who::NotAsked, id: None }
    }
}

/// Reads CSV: a first line with the names of the columns, in any order and case; `label` can be missing.
///
/// # Errors
/// Everything that is wrong, with its line.
pub(crate) fn from_csv(text: &str) -> Result<Vec<Row>, Vec<Mistake>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(without_mark(text).as_bytes());
    let headers: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(str::to_lowercase).collect(),
        Err(error) => return Err(vec![Mistake::new(1, format!("is not valid CSV: {error}"))]),
    };
    let lost = headers.iter().enumerate().find_map(|(at, header)| match header.as_str() {
        known @ ("person" | "address" | "label") => {
            headers[..at].iter().any(|other| other == known).then(|| format!("the column `{known}` stands there twice"))
        }
        // behind a last comma
        "" => None,
        // it may be the one that says until when
        other => Some(format!("the column `{}` would be lost; take it out", shown(other))),
    });
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(person), Some(address)) = (column("person"), column("address")) else {
        return Err(vec![Mistake::new(
            1,
            "the first line must name the columns `person`, `address` and perhaps `label`",
        )]);
    };
    if let Some(message) = lost {
        return Err(vec![Mistake::new(1, message)]);
    }
    let label = column("label");
    let nameless: Vec<usize> = (0..headers.len()).filter(|at| headers[*at].is_empty()).collect();
    let mut mistakes = Vec::new();
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(1, |position| position.line() as usize);
                let cell = |column: Option<usize>| column.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
                let lost = nameless.iter().map(|at| cell(Some(*at))).find(|cell| !cell.is_empty());
                mistakes.extend(lost.map(|lost| {
                    let message =
                        format!("`{}` stands in a column without a name and would be lost; take it out", shown(&lost));
                    Mistake::new(line, message)
                }));
                let row = Row::new(cell(Some(person)), cell(Some(address)), line);
                rows.push(Row { label: cell(label), ..row });
            }
            Err(error) => {
                let line = error.position().map_or(1, |position| position.line() as usize);
                mistakes.push(Mistake::new(line, "has another number of cells than the first line"));
            }
        }
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

/// The text without the byte order mark that some programs put before it.
fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Either form of JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    /// Before the map, whose names are people: `allowedIps` is none.
    One(NewUser),
    Several(Vec<NewUser>),
    /// The published map: person to addresses.
    Map(Pairs),
    Rows(Vec<Row>),
}

/// A new user of the published example.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewUser {
    id: Option<String>,
    email: Option<String>,
    allowed_ips: Vec<String>,
}

impl NewUser {
    /// Their address says who they are, the id only to the portal.
    fn listed(self) -> Listed {
        let is_said = |text: &String| !text.trim().is_empty();
        match (self.email.filter(is_said), self.id.filter(is_said)) {
            (Some(person), id) => Listed { person, id, addresses: self.allowed_ips },
            (None, id) => Listed { person: id.unwrap_or_default(), id: None, addresses: self.allowed_ips },
        }
    }
}

/// One person of a list, with all of their addresses.
struct Listed {
    person: String,
    /// Where it stands beside an e-mail address.
    id: Option<String>,
    addresses: Vec<String>,
}

/// The rows of people with their addresses. Whoever has none would be lost, and nobody can tell whether that means nowhere or everywhere.
fn rows_of(listed: impl IntoIterator<Item = Listed>) -> Result<Vec<Row>, Vec<Mistake>> {
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for (line, Listed { person, id, addresses }) in (1..).zip(listed) {
        if addresses.is_empty() {
            let message = format!(
                "`{}` has no address and would be lost; give addresses, or take the person out",
                shown(&person)
            );
            mistakes.push(Mistake::new(line, message));
        }
        let row = |address| Row { id: id.clone(), ..Row::new(person.clone(), address, line) };
        rows.extend(addresses.into_iter().map(row));
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

/// The members of an object, also those whose name stands there twice: a map would lose the first.
struct Pairs(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a list of addresses for each person")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Reads JSON: an object with a list of addresses for each person, a list of objects with the same members as the columns of CSV, or one or
/// several new users of the published example.
///
/// # Errors
/// When it is nothing of that.
pub(crate) fn from_json(text: &str) -> Result<Vec<Row>, Vec<Mistake>> {
    let form = "must be an object with a list of addresses for each person, a list of objects with `person`, `address`, `label`, or new users with `id`, `email`, `allowedIps`";
    let mistake = |error: serde_json::Error| match error.classify() {
        Category::Data => vec![Mistake::new(1, form)],
        _ => vec![Mistake::new(error.line(), format!("is no JSON: {error}"))],
    };
    match serde_json::from_str(without_mark(text)).map_err(mistake)? {
        Json::Map(Pairs(map)) => {
            rows_of(map.into_iter().map(|(person, addresses)| Listed { person, id: None, addresses }))
        }
        Json::Rows(rows) => {
            Ok(rows.into_iter().enumerate().map(|(number, row)| Row { line: number + 1, ..row }).collect())
        }
        Json::One(user) => rows_of([user.listed()]),
        Json::Several(users) => rows_of(users.into_iter().map(NewUser::listed)),
    }
}

/// Says of each row who its person is at the portal, and calls them by their e-mail address: nobody can review ids. Gives the names that
/// the portal does not know.
///
/// # Errors
/// Rows whose id and e-mail address are two accounts: whoever made the list has mixed them up, and either may be meant.
pub(crate) fn resolve(rows: &mut [Row], directory: &Directory) -> Result<BTreeSet<String>, Vec<Mistake>> {
    let mut mistakes: Vec<Mistake> = rows.iter().filter_map(|row| two_accounts(row, directory)).collect();
    mistakes.dedup();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut unknown = BTreeSet::new();
    for row in rows {
        match directory.person(&row.person) {
            Some(account) => {
                row.who = Who::Known(account.person.name.for_terminal());
                if let Some(email) = &account.person.email {
                    row.person = email.raw().to_owned();
                }
            }
            None => {
                row.who = Who::Unknown;
                unknown.insert(row.person.clone());
            }
        }
    }
    Ok(unknown)
}

fn two_accounts(row: &Row, directory: &Directory) -> Option<Mistake> {
    let id = row.id.as_ref()?;
    let (by_id, by_email) = (directory.person(id)?, directory.person(&row.person)?);
    let name = |account: &Account| account.person.name.for_terminal();
    (by_id.person.id != by_email.person.id).then(|| {
        let message = format!(
            "`{}` is {}, and the id `{}` beside it is {}: two accounts; correct one of them",
            shown(&row.person),
            name(by_email),
            shown(id),
            name(by_id)
        );
        Mistake::new(row.line, message)
    })
}

/// The policy as TOML: one rule for all people who have the same addresses under the same label; without a label one for each person,
/// called by their name.
///
/// # Errors
/// Rows without a person, and addresses that are none.
pub(crate) fn to_policy(rows: &[Row]) -> Result<String, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut allowed: BTreeMap<(String, bool, String), BTreeSet<AddressRange>> = BTreeMap::new();
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    for row in rows {
        let person = row.person.trim().to_lowercase();
        if person.is_empty() {
            mistakes.push(Mistake::new(row.line, "names no person"));
        }
        if row.who == Who::Unknown {
            unknown.insert(person.clone());
        }
        let is_own = row.label.trim().is_empty();
        let label = match &row.who {
            Who::Known(name) if is_own => name.as_str(),
            _ if is_own => person.as_str(),
            _ => row.label.trim(),
        };
        let label: String = label.chars().take(LONGEST_LABEL - ROOM_FOR_NUMBERS).collect();
        match row.address.parse() {
            Ok(range) => drop(allowed.entry((label, is_own, person)).or_default().insert(range)),
            Err(error) => mistakes.push(Mistake::new(row.line, format!("`{}` {error}", shown(&row.address)))),
        }
    }
    if rows.is_empty() {
        mistakes.push(Mistake::new(1, "holds no row"));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut rules: BTreeMap<(String, Option<String>, BTreeSet<AddressRange>), Vec<String>> = BTreeMap::new();
    for ((label, is_own, person), addresses) in allowed {
        let owner = is_own.then(|| person.clone());
        rules.entry((label, owner, addresses)).or_default().push(person);
    }
    let mut text = "default = \"report\"\n".to_owned();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let taken: BTreeSet<&str> = rules.keys().map(|(label, ..)| label.as_str()).collect();
    for ((label, _, addresses), people) in &rules {
        let label = free_label(label, &taken, used.entry(label).or_default());
        text.push('\n');
        if people.iter().any(|person| unknown.contains(person)) {
            text.push_str("# not an account of the portal: correct it, or take it out\n");
        }
        let (people, allow) = (people.clone(), addresses.clone());
        text.push_str(&NewRule { label, people, allow, reason: None, expires: None }.to_string());
    }
    Ok(text)
}

/// A rule as a policy has it.
pub(super) struct NewRule {
    pub(super) label: String,
    pub(super) people: Vec<String>,
    pub(super) allow: BTreeSet<AddressRange>,
    pub(super) reason: Option<String>,
    pub(super) expires: Option<NaiveDate>,
}

impl fmt::Display for NewRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let people: Vec<String> = self.people.iter().map(|person| quoted(person)).collect();
        let allow: Vec<String> = self.allow.iter().map(|range| quoted(&range.to_string())).collect();
        let (people, allow) = (people.join(", "), allow.join(", "));
        writeln!(f, "[[rule]]\nlabel = {}\npeople = [{people}]\nallow = [{allow}]", quoted(&self.label))?;
        self.reason.iter().try_for_each(|reason| writeln!(f, "reason = {}", quoted(reason)))?;
        self.expires.iter().try_for_each(|end| writeln!(f, "expires = \"{end}\""))
    }
}

/// A label may get ` (157)` behind it.
pub(crate) const ROOM_FOR_NUMBERS: usize = 20;

/// The label, with a number behind it from the second rule on; never one that another rule has.
pub(crate) fn free_label(label: &str, taken: &BTreeSet<&str>, used: &mut usize) -> String {
    loop {
        *used += 1;
        if *used == 1 {
            return label.to_owned();
        }
        let numbered = format!("{label} ({used})");
        if !taken.contains(numbered.as_str()) {
            return numbered;
        }
    }
}

/// A text as TOML has it.
pub(crate) fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' | '\\' => format!("\\{character}"),
            control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::parse;

    #[test]
    fn csv_becomes_rules_of_people_with_the_same_addresses() {
        let csv = "Address,PERSON,label\n192.0.2.0/24,Anna@example.com,office\n192.0.2.0/24,bob@example.com,office\n\
                   198.51.100.7,bob@example.com,home\n203.0.113.1-203.0.113.3,chen@example.com,office\n2001:DB8::/32,anna@example.com,\n";
        insta::assert_snapshot!(to_policy(&from_csv(csv).unwrap()).unwrap(), @r#"
        default = "report"

        [[rule]]
        label = "anna@example.com"
        people = ["anna@example.com"]
        allow = ["2001:db8::/32"]

        [[rule]]
        label = "home"
        people = ["bob@example.com"]
        allow = ["198.51.100.7"]

        [[rule]]
        label = "office"
        people = ["anna@example.com", "bob@example.com"]
        allow = ["192.0.2.0/24"]

        [[rule]]
        label = "office (2)"
        people = ["chen@example.com"]
        allow = ["203.0.113.1-203.0.113.3"]
        "#);
    }

    #[test]
    fn the_published_map_is_understood() {
        let json = r#"{"c1a0f3de-0000-4000-8000-000000000003": ["203.0.113.10", "198.51.100.0-198.51.100.255"]}"#;
        let rules = parse(&to_policy(&from_json(json).unwrap()).unwrap()).unwrap().rules;
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].people[0].text, "c1a0f3de-0000-4000-8000-000000000003");
        let ranges: Vec<String> = rules[0].allow.iter().map(|entry| entry.range.to_string()).collect();
        assert_eq!(ranges, ["198.51.100.0/24", "203.0.113.10"]);
        let rows = r#"[{"person": "anna@example.com", "address": "192.0.2.1", "label": "office"}]"#;
        assert!(to_policy(&from_json(rows).unwrap()).unwrap().contains("label = \"office\""));
    }

    /// Nobody can review a list of ids.
    #[test]
    fn people_are_called_by_name_and_address_where_a_portal_is_asked() {
        use crate::testing::{ANNA, BOB, directory};
        let json = format!(
            r#"{{"{ANNA}": ["192.0.2.1"], "{{{BOB}}}": ["192.0.2.1", "192.0.2.9"], "00000000-0000-0000-0000-000000000063": ["192.0.2.1"]}}"#
        );
        let mut rows = from_json(&json).unwrap();
        let unknown = resolve(&mut rows, &directory()).unwrap();
        assert_eq!(unknown.into_iter().collect::<Vec<_>>(), ["00000000-0000-0000-0000-000000000063"]);
        insta::assert_snapshot!(to_policy(&rows).unwrap(), @r#"
        default = "report"

        # not an account of the portal: correct it, or take it out
        [[rule]]
        label = "00000000-0000-0000-0000-000000000063"
        people = ["00000000-0000-0000-0000-000000000063"]
        allow = ["192.0.2.1"]

        [[rule]]
        label = "anna"
        people = ["anna@example.com"]
        allow = ["192.0.2.1"]

        [[rule]]
        label = "bob"
        people = ["bob@example.com"]
        allow = ["192.0.2.1", "192.0.2.9"]
        "#);
    }

    #[test]
    fn new_users_of_the_published_example_are_read() {
        let user = r#"{"id": "c1a0f3de-0000-4000-8000-000000000003", "email": "New@example.com", "allowedIps": ["192.0.2.1", "198.51.100.0-198.51.100.9"]}"#;
        let made = to_policy(&from_json(user).unwrap()).unwrap();
        assert!(made.contains("label = \"new@example.com\"\npeople = [\"new@example.com\"]"), "{made}");
        assert!(made.contains("allow = [\"192.0.2.1\", \"198.51.100.0-198.51.100.9\"]"), "{made}");
        assert_eq!(to_policy(&from_json(&format!("[{user}]")).unwrap()).unwrap(), made);
        let by_id = r#"{"id": "c1a0f3de-0000-4000-8000-000000000003", "allowedIps": ["192.0.2.1"]}"#;
        assert!(to_policy(&from_json(by_id).unwrap()).unwrap().contains("c1a0f3de-0000"));
        let nobody = r#"{"allowedIps": ["192.0.2.1"]}"#;
        assert!(to_policy(&from_json(nobody).unwrap()).unwrap_err()[0].message.contains("names no person"));
        assert!(from_json(r#"{"email": "a", "allowedIps": [], "until": "2027-01-01"}"#).is_err(), "it would be lost");
    }

    /// By which of them the portal's list would go, nobody can tell.
    #[test]
    fn an_id_and_an_address_of_two_accounts_are_refused_by_name() {
        use crate::testing::{ANNA, BOB, directory};
        let user =
            |id| format!(r#"[{{"id": "{id}", "email": "Bob@example.com", "allowedIps": ["192.0.2.1", "192.0.2.9"]}}]"#);
        let refused = resolve(&mut from_json(&user(ANNA)).unwrap(), &directory()).unwrap_err();
        let expected = format!(
            "line 1: `Bob@example.com` is bob, and the id `{ANNA}` beside it is anna: two accounts; correct one of them"
        );
        assert_eq!(refused.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        let nobody = "00000000-0000-0000-0000-000000000063".parse().unwrap();
        for id in [BOB, nobody] {
            let mut rows = from_json(&user(id)).unwrap();
            assert!(resolve(&mut rows, &directory()).unwrap().is_empty(), "{id}");
            assert!(to_policy(&rows).unwrap().contains("people = [\"bob@example.com\"]"), "{id}");
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let lines = |mistakes: Vec<Mistake>| mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>();
        let csv = "person,address\nanna@example.com,192.0.2.300\n,192.0.2.1\nbob@example.com,192.0.2.9/24\n";
        assert_eq!(lines(to_policy(&from_csv(csv).unwrap()).unwrap_err()), [2, 3, 4]);
        assert_eq!(lines(from_csv("person,address\na,b,c\n").unwrap_err()), [2]);
        assert_eq!(lines(from_csv("who,where\n").unwrap_err()), [1]);
        assert!(from_json("{").is_err() && from_json("[1]").is_err() && from_json("{\"a\": 1}").is_err());
        assert_eq!(lines(from_json("{\n\"a\": [\n").unwrap_err()), [3]);
        assert!(to_policy(&[]).is_err());
    }

    /// A column that is passed over may be the one that says until when.
    #[test]
    fn columns_that_would_be_lost_are_refused() {
        let refused = |head: &str| from_csv(&format!("{head}\na,192.0.2.1,x\n")).unwrap_err()[0].to_string();
        assert!(refused("person,address,expires").contains("`expires`"), "{}", refused("person,address,expires"));
        assert!(refused("person,address,Address").contains("twice"), "{}", refused("person,address,Address"));
    }

    /// Somebody without addresses may come from nowhere, or from everywhere: only whoever made the list knows.
    #[test]
    fn people_without_addresses_and_cells_without_a_name_are_not_lost() {
        let refused = |json: &str| from_json(json).unwrap_err()[0].to_string();
        for json in [
            r#"{"b": ["192.0.2.1"], "a": []}"#,
            r#"[{"id": "b", "email": "", "allowedIps": ["192.0.2.1"]}, {"id": "1", "email": "a", "allowedIps": []}]"#,
        ] {
            assert!(refused(json).starts_with("line 2: `a` has no address"), "{}", refused(json));
        }
        assert!(refused(r#"{"email": "a", "allowedIps": []}"#).starts_with("line 1: `a` has no address"));
        let by_id = r#"{"id": "b", "email": "", "allowedIps": ["192.0.2.1"]}"#;
        assert!(to_policy(&from_json(by_id).unwrap()).unwrap().contains("people = [\"b\"]"));
        let csv = |cell: &str| from_csv(&format!("person,address,\na,192.0.2.1,{cell}\n"));
        assert!(csv("").is_ok() && csv(" ").is_ok());
        assert!(csv("until May").unwrap_err()[0].to_string().starts_with("line 2: `until May` stands in a column"));
    }

    /// No reader of JSON says that a name stands there twice; most keep the last.
    #[test]
    fn a_person_who_stands_in_a_map_twice_keeps_both() {
        let made = to_policy(&from_json(r#"{"a": ["192.0.2.1"], "a": ["192.0.2.9"]}"#).unwrap()).unwrap();
        assert!(made.contains(r#"allow = ["192.0.2.1", "192.0.2.9"]"#), "{made}");
    }

    #[test]
    fn a_byte_order_mark_is_no_mistake() {
        assert_eq!(from_csv("\u{feff}person,address\na,192.0.2.1\n").map(|rows| rows.len()), Ok(1));
        assert_eq!(from_json("\u{feff}{\"a\": [\"192.0.2.1\"]}").map(|rows| rows.len()), Ok(1));
        assert!(parse("\u{feff}[[rule]]\nlabel = \"a\"\npeople = [\"a\"]\nallow = []\n").is_ok());
    }

    proptest! {
        /// Whatever stands in a list, what comes out is a policy that reads back.
        #[test]
        fn what_is_made_is_a_policy(names in prop::collection::vec(("\\PC{1,8}", "[\"\\\\a-c ()2]{0,6}"), 1..6)) {
            let rows: Vec<Row> = names
                .into_iter()
                .zip(1..)
                .map(|((person, label), line)| Row { label, ..Row::new(person, format!("192.0.2.{line}"), line) })
                .filter(|row| !row.person.trim().is_empty())
                .collect();
            if !rows.is_empty() {
                let text = to_policy(&rows).unwrap();
                prop_assert!(parse(&text).is_ok(), "{}\n{:?}", text, parse(&text));
            }
        }
    }
}
