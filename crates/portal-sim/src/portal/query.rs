//! Query strings as the portal binds them: names in any case, first value wins, all errors collected.
//!
//! A parameter named `inDto` or starting with `inDto.` makes the portal look at those only. `[Flags]` members are not
//! here.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::reply::Failure;
use crate::actions::Names;
use crate::dates;

/// The largest page, and the default.
const MAX_COUNT: i32 = 100;
/// The same on old portals.
const OLD_MAX_COUNT: i32 = 1000;

/// A decoded query string.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Everything that was sent.
    sent: Vec<(String, String)>,
    /// What parameters are bound from, when that is not everything.
    prefixed: Option<Vec<(String, String)>>,
    /// `count` is cut instead of refused, as old portals do.
    pub(super) cuts_count: bool,
    /// `fields` means nothing, as on old portals.
    pub(super) ignores_fields: bool,
}

impl Query {
    pub(crate) fn parse(raw: &str) -> Query {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        Query::of(pairs.collect())
    }

    fn of(sent: Vec<(String, String)>) -> Query {
        let is_prefix = |name: &str| name.eq_ignore_ascii_case("inDto") || stripped(name).is_some();
        let prefixed = sent.iter().any(|(name, _)| is_prefix(name)).then(|| {
            let own = |(name, value): &(String, String)| Some((stripped(name)?.to_owned(), value.clone()));
            sent.iter().filter_map(own).collect()
        });
        Query { sent, prefixed, cuts_count: false, ignores_fields: false }
    }

    /// What parameters are bound from.
    fn bound(&self) -> &[(String, String)] {
        self.prefixed.as_ref().unwrap_or(&self.sent)
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.bound().iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.bound().iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The member names that the answer is to be trimmed to; `None` when nobody asked.
    ///
    /// The `[]` form wins; only a single `fields=` is split at commas.
    pub(crate) fn fields(&self) -> Option<Vec<&str>> {
        let named = |wanted: &str| {
            let fitting = self.sent.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            fitting.map(|(_, value)| value.as_str()).collect::<Vec<&str>>()
        };
        if self.ignores_fields {
            return None;
        }
        let mut listed = named("fields[]");
        if listed.is_empty() {
            listed = named("fields");
            if let [single] = listed[..] {
                listed = single.split(',').collect();
            }
        }
        (!listed.is_empty()).then_some(listed)
    }
}

/// The name behind `inDto.`, in any case.
fn stripped(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked("inDto.".len())?;
    prefix.eq_ignore_ascii_case("inDto.").then_some(rest)
}

/// Percent-decoding; bytes that are no UTF-8 become the replacement character.
pub(crate) fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |at: usize| tail.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        if *first == b'%'
            && let (Some(high), Some(low)) = (hex(0), hex(1))
        {
            out.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are one byte"));
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads typed parameters and remembers what was wrong with each.
pub(crate) struct Binder<'a> {
    query: &'a Query,
    errors: Vec<(String, String)>,
    /// The body is of a type that is not read, which outweighs all errors.
    media_type: bool,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(query: &'a Query) -> Binder<'a> {
        Binder { query, errors: Vec::new(), media_type: false }
    }

    /// The parameters that are wrong, with the portal's texts; `Ok` when there is none.
    pub(crate) fn finish(self) -> Result<(), Vec<(String, String)>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// The same, as the failure that it is; also for bodies of a type that is not read.
    pub(crate) fn done(self) -> Result<(), Failure> {
        if self.media_type {
            return Err(Failure::MediaType);
        }
        self.finish().map_err(Failure::Validation)
    }

    pub(super) fn refuse_media_type(&mut self) {
        self.media_type = true;
    }

    /// Something is wrong with this parameter or member.
    pub(super) fn error(&mut self, name: &str, text: String) {
        self.errors.push((name.to_owned(), text));
    }

    /// The first value; blank ones are an error because these parameters cannot be null.
    fn value(&mut self, name: &str) -> Option<&'a str> {
        let value = self.query.first(name)?;
        if value.trim().is_empty() {
            self.error(name, format!("The value '{value}' is invalid."));
            return None;
        }
        Some(value)
    }

    fn int(&mut self, name: &str, property: &str, default: i32) -> i32 {
        let Some(value) = self.value(name) else { return default };
        integer(value).unwrap_or_else(|| {
            self.error(name, format!("The value '{value}' is not valid for {property}."));
            default
        })
    }

    /// `count`, 1 to 100; on old portals up to 1000.
    pub(crate) fn count(&mut self) -> usize {
        if self.query.cuts_count {
            // what became of counts below 1 is not known
            let count = self.int("count", "Count", OLD_MAX_COUNT).clamp(1, OLD_MAX_COUNT);
            return usize::try_from(count).unwrap_or_default();
        }
        let count = self.int("count", "Count", MAX_COUNT);
        if !(1..=MAX_COUNT).contains(&count) {
            self.error("count", format!("The field Count must be between 1 and {MAX_COUNT}."));
        }
        usize::try_from(count).unwrap_or_default()
    }

    /// `startIndex`, of either sign.
    pub(crate) fn start_index(&mut self) -> i32 {
        self.int("startIndex", "StartIndex", 0)
    }

    /// A bound; the minimal date and an empty value are no bound.
    pub(crate) fn date(&mut self, name: &str) -> Option<DateTime<Utc>> {
        self.instant(name).filter(|date| !dates::is_minimal(*date))
    }

    /// A bound; only an empty value is none.
    pub(crate) fn instant(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let value = self.query.first(name).filter(|value| !value.is_empty())?;
        let date = dates::parse_query(value);
        if date.is_none() {
            self.error(name, "The input was not valid.".to_owned());
        }
        date
    }

    /// An id; the zero id is no filter.
    pub(crate) fn guid(&mut self, name: &str, property: &str) -> Option<Uuid> {
        let value = self.value(name)?;
        let inner = value.trim();
        let inner = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(inner);
        let urn = inner.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        let parsed = Uuid::try_parse(inner).ok().filter(|_| !urn).or_else(|| hexadecimal_guid(inner));
        if parsed.is_none() {
            self.error(name, format!("The value '{value}' is not valid for {property}."));
        }
        parsed.filter(|id| !id.is_nil())
    }

    /// An enumeration by name or number; comma lists are OR-ed, as the portal does.
    pub(crate) fn named(&mut self, name: &str, property: &str, names: Names) -> Option<i32> {
        self.choice(name, property, |word| find(names, word), |number| names.iter().any(|(_, known)| *known == number))
    }

    /// The same where an empty value counts as absent.
    pub(crate) fn named_or_empty(&mut self, name: &str, property: &str, names: Names) -> Option<i32> {
        if self.query.first(name).is_some_and(|value| value.trim().is_empty()) {
            return None;
        }
        self.named(name, property, names)
    }

    /// A number out of an open table, by name or number.
    pub(crate) fn choice(
        &mut self,
        name: &str,
        property: &str,
        by_name: impl Fn(&str) -> Option<i32>,
        is_member: impl Fn(i32) -> bool,
    ) -> Option<i32> {
        let value = self.value(name)?;
        match either(value, by_name) {
            Some(number) if is_member(number) => return Some(number),
            Some(_) => self.error(name, format!("The value '{value}' is invalid.")),
            None => self.error(name, format!("The value '{value}' is not valid for {property}.")),
        }
        None
    }

    /// The value of a nullable parameter: blank counts as absent.
    fn nullable(&self, name: &str) -> Option<&'a str> {
        self.query.first(name).filter(|value| !value.trim().is_empty())
    }

    /// `true` or `false` in any case.
    pub(crate) fn bool(&mut self, name: &str, default: bool) -> bool {
        let Some(value) = self.value(name) else { return default };
        self.truth(name, value).unwrap_or(default)
    }

    /// The same where an empty value counts as absent.
    pub(crate) fn bool_or_empty(&mut self, name: &str) -> Option<bool> {
        let value = self.nullable(name)?;
        self.truth(name, value)
    }

    fn truth(&mut self, name: &str, value: &str) -> Option<bool> {
        let parsed = match value.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        if parsed.is_none() {
            self.error(name, format!("The value '{value}' is not valid for {}.", property(name)));
        }
        parsed
    }

    /// A whole number; a blank value is an error.
    pub(crate) fn number(&mut self, name: &str, default: i32) -> i32 {
        self.int(name, &property(name), default)
    }

    /// The same where an empty value counts as absent.
    pub(crate) fn number_or_empty(&mut self, name: &str) -> Option<i32> {
        self.nullable(name)?;
        Some(self.number(name, 0))
    }

    /// The same, reported under the name of its property.
    pub(crate) fn number_named(&mut self, name: &str, property: &str) -> Option<i32> {
        let value = self.nullable(name)?;
        let number = integer(value);
        if number.is_none() {
            self.error(property, format!("The value '{value}' is not valid for {property}."));
        }
        number
    }

    /// An id where an empty value counts as absent.
    pub(crate) fn guid_or_empty(&mut self, name: &str) -> Option<Uuid> {
        self.nullable(name)?;
        self.guid(name, &property(name))
    }

    /// A set of flags: all values of the name, numbers or names, OR-ed. A blank value is an error.
    pub(crate) fn flags(&mut self, name: &str, names: Names) -> Option<i32> {
        self.value(name)?;
        let query = self.query;
        let all = query.all(name).collect::<Vec<_>>().join(",");
        self.flags_value(name, &property(name), &all, names)
    }

    /// The same where an empty value counts as absent.
    pub(crate) fn flags_or_empty(&mut self, name: &str, names: Names) -> Option<i32> {
        self.nullable(name)?;
        self.flags(name, names)
    }

    /// A set of flags out of this text, which may come from the path.
    pub(crate) fn flags_value(&mut self, name: &str, property: &str, value: &str, names: Names) -> Option<i32> {
        let mask = names.iter().fold(0, |mask, (_, flag)| mask | flag);
        match either(value, |word| find(names, word)) {
            Some(0) if names.iter().any(|(_, flag)| *flag == 0) => return Some(0),
            Some(number) if number > 0 && number & !mask == 0 => return Some(number),
            Some(_) => self.error(name, format!("The value '{value}' is invalid.")),
            None => self.error(name, format!("The value '{value}' is not valid for {property}.")),
        }
        None
    }

    /// A list of sets of flags: one set for each time the name is given.
    pub(crate) fn flag_sets(&mut self, name: &str, names: Names) -> Vec<i32> {
        let query = self.query;
        let mask = names.iter().fold(0, |mask, (_, flag)| mask | flag);
        let mut out = Vec::new();
        for value in query.all(name) {
            match either(value, |word| find(names, word)) {
                Some(number) if number >= 0 && number & !mask == 0 => out.push(number),
                None if !value.trim().is_empty() => self.error(name, format!("The value '{value}' is not valid.")),
                _ => self.error(name, format!("The value '{value}' is invalid.")),
            }
        }
        out
    }

    /// A list of enumeration values: the name repeated, or `name[0]=…`. `name[]=` binds to an empty list.
    pub(crate) fn list(&mut self, name: &str, names: Names) -> Vec<i32> {
        let query = self.query;
        let mut values: Vec<&str> = query.all(name).collect();
        let indexed: Vec<String> = (0..query.bound().len()).map(|index| format!("{name}[{index}]")).collect();
        values.extend(indexed.iter().map_while(|indexed| query.first(indexed)));
        let mut out = Vec::new();
        for value in values {
            match either(value, |word| find(names, word)) {
                Some(number) if names.iter().any(|(_, known)| *known == number) => out.push(number),
                None if !value.trim().is_empty() => self.error(name, format!("The value '{value}' is not valid.")),
                _ => self.error(name, format!("The value '{value}' is invalid.")),
            }
        }
        out
    }

    /// Plain text; empty and blank values count as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.query.first(name).filter(|value| !value.trim().is_empty())
    }
}

/// The form `{0x…,0x…,0x…,{0x…,…}}`: one number of eight digits, two of four, eight of two.
fn hexadecimal_guid(text: &str) -> Option<Uuid> {
    let inner = text.strip_prefix('{')?.strip_suffix("}}")?;
    let mut numbers = inner.split(',').map(|part| part.trim().trim_start_matches('{').strip_prefix("0x"));
    let mut digits = String::new();
    for width in [8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2] {
        let number = numbers.next()??;
        digits.push_str(&format!("{number:0>width$}"));
    }
    numbers.next().is_none().then(|| Uuid::try_parse(&digits).ok()).flatten()
}

/// The name of a parameter's property in the portal's texts.
fn property(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

fn find(names: Names, word: &str) -> Option<i32> {
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, number)| *number)
}

/// Names or numbers, separated by commas, OR-ed.
fn either(value: &str, by_name: impl Fn(&str) -> Option<i32>) -> Option<i32> {
    value
        .split(',')
        .map(str::trim)
        .map(|part| integer(part).or_else(|| by_name(part)))
        .try_fold(0, |sum, part| Some(sum | part?))
}

/// Integers as .NET's converter takes them: blanks, a sign, leading zeros, `0x1F`, `#1F`, `&h1F`.
fn integer(text: &str) -> Option<i32> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    for prefix in ["0x", "#", "&h"] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return i32::from_str_radix(digits, 16).ok();
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_as_a_list_or_repeated() {
        let fields = |raw: &'static str| {
            Query::parse(raw).fields().map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(fields("count=1"), None);
        assert_eq!(fields("FIELDS=id,date.utcTime"), Some(vec!["id".to_owned(), "date.utcTime".to_owned()]));
        assert_eq!(fields("fields=id,x&fields=date"), Some(vec!["id,x".to_owned(), "date".to_owned()]));
        assert_eq!(fields("fields[]=id&fields=date"), Some(vec!["id".to_owned()]));
        assert_eq!(fields("fields="), Some(vec![String::new()]));
    }

    #[test]
    fn numbers_in_all_forms_the_binder_takes() {
        for (text, value) in [("5", 5), (" 5", 5), ("+5", 5), ("005", 5), ("0x1F", 31), ("#1f", 31), ("&h1F", 31)] {
            assert_eq!(integer(text), Some(value), "{text:?}");
        }
        for text in ["5.0", "1e1", "5,0", "2147483648", ""] {
            assert_eq!(integer(text), None, "{text:?}");
        }
    }

    #[test]
    fn percent_codes_are_decoded_and_halves_are_left() {
        assert_eq!(decode("%C3%A4%20b%2"), "ä b%2");
        assert_eq!(Query::parse("co%75nt=1+2").first("count"), Some("1 2"));
    }
}
