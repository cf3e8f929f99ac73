//! What a mail says: templates filled with what is known of the person's rooms.

use alerting::{Mail, Recipient, TemplateError, Templates, is_mail_address};
use audit_model::{Person, PersonStatus, PortalText};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::MAIL_FILES;

/// Longest title or name in a mail, in characters: whoever chooses it must not fill a mail of the portal's.
const LONGEST: usize = 80;

/// Values for the templates. Every text is one short line without control characters and without addresses that mail programs make links
/// of; `.html` escapes it besides.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Values {
    pub(crate) name: String,
    pub(crate) portal: String,
    pub(crate) period_days: u32,
    pub(crate) rooms: Vec<RoomValues>,
    /// Which of the reminders it is, counted from 1; 0 where the rooms are at several steps.
    pub(crate) step: u64,
    /// How many reminders there are.
    pub(crate) steps: u64,
    /// How to be left in peace, if there is a way.
    pub(crate) unsubscribe: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoomValues {
    pub(crate) title: String,
    pub(crate) url: String,
    /// Day, at the portal, or empty.
    pub(crate) last_seen: String,
    /// How many documents others have made or changed since then, as far as the period reaches back.
    pub(crate) missed: u64,
    /// Of some of them.
    pub(crate) titles: Vec<String>,
    /// Who owns the room, where that is somebody else who can be written to.
    pub(crate) manager: Option<ManagerValues>,
}

/// Whom to ask about a room.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ManagerValues {
    pub(crate) name: String,
    pub(crate) address: String,
    /// A mail to them that asks to stay.
    pub(crate) keep: String,
    /// A mail to them that asks to be taken out.
    pub(crate) remove: String,
}

impl ManagerValues {
    pub(crate) fn of(owner: &Person, room: &PortalText, member: &Person) -> Option<Self> {
        let address = owner.email.as_ref()?.raw().to_owned();
        if owner.status != Some(PersonStatus::Active) || !is_mail_address(&address) {
            return None;
        }
        let (room, who) = (short(room), member.email.as_ref().map(short).unwrap_or_default());
        let mail = |subject: String| format!("mailto:{}?subject={}", encoded(&address), encoded(&subject));
        Some(ManagerValues {
            keep: mail(format!("Keep {who} in {room}")),
            remove: mail(format!("Take {who} out of {room}")),
            name: short(&owner.name),
            address,
        })
    }
}

/// For an address: everything but letters, digits, and what an address of mail is made of.
fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_".contains(&byte);
    let one = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

/// The setting's address for one person: `{person}` in it becomes their id, and a mail says whom it is about.
pub(crate) fn unsubscribe(setting: &str, person: &Person) -> String {
    let address = setting.replace(PERSON, &person.id.to_string());
    if !address.starts_with("mailto:") || address.contains('?') {
        return address;
    }
    let who = person.email.as_ref().map(short).unwrap_or_else(|| person.id.to_string());
    format!("{address}?subject={}", encoded(&format!("No more reminders for {who}")))
}

/// Stands in `remind.unsubscribe` for the person's id.
pub(crate) const PERSON: &str = "{person}";

/// Whether a mail can be made from every language that has all its files, and from those that a person's own language leads to.
///
/// # Errors
/// The first template that cannot be used.
pub(crate) fn try_all(templates: &Templates) -> Result<(), TemplateError> {
    let sample = |missed, titles: &[&str], manager| RoomValues {
        title: "Falcon".to_owned(),
        url: "https://docs.example.com/rooms/shared/71/filter?folder=71".to_owned(),
        last_seen: if missed > 1 { "2026-10-29".to_owned() } else { String::new() },
        missed,
        titles: titles.iter().map(|title| (*title).to_owned()).collect(),
        manager,
    };
    let manager = ManagerValues {
        name: "Mara Manager".to_owned(),
        address: "mara@example.com".to_owned(),
        keep: "mailto:mara@example.com".to_owned(),
        remove: "mailto:mara@example.com".to_owned(),
    };
    let all = [sample(2, &["plan.docx", "Budget.xlsx"], Some(manager)), sample(1, &[], None), sample(0, &[], None)];
    for language in templates.languages_of(MAIL_FILES) {
        for (rooms, step) in [(&all[..], 0), (&all[..1], 2), (&all[2..], 1)] {
            let values = Values {
                name: "Anna".to_owned(),
                portal: "https://docs.example.com".to_owned(),
                period_days: 30,
                rooms: rooms.to_vec(),
                step,
                steps: 3,
                unsubscribe: vec!["mailto:stop@example.com".to_owned()],
            };
            MAIL_FILES.iter().try_for_each(|file| templates.render(&language, file, &values).map(|_| ()))?;
        }
    }
    Ok(())
}

/// Writes the mail in the person's language, where there are templates for it.
pub(crate) fn write(
    templates: &Templates,
    person: &Person,
    culture: Option<&str>,
    values: &Values,
    (message_id, date): (String, DateTime<Utc>),
) -> Result<Mail, TemplateError> {
    let missing = || TemplateError::Missing { file: MAIL_FILES[0].to_owned() };
    let language = templates.language(culture, MAIL_FILES).ok_or_else(missing)?;
    let subject = templates.render(language, MAIL_FILES[0], values)?;
    let address = person.email.as_ref().map(|email| email.raw().to_owned()).unwrap_or_default();
    Ok(Mail {
        to: Recipient { name: short(&person.name), address },
        subject: subject.trim().to_owned(),
        text: templates.render(language, MAIL_FILES[1], values)?,
        html: Some(templates.render(language, MAIL_FILES[2], values)?),
        message_id,
        references: Vec::new(),
        unsubscribe: values.unsubscribe.clone(),
        one_click: values
            .unsubscribe
            .iter()
            .any(|one| one.starts_with("https:") && one.contains(&person.id.to_string())),
        reply_to: who_answers(values),
        files: Vec::new(),
        date,
    })
}

/// Who owns all the rooms of the mail.
fn who_answers(values: &Values) -> Option<Recipient> {
    let mut managers = values.rooms.iter().map(|room| room.manager.as_ref());
    let first = managers.next().flatten()?;
    let is_same = managers.all(|one| one.is_some_and(|one| one.address == first.address));
    is_same.then(|| Recipient { name: first.name.clone(), address: first.address.clone() })
}

/// One short line that is safe in text and in HTML, and of which no mail program makes a link.
pub(crate) fn short(text: &PortalText) -> String {
    text.unlinked_within(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Remind;

    fn person(name: &str, email: &str) -> Person {
        let status = Some(PersonStatus::Active);
        Person { email: Some(email.into()), status, ..Person::named(Default::default(), name.into()) }
    }

    fn values(name: &str, rooms: Vec<RoomValues>) -> Values {
        Values {
            name: short(&name.into()),
            portal: "https://docs.example.com".to_owned(),
            period_days: 30,
            step: if rooms.len() == 1 { 2 } else { 0 },
            steps: 3,
            rooms,
            unsubscribe: vec![unsubscribe("mailto:stop@example.com", &person("Anna", "anna@example.com"))],
        }
    }

    fn room(title: &str, missed: u64, titles: &[&str]) -> RoomValues {
        let (owner, anna) = (person("Mara Manager", "mara@example.com"), person("Anna", "anna@example.com"));
        RoomValues {
            title: short(&title.into()),
            url: "https://docs.example.com/rooms/shared/71/filter?folder=71".to_owned(),
            last_seen: if missed == 1 { String::new() } else { "2026-09-15".to_owned() },
            missed,
            titles: titles.iter().map(|title| short(&(*title).into())).collect(),
            manager: ManagerValues::of(&owner, &title.into(), &anna).filter(|_| missed != 1),
        }
    }

    fn mail(culture: Option<&str>, values: &Values) -> Mail {
        let date = "2026-11-20T09:00:00Z".parse().unwrap();
        let anna = person("Anna", "anna@example.com");
        write(&Remind::default().mail_templates(), &anna, culture, values, ("id".to_owned(), date)).unwrap()
    }

    fn written(culture: Option<&str>, values: &Values) -> String {
        let mail = mail(culture, values);
        format!("Subject: {}\n\n{}\n-----\n{}", mail.subject, mail.text, mail.html.unwrap_or_default())
    }

    #[test]
    fn the_built_in_templates_can_be_used() {
        try_all(&Remind::default().mail_templates()).unwrap();
    }

    /// One room, one step: the subject says what is new, and an answer reaches whoever manages the room.
    #[test]
    fn a_mail_about_one_room_says_what_is_new_and_whom_to_answer() {
        let one = values("Anna Schmidt", vec![room("Falcon", 2, &["plan.docx", "Budget 2027.xlsx"])]);
        assert_eq!(mail(None, &one).subject, "Falcon: 2 documents since you were last there");
        assert_eq!(mail(None, &one).reply_to.unwrap().address, "mara@example.com");
        insta::assert_snapshot!("mail_one_room", written(None, &one));
        let quiet = values("Anna Schmidt", vec![room("Falcon", 0, &[])]);
        assert_eq!(mail(None, &quiet).subject, "Falcon: is this room still relevant to you?");
        let two = values("Anna", vec![room("Falcon", 2, &[]), room("Eagle", 1, &[])]);
        assert_eq!(mail(None, &two).subject, "2 rooms: 3 new or changed documents");
        assert_eq!(mail(None, &two).reply_to, None);
    }

    #[test]
    fn one_click_unsubscribes_one_person_only() {
        let anna = person("Anna", "anna@example.com");
        let written = |setting: &str| {
            mail(None, &Values { unsubscribe: vec![unsubscribe(setting, &anna)], ..values("Anna", vec![]) })
        };
        let of_anna = written("https://docs.example.com/stop?who={person}");
        assert!(
            of_anna.one_click && of_anna.unsubscribe[0].ends_with(&anna.id.to_string()),
            "{:?}",
            of_anna.unsubscribe
        );
        assert!(!written("https://docs.example.com/stop").one_click);
        assert!(!written("mailto:stop@example.com").one_click);
    }

    /// Whoever may upload a file chooses its title, and must not write mails of the company's own sender.
    #[test]
    fn titles_are_short_and_lead_nowhere() {
        let title = format!("Your password expires: https://evil.example/{} www.evil.example", "a".repeat(300));
        let shown = written(None, &values(&title, vec![room(&title, 2, &[&title])]));
        assert!(!shown.contains("https://evil") && !shown.contains(&"a".repeat(80)), "{shown}");
        assert_eq!(short(&"see www.evil.example".into()), "see www[.]evil[.]example");
    }

    #[test]
    fn mails_in_both_languages() {
        let rooms = vec![
            room("Falcon", 7, &["plan.docx", "Budget 2027.xlsx", "notes.docx", "minutes.docx", "list.xlsx"]),
            room("Eagle", 1, &["offer.pdf"]),
            room("Hawk", 0, &[]),
        ];
        insta::assert_snapshot!("mail_en", written(Some("en-US"), &values("Anna Schmidt", rooms.clone())));
        insta::assert_snapshot!("mail_de", written(Some("de"), &values("Anna Schmidt", rooms)));
    }

    #[test]
    fn hostile_names_and_titles_stay_text() {
        let rooms =
            vec![room("<img src=x onerror=a()>\r\nBcc: all@example.com", 2, &["{{ name }}\u{202e}.exe", "=1+1"])];
        let mail = written(None, &values("Eve\u{1b}[2J <script>alert(1)</script>", rooms));
        assert!(!mail.contains(['\u{1b}', '\u{202e}', '\r']));
        let (_, html) = mail.split_once("-----").unwrap();
        assert!(!html.contains("<script>") && !html.contains("<img"), "{html}");
        insta::assert_snapshot!("mail_hostile", mail);
    }
}
