//! What the files of a report are called.

/// The tables, in which those who read the pages find what is not on them.
pub(crate) struct Names {
    pub(crate) events: String,
    pub(crate) logins: String,
    pub(crate) people: String,
    pub(crate) rooms: String,
}

impl Names {
    /// `label` is what the period is called in names.
    pub(crate) fn new(label: &str) -> Self {
        let [events, logins, people, rooms] =
            ["-events.csv", "-logins.csv", "-people.csv", "-rooms.csv"].map(|end| file_name(label, end));
        Names { events, logins, people, rooms }
    }

    /// The same, for a reader who has not got the files.
    pub(crate) fn unwritten(label: &str) -> Self {
        let Names { events, logins, people, rooms } = Names::new(label);
        let [events, logins, people, rooms] =
            [events, logins, people, rooms].map(|name| format!("{name}, which is written with `--out`"));
        Names { events, logins, people, rooms }
    }
}

/// The name of a file of the report; `end` is what tells it from the others.
pub(crate) fn file_name(label: &str, end: &str) -> String {
    format!("compliance-report-{label}{end}")
}
