//! Writing the portal's own list of addresses, and who wrote it when.

use std::net::IpAddr;

use audit_model::{ActionId, AuditEvent, Window};
use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::REFERER;
use serde::Deserialize;
use serde_json::json;

use crate::audit::query_instant;
use crate::client::{Question, parse};
use crate::wire::{AuditEventDto, Row};
use crate::{Client, Error, ErrorKind, ListEntry};

/// The most events that one answer holds.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EchoDto {
    ip_restrictions: Vec<ListEntry>,
    enable: Option<bool>,
}

impl Client {
    /// Replaces the whole list and the switch, once: a call that broke is not repeated, for nobody knows what it has done. An answer does not
    /// prove that the switch was saved: read it back. `page` is what the event of the write calls the page it came from, a path such as
    /// `/program/1`, by which it is told from all others.
    ///
    /// # Errors
    /// `Refused` for an entry that is no address or too long, and for an empty list that is to be switched on. [`Error::may_have_acted`] says
    /// whether it may be done all the same.
    pub async fn replace_address_list(&self, entries: &[ListEntry], enable: bool, page: &str) -> Result<(), Error> {
        self.replace_list((entries, enable), page, None).await
    }

    /// The same, with a header that says the call comes from `claimed`: whether the event of the write repeats that shows whether the list
    /// can be passed so.
    ///
    /// # Errors
    /// As for [`replace_address_list`](Self::replace_address_list).
    pub async fn replace_address_list_as_from(
        &self,
        entries: &[ListEntry],
        enable: bool,
        page: &str,
        claimed: IpAddr,
    ) -> Result<(), Error> {
        self.replace_list((entries, enable), page, Some(claimed)).await
    }

    async fn replace_list(
        &self,
        (entries, enable): (&[ListEntry], bool),
        page: &str,
        claimed: Option<IpAddr>,
    ) -> Result<(), Error> {
        const ASKED: &str = "the address list";
        let question = Question::new(ASKED, "settings/iprestrictions", "*:write");
        let replaced = async {
            let body = json!({ "ipRestrictions": entries, "enable": enable });
            let referer = format!("{}{page}", self.base().as_str().trim_end_matches('/'));
            let mut request = self.request(Method::PUT, &question)?.header(REFERER, referer).json(&body);
            if let Some(claimed) = claimed {
                request = request.header("X-Forwarded-For", claimed.to_string());
            }
            let body = self.exchange(&question, request).await?;
            let echo: EchoDto = parse(&question, &body)?.response;
            let is_echo = echo.ip_restrictions == entries && echo.enable == Some(enable);
            if is_echo { Ok(()) } else { Err(Error::new(ASKED, ErrorKind::UnexpectedForm)) }
        };
        replaced.await.map_err(|error| error.trying_to("write"))
    }

    /// The events of writes of the list in a window, newest first, with the page that each came from. Servers before 3.7 write none.
    ///
    /// # Errors
    /// `IncompleteList` when there may be more than one answer holds, or when a row cannot be read.
    pub async fn address_list_writes(&self, window: Window) -> Result<Vec<AuditEvent>, Error> {
        const ASKED: &str = "the writes of the address list";
        let bound = |at: DateTime<Utc>| query_instant(at);
        let (from, to, count) = (bound(window.since), bound(window.until), MOST.to_string());
        let action = ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED.0.to_string();
        let query = [
            ("from", from.as_str()),
            ("to", &to),
            ("action", &action),
            ("count", &count),
            ("fields", AuditEventDto::FIELDS_WITH_DETAILS),
        ];
        let question = Question::new(ASKED, "security/audit/events/filter", "*:read").query(&query);
        let rows = self.get_rows::<AuditEventDto>(question, crate::client::OnFault::RepeatOnce).await?.response;
        self.note_rows(rows.len());
        let all = rows.len();
        let read: Vec<AuditEvent> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Read(dto) => Some(AuditEvent::from(dto)),
                Row::Unreadable { .. } => None,
            })
            .filter(|event| event.action == ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED)
            .collect();
        if all >= MOST || read.len() < all {
            let kind = ErrorKind::IncompleteList { read: read.len() as u64, total: all as u64 };
            return Err(Error::new(ASKED, kind));
        }
        Ok(read)
    }
}
