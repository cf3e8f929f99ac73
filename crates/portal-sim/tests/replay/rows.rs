//! Rows of lists, as far as the recordings fix them: the order of equal dates is free, and so are a few ids.

use std::collections::BTreeMap;

use crate::common::Ordered;
use crate::exchange::Exchange;

/// Hosts whose rows come ten per second, so that every page cuts through equal dates.
const CROWDED: &[&str] = &["many"];
/// What tells rows of the same second apart.
const OF_ONE_ROW: &[&str] = &["id", "action", "target"];

/// The `response` of an answer without what differs from run to run. `dates` knows the rows' dates by id.
pub(crate) fn steady(file: &str, exchange: &Exchange, response: Ordered, dates: &BTreeMap<i64, String>) -> Ordered {
    let path = exchange.path().to_ascii_lowercase();
    let Ordered::List(rows) = response else {
        // the address of a report was invented for the recordings
        return if path.ends_with("/report") { Ordered::Text("…".to_owned()) } else { response };
    };
    if path.contains("iprestrictions") {
        return Ordered::List(rows.into_iter().map(|row| blank(row, &["id"], "…")).collect());
    }
    if file.starts_with("activity-log") && !path.contains("/security/") {
        return Ordered::List(rows);
    }
    // of that run only the files service knew the people; the audit trail beside it names nobody
    let rows: Vec<Ordered> = if file.starts_with("activity-log") {
        rows.into_iter().map(|row| blank(row, &["user"], "…")).collect()
    } else {
        rows
    };
    let date = |row: &Ordered| match row.at("date") {
        Ordered::Text(date) => Some(date.clone()),
        _ => match row.at("id") {
            Ordered::Int(id) => dates.get(id).cloned(),
            _ => None,
        },
    };
    let mut dated: Vec<(Option<String>, Ordered)> = rows.into_iter().map(|row| (date(&row), row)).collect();
    if CROWDED.contains(&exchange.host.as_str()) {
        let blanked = dated.into_iter().map(|(date, row)| {
            let text = date.unwrap_or_default();
            blank(row, OF_ONE_ROW, &text)
        });
        return Ordered::List(blanked.collect());
    }
    // rows of one date stand together; among them any order is right
    for run in dated.chunk_by_mut(|a, b| a.0.is_some() && a.0 == b.0) {
        run.sort_by_key(|(_, row)| if let Ordered::Int(id) = row.at("id") { -id } else { 0 });
    }
    Ordered::List(dated.into_iter().map(|(_, row)| row).collect())
}

/// The row with these members replaced by one text.
fn blank(row: Ordered, names: &[&str], text: &str) -> Ordered {
    let Ordered::Object(members) = row else { return row };
    let blanked = members.into_iter().map(|(name, value)| {
        let value = if names.contains(&name.as_str()) { Ordered::Text(text.to_owned()) } else { value };
        (name, value)
    });
    Ordered::Object(blanked.collect())
}
