//! Which faults are put to which sources, and when: made from the requests of a run without a fault.

use std::collections::BTreeMap;

use portal_sim::{AnswerForm, Fault, FaultBody, FaultKind, LimitKind, RequestLine, RowForm};

/// What breaks in a cell.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    Portal(Fault),
    /// The program's clock is so many minutes ahead of the portal's.
    ClockAhead(i64),
    /// The store breaks between two runs.
    Store(StoreTrouble),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum StoreTrouble {
    /// Pages in the middle are zeros.
    ZeroedPages,
    /// It is no database any more.
    NoDatabase,
    /// The second half is missing.
    CutInHalf,
    /// Nothing can be written where it should be.
    Nowhere,
    /// Its server takes no connection.
    Away,
    /// Its server falls silent in the middle of the run.
    GoesAway,
}

/// What may become of a store in a file.
pub(super) const IN_FILE: &[(&str, StoreTrouble)] = &[
    ("zeroed pages", StoreTrouble::ZeroedPages),
    ("no database", StoreTrouble::NoDatabase),
    ("cut in half", StoreTrouble::CutInHalf),
    ("nowhere to write", StoreTrouble::Nowhere),
];
/// And of one on a server.
pub(super) const ON_SERVER: &[(&str, StoreTrouble)] =
    &[("away", StoreTrouble::Away), ("goes away", StoreTrouble::GoesAway)];

/// One run: what breaks, where and when.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    source: String,
    fault: String,
    when: String,
    pub(super) trouble: Trouble,
    /// What gaps about this source are called; empty where any gap will do.
    pub(super) gaps: &'static [&'static str],
    /// The fault stays, so that nothing can be asked again.
    pub(super) stays: bool,
    /// It stays and is one that a client asks again about, and waits.
    pub(super) in_vain: bool,
    /// It is a failure to read a list, once or from some request on.
    pub(super) fails_later: bool,
    /// Whether what comes for an answer has not the form of one; of an answer that is no list, if it is so each time.
    pub(super) is_no_answer: bool,
}

impl Cell {
    /// `SOURCE: FAULT, WHEN`.
    pub(super) fn name(&self) -> String {
        format!("{}: {}, {}", self.source, self.fault, self.when)
    }

    /// Source, fault, and when.
    pub(super) fn parts(&self) -> [&str; 3] {
        [&self.source, &self.fault, &self.when]
    }
}

/// Long lists, which say too little when they are cut short: the path, and what gaps about them are called.
const LISTS: &[(&str, &[&str])] = &[
    ("security/audit/events/filter", &["audit"]),
    ("security/audit/login/filter", &["logins"]),
    ("files/folder/*/log", &["room_log"]),
    ("files/rooms", &["rooms"]),
    ("files/rooms/*/share", &["members", "people"]),
    ("files/folder/*/group/*/share", &["members", "people"]),
    ("people/filter", &["people"]),
    ("group", &["people", "groups"]),
];

/// When a fault hits the requests to its source.
#[derive(Clone, Copy)]
enum When {
    Once(u32),
    Always,
    From(u32),
}

impl When {
    /// The first request of the source that is hit.
    fn first(self) -> u32 {
        match self {
            When::Once(number) | When::From(number) => number,
            When::Always => 1,
        }
    }

    fn of(self, fault: Fault) -> Fault {
        let fault = fault.after(self.first() - 1);
        if let When::Once(_) = self { fault.times(1) } else { fault }
    }

    fn name(self) -> String {
        match self {
            When::Once(number) => format!("request {number}"),
            When::Always => "always".to_owned(),
            When::From(number) => format!("from request {number}"),
        }
    }
}

fn status(status: u16, body: Option<FaultBody>) -> FaultKind {
    FaultKind::Status { status, body }
}

/// Failures that a client notices.
fn loud() -> Vec<(String, FaultKind)> {
    let mut kinds: Vec<(String, FaultKind)> =
        [401, 403, 404, 500, 502].into_iter().map(|code| (format!("status {code}"), status(code, None))).collect();
    let class = format!("System.Exception\nERROR forged {}", "x".repeat(3000));
    kinds.extend([
        ("reset".to_owned(), FaultKind::Reset),
        ("reset inside".to_owned(), FaultKind::ResetInside),
        ("truncated".to_owned(), FaultKind::Truncated),
        ("429".to_owned(), FaultKind::Limited { by: LimitKind::Day, retry_after: Some(1) }),
        ("database down".to_owned(), status(403, Some(FaultBody::Database))),
        ("exception".to_owned(), FaultKind::Exception { status: 500, class, message: String::new() }),
    ]);
    kinds
}

/// 200, and rows are missing.
fn silent(is_trail: bool) -> Vec<(String, FaultKind)> {
    let fewer = |drop, at, total| FaultKind::FewerRows { drop, at, total };
    let mut kinds = vec![
        ("fewer rows".to_owned(), fewer(Some(3), None, None)),
        ("fewer rows inside".to_owned(), fewer(Some(3), Some(1), None)),
        ("no rows".to_owned(), fewer(None, None, None)),
    ];
    if is_trail {
        kinds.push(("plan lapses".to_owned(), FaultKind::Fallback));
    } else {
        kinds.push(("no rows and no total".to_owned(), fewer(None, None, Some(0))));
    }
    kinds
}

/// Rows that are stored in another form.
fn odd_rows(has_dates: bool) -> Vec<(String, FaultKind)> {
    let odd = |form, every| FaultKind::OddRows { form, every, id: None };
    let mut kinds = vec![
        ("some huge ids".to_owned(), odd(RowForm::HugeId, Some(7))),
        ("some without guid".to_owned(), odd(RowForm::NoGuid, Some(7))),
        ("some null".to_owned(), odd(RowForm::Null, Some(7))),
    ];
    if has_dates {
        kinds.push(("no dates".to_owned(), odd(RowForm::NoDate, None)));
        kinds.push(("some without date".to_owned(), odd(RowForm::NoDate, Some(7))));
    }
    kinds
}

/// 200, and something else.
fn odd_answers() -> Vec<(String, FaultKind)> {
    let forms = [
        ("null", AnswerForm::NullResponse),
        ("empty object", AnswerForm::NoMembers),
        ("object for list", AnswerForm::OtherResponse),
        ("list", AnswerForm::List),
        ("text", AnswerForm::Text),
        ("html", AnswerForm::Html),
    ];
    forms.into_iter().map(|(name, form)| (name.to_owned(), FaultKind::OddAnswer { form })).collect()
}

/// What became of the whole portal.
fn of_the_portal() -> Vec<(String, FaultKind)> {
    vec![
        ("key dies".to_owned(), status(401, None)),
        ("proxy fails".to_owned(), status(502, None)),
        ("address blocked".to_owned(), FaultKind::Blocked),
        ("unpaid".to_owned(), FaultKind::Unpaid),
        ("suspended".to_owned(), FaultKind::Suspended),
        ("plan lapses".to_owned(), FaultKind::Fallback),
    ]
}

/// Whether a client notices at once that there is no answer.
fn is_loud(kind: &FaultKind) -> bool {
    !matches!(
        kind,
        FaultKind::FewerRows { .. } | FaultKind::OddRows { .. } | FaultKind::OddAnswer { .. } | FaultKind::Fallback
    )
}

/// All cells for a program that asked these questions when nothing was wrong, and whose store may come to this.
pub(super) fn cells(requests: &[RequestLine], of_the_store: &[(&str, StoreTrouble)]) -> Vec<Cell> {
    let mut sources: BTreeMap<String, u32> = BTreeMap::new();
    for request in requests {
        *sources.entry(source(&request.target)).or_default() += 1;
    }
    let mut cells = Vec::new();
    for (source, asked) in &sources {
        let mut add = |kinds: Vec<(String, FaultKind)>, whens: &[When]| {
            let list = LISTS.iter().find(|(path, _)| path == source);
            for (name, kind) in kinds {
                for when in whens.iter().filter(|when| when.first() <= *asked) {
                    cells.push(Cell {
                        source: source.clone(),
                        fault: name.clone(),
                        when: when.name(),
                        trouble: Trouble::Portal(when.of(Fault::new(kind.clone()).on(&format!("{source}$")))),
                        gaps: list.map_or(&[], |(_, gaps)| gaps),
                        stays: !matches!(when, When::Once(_)),
                        in_vain: !matches!(when, When::Once(_)) && is_loud(&kind),
                        fails_later: list.is_some() && !matches!(when, When::Always) && is_loud(&kind),
                        is_no_answer: (list.is_some() || matches!(when, When::Always))
                            && (is_loud(&kind) || matches!(kind, FaultKind::OddAnswer { .. })),
                    });
                }
            }
        };
        if LISTS.iter().any(|(path, _)| path == source) {
            let is_trail = source.starts_with("security/");
            add(loud(), &[When::Once(1), When::Always, When::From(2)]);
            add(silent(is_trail), &[1, 2, 3, 4].map(When::Once));
            add(silent(is_trail), &[When::Always, When::From(2), When::From(3)]);
            add(odd_rows(is_trail || source.ends_with("/log")), &[When::Always]);
            add(odd_answers(), &[When::Once(1), When::Once(2), When::Always]);
        } else {
            add(loud(), &[When::Always]);
            add(vec![("status 502".to_owned(), status(502, None))], &[When::Once(1)]);
            add(odd_answers(), &[When::Always]);
        }
    }
    let asked = requests.len() as u64;
    for (name, kind) in of_the_portal() {
        for number in [1, 4, asked / 2, asked] {
            cells.push(Cell {
                source: "portal".to_owned(),
                fault: name.clone(),
                when: When::From(u32::try_from(number).unwrap()).name(),
                trouble: Trouble::Portal(Fault::new(kind.clone()).from_request(number)),
                gaps: &[],
                stays: true,
                in_vain: is_loud(&kind),
                fails_later: false,
                is_no_answer: false,
            });
        }
    }
    cells.extend([-240, -10, 10, 240].map(|ahead: i64| Cell {
        source: "clock".to_owned(),
        fault: format!("{} minutes {} the portal's", ahead.abs(), if ahead < 0 { "behind" } else { "ahead of" }),
        when: When::Always.name(),
        trouble: Trouble::ClockAhead(ahead),
        gaps: &[],
        stays: true,
        in_vain: false,
        fails_later: false,
        is_no_answer: false,
    }));
    cells.extend(of_the_store.iter().map(|(name, trouble)| Cell {
        source: "store".to_owned(),
        fault: (*name).to_owned(),
        when: "second run".to_owned(),
        trouble: Trouble::Store(*trouble),
        gaps: &[],
        stays: true,
        in_vain: false,
        fails_later: false,
        is_no_answer: false,
    }));
    cells
}

/// The path behind `/api/2.0/` with ids left open, in the form of a fault's route.
fn source(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default().trim_start_matches("/api/2.0/").to_ascii_lowercase();
    let is_id = |part: &str| {
        part.len() == 36 && part.matches('-').count() == 4 || part.bytes().all(|byte| byte.is_ascii_digit())
    };
    path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}
