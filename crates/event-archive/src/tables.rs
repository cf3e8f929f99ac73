//! What the tables of the archive hold of people.

use job_store::Table;

/// A table without texts and without an age of its own: [`Archive::prune_spans`](crate::Archive::prune_spans) sees to it.
const fn spans(name: &'static str, holds: &'static str, columns: &'static [&'static str]) -> Table {
    Table { name, holds, key: "part", shown_as: name, columns, texts: &["part"], old: None, open: None }
}

static AUDIT_EVENT: Table = Table {
    name: "audit_event",
    holds: "actions on the portal: who, when, what, to which file or room, from which address",
    key: "id",
    shown_as: "event_with_details",
    columns: &["id", "at_us", "actor", "actor_name", "action", "text", "ip", "target", "context", "details"],
    texts: &["text", "target"],
    old: Some("at_us < ?"),
    open: None,
};

static LOGIN_EVENT: Table = Table {
    name: "login_event",
    holds: "sign-ins and failed sign-ins: who, when, from which address, with what",
    key: "id",
    shown_as: "login_event",
    columns: &[
        "id",
        "at_us",
        "user_id",
        "user_name",
        "login",
        "action",
        "text",
        "ip",
        "country",
        "city",
        "browser",
        "platform",
    ],
    texts: &["user_id", "user_name", "login", "text"],
    old: Some("at_us < ?"),
    open: None,
};

static ROOM_LOG: Table = Table {
    name: "room_log",
    holds: "which actions the log of a room lists, and whose membership they changed",
    key: "room, event",
    shown_as: "room_log",
    columns: &["event", "at_us", "room", "about"],
    texts: &["about"],
    old: Some("at_us < ?"),
    open: None,
};

static FACT: Table = Table {
    name: "fact",
    holds: "what was learned of accounts, groups, files, folders and rooms, and when",
    key: "kind, name",
    shown_as: "fact",
    columns: &["kind", "name", "learned_us", "value"],
    texts: &["name", "value"],
    // what has not changed since is written once: the portal's own list of addresses, our entries in it, words of the portal's language
    old: Some("learned_us < ? AND kind NOT IN ('address list', 'own list entries', 'words before titles')"),
    open: Some("kind = 'own list entries'"),
};

static ROOM_TITLE: Table = Table {
    name: "room_title",
    holds: "every title that a room was seen with",
    key: "room, title",
    shown_as: "room_title",
    columns: &["room", "title", "seen_us"],
    texts: &["title"],
    old: Some("seen_us < ?"),
    open: None,
};

static HELD: Table = Table {
    name: "held",
    holds: "how many files rooms and folders held, with their titles",
    key: "folder, since_us",
    shown_as: "held",
    columns: &["folder", "since_us", "until_us", "files", "folders", "room", "parent", "title"],
    texts: &["title"],
    old: Some("until_us < ?"),
    open: None,
};

static LISTED_ROOM: Table = Table {
    name: "listed_room",
    holds: "how many files rooms held when they were last listed",
    key: "room",
    shown_as: "listed_room",
    columns: &["room", "listed_us", "files", "folders"],
    texts: &[],
    old: Some("listed_us < ?"),
    open: None,
};

static PHRASE: Table = Table {
    name: "phrase",
    holds: "ids, names, addresses and places that actions share, each once",
    key: "value",
    shown_as: "phrase",
    columns: &["value"],
    texts: &["value"],
    // goes with the last action that needs it
    old: None,
    open: None,
};

static COVERED_SPAN: Table = Table {
    name: "covered_span",
    holds: "which time was read completely",
    key: "source, since_us",
    shown_as: "covered_span",
    columns: &["source", "since_us", "until_us"],
    texts: &[],
    old: None,
    open: None,
};

static MOMENT: Table = Table {
    name: "moment",
    holds: "when things were last read, by whatever runs look at",
    key: "name",
    shown_as: "moment",
    columns: &["name", "at_us"],
    texts: &["name"],
    old: Some("at_us < ?"),
    open: None,
};

static REWRITTEN: Table = Table {
    name: "rewritten",
    holds: "numbers of actions in which somebody was made nameless",
    key: "event",
    shown_as: "rewritten",
    columns: &["event"],
    texts: &[],
    // go with the actions
    old: None,
    open: None,
};

static UNJUDGED: Table = Table {
    old: Some("at_us < ?"),
    key: "part, at_us",
    ..spans("unjudged", "when actions happened that came late and are still to be judged", &["part", "at_us"])
};
static JUDGED_SPAN: Table = spans("judged_span", "which time was judged", &["part", "since_us", "until_us"]);
static WATCHED: Table = spans("watched", "since when runs look", &["part", "since_us"]);
static LEFT_OPEN: Table = spans("left_open", "which time is still to be judged", &["part", "since_us", "until_us"]);
static GIVEN_UP: Table = Table {
    texts: &["part", "reason"],
    old: Some("until_us < ?"),
    key: "part, since_us, until_us",
    ..spans("given_up", "which time was given up, and why", &["part", "since_us", "until_us", "at_us", "reason"])
};

/// All tables, for whoever looks after the store. Those that rows of others refer to come last.
pub const ARCHIVE_TABLES: &[&Table] = &[
    &AUDIT_EVENT,
    &LOGIN_EVENT,
    &ROOM_LOG,
    &FACT,
    &ROOM_TITLE,
    &HELD,
    &LISTED_ROOM,
    &UNJUDGED,
    &JUDGED_SPAN,
    &WATCHED,
    &LEFT_OPEN,
    &GIVEN_UP,
    &COVERED_SPAN,
    &MOMENT,
    &REWRITTEN,
    &PHRASE,
];
