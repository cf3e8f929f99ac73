//! JSON with the portal's own member order and escapes.
//!
//! A map type that sorts its keys would hide what the programs must cope with, so objects are lists of members here.
//! Members that are absent ([`Json::Absent`]) are left out, as the portal leaves out nulls.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value that remembers the order of its members.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// A member with this value is not written at all.
    Absent,
    /// Written as `null`; only error envelopes do that.
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// JSON that is text already; nobody looks into it.
    Raw(String),
}

impl Json {
    /// An object with these members, in this order.
    pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
        Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Adds members at the end; anything that is not an object stays as it is.
    pub(crate) fn and<const N: usize>(mut self, members: [(&str, Json); N]) -> Json {
        if let Json::Object(list) = &mut self {
            list.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        self
    }

    /// Adds the members of another object at the end.
    pub(crate) fn joined(mut self, other: Json) -> Json {
        if let (Json::Object(list), Json::Object(more)) = (&mut self, other) {
            list.extend(more);
        }
        self
    }

    /// The compact text, as the portal sends it.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Absent | Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Int(value) => write_number(*value, out),
            Json::Text(text) => write_text(text, out),
            Json::Raw(text) => out.push_str(text),
            Json::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                let present = members.iter().filter(|(_, value)| *value != Json::Absent);
                for (index, (name, value)) in present.enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Reads what the simulator wrote: there are no fractions, and no numbers beyond 64 bits.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map(Json::Int).map_err(E::custom)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

/// A text in quotes, see [`escape`].
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    escape(text, out);
    out.push('"');
}

/// The relaxed encoder: `<>&'+` and other letters stay, quotes and controls are escaped, emoji become pairs.
pub(crate) fn escape(text: &str, out: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_control() || u32::from(c) > 0xFFFF => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            c => out.push(c),
        }
    }
}

/// A number without the machinery of formatting; rows hold many.
pub(crate) fn write_number(number: i64, out: &mut String) {
    if number < 0 {
        out.push('-');
    }
    let mut digits = [0; 20];
    let mut rest = number.unsigned_abs();
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits[start..].iter().copied().map(char::from));
}

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        Json::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::Text(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json::Int(value)
    }
}

impl From<i32> for Json {
    fn from(value: i32) -> Json {
        Json::Int(i64::from(value))
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    /// `None` is left out.
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Absent, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Json {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}

/// How many elements a list value has; an [`i64`] because that is what the envelope carries.
pub(crate) fn length(count: usize) -> i64 {
    i64::try_from(count).expect("a list in memory has fewer than 2^63 elements")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_absent_ones_are_left_out() {
        let value = Json::object([
            ("z", 1.into()),
            ("a", Json::Null),
            ("gone", Option::<i64>::None.into()),
            ("list", vec!["x"].into()),
        ]);
        assert_eq!(value.render(), r#"{"z":1,"a":null,"list":["x"]}"#);
    }

    #[test]
    fn numbers_of_every_size() {
        for number in [0, 7, -7, 1_795_165_290, i64::MAX, i64::MIN] {
            assert_eq!(Json::from(number).render(), number.to_string());
        }
    }

    #[test]
    fn text_is_escaped_like_the_portal_does() {
        let value = Json::from("Über <b>&'\"+😀\n\u{1}");
        assert_eq!(value.render(), r#""Über <b>&'\"+\uD83D\uDE00\n\u0001""#);
    }
}
