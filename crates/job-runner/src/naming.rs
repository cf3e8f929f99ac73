//! How people are named in what leaves the process: by name, or by a pseudonym that only the key leads back to them.
//!
//! Every report, every file of it and every alert is made from a [`Head`](crate::Head), which carries this, so no program can leave it out.
//! What acts, what is remembered and what is compared goes by the accounts themselves.

mod key;
mod roster;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use audit_model::{
    ActionId, AuditEvent, Finding, Forgotten, GUEST_ACCOUNT, LoginEvent, Person, PortalText, Pseudonym, is_robot,
};
use report::{Document, Line, Who, Wording};
use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use key::NamesKey;
pub(crate) use roster::Known;
use roster::Roster;

/// Members of JSON documents whose texts are our own words or addresses of pages: no name is looked for in them.
const OWN_WORDS: [&str; 14] = [
    "attributed",
    "blind_spots",
    "kind",
    "role",
    "rule",
    "schema",
    "severity",
    "state",
    "status",
    "time_zone",
    "url",
    "version",
    "what",
    "why",
];

/// How people are named.
#[derive(Clone, Default)]
pub struct Naming(Option<Arc<Pseudonyms>>);

struct Pseudonyms {
    key: NamesKey,
    roster: Roster,
}

impl fmt::Debug for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_clear() { "Clear" } else { "Pseudonym" })
    }
}

impl Naming {
    /// Pseudonyms of everybody, made with this key. Nobody's name is known yet.
    pub(crate) fn pseudonyms(key: NamesKey) -> Self {
        Naming(Some(Arc::new(Pseudonyms { key, roster: Roster::default() })))
    }

    /// The same, where these people are known besides: their names are found in sentences. Ids and e-mail addresses are found anyway.
    pub(crate) fn knowing(&self, people: impl IntoIterator<Item = Known>) -> Self {
        let Some(pseudonyms) = &self.0 else { return Naming(None) };
        let roster = pseudonyms.roster.with(people, &pseudonyms.key);
        Naming(Some(Arc::new(Pseudonyms { key: pseudonyms.key.clone(), roster })))
    }

    /// Whether people are named as the portal names them.
    pub fn is_clear(&self) -> bool {
        self.0.is_none()
    }

    /// A text of whoever's, without the names, e-mail addresses and ids of people.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.reworded(text, true).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// The same of a text of the portal's.
    pub fn portal_text(&self, text: &PortalText) -> PortalText {
        self.reworded(text.raw(), true).map_or_else(|| text.clone(), PortalText::new)
    }

    pub(crate) fn line(&self, line: Line) -> Line {
        if self.is_clear() { line } else { line.reworded(self) }
    }

    fn reworded(&self, text: &str, with_names: bool) -> Option<String> {
        let Pseudonyms { key, roster } = self.0.as_deref()?;
        roster.reworded(text, with_names, key)
    }

    /// The pseudonym of an account; `None` where it stays as it is: names are clear, or it is nobody's.
    fn pseudonym(&self, id: Uuid) -> Option<Pseudonym> {
        let pseudonyms = self.0.as_deref()?;
        is_somebody(id).then(|| pseudonyms.key.person(id))
    }

    /// Somebody without what names them.
    pub fn person(&self, person: Person) -> Person {
        match self.pseudonym(person.id) {
            Some(pseudonym) => {
                Person { id: pseudonym.id(), name: pseudonym.name().as_str().into(), email: None, ..person }
            }
            None => person,
        }
    }

    /// A finding without what names people. Its fingerprint stays, so that it is the same finding.
    pub(crate) fn finding(&self, finding: &Finding) -> Finding {
        let mut named = finding.clone();
        if self.is_clear() {
            return named;
        }
        named.person = self.person(named.person);
        named.reasons = named.reasons.into_iter().map(|said| said.map(|text| self.text(text).into_owned())).collect();
        if let Some(room) = &mut named.room {
            room.title = self.portal_text(&room.title);
        }
        for sample in &mut named.evidence {
            sample.title = sample.title.as_ref().map(|title| self.portal_text(title));
            if let Some(target) = &sample.target {
                let is_typed = sample.action.is_failed_login();
                sample.target = Some(if is_typed { self.typed(target) } else { self.text(target).into_owned() });
            }
        }
        named
    }

    /// An event without what names people.
    pub fn event(&self, event: AuditEvent) -> AuditEvent {
        if self.is_clear() {
            return event;
        }
        let who = self.pseudonym(event.actor);
        let text = |text: Option<PortalText>| text.map(|text| self.portal_text(&text));
        AuditEvent {
            actor: who.map_or(event.actor, Pseudonym::id),
            actor_name: who.map_or_else(|| self.portal_text(&event.actor_name), |who| who.name().as_str().into()),
            text: text(event.text),
            target: event.target.iter().map(|target| self.text(target).into_owned()).collect(),
            context: text(event.context),
            details: event.details.map(|mut details| {
                details.page = details.page.map(|page| self.portal_text(&page));
                details
            }),
            ..event
        }
    }

    /// A sign-in without what names people.
    pub fn login(&self, login: LoginEvent) -> LoginEvent {
        if self.is_clear() {
            return login;
        }
        let who = self.pseudonym(login.user);
        LoginEvent {
            user: who.map_or(login.user, Pseudonym::id),
            user_name: who.map_or_else(|| self.portal_text(&login.user_name), |who| who.name().as_str().into()),
            login: login.login.map(|typed| self.typed(typed.raw()).as_str().into()),
            text: login.text.map(|text| self.portal_text(&text)),
            ..login
        }
    }

    /// What somebody typed as their login is a name of theirs, whatever it looks like.
    fn typed(&self, login: &str) -> String {
        let Some(pseudonyms) = self.0.as_deref() else { return login.to_owned() };
        pseudonyms.roster.login(login, &pseudonyms.key)
    }

    /// A whole document without what names people.
    pub fn document(&self, document: Document) -> Document {
        if self.is_clear() {
            return document;
        }
        let known = document.people().into_iter().filter_map(|person| {
            let Who { id, name, email, .. } = &person.who;
            let id = Uuid::parse_str(id.as_deref()?).ok()?;
            Some(Known { id, name: Some(name.raw().to_owned()), email: email.as_ref().map(|it| it.raw().to_owned()) })
        });
        let naming = self.knowing(known.collect::<Vec<_>>());
        document.reworded(&naming)
    }

    /// A JSON document without what names people. Who stands in it with an id keeps no e-mail address.
    pub fn json(&self, value: Value) -> Value {
        if self.is_clear() { value } else { self.json_of("", value) }
    }

    fn json_of(&self, member: &str, value: Value) -> Value {
        match value {
            Value::String(text) => {
                if member == "login" {
                    return Value::String(self.typed(&text));
                }
                let with_names = !OWN_WORDS.contains(&member);
                Value::String(self.reworded(&text, with_names).unwrap_or(text))
            }
            Value::Array(values) => values.into_iter().map(|value| self.json_of(member, value)).collect(),
            Value::Object(members) => Value::Object(self.members(members)),
            other => other,
        }
    }

    fn members(&self, mut members: Map<String, Value>) -> Map<String, Value> {
        let id = members.get("id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
        if let Some(pseudonym) = id.and_then(|id| self.pseudonym(id))
            && members.contains_key("name")
        {
            members.insert("name".to_owned(), pseudonym.name().into());
            members.remove("email");
        }
        let action = members.get("action").and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok());
        if action.is_some_and(|id| ActionId(id).is_failed_login())
            && let Some(Value::String(target)) = members.get_mut("target")
        {
            *target = self.typed(target);
        }
        let named = members.into_iter().map(|(key, value)| {
            let value = self.json_of(&key, value);
            (self.reworded(&key, false).unwrap_or(key), value)
        });
        named.collect()
    }
}

impl Wording for Naming {
    fn text(&self, text: &str) -> Option<String> {
        self.reworded(text, true)
    }

    fn person(&self, who: &mut Who) {
        let id = who.id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
        match id.and_then(|id| self.pseudonym(id)) {
            Some(pseudonym) => {
                who.id = Some(pseudonym.id().to_string());
                who.name = pseudonym.name().as_str().into();
            }
            None => who.name = self.portal_text(&who.name),
        }
        // the portal has no page of one account but a search for its address
        (who.email, who.page) = (None, None);
    }
}

/// Whether an id is of an account that stands for somebody: neither the portal's own, nor of one who was forgotten, nor a pseudonym.
fn is_somebody(id: Uuid) -> bool {
    !(is_robot(id) || id == GUEST_ACCOUNT || Forgotten::is(id) || Pseudonym::is(id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANNA: Uuid = Uuid::from_u128(0xa11a);

    fn key(portal: &str) -> NamesKey {
        NamesKey::new(b"0123456789abcdef", &portal.parse().unwrap())
    }

    fn naming() -> Naming {
        let anna = Known { id: ANNA, name: Some("Anna Schmidt".into()), email: Some("anna@example.com".into()) };
        Naming::pseudonyms(key("https://docs.example.com")).knowing([anna])
    }

    fn anna() -> Pseudonym {
        key("https://docs.example.com").person(ANNA)
    }

    #[test]
    fn nobody_is_named_in_json_and_our_own_words_stay() {
        let (id, name) = (anna().id().to_string(), anna().name());
        let known = json!({
            "rule": "Anna Schmidt", "url": "https://docs.example.com",
            "person": { "id": ANNA, "name": "Anna Schmidt", "email": "anna@example.com", "status": "active" },
            "reasons": ["asked Anna Schmidt, twice"], "details": { ANNA.to_string(): [{ "login": "anna" }] },
            "links": { "url": "https://docs.example.com/?search=anna%40example.com" },
        });
        let expected = json!({
            "rule": "Anna Schmidt", "url": "https://docs.example.com",
            "person": { "id": id, "name": name, "status": "active" },
            "reasons": [format!("asked {name}, twice")],
            "details": { id: [{ "login": key("https://docs.example.com").address("anna") }] },
            "links": { "url": format!("https://docs.example.com/?search={name}") },
        });
        assert_eq!(naming().json(known.clone()), expected);
        assert_eq!(naming().json(expected.clone()), expected, "twice is as once");
        assert_eq!(Naming::default().json(known.clone()), known);
    }

    /// The same person, the same pseudonym, wherever the key and the portal are the same.
    #[test]
    fn a_pseudonym_hangs_on_the_key_and_the_portal_alone() {
        let portal = "https://docs.example.com";
        assert_eq!(key(portal).person(ANNA), key("https://DOCS.example.com:443/").person(ANNA));
        assert_ne!(key(portal).person(ANNA), key("https://other.example.com").person(ANNA));
        assert_ne!(key(portal).person(ANNA), key(portal).person(Uuid::from_u128(7)));
        let other = NamesKey::new(b"fedcba9876543210", &portal.parse().unwrap());
        assert_ne!(key(portal).person(ANNA), other.person(ANNA));
    }

    #[test]
    fn those_who_are_nobody_keep_their_names() {
        for id in [Uuid::nil(), audit_model::SYSTEM_ACCOUNT, GUEST_ACCOUNT, Forgotten::new(ANNA).id()] {
            let robot = Person::named(id, "AutoCleanUp".into());
            assert_eq!(naming().person(robot.clone()), robot);
        }
    }
}
