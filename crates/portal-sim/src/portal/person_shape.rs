//! A person as an object, whole or short, and how other objects name a group.

use chrono::Duration;
use uuid::Uuid;

use super::Context;
use crate::dates;
use crate::json::Json;
use crate::scenario::{EVERYONE, Group, Person, PersonKind, Scenario};
use crate::version::Ability;

/// How long ago everybody joined and every key was made, in days: the portal has been there for a while.
pub(super) const JOINED_DAYS: i64 = 365;

/// 1 activated, 2 invited and not come yet.
pub(super) fn activation(person: &Person) -> i32 {
    if person.status == 4 { 2 } else { 1 }
}

/// The user name: what stands before the @ of the e-mail address.
pub(super) fn user_name(person: &Person) -> &str {
    person.email.split('@').next().unwrap_or_default()
}

/// The full person; `own` adds what only the person learns.
pub(super) fn full(context: &Context<'_>, person: &Person, own: bool) -> Json {
    let scenario = context.scenario;
    let joined = scenario.described - Duration::days(JOINED_DAYS);
    let in_groups = || scenario.content.groups.iter().filter(|group| group.members.contains(&person.id));
    let groups: Vec<Json> = in_groups().map(|group| self::group(scenario, group)).collect();
    let names: Vec<String> = in_groups().map(|group| html(&group.name)).collect();
    // ordinary members learn nobody else's groups
    let hidden =
        context.caller.person().is_some_and(|caller| caller.kind == PersonKind::User && caller.id != person.id);
    let is_admin = match person.kind {
        PersonKind::Owner => !scenario.can(Ability::OwnerIsNoAdministrator),
        kind => kind == PersonKind::Admin,
    };
    let department = (!hidden).then(|| names.join(", "));
    Json::object([
        ("firstName", person.first_name.as_str().into()),
        ("lastName", person.last_name.as_str().into()),
        ("userName", user_name(person).into()),
        ("email", person.email.as_str().into()),
        ("status", person.status.into()),
        ("activationStatus", activation(person).into()),
        (
            "terminated",
            scenario.content.terminated.get(&person.id).map(|at| dates::write_other(*at, scenario.zone)).into(),
        ),
        ("department", department.into()),
        ("groups", (!groups.is_empty()).then_some(Json::List(groups)).into()),
        ("isAdmin", is_admin.into()),
        ("isRoomAdmin", (person.kind == PersonKind::RoomAdmin).into()),
        ("isLDAP", person.is_ldap.into()),
        ("isOwner", (person.kind == PersonKind::Owner).into()),
        ("isVisitor", (person.kind == PersonKind::Guest).into()),
        ("isCollaborator", (person.kind == PersonKind::User).into()),
        ("cultureName", person.culture.clone().into()),
        ("mobilePhoneActivationStatus", 0.into()),
        ("isSSO", false.into()),
        ("theme", own.then_some("Base").into()),
        ("loginEventId", own.then_some(0).into()),
        ("createdBy", if context.caller.is_admin() { short(context.base, scenario.owner()) } else { Json::Absent }),
        ("registrationDate", dates::write_other(joined, scenario.zone).into()),
        ("hasPersonalFolder", own.then_some(true).into()),
    ])
    .joined(short(context.base, person))
}

/// The short person, as in `createdBy` and in the room log. Its `displayName` is HTML-encoded.
pub(super) fn short(base: &str, person: &Person) -> Json {
    let kind = if person.kind == PersonKind::Guest { "guests" } else { "people" };
    let search = person.email.to_lowercase().replace('@', "%40").replace('+', "%2B");
    let identity = [("id", person.id.to_string().into()), ("displayName", html(&person.display_name()).into())];
    Json::object(identity).joined(avatars()).and([
        ("profileUrl", format!("{base}/accounts/{kind}/filter?search={search}").into()),
        ("hasAvatar", false.into()),
        ("isAnonim", false.into()),
    ])
}

/// The person of a row in the room log: the portal no longer knows accounts that are gone.
pub(super) fn initiator(scenario: &Scenario, base: &str, id: Uuid) -> Json {
    if let Some(person) = scenario.person(id) {
        return short(base, person);
    }
    let (id, name, anonymous) = match id {
        crate::scenario::GUEST => (id, "guest", true),
        crate::scenario::SYSTEM => (id, "asc system", false),
        _ => (REMOVED, "profile removed", false),
    };
    Json::object([("id", id.to_string().into()), ("displayName", name.into())]).joined(avatars()).and([
        ("profileUrl", format!("{base}/accounts/people/filter").into()),
        ("hasAvatar", false.into()),
        ("isAnonim", anonymous.into()),
    ])
}

/// A person of whom only a name is known; the name is encoded already.
pub(super) fn nobody(name: &str) -> Json {
    Json::object([
        ("id", Uuid::nil().to_string().into()),
        ("displayName", name.into()),
        ("hasAvatar", false.into()),
        ("isAnonim", false.into()),
    ])
}

/// Stands for every account that no longer exists.
const REMOVED: Uuid = Uuid::from_u128(0x4a51_5a15_d4d6_4b8e_828e_e058_6f18_f3a3);

fn avatars() -> Json {
    let picture = |size: &str| format!("/static/images/default_user_photo_size_{size}.png?hash=887908855").into();
    Json::object([
        ("avatar", picture("82-82")),
        ("avatarOriginal", picture("200-200")),
        ("avatarMax", picture("200-200")),
        ("avatarMedium", picture("48-48")),
        ("avatarSmall", picture("32-32")),
    ])
}

/// .NET's HTML encoding: the five characters, Latin-1 letters and emoji as numbers, the rest as it is.
pub(super) fn html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{a0}'..='\u{ff}' | '\u{10000}'.. => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// A group as other objects name it; the manager by user name.
pub(super) fn group(scenario: &Scenario, group: &Group) -> Json {
    let manager = group.manager.and_then(|id| scenario.person(id)).map(user_name);
    Json::object([
        ("id", group.id.to_string().into()),
        ("name", group.name.as_str().into()),
        ("manager", manager.into()),
        ("isSystem", (group.id == EVERYONE).then_some(true).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn display_names_are_encoded_like_the_recorded_ones() {
        assert_eq!(html("Zoë <b>&'\"+ Łęcka 😀"), "Zo&#235; &lt;b&gt;&amp;&#39;&quot;+ Łęcka &#128512;");
    }
}
