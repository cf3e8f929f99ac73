//! Lists with rows left out or of another form, and answers of another form: what a fault makes of a true answer.

use super::reply::{Answer, JSON, Output, Reply};
use crate::fault::{AnswerForm, FaultKind, RowForm};
use crate::json::{Json, length};
use crate::scenario::digest;

/// A number that fits into no integer of a client.
const HUGE: &str = "184467440737095516160000";
/// What stands where an id of a person should.
const NOBODY: &str = "nobody";
/// How the lists name the date of a row.
const DATES: [&str; 3] = ["date", "created", "registrationDate"];

/// The true answer in the form that the fault gives it.
pub(super) fn bent(output: Output, fault: Option<&FaultKind>) -> Output {
    let (answer, status, headers) = match output {
        Output::Answer { answer, status, headers } => (answer, status, headers),
        Output::Reply(reply) if fault == Some(&FaultKind::OtherBytes) => {
            let body = reply.body.iter().map(|byte| byte ^ 1).collect();
            return Output::Reply(Reply { body, ..reply });
        }
        reply => return reply,
    };
    let answer = match fault {
        Some(FaultKind::OddAnswer { form }) => return odd(answer, *form),
        Some(FaultKind::FewerRows { drop, at, total }) => fewer(answer, *drop, *at, *total),
        Some(FaultKind::OddRows { form, every, id }) => {
            let is_hit = |row: &Json, position: usize| {
                let identity = identity(row).unwrap_or_else(|| position.to_string());
                let number = identity.parse().unwrap_or_else(|_| digest(&identity, 0));
                every.is_none_or(|every| number % u64::from(every.max(1)) == 0)
                    && id.as_ref().is_none_or(|id| *id == identity)
            };
            each_list(answer, |rows| {
                for (position, row) in rows.iter_mut().enumerate() {
                    if is_hit(row, position) {
                        bend(row, *form);
                    }
                }
            })
        }
        _ => answer,
    };
    Output::Answer { answer, status, headers }
}

fn odd(answer: Answer, form: AnswerForm) -> Output {
    let text = match form {
        AnswerForm::OtherResponse => {
            let other = match answer.response {
                Json::List(_) | Json::Raw(_) => Json::Object(Vec::new()),
                _ => Json::List(Vec::new()),
            };
            return Answer { response: other, ..answer }.into();
        }
        AnswerForm::NullResponse => r#"{"response":null}"#,
        AnswerForm::NoMembers => "{}",
        AnswerForm::List => "[]",
        AnswerForm::Text => r#""ok""#,
        AnswerForm::Html => {
            let page = "<!DOCTYPE html>\n<html><body><h1>Sign in</h1></body></html>\n";
            return Reply::new(200, Some("text/html"), page).by_proxy().into();
        }
    };
    Reply::new(200, Some(JSON), text).into()
}

/// Lets something be done to the rows, if the answer is a list, or to the folders and to the files of a folder.
fn each_list(mut answer: Answer, mut change: impl FnMut(&mut Vec<Json>)) -> Answer {
    if let Json::Raw(text) = &answer.response {
        answer.response = serde_json::from_str(text).expect("the simulator writes valid JSON");
    }
    match &mut answer.response {
        Json::List(rows) => change(rows),
        Json::Object(members) if members.iter().any(|(name, _)| name == "folders") => {
            for (name, value) in members {
                match value {
                    Json::List(rows) if name == "folders" || name == "files" => change(rows),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    answer
}

fn fewer(answer: Answer, drop: Option<u32>, at: Option<u32>, total: Option<i64>) -> Answer {
    let mut gone = 0;
    let mut answer = each_list(answer, |rows| {
        let drop = drop.map_or(rows.len(), |drop| drop as usize).min(rows.len());
        let first = at.map_or(rows.len() - drop, |at| (at as usize).min(rows.len()));
        let end = (first + drop).min(rows.len());
        // an entry of an activity log stands for the rows that are grouped below it, too
        gone += rows.drain(first..end).map(|row| 1 + related(&row)).sum::<i64>();
    });
    match &mut answer.response {
        // a folder counts inside
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::Int(count) if name == "count" => *count = (*count - gone).max(0),
                    Json::Int(truth) if name == "total" => *truth = total.unwrap_or(*truth),
                    _ => {}
                }
            }
        }
        _ => answer.count = (answer.count - gone).max(0),
    }
    answer.total = answer.total.map(|truth| total.unwrap_or(truth));
    answer
}

fn related(row: &Json) -> i64 {
    let Json::Object(members) = row else { return 0 };
    members.iter().find(|(name, _)| name == "related").map_or(0, |(_, value)| match value {
        Json::List(rows) => length(rows.len()),
        _ => 0,
    })
}

/// The row's own id, or that of the first object in it.
fn identity(row: &Json) -> Option<String> {
    let Json::Object(members) = row else { return None };
    let own = members.iter().find(|(name, _)| name == "id").and_then(|(_, value)| match value {
        Json::Int(id) => Some(id.to_string()),
        Json::Text(id) => Some(id.clone()),
        _ => None,
    });
    own.or_else(|| members.iter().find_map(|(_, value)| identity(value)))
}

fn bend(row: &mut Json, form: RowForm) {
    match form {
        RowForm::Null => *row = Json::Null,
        RowForm::Text => *row = "row".into(),
        RowForm::NoDate => {
            if let Json::Object(members) = row {
                members.retain(|(name, _)| !DATES.contains(&name.as_str()));
            }
        }
        RowForm::HugeId => {
            if let Some(id) = first_id(row) {
                *id = Json::Raw(HUGE.to_owned());
            }
        }
        RowForm::NoGuid => deface(row),
    }
}

/// The row's own id, or that of the first object in it.
fn first_id(row: &mut Json) -> Option<&mut Json> {
    let Json::Object(members) = row else { return None };
    match members.iter().position(|(name, _)| name == "id") {
        Some(own) => Some(&mut members[own].1),
        None => members.iter_mut().find_map(|(_, value)| first_id(value)),
    }
}

/// Takes the ids of people away, wherever they stand in the row.
fn deface(row: &mut Json) {
    let Json::Object(members) = row else { return };
    for (name, value) in members {
        match value {
            Json::Text(id) if matches!(name.as_str(), "id" | "userId") && uuid::Uuid::parse_str(id).is_ok() => {
                NOBODY.clone_into(id);
            }
            Json::Object(_) => deface(value),
            _ => {}
        }
    }
}
