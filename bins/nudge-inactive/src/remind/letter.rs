//! What a mail says: templates filled with what is known of the person's rooms.

use alerting::{Mail, Recipient, TemplateError, Templates};
use audit_model::{Person, PortalText};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::Remind;

/// The templates that come with the program.
const BUILTIN: &[(&str, &str)] = &[
    ("en/reminder.subject", include_str!("../../templates/en/reminder.subject")),
    ("en/reminder.txt", include_str!("../../templates/en/reminder.txt")),
    ("en/reminder.html", include_str!("../../templates/en/reminder.html")),
    ("de/reminder.subject", include_str!("../../templates/de/reminder.subject")),
    ("de/reminder.txt", include_str!("../../templates/de/reminder.txt")),
    ("de/reminder.html", include_str!("../../templates/de/reminder.html")),
];

/// The files that make up a mail.
const FILES: &[&str] = &["reminder.subject", "reminder.txt", "reminder.html"];

/// Values for the templates. Every text is one line without control characters; `.html` escapes it besides.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Values {
    pub(crate) name: String,
    pub(crate) portal: String,
    pub(crate) period_days: u32,
    pub(crate) rooms: Vec<RoomValues>,
    /// Whether there is a way to be left in peace.
    pub(crate) unsubscribe: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoomValues {
    pub(crate) title: String,
    pub(crate) url: String,
    /// Day, at the portal, or empty.
    pub(crate) last_seen: String,
    /// How many documents others have made or changed in the period.
    pub(crate) missed: u64,
    /// Of some of them.
    pub(crate) titles: Vec<String>,
}

pub(crate) fn templates(settings: &Remind) -> Templates {
    let folder = settings.templates.as_ref().map(|path| path.as_path().to_owned());
    Templates::new(BUILTIN, folder, &settings.language)
}

/// Writes the mail in the person's language, where there are templates for it.
pub(crate) fn write(
    templates: &Templates,
    person: &Person,
    culture: Option<&str>,
    values: &Values,
    (message_id, date): (String, DateTime<Utc>),
) -> Result<Mail, TemplateError> {
    let missing = || TemplateError::Missing { file: FILES[0].to_owned() };
    let language = templates.language(culture, FILES).ok_or_else(missing)?;
    let subject = templates.render(language, FILES[0], values)?;
    let address = person.email.as_ref().map(|email| email.raw().to_owned()).unwrap_or_default();
    Ok(Mail {
        to: Recipient { name: person.name.for_terminal(), address },
        subject: subject.trim().to_owned(),
        text: templates.render(language, FILES[1], values)?,
        html: Some(templates.render(language, FILES[2], values)?),
        message_id,
        unsubscribe: values.unsubscribe.clone(),
        date,
    })
}

/// One line that is safe in text and in HTML.
pub(crate) fn one_line(text: &PortalText) -> String {
    text.for_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str, rooms: Vec<RoomValues>) -> Values {
        Values {
            name: one_line(&name.into()),
            portal: "https://docs.example.com".to_owned(),
            period_days: 30,
            rooms,
            unsubscribe: vec!["mailto:stop@example.com".to_owned()],
        }
    }

    fn room(title: &str, missed: u64, titles: &[&str]) -> RoomValues {
        RoomValues {
            title: one_line(&title.into()),
            url: "https://docs.example.com/rooms/shared/71/filter?folder=71".to_owned(),
            last_seen: if missed == 1 { String::new() } else { "2026-09-15".to_owned() },
            missed,
            titles: titles.iter().map(|title| one_line(&(*title).into())).collect(),
        }
    }

    fn written(culture: Option<&str>, values: &Values) -> String {
        let person =
            Person { email: Some("anna@example.com".into()), ..Person::named(Default::default(), "Anna".into()) };
        let date = "2026-11-20T09:00:00Z".parse().unwrap();
        let mail = write(&templates(&Remind::default()), &person, culture, values, ("id".to_owned(), date)).unwrap();
        format!("Subject: {}\n\n{}\n-----\n{}", mail.subject, mail.text, mail.html.unwrap_or_default())
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
