//! `suggest`: a policy from where people were seen. Pure, but for `command` and for reading the history.
//!
//! `sightings` puts rows together by person and address, `suspect` says which of them may be somebody else's, `places` joins neighbours,
//! `rules` makes rules of the others, `rest` says what is not suggested and why, `proof` replays the rules, `against` compares them with a
//! policy that exists, `text` and `report` show everything.

mod against;
pub(crate) mod command;
mod names;
mod places;
mod proof;
mod report;
mod rest;
mod rules;
mod sightings;
mod suspect;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ::report::words::Clock;
use audit_model::{AddressRange, Person, PortalText, Window};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use docspace_client::Directory;
use serde::Serialize;
use uuid::Uuid;

use crate::config::Limits;
use crate::policy::Policy;
use crate::rule::Rulebook;
use crate::rule::then::Then;

pub(crate) use against::Against;
pub(crate) use proof::Proof;
pub(crate) use sightings::{LeftOut, Sightings};
pub(crate) use suspect::Doubt;

/// So many days make a habit.
const DAYS: usize = 3;

/// So many people on so many days make a place that is shared.
const SHARED_PEOPLE: usize = 3;
const SHARED_DAYS: usize = 5;

/// Whoever came from so many networks will come from another one tomorrow.
const ROAMING: usize = 5;

/// Below, one address for everybody says nothing.
const ENOUGH_PEOPLE: usize = 3;

/// What one person alone uses is looked at again after so many days.
const EXPIRES_AFTER_DAYS: u64 = 90;

/// What a suggestion goes by, besides what was seen.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// With the members of all groups that could be read.
    pub(crate) directory: &'a Directory,
    pub(crate) service_accounts: &'a [String],
    /// Whether a private address is nobody's.
    pub(crate) is_public: bool,
    pub(crate) ipv6_by_64: bool,
    pub(crate) limits: &'a Limits,
    /// Days are those of the portal.
    pub(crate) zone: Tz,
    /// Of whom something is suggested; `None` for everybody.
    pub(crate) only: Option<&'a BTreeSet<Uuid>>,
    /// How often people signed in from which countries before what was seen.
    pub(crate) countries: &'a BTreeMap<Uuid, BTreeMap<PortalText, u64>>,
}

impl Inputs<'_> {
    /// What the watch would go by with this policy; what people were then is taken to be what they are now.
    fn rulebook<'r>(&'r self, policy: &'r Policy, then: &'r Then) -> Rulebook<'r> {
        Rulebook {
            policy,
            directory: self.directory,
            then,
            service_accounts: self.service_accounts,
            is_public: self.is_public,
            only: None,
            clock: Clock(self.zone),
        }
    }
}

/// What is suggested, and what is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Suggestion {
    /// The history that it is made from.
    pub(crate) seen: Window,
    /// The only address of everybody: then nothing is suggested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proxy: Option<IpAddr>,
    /// Shared places first, then by person.
    pub(crate) rules: Vec<SuggestedRule>,
    /// Places that somebody has to look at, by person and network.
    pub(crate) not_proposed: Vec<LookAt>,
    /// People for whom nothing is suggested, by why and id.
    pub(crate) people: Vec<NotSuggested>,
    /// Robots and from where they came, by id.
    pub(crate) robots: Vec<Robot>,
    /// Rows that say nothing of where a person comes from.
    pub(crate) left_out: Vec<Counted>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SuggestedRule {
    pub(crate) label: String,
    /// E-mail addresses, or ids where those do not tell people apart.
    pub(crate) people: Vec<String>,
    /// Names, or ids likewise.
    pub(crate) groups: Vec<String>,
    pub(crate) allow: Vec<SuggestedEntry>,
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<NaiveDate>,
    /// Everybody whom it names, members of groups included.
    #[serde(skip)]
    pub(crate) members: BTreeSet<Uuid>,
}

/// One entry, and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SuggestedEntry {
    #[serde(serialize_with = "as_text")]
    pub(crate) entry: AddressRange,
    /// How many people came from there.
    pub(crate) people: usize,
    /// How many addresses of it were seen.
    pub(crate) addresses: usize,
    #[serde(flatten)]
    pub(crate) seen: Presence,
    /// How many percent of the logins of these people, or of their actions where they have no logins.
    pub(crate) share_percent: u64,
}

/// How often, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Presence {
    pub(crate) days: usize,
    pub(crate) logins: u64,
    pub(crate) acts: u64,
    pub(crate) first: DateTime<Utc>,
    pub(crate) last: DateTime<Utc>,
}

/// Why a place is not proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// It came into use right after a burst of failed logins, or others were tried from there who never came from there.
    AfterFailedLogins,
    /// It came into use after somebody may have taken the account.
    AfterTakeover,
    /// A country that the person had not signed in from.
    NewCountry,
    /// Seen on one day only.
    OneDay,
    /// Seen on fewer days than a habit needs.
    FewDays,
}

/// A place that is not proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LookAt {
    pub(crate) person: Person,
    pub(crate) network: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) why: Why,
    #[serde(flatten)]
    pub(crate) seen: Presence,
}

/// Why nothing is suggested for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhyNot {
    /// Too many networks.
    Roaming,
    /// The portal noted only the beginning of their addresses.
    Ipv6Only,
    /// Everything that was seen is in doubt.
    InDoubt,
    /// Seen on too few days.
    ShortHistory,
    /// Seen often, and from no place often enough.
    NoHabit,
    /// Not seen at all.
    Unseen,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NotSuggested {
    pub(crate) person: Person,
    pub(crate) why: WhyNot,
    pub(crate) days: usize,
    pub(crate) networks: usize,
}

/// Somebody who is a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Robot {
    pub(crate) person: Person,
    pub(crate) addresses: Vec<IpAddr>,
}

/// Rows that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Counted {
    pub(crate) why: LeftOut,
    pub(crate) logins: u64,
    pub(crate) acts: u64,
}

impl Suggestion {
    /// What follows from everything that was seen in a window.
    pub(crate) fn make(inputs: &Inputs<'_>, sightings: &Sightings, window: Window) -> Self {
        rules::make(inputs, sightings, window)
    }
}

/// A first policy, with the proof of it, as TOML that `policy check` reads.
pub(crate) fn first_policy(inputs: &Inputs<'_>, sightings: &Sightings, window: Window, portal: &str) -> String {
    let suggestion = Suggestion::make(inputs, sightings, window);
    let proof = Proof::of(inputs, sightings, window);
    text::policy(inputs, &suggestion, proof.as_ref(), portal)
}

fn as_text<S: serde::Serializer>(range: &AddressRange, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(range)
}

#[cfg(test)]
mod tests;
