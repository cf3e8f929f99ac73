//! Whom nothing may be done to, and why not.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{Person, PortalRole, PortalText, Sentence};
use serde::Serialize;
use uuid::Uuid;

/// Somebody whom a rule would stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub person: Person,
    /// The account comes from a directory.
    pub is_ldap: bool,
    /// Why, in one sentence with numbers.
    pub reason: String,
    /// Of the finding behind it.
    pub fingerprint: String,
    /// Why it is not for now, whoever it is.
    pub hold: Option<Hold>,
}

/// Why an action is not for this person, or not for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Hold {
    /// The portal refuses it for everybody but the owner, who would lock the portal.
    PortalOwner,
    /// The account that the key belongs to.
    OwnAccount,
    /// The portal lets only the owner suspend a DocSpace admin, and the key is not the owner's.
    OtherAdmin,
    /// The directory gives the account its status back.
    Directory,
    /// A setting names the person.
    Listed { entry: String },
    /// A setting names a group that the person is in.
    InGroup { group: String },
    /// Nobody would be left who can undo it.
    LastAdmin,
    /// Not an account that can be looked up, so nobody knows whom it would hit.
    NotKnown,
    /// An invitation that nobody has accepted, or an account in another state than active.
    NotActive,
    /// Nothing has happened for too long: whoever acts now acts on the past.
    TooOld,
    /// Somebody has switched the account on or off since, and so has judged.
    Decided,
    /// A list that protects people could not be read, or names somebody who is not there; a clause says which.
    ProtectionUnread { what: String },
    /// Too many people at once: see the plan's trip.
    Breaker,
    /// The settings do not ask for it where this was done.
    KindOff,
    /// What was seen has innocent explanations, too: somebody has to look.
    Doubtful,
    /// It is not done for now, or not any more; a clause says why.
    Stopped { what: Sentence },
}

impl Hold {
    /// The reason as the end of a sentence: "not suspended: …".
    pub fn words(&self) -> String {
        let shown = |text: &str| PortalText::new(text).for_terminal();
        match self {
            Hold::PortalOwner => "the owner of the portal cannot be suspended".to_owned(),
            Hold::OwnAccount => "it is the account that this program's key belongs to".to_owned(),
            Hold::OtherAdmin => {
                "only the owner can suspend a DocSpace admin, and the key is not the owner's".to_owned()
            }
            Hold::Directory => {
                "the account comes from a directory, which would switch it on again; disable it there".to_owned()
            }
            Hold::Listed { entry } => format!("the settings protect `{}`", shown(entry)),
            Hold::InGroup { group } => format!("the settings protect the group `{}`", shown(group)),
            Hold::LastAdmin => "no other admin would be left who can sign in".to_owned(),
            Hold::NotKnown => "the account could not be looked up".to_owned(),
            Hold::NotActive => "nobody has accepted the invitation yet, so there is no account to suspend".to_owned(),
            Hold::TooOld => "the last event was too long ago to act on it now".to_owned(),
            Hold::Decided => {
                "somebody has switched the account on or off in the last 24 hours, so a person has already decided"
                    .to_owned()
            }
            Hold::ProtectionUnread { what } => format!("it is not known whom the settings protect: {}", shown(what)),
            Hold::Breaker => "too many people, so the whole plan is held".to_owned(),
            Hold::KindOff => "`suspend.kinds` does not name what was done".to_owned(),
            Hold::Doubtful => "what was seen can have innocent reasons, too, so somebody must look first".to_owned(),
            Hold::Stopped { what } => shown(what.english()),
        }
    }

    /// The same in both languages.
    pub fn sentence(&self) -> Sentence {
        Sentence::new(self.words(), self.german())
    }

    /// The same in German.
    pub fn german(&self) -> String {
        let shown = |text: &str| PortalText::new(text).for_terminal();
        match self {
            Hold::PortalOwner => "der Eigentümer des Portals kann nicht gesperrt werden".to_owned(),
            Hold::OwnAccount => "es ist das Konto, zu dem der Schlüssel dieses Programms gehört".to_owned(),
            Hold::OtherAdmin => {
                "nur der Eigentümer kann einen DocSpace-Administrator sperren, und der Schlüssel ist nicht seiner"
                    .to_owned()
            }
            Hold::Directory => {
                "das Konto kommt aus einem Verzeichnis, das es wieder aktivieren würde; deaktivieren Sie es dort"
                    .to_owned()
            }
            Hold::Listed { entry } => format!("die Einstellungen schützen `{}`", shown(entry)),
            Hold::InGroup { group } => format!("die Einstellungen schützen die Gruppe `{}`", shown(group)),
            Hold::LastAdmin => "es bliebe kein anderer Administrator, der sich anmelden kann".to_owned(),
            Hold::NotKnown => "das Konto war nicht zu finden".to_owned(),
            Hold::NotActive => {
                "die Einladung ist noch nicht angenommen, also gibt es kein Konto, das zu sperren wäre".to_owned()
            }
            Hold::TooOld => "das letzte Ereignis liegt zu lange zurück, um jetzt zu handeln".to_owned(),
            Hold::Decided => {
                "jemand hat das Konto in den letzten 24 Stunden aktiviert oder deaktiviert, also hat schon ein Mensch entschieden"
                    .to_owned()
            }
            Hold::ProtectionUnread { what } => {
                format!("es ist nicht bekannt, wen die Einstellungen schützen („{}“)", shown(what))
            }
            Hold::Breaker => "zu viele Personen, deshalb wird der ganze Plan angehalten".to_owned(),
            Hold::KindOff => "`suspend.kinds` nennt nicht, was getan wurde".to_owned(),
            Hold::Doubtful => {
                "was zu sehen war, kann auch harmlose Gründe haben, deshalb muss zuerst jemand nachsehen".to_owned()
            }
            Hold::Stopped { what } => shown(what.german()),
        }
    }
}

/// Whom nothing may be done to.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    /// Whose key is used.
    pub own: Option<Uuid>,
    /// Whether that is the portal's owner.
    pub own_is_owner: bool,
    /// Ids and e-mail addresses, in any case.
    pub people: Vec<String>,
    /// Groups by the name that the settings have for them, with everybody in them.
    pub groups: BTreeMap<String, BTreeSet<Uuid>>,
    /// Owner and DocSpace admins who can sign in.
    pub active_admins: BTreeSet<Uuid>,
    /// Why this is not all that the settings mean, as a clause; then nobody may be touched.
    pub unread: Option<String>,
}

impl Protection {
    /// Why nothing may be done to somebody; `None` when it may. The most lasting reason comes first.
    pub fn hold(&self, candidate: &Candidate) -> Option<Hold> {
        let person = &candidate.person;
        let Some(role) = person.role else { return Some(Hold::NotKnown) };
        if role == PortalRole::Owner {
            return Some(Hold::PortalOwner);
        }
        if self.own == Some(person.id) {
            return Some(Hold::OwnAccount);
        }
        if role == PortalRole::DocspaceAdmin && !self.own_is_owner {
            return Some(Hold::OtherAdmin);
        }
        if candidate.is_ldap {
            return Some(Hold::Directory);
        }
        if let Some(entry) = self.people.iter().find(|entry| names(entry, candidate)) {
            return Some(Hold::Listed { entry: entry.clone() });
        }
        if let Some((group, _)) = self.groups.iter().find(|(_, members)| members.contains(&person.id)) {
            return Some(Hold::InGroup { group: group.clone() });
        }
        if let Some(what) = self.unread.clone() {
            return Some(Hold::ProtectionUnread { what });
        }
        self.active_admins.iter().all(|admin| *admin == person.id).then_some(Hold::LastAdmin)
    }
}

/// Whether an entry of the settings means this person. Without an address, any address may be theirs.
fn names(entry: &str, candidate: &Candidate) -> bool {
    candidate.person.is_meant_by(entry) || candidate.person.email.is_none() && entry.contains('@')
}
