//! What happens beside a request: somebody else is at work, or an account changes by itself.

use axum::http::{HeaderMap, HeaderValue, header};

use super::{Outcome, Reply, Request, judge};
use crate::fault::{Effects, FaultKind, Intervention, Side};
use crate::scenario::{Event, GUEST, Key, Location, Scenario, Version};

/// A document saved in the editor.
const SAVED: i32 = 5034;
/// The type of a changed account.
const TYPE_CHANGED: i32 = 4019;
/// A session that is there for the length of one request.
const SESSION: &str = "the session of somebody else";

/// Lets happen what is due on this side of the answer.
///
/// An error names what cannot happen: the test that asks for it would prove nothing.
pub(super) fn happen(scenario: &mut Scenario, effects: &Effects, due: Side) -> Result<(), String> {
    for happening in &effects.meanwhile {
        match happening {
            FaultKind::Meanwhile { request, side } if *side == due => intervene(scenario, request)?,
            FaultKind::AccountChanges { side, .. } if *side == due => change_account(scenario, happening)?,
            FaultKind::EditorSaves { file, side } if *side == due => save(scenario, *file)?,
            _ => {}
        }
    }
    scenario.reindex();
    Ok(())
}

/// Answers the request of somebody else as every other, and forgets the answer.
fn intervene(scenario: &mut Scenario, sent: &Intervention) -> Result<(), String> {
    let Intervention { by, method, path, body } = sent;
    let person = scenario.person_by_email(by).ok_or_else(|| format!("nobody has the address {by}"))?;
    let from = Some(person.ip.parse().map_err(|_| format!("{by} has no address to come from"))?);
    let session = Key { key: SESSION.to_owned(), from, ..Key::of(person) };
    scenario.keys.push(session);
    let (target, query) = path.split_once('?').map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
    let body = body.as_ref().map(ToString::to_string).unwrap_or_default();
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let request = Request {
        method,
        path: &format!("/api/2.0/{target}"),
        query,
        scheme: "http",
        host: "portal.example",
        authorization: Some(&format!("Bearer {SESSION}")),
        headers: &headers,
        body: body.as_bytes(),
        serial: 0,
    };
    let outcome = judge(scenario, &request, None);
    scenario.keys.retain(|key| key.key != SESSION);
    match outcome {
        Outcome::Reply(Reply { status, .. }) if status >= 400 => {
            Err(format!("the portal answers {status} to {by} for {method} {path}"))
        }
        _ => Ok(()),
    }
}

/// Changes an account without a request.
fn change_account(scenario: &mut Scenario, change: &FaultKind) -> Result<(), String> {
    let FaultKind::AccountChanges { person, status, role, by, .. } = change else { return Ok(()) };
    let missing = |email: &str| format!("nobody has the address {email}");
    let actor = match by {
        Some(by) => Some(scenario.person_by_email(by).ok_or_else(|| missing(by))?.id),
        None => None,
    };
    let known = scenario.people.iter_mut().find(|known| known.email.eq_ignore_ascii_case(person));
    let known = known.ok_or_else(|| missing(person))?;
    known.status = status.unwrap_or(known.status);
    known.kind = role.unwrap_or(known.kind);
    let (id, name) = (known.id, known.display_name());
    if let (Some(actor), true) = (actor, role.is_some()) {
        let mut event = Event::new(TYPE_CHANGED, actor, scenario.now);
        event.target = vec![id.to_string()];
        event.texts = vec![name];
        scenario.write_row(event, None);
    }
    Ok(())
}

/// Stores a version in nobody's name.
fn save(scenario: &mut Scenario, id: i32) -> Result<(), String> {
    let at = scenario.now;
    let file = scenario.file_mut(id).filter(|file| file.busy);
    let file = file.ok_or_else(|| format!("nobody has the file {id} open"))?;
    let content = [&file.current().content[..], b"."].concat();
    file.versions.push(Version { at, author: GUEST, content, comment: None });
    let (title, folder) = (file.title.clone(), file.folder);
    let mut row = Event::new(SAVED, GUEST, at).file(id, &title);
    if let Some(Location::Room(room)) = scenario.location(folder) {
        row = row.in_room(room);
    }
    scenario.write_row(row, None);
    Ok(())
}
