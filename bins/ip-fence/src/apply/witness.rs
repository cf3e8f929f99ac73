//! Who came in after the list was switched: only somebody whom the list judges can show that it lets people in.

use audit_model::{GUEST_ACCOUNT, SYSTEM_ACCOUNT, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Client;
use uuid::Uuid;

use super::words::moment;

/// A login or an action since a moment, of somebody who is not the owner, nor the account of the key.
///
/// # Errors
/// The portal does not tell.
pub(crate) async fn find(client: &Client, since: DateTime<Utc>, own: Uuid) -> anyhow::Result<Option<String>> {
    let owner = client.settings().await?.owner;
    let window = Window::new(since, client.portal_now().unwrap_or(since).max(since) + TimeDelta::seconds(1));
    let is_witness = |who: Uuid| ![own, GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(&who) && Some(who) != owner;
    let logins = client.login_slice(window).await.rows;
    let login = logins.iter().find(|login| login.action.is_successful_login() && is_witness(login.user));
    if let Some(login) = login {
        return Ok(Some(format!("login of {} at {}", login.user_name.for_terminal(), moment(login.at))));
    }
    let acts = client.audit_slice(window).await.rows;
    let act = acts.iter().find(|act| is_witness(act.actor));
    Ok(act.map(|act| format!("action {} of {} at {}", act.action.0, act.actor_name.for_terminal(), moment(act.at))))
}
