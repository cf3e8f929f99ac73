//! What the portal's own binding said to bodies that ask for a room.

use std::path::Path;

use reqwest::StatusCode;

use super::Exchange;
use crate::error::Error;
use crate::refusal::{Refusal, classify};
use crate::rooms::create_body;
use crate::wire::FolderDto;

fn recorded() -> Vec<Exchange> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recorded/rooms-create-binding.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_body_that_is_sent_is_one_that_the_portal_takes() {
    let body = create_body("Acme");
    let all = recorded();
    let taken = all.iter().find(|exchange| exchange.request.body == body).expect("the same body is recorded");
    assert_eq!(taken.response.status, 200);
    // the room behind the answer is a stand-in; its form is the portal's
    assert!(taken.response.parse::<FolderDto>().unwrap().response.is_some());
}

/// Whatever is wrong with a body, the portal has done nothing, and asking again would not help.
#[test]
fn a_refused_body_needs_somebody_and_had_no_effect() {
    let all = recorded();
    let refused: Vec<&Exchange> = all.iter().filter(|exchange| exchange.response.status != 200).collect();
    assert!(refused.len() > 20, "{}", refused.len());
    for Exchange { name, response, .. } in refused {
        let kind = classify(&Refusal {
            status: StatusCode::from_u16(response.status).unwrap(),
            content_type: response.content_type(),
            location: None,
            limit: None,
            after: None,
            body: &response.bytes(),
            needs: "rooms:write or *:write",
        });
        let error = Error::new("a virtual data room", kind);
        assert!(error.needs_somebody() && !error.may_have_acted(), "{name}: {error}");
    }
}
