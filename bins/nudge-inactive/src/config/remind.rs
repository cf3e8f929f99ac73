//! The settings `remind.*`: whether, when and how often people are written to.

use std::fmt;
use std::str::FromStr;

use alerting::Templates;
use chrono::NaiveDate;
use job_runner::config::{PathSetting, Validation, text};
use serde::{Deserialize, Serialize};

use super::templates::{has_language, templates};

/// `remind.*`: writing to people who are inactive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Remind {
    /// Without it nobody is written to.
    pub(crate) enabled: bool,
    /// Days since somebody was first found inactive in a room, rising.
    pub(crate) steps_days: Vec<u32>,
    /// Mails of one run; the next goes on.
    pub(crate) most_per_run: usize,
    /// Mails to one person in 365 days.
    pub(crate) most_per_year: usize,
    /// Days between two mails to one person.
    pub(crate) apart_days: u32,
    /// When mails may leave, in the portal's zone: `08:00-18:00`.
    #[serde(with = "text")]
    pub(crate) hours: Hours,
    /// Whether mails may leave on Saturdays and Sundays.
    pub(crate) weekends: bool,
    /// Days on which none may leave.
    pub(crate) not_on: Vec<NaiveDate>,
    /// Whether guests are written to.
    pub(crate) guests: bool,
    /// People who are never written to, by id or e-mail address; the report has them all the same.
    pub(crate) stop: Vec<String>,
    pub(crate) snooze: Vec<Snooze>,
    /// When more than this share of those who were judged would be written to, nobody is. 100 is off.
    pub(crate) hold_above_percent: u32,
    /// For people whose own language has no templates.
    pub(crate) language: String,
    /// Folder whose templates go before the built-in ones.
    pub(crate) templates: Option<PathSetting>,
    /// For `List-Unsubscribe`: `https:` or `mailto:` addresses.
    pub(crate) unsubscribe: Vec<String>,
}

/// Somebody who is left in peace for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Snooze {
    /// Id or e-mail address.
    pub(crate) person: String,
    /// The first day, at the portal, on which it does not count any more.
    #[serde(deserialize_with = "text::date")]
    pub(crate) until: Option<NaiveDate>,
}

/// A span within a day, in minutes since its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    /// The first minute in it.
    pub(crate) from: u32,
    /// The first after it; at most 1440.
    pub(crate) to: u32,
}

impl FromStr for Hours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be a span within a day, such as \"08:00-18:00\"";
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
            (hour <= 24 && minute < 60 && hour * 60 + minute <= 24 * 60).then(|| hour * 60 + minute)
        };
        let (from, to) = text.split_once('-').ok_or(WRONG)?;
        let (from, to) = minute(from).zip(minute(to)).ok_or(WRONG)?;
        if from < to { Ok(Hours { from, to }) } else { Err(WRONG) }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hours { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl Remind {
    /// The templates of mails that these settings lead to.
    pub(crate) fn mail_templates(&self) -> Templates {
        templates(self.templates.as_ref().map(|path| path.as_path().to_owned()), &self.language)
    }
}

impl Default for Remind {
    fn default() -> Self {
        Remind {
            enabled: false,
            steps_days: vec![0, 14, 28],
            most_per_run: 50,
            most_per_year: 6,
            apart_days: 7,
            hours: Hours { from: 8 * 60, to: 18 * 60 },
            weekends: false,
            not_on: Vec::new(),
            guests: false,
            stop: Vec::new(),
            snooze: Vec::new(),
            hold_above_percent: 80,
            language: "en".to_owned(),
            templates: None,
            unsubscribe: Vec::new(),
        }
    }
}

impl Remind {
    /// Which of the reminders it is, counted from 1; 0 where a mail is about several steps.
    pub(crate) fn step_of(&self, steps: impl IntoIterator<Item = u32>) -> u64 {
        let mut steps = steps.into_iter();
        let Some(first) = steps.next() else { return 0 };
        let place = self.steps_days.iter().position(|days| *days == first).filter(|_| steps.all(|step| step == first));
        place.map_or(0, |place| place as u64 + 1)
    }

    pub(super) fn validate(&self, wrong: &mut Validation) {
        let rises = self.steps_days.is_sorted_by(|a, b| a < b) && !self.steps_days.is_empty();
        wrong.refuse_if(!rises, "remind.steps_days", "must be rising numbers of days, such as [0, 14, 28]");
        let message = "must be at least 1; to write to nobody set `remind.enabled = false`";
        wrong.refuse_if(self.most_per_run == 0, "remind.most_per_run", message);
        wrong.refuse_if(self.most_per_year == 0, "remind.most_per_year", message);
        wrong.between("remind.hold_above_percent", self.hold_above_percent, 1..=100, "100 is off");
        wrong.no_blanks("remind.stop", &self.stop, "ids or e-mail addresses");
        let open = |snooze: &Snooze| snooze.person.trim().is_empty() || snooze.until.is_none();
        let message = "needs `person` and `until` in every entry; for good there is `remind.stop`";
        wrong.refuse_if(self.snooze.iter().any(open), "remind.snooze", message);
        let folder = self.templates.as_ref().map(PathSetting::as_path);
        let message = "is no folder; name the one that holds LANGUAGE/reminder.subject, .txt and .html";
        wrong.refuse_if(folder.is_some_and(|folder| !folder.is_dir()), "remind.templates", message);
        let message = "has no templates; built in are en and de, others go into the folder of `remind.templates`";
        wrong.refuse_if(!has_language(&self.mail_templates(), &self.language), "remind.language", message);
        let is_address = |text: &String| text.starts_with("https://") || text.starts_with("mailto:");
        let is_plain = |text: &String| text.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>');
        let bad = !self.unsubscribe.iter().all(|text| is_address(text) && is_plain(text));
        wrong.refuse_if(bad, "remind.unsubscribe", "must hold addresses that begin with `https://` or `mailto:`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_remind_the_wrong_people_are_refused() {
        for (change, key) in [
            ((|remind| remind.steps_days = vec![14, 0]) as fn(&mut Remind), "remind.steps_days"),
            (|remind| remind.snooze = vec![Snooze::default()], "remind.snooze"),
            (|remind| remind.unsubscribe = vec!["javascript:a".to_owned()], "remind.unsubscribe"),
            (|remind| remind.hold_above_percent = 0, "remind.hold_above_percent"),
            (|remind| remind.most_per_run = 0, "remind.most_per_run"),
        ] {
            let (mut settings, mut wrong) = (Remind::default(), Validation::new());
            change(&mut settings);
            settings.validate(&mut wrong);
            let keys: Vec<_> = wrong.problems().into_iter().filter_map(|problem| problem.key).collect();
            assert_eq!(keys, [key]);
        }
    }

    #[test]
    fn hours_are_read_once() {
        for (text, hours) in [("08:00-18:00", Ok((480, 1_080))), ("0:30 - 24:00", Ok((30, 1_440)))] {
            assert_eq!(text.parse().map(|Hours { from, to }| (from, to)), hours);
        }
        for text in ["18:00-08:00", "08:00", "08:00-24:01", "8-18", "08:60-18:00", "4294967295:00-18:00", ""] {
            assert!(text.parse::<Hours>().is_err(), "{text}");
        }
        assert_eq!(Remind::default().hours.to_string(), "08:00-18:00");
    }
}
