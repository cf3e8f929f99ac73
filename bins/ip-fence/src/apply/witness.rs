//! Who came in after the list was switched: only somebody whom the list judges can show that it lets people in.

use anyhow::bail;
use audit_model::{Address, AuditEvent, GUEST_ACCOUNT, LoginEvent, PortalText, SYSTEM_ACCOUNT, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Client;
use uuid::Uuid;

use super::words::moment;

/// Whom the list does not judge, or who shows nothing by coming in.
#[derive(Clone, Copy, Debug)]
struct NoWitnesses {
    /// No list stops the owner.
    owner: Option<Uuid>,
    /// The account of the key has written the list.
    own: Uuid,
}

impl NoWitnesses {
    fn can(self, who: Uuid) -> bool {
        ![self.own, GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(&who) && Some(who) != self.owner
    }

    fn login(self, logins: &[LoginEvent]) -> Option<String> {
        let is_judged = |login: &&LoginEvent| self.can(login.user) && !is_exempt(login.ip.as_ref());
        let login = logins.iter().filter(|login| login.action.is_successful_login()).find(is_judged)?;
        Some(format!("login of {} at {}", login.user_name.for_terminal(), moment(login.at)))
    }

    /// What the editor saves in somebody's name comes from the server, and not from them.
    fn act(self, acts: &[AuditEvent]) -> Option<String> {
        let is_judged = |act: &&AuditEvent| self.can(act.actor) && !is_exempt(act.ip.as_ref());
        let act = acts.iter().filter(|act| !act.action.is_saved_by_editor()).find(is_judged)?;
        Some(format!("action {} of {} at {}", act.action.0, act.actor_name.for_terminal(), moment(act.at)))
    }
}

/// Whether it came from the portal's own machine, which no list stops.
fn is_exempt(ip: Option<&PortalText>) -> bool {
    Address::of(ip).ip().is_some_and(|ip| ip.is_loopback())
}

/// A login or an action since a moment, of somebody who is not the owner, nor the account of the key.
///
/// # Errors
/// Nobody was seen, and the portal does not tell everything.
pub(crate) async fn find(client: &Client, since: DateTime<Utc>, own: Uuid) -> anyhow::Result<Option<String>> {
    let not = NoWitnesses { owner: client.settings().await?.owner, own };
    let window = Window::new(since, client.portal_now().unwrap_or(since).max(since) + TimeDelta::seconds(1));
    let logins = client.login_slice(window).await;
    if let Some(login) = not.login(&logins.rows) {
        return Ok(Some(login));
    }
    let acts = client.audit_slice(window).await;
    if let Some(act) = not.act(&acts.rows) {
        return Ok(Some(act));
    }
    if !logins.gaps.is_empty() || !acts.gaps.is_empty() {
        let cause = logins.error.or(acts.error).map_or_else(|| "part of them is missing".to_owned(), |e| e.to_string());
        bail!("not confirmed: the portal does not tell who has come in since the list was written ({cause})");
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_person_whom_the_list_judges_is_a_witness() {
        let [owner, own, hana] = [1, 2, 3].map(Uuid::from_u128);
        let not = NoWitnesses { owner: Some(owner), own };
        for nobody in [owner, own, GUEST_ACCOUNT, SYSTEM_ACCOUNT] {
            assert!(!not.can(nobody), "{nobody}");
        }
        assert!(not.can(hana));
    }

    #[test]
    fn whoever_comes_from_the_portals_own_machine_is_none() {
        for (ip, exempt) in [("127.0.0.1", true), ("::1", true), ("192.0.2.7", false), ("2001", false), ("", false)] {
            assert_eq!(is_exempt(Some(&ip.into())), exempt, "{ip}");
        }
        assert!(!is_exempt(None));
    }
}
