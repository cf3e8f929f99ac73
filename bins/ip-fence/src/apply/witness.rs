//! Who came in after the list was switched: only somebody whom the list judges can show that it lets people in.

use anyhow::bail;
use audit_model::{Address, AuditEvent, GUEST_ACCOUNT, LoginEvent, PortalText, SYSTEM_ACCOUNT, Sentence, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, Client};
use uuid::Uuid;

use super::words::{moment, moment_german};
use crate::rule::server::{self, Ruling};

/// Whom the list does not judge, or who shows nothing by coming in.
#[derive(Clone, Copy, Debug)]
struct NoWitnesses<'l> {
    /// No list stops the owner.
    owner: Option<Uuid>,
    /// The account of the key has written the list.
    own: Uuid,
    /// As it is now.
    list: &'l AddressList,
}

impl NoWitnesses<'_> {
    fn can(self, who: Uuid, ip: Option<&PortalText>) -> bool {
        let is_person = ![self.own, GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(&who) && Some(who) != self.owner;
        is_person && ip.is_some_and(|ip| self.lets_in(ip))
    }

    /// Whether the list has let in whoever came from there. The portal itself is never refused, and elsewhere its services may go by an
    /// older list.
    fn lets_in(self, ip: &PortalText) -> bool {
        match Address::parse(ip.raw()) {
            Address::Empty | Address::NotAnAddress => false,
            address => {
                let is_portal = address.ip().is_some_and(|ip| ip.is_loopback());
                !is_portal && server::noted(self.list, ip, true) != Some(Ruling::Refused)
            }
        }
    }

    fn login(self, logins: &[LoginEvent]) -> Option<Sentence> {
        let can = |login: &&LoginEvent| {
            login.action.is_successful_login() && !login.ip_was_set && self.can(login.user, login.ip.as_ref())
        };
        let login = logins.iter().find(can)?;
        let name = login.user_name.for_terminal();
        Some(Sentence::new(
            format!("login of {name} at {}", moment(login.at)),
            format!("Anmeldung von {name} am {}", moment_german(login.at)),
        ))
    }

    /// What the editor saves in somebody's name comes from the server, and not from them.
    fn act(self, acts: &[AuditEvent]) -> Option<Sentence> {
        let can = |act: &&AuditEvent| !act.action.is_saved_by_editor() && self.can(act.actor, act.ip.as_ref());
        let act = acts.iter().find(can)?;
        let (action, name) = (act.action.0, act.actor_name.for_terminal());
        Some(Sentence::new(
            format!("action {action} of {name} at {}", moment(act.at)),
            format!("Aktion {action} von {name} am {}", moment_german(act.at)),
        ))
    }
}

/// A login or an action since a moment, from an address that the list has, of somebody who is not the owner, nor the account of the key.
///
/// # Errors
/// Nobody was seen, and the portal does not tell everything.
pub(crate) async fn find(
    client: &Client,
    since: DateTime<Utc>,
    own: Uuid,
    list: &AddressList,
) -> anyhow::Result<Option<Sentence>> {
    let not = NoWitnesses { owner: client.settings().await?.owner, own, list };
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
    use super::super::testing::list;
    use super::*;

    const OWNER: Uuid = Uuid::from_u128(1);
    const OWN: Uuid = Uuid::from_u128(2);
    const HANA: Uuid = Uuid::from_u128(3);

    #[test]
    fn only_a_person_whom_the_list_judges_is_a_witness() {
        let list = list(&["192.0.2.1", "2001:db8::1"]);
        let not = NoWitnesses { owner: Some(OWNER), own: OWN, list: &list };
        let listed = PortalText::new("192.0.2.1");
        for nobody in [OWNER, OWN, GUEST_ACCOUNT, SYSTEM_ACCOUNT] {
            assert!(!not.can(nobody, Some(&listed)), "{nobody}");
        }
        assert!(!not.can(HANA, None));
        for (ip, can) in [
            ("192.0.2.1", true),
            // over IPv6 the portal notes the beginning only
            ("2001", true),
            ("2a00", false),
            ("192.0.2.9", false),
            ("127.0.0.1", false),
            ("", false),
            ("office", false),
        ] {
            assert_eq!(not.can(HANA, Some(&PortalText::new(ip))), can, "{ip:?}");
        }
    }
}
