//! JSON bodies as the portal reads them: into a shape, and where the first problem is.
//!
//! The portal's answer names the place of a problem; the text beside it is this simulator's own. What the values mean,
//! and which of them are valid, is decided by the routes.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use uuid::Uuid;

use crate::actions::Names;

/// What is expected at some place of a body.
pub(super) enum Shape {
    /// A string or null.
    Text,
    /// `true` or `false`; null too if it is nullable.
    Bool { nullable: bool },
    /// A whole number, also as text.
    Int { bits: u32, nullable: bool },
    /// An id in the dashed form.
    Guid,
    /// A date as the portal takes it in bodies: any text.
    Date,
    /// An enumeration of numbers.
    Number,
    /// An enumeration that takes names in any case, or numbers.
    Named { names: Names },
    /// An access right: whatever is not understood is 0.
    Access,
    /// A list or null.
    List { item: &'static Shape },
    /// An object or null.
    Object(&'static Class),
}

/// An object with known members; others are ignored.
pub(super) struct Class {
    pub(super) members: &'static [(&'static str, Shape)],
    /// Members that must be there.
    pub(super) required: &'static [&'static str],
}

/// A body after reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Value>),
    /// Only the members that were sent and are known.
    Object(Vec<(&'static str, Value)>),
}

impl Value {
    /// The member with this name; null when it was not sent.
    pub(super) fn get(&self, name: &str) -> &Value {
        self.sent(name).unwrap_or(&Value::Null)
    }

    /// The member with this name, if it was sent.
    pub(super) fn sent(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn guid(&self) -> Option<Uuid> {
        self.text().and_then(|text| Uuid::try_parse(text).ok())
    }

    /// The elements; none for anything but a list.
    pub(super) fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

/// Reads a whole body; else the place of the first problem, as `$.member[0]`: the key of the portal's error.
pub(super) fn read(bytes: &[u8], shape: &'static Shape) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let path = RefCell::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = Reader { shape, path: &path }.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    value.map_err(|_| path.borrow().iter().fold("$".to_owned(), written))
}

/// A step from a value to one inside it.
enum Step {
    Member(String),
    Index(usize),
}

fn written(mut path: String, step: &Step) -> String {
    // writing to a string cannot fail
    let _ = match step {
        Step::Member(name) if name.contains(['.', ' ', '\'', '/', '"', '[', ']', '(', ')', '\t', '\n']) => {
            write!(path, "['{name}']")
        }
        Step::Member(name) => write!(path, ".{name}"),
        Step::Index(index) => write!(path, "[{index}]"),
    };
    path
}

/// Reads a value of this shape. The path leads to the value; behind a problem it stays as it is.
struct Reader<'a> {
    shape: &'static Shape,
    path: &'a RefCell<Vec<Step>>,
}

impl Reader<'_> {
    /// A value inside this one.
    fn inner(&self, shape: &'static Shape) -> Reader<'_> {
        Reader { shape, path: self.path }
    }

    fn enter(&self, step: Step) {
        self.path.borrow_mut().push(step);
    }

    fn leave(&self) {
        self.path.borrow_mut().pop();
    }

    fn scalar<E: serde::de::Error>(&self, token: Token<'_>) -> Result<Value, E> {
        convert(token, self.shape).ok_or_else(|| E::custom("another kind of value"))
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.scalar(Token::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(Token::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(Token::Number(Some(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(Token::Number(i64::try_from(value).ok()))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        self.scalar(Token::Number(None))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.scalar(Token::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let Shape::List { item } = self.shape else { return Err(A::Error::custom("a list")) };
        let mut items = Vec::new();
        loop {
            self.enter(Step::Index(items.len()));
            let element = elements.next_element_seed(self.inner(item))?;
            self.leave();
            match element {
                Some(element) => items.push(element),
                None => return Ok(Value::List(items)),
            }
        }
    }

    /// The last of several members of one name wins.
    fn visit_map<A: MapAccess<'de>>(self, mut sent: A) -> Result<Value, A::Error> {
        let Shape::Object(class) = self.shape else { return Err(A::Error::custom("an object")) };
        let mut members: Vec<(&'static str, Value)> = Vec::new();
        while let Some(name) = sent.next_key::<String>()? {
            let known = class.members.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            self.enter(Step::Member(name));
            match known {
                Some((known, shape)) => {
                    let value = sent.next_value_seed(self.inner(shape))?;
                    members.retain(|(other, _)| other != known);
                    members.push((known, value));
                }
                None => drop(sent.next_value::<IgnoredAny>()?),
            }
            self.leave();
        }
        if class.required.iter().all(|name| members.iter().any(|(known, _)| known == name)) {
            return Ok(Value::Object(members));
        }
        Err(A::Error::custom("a required member is missing"))
    }
}

/// A value that holds no others.
enum Token<'a> {
    Null,
    Bool(bool),
    /// `None` for one that is not whole, or too large.
    Number(Option<i64>),
    Text(&'a str),
}

fn convert(token: Token<'_>, shape: &Shape) -> Option<Value> {
    let nullable = match shape {
        Shape::Bool { nullable } | Shape::Int { nullable, .. } => *nullable,
        shape => matches!(shape, Shape::Text | Shape::Date | Shape::List { .. } | Shape::Object(_)),
    };
    Some(match (shape, token) {
        (Shape::Access, token) => Value::Int(access(&token)),
        (_, Token::Null) => return nullable.then_some(Value::Null),
        (Shape::Text | Shape::Date, Token::Text(text)) => Value::Text(text.to_owned()),
        (Shape::Bool { .. }, Token::Bool(value)) => Value::Bool(value),
        (Shape::Int { bits, .. }, Token::Number(number)) => return fitting(number?, *bits),
        (Shape::Int { bits, .. }, Token::Text(text)) => return fitting(text.parse().ok()?, *bits),
        (Shape::Number | Shape::Named { .. }, Token::Number(number)) => return fitting(number?, 32),
        (Shape::Guid, Token::Text(text)) => Value::Text(dashed(text)?.to_string()),
        (Shape::Named { names }, Token::Text(text)) => {
            let named = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
            return named
                .map(|(_, number)| Value::Int((*number).into()))
                .or_else(|| fitting(text.trim().parse().ok()?, 32));
        }
        _ => return None,
    })
}

/// The rights that may be given by name.
pub(super) const ACCESS: Names = &[
    ("None", 0),
    ("ReadWrite", 1),
    ("Read", 2),
    ("Restrict", 3),
    ("Varies", 4),
    ("Review", 5),
    ("Comment", 6),
    ("FillForms", 7),
    ("CustomFilter", 8),
    ("RoomManager", 9),
    ("Editing", 10),
    ("ContentCreator", 11),
];

/// Names only in their exact case; everything that is not understood is 0.
fn access(token: &Token<'_>) -> i64 {
    match token {
        Token::Number(number) => number.and_then(|number| i32::try_from(number).ok()).unwrap_or(0).into(),
        Token::Text(text) => ACCESS
            .iter()
            .find(|(name, _)| name == text)
            .map_or_else(|| text.parse::<i32>().unwrap_or(0), |(_, number)| *number)
            .into(),
        Token::Null | Token::Bool(_) => 0,
    }
}

fn fitting(number: i64, bits: u32) -> Option<Value> {
    (bits == 64 || i32::try_from(number).is_ok()).then_some(Value::Int(number))
}

/// Only the form with dashes and nothing around it.
fn dashed(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Class =
        Class { members: &[("ip", Shape::Text), ("forAdmin", Shape::Bool { nullable: false })], required: &["ip"] };
    const SHAPE: Shape = Shape::Object(&Class {
        members: &[
            ("list", Shape::List { item: &Shape::Object(&INNER) }),
            ("enable", Shape::Bool { nullable: true }),
            ("size", Shape::Int { bits: 64, nullable: false }),
            ("access", Shape::Access),
        ],
        required: &["list"],
    });

    #[test]
    fn members_in_any_case_numbers_as_text_and_the_last_of_twins() {
        let value = read(br#"{"LIST":[{"ip":"a","x":[1,{}]}],"size":"12","enable":true,"Enable":null}"#, &SHAPE)
            .expect("readable");
        assert_eq!(value.get("list").items()[0].get("ip").text(), Some("a"));
        assert_eq!(value.get("size").int(), Some(12));
        assert_eq!(value.sent("enable"), Some(&Value::Null));
        assert_eq!(value.sent("access"), None);
    }

    #[test]
    fn an_access_that_is_not_understood_is_none() {
        for (text, number) in [("2", 2), ("\"Read\"", 2), ("\"read\"", 0), ("true", 0), ("null", 0), ("2.5", 0)] {
            let body = format!("{{\"list\":[],\"access\":{text}}}");
            let value = read(body.as_bytes(), &SHAPE).expect("readable");
            assert_eq!(value.get("access").int(), Some(number), "{text}");
        }
    }

    #[test]
    fn problems_name_their_place() {
        for (body, path) in [
            (r#"{"list": [{"ip": 1}]}"#, "$.list[0].ip"),
            (r#"{"list": ["a"]}"#, "$.list[0]"),
            (r#"{"list":[{"forAdmin":true}]}"#, "$.list[0]"),
            (r#"{"list":[}"#, "$.list[0]"),
            (r#"{"list":[],}"#, "$"),
            (r#"{"list":[],"enable":NaN}"#, "$.enable"),
            (r#"{"list":[]} x"#, "$"),
            (r"{", "$"),
            (r"[]", "$"),
            ("{\n \"size\": true}", "$.size"),
        ] {
            assert_eq!(read(body.as_bytes(), &SHAPE), Err(path.to_owned()), "{body}");
        }
    }
}
