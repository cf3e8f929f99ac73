//! The same in German, for messages in that language.

use chrono::{DateTime, TimeDelta, Utc};

use super::Clock;

/// `12.345`
pub fn number(number: u64) -> String {
    super::number(number).replace(',', ".")
}

/// `1 Dokument`, `1.240 Dokumente`: in the case in which the two words are.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {many}", number(count)) }
}

/// The two largest units, as they stand behind `in` and `vor`: `45 s`, `1 h 20 min`, `3 Tagen 4 h`.
pub fn duration(length: TimeDelta) -> String {
    let english = super::duration(length);
    let words: Vec<&str> = english.split(' ').collect();
    let word = |word: &str| match word {
        "day" => "Tag".to_owned(),
        "days" => "Tagen".to_owned(),
        other => other.replace(',', "."),
    };
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The first `shown` of the items and how many `total` has besides: `1, 2, 3 und 4 weitere`.
pub fn list_of<S: AsRef<str>>(items: &[S], shown: usize, total: u64) -> String {
    let first: Vec<&str> = items.iter().take(shown).map(AsRef::as_ref).collect();
    match total.saturating_sub(first.len() as u64) {
        0 => first.join(", "),
        more if first.is_empty() => format!("{} weitere", number(more)),
        more => format!("{} und {} weitere", first.join(", "), number(more)),
    }
}

/// A clause as it stands behind a colon, where a whole sentence begins with a capital letter.
pub fn after_colon(clause: &str) -> String {
    super::sentence(clause)
}

/// `20.11.2026 21:00:05`
pub fn at(clock: Clock, instant: DateTime<Utc>) -> String {
    clock.written(instant, "%d.%m.%Y %H:%M:%S")
}

/// `20.11.2026 21:00`
pub fn minute(clock: Clock, instant: DateTime<Utc>) -> String {
    clock.written(instant, "%d.%m.%Y %H:%M")
}

/// Whoever is no single person, by the name that findings have for them.
pub fn nobody(name: &str) -> Option<String> {
    let fixed = match name {
        "many accounts" => "viele Konten",
        "the portal's address list" => "die Adressliste des Portals",
        "visitors through links" => "Besucher über Links",
        _ => {
            let people = name.strip_suffix(" people")?.replace(',', "");
            return Some(counted(people.parse().ok()?, "Person", "Personen"));
        }
    };
    Some(fixed.to_owned())
}

/// The source of a gap, as [`super::source`] has it in English.
pub fn source(what: &str) -> &str {
    match what {
        "audit" => "Audit-Protokoll",
        "logins" => "Anmeldeverlauf",
        "rooms" => "Liste der Räume",
        "room_log" => "Protokoll eines Raums",
        "people" => "Konten von Personen",
        "folders" => "Inhalt von Ordnern",
        "hidden_folders" => "Inhalt einiger Ordner",
        "destinations" => "Ordner, in die etwas verschoben wurde",
        "hidden_destinations" => "Ordner, in die etwas verschoben wurde und die der Schlüssel nicht sehen darf",
        "files" => "Dokumente, die nachgesehen wurden",
        "hidden_files" => "Dokumente, die der Schlüssel nicht sehen darf",
        "members" => "Mitglieder eines Raums",
        "only" => "Dokumente, die `only` nennt",
        "restrictions" => "Adressliste des Portals",
        "store" => "eigener Speicher dieses Programms",
        "run" => "dieser Lauf",
        "upload" => "Hochladen des Berichts",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_durations_and_lists_are_as_in_german() {
        assert_eq!(counted(1, "Dokument", "Dokumente"), "1 Dokument");
        assert_eq!(counted(12_345, "Dokument", "Dokumente"), "12.345 Dokumente");
        assert_eq!(duration(TimeDelta::minutes(80)), "1 h 20 min");
        assert_eq!(duration(TimeDelta::hours(25)), "1 Tag 1 h");
        assert_eq!(duration(TimeDelta::hours(76)), "3 Tagen 4 h");
        assert_eq!(list_of(&["a", "b"], 1, 2), "a und 1 weitere");
        assert_eq!(list_of(&["a", "b"], 2, 2), "a, b");
        assert_eq!(nobody("40 people").as_deref(), Some("40 Personen"));
        assert_eq!((nobody("Anna Example"), nobody("my people")), (None, None));
    }
}
