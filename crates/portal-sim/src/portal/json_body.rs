//! JSON bodies as the portal reads them: into a shape, with the portal's texts for the first problem.
//!
//! The reader knows where it is (path, line, byte), because the portal's answers say so. What the values mean, and
//! which of them are valid, is decided by the routes.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::actions::Names;

/// How deep arrays and objects may be nested.
const MAX_DEPTH: usize = 32;

/// What is expected at some place of a body.
pub(super) enum Shape {
    /// A string or null.
    Text,
    /// `true` or `false`; null too if it is nullable.
    Bool {
        nullable: bool,
    },
    /// A whole number, also as text.
    Int {
        bits: u32,
        nullable: bool,
    },
    /// An id in the dashed form.
    Guid {
        nullable: bool,
    },
    /// A date as the portal takes it in bodies: any text.
    Date,
    /// An enumeration of numbers.
    Number {
        class: &'static str,
        nullable: bool,
    },
    /// An enumeration that takes names in any case, or numbers.
    Named {
        class: &'static str,
        names: Names,
    },
    /// An access right: whatever is not understood is 0.
    Access,
    List {
        class: &'static str,
        item: &'static Shape,
    },
    Object(&'static Class),
}

/// An object with known members; others are ignored.
pub(super) struct Class {
    pub(super) name: &'static str,
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

/// The first problem of a body.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    /// Where, as `$.member[0]`; the key of the error.
    pub(super) path: String,
    pub(super) text: String,
}

/// Reads a whole body.
pub(super) fn read(bytes: &[u8], shape: &'static Shape) -> Result<Value, Problem> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = Reader { bytes, at: 0, depth: 0, path: Vec::new() };
    let value = reader.value(shape)?;
    match reader.peek() {
        None => Ok(value),
        Some(byte) => {
            Err(reader.syntax(format!("{} is invalid after a single JSON value. Expected end of data.", quoted(byte))))
        }
    }
}

enum Step {
    Member(String),
    Index(usize),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    path: Vec<Step>,
}

impl Reader<'_> {
    /// The next byte that is no white space; the position is on it afterwards.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn path(&self) -> String {
        let mut out = "$".to_owned();
        for step in &self.path {
            // writing to a string cannot fail
            let _ = match step {
                Step::Member(name) if name.contains(['.', ' ', '\'', '/', '"', '[', ']', '(', ')', '\t', '\n']) => {
                    write!(out, "['{name}']")
                }
                Step::Member(name) => write!(out, ".{name}"),
                Step::Index(index) => write!(out, "[{index}]"),
            };
        }
        out
    }

    /// A problem at the current byte.
    fn syntax(&self, text: String) -> Problem {
        let path = self.path();
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count();
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        let text = format!("{text} Path: {path} | LineNumber: {line} | BytePositionInLine: {column}.");
        Problem { path, text }
    }

    fn unfinished(&self) -> Problem {
        if self.depth == 0 {
            return self.syntax(
                "The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, \
                 when isFinalBlock is true."
                    .to_owned(),
            );
        }
        self.syntax(
            "Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that \
             should be closed."
                .to_owned(),
        )
    }

    /// A value of the wrong kind; the position is behind its first token.
    fn mismatch(&self, shape: &Shape) -> Problem {
        if matches!(shape, Shape::Access) {
            return self.syntax(
                "The converter 'ASC.Files.Core.Security.FileShareConverter' read too much or not enough.".to_owned(),
            );
        }
        self.syntax(format!("The JSON value could not be converted to {}.", class(shape)))
    }

    fn value(&mut self, shape: &'static Shape) -> Result<Value, Problem> {
        match self.peek() {
            None => Err(self.unfinished()),
            Some(b'{') => {
                self.open("object")?;
                match shape {
                    Shape::Object(class) => self.object(Some(class)),
                    _ => Err(self.mismatch(shape)),
                }
            }
            Some(b'[') => {
                self.open("array")?;
                match shape {
                    Shape::List { item, .. } => self.array(Some(item)),
                    _ => Err(self.mismatch(shape)),
                }
            }
            Some(_) => {
                let token = self.scalar()?;
                self.convert(token, shape)
            }
        }
    }

    /// Reads over a value that nobody asked for.
    fn skip(&mut self) -> Result<(), Problem> {
        match self.peek() {
            None => Err(self.unfinished()),
            Some(b'{') => {
                self.open("object")?;
                self.object(None).map(drop)
            }
            Some(b'[') => {
                self.open("array")?;
                self.array(None).map(drop)
            }
            Some(_) => self.scalar().map(drop),
        }
    }

    fn open(&mut self, kind: &str) -> Result<(), Problem> {
        if self.depth == MAX_DEPTH {
            return Err(self.syntax(format!(
                "The maximum configured depth of {MAX_DEPTH} has been exceeded. Cannot read next JSON {kind}."
            )));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// The members behind the brace; without a class they are skipped and the path stays.
    fn object(&mut self, class: Option<&'static Class>) -> Result<Value, Problem> {
        let mut members: Vec<(&'static str, Value)> = Vec::new();
        let mut first = true;
        loop {
            match self.peek() {
                None => return Err(self.unfinished()),
                Some(b'}') if first => break,
                Some(b'}') => return Err(self.trailing_comma("object")),
                Some(b'"') => {}
                Some(b'/') if first => return Err(self.after_value(b'/')),
                Some(byte) => {
                    let text = format!("{} is an invalid start of a property name. Expected a '\"'.", quoted(byte));
                    return Err(self.syntax(text));
                }
            }
            first = false;
            let name = self.string()?;
            match self.peek() {
                None => return Err(self.unfinished()),
                Some(b':') => self.at += 1,
                Some(byte) => {
                    let text = format!("{} is invalid after a property name. Expected a ':'.", quoted(byte));
                    return Err(self.syntax(text));
                }
            }
            self.member(class, name, &mut members)?;
            match self.peek() {
                None => return Err(self.unfinished()),
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                Some(byte) => return Err(self.after_value(byte)),
            }
        }
        self.at += 1;
        self.depth -= 1;
        let Some(class) = class else { return Ok(Value::Null) };
        let missing: Vec<String> = class
            .required
            .iter()
            .filter(|name| !members.iter().any(|(known, _)| known == *name))
            .map(|name| format!("'{name}'"))
            .collect();
        if missing.is_empty() {
            return Ok(Value::Object(members));
        }
        Err(Problem {
            path: self.path(),
            text: format!(
                "JSON deserialization for type '{}' was missing required properties including: {}.",
                class.name,
                missing.join(", ")
            ),
        })
    }

    /// The value of a member; the last of several wins.
    fn member(
        &mut self,
        class: Option<&'static Class>,
        name: String,
        members: &mut Vec<(&'static str, Value)>,
    ) -> Result<(), Problem> {
        let Some(class) = class else { return self.skip() };
        let known = class.members.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        self.path.push(Step::Member(name));
        match known {
            Some((known, shape)) => {
                let value = self.value(shape)?;
                members.retain(|(other, _)| other != known);
                members.push((known, value));
            }
            None => self.skip()?,
        }
        self.path.pop();
        Ok(())
    }

    fn array(&mut self, item: Option<&'static Shape>) -> Result<Value, Problem> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if item.is_some() {
                self.path.push(Step::Index(items.len()));
            }
            match self.peek() {
                None => return Err(self.unfinished()),
                Some(b']') if comma => return Err(self.trailing_comma("array")),
                Some(b']') => break,
                Some(_) => {}
            }
            match item {
                Some(shape) => items.push(self.value(shape)?),
                None => self.skip()?,
            }
            match self.peek() {
                None => return Err(self.unfinished()),
                Some(b',') => self.at += 1,
                Some(b']') => break,
                Some(byte) => return Err(self.after_value(byte)),
            }
            comma = true;
            if item.is_some() {
                self.path.pop();
            }
        }
        if item.is_some() {
            self.path.pop();
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Value::List(items))
    }

    fn after_value(&self, byte: u8) -> Problem {
        self.syntax(format!("{} is invalid after a value. Expected either ',', '}}', or ']'.", quoted(byte)))
    }

    fn trailing_comma(&self, kind: &str) -> Problem {
        self.syntax(format!(
            "The JSON {kind} contains a trailing comma at the end which is not supported in this mode. Change the \
             reader options."
        ))
    }

    /// A string, number or literal.
    fn scalar(&mut self) -> Result<Token, Problem> {
        match self.bytes[self.at] {
            b'"' => self.string().map(Token::Text),
            b't' => self.literal("true", Token::Bool(true)),
            b'f' => self.literal("false", Token::Bool(false)),
            b'n' => self.literal("null", Token::Null),
            b'-' | b'0'..=b'9' => self.number(),
            byte => Err(self.syntax(format!("{} is an invalid start of a value.", quoted(byte)))),
        }
    }

    fn literal(&mut self, word: &str, token: Token) -> Result<Token, Problem> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(token);
        }
        let same = rest.iter().zip(word.bytes()).take_while(|(found, wanted)| **found == *wanted).count();
        let end = rest.iter().position(|byte| b" \t\r\n,]}".contains(byte)).unwrap_or(rest.len());
        let text = String::from_utf8_lossy(&rest[..end.max(1)]).into_owned();
        self.at += same;
        Err(self.syntax(format!("'{text}' is an invalid JSON literal. Expected the literal '{word}'.")))
    }

    fn number(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while reader.bytes.get(reader.at).is_some_and(u8::is_ascii_digit) {
                reader.at += 1;
            }
            if reader.at > from {
                return Ok(());
            }
            let text = match reader.bytes.get(reader.at) {
                Some(&byte) => format!("{} is an invalid end of a number. Expected a digit.", quoted(byte)),
                None => "Expected a digit ('0'-'9'), but instead reached end of data.".to_owned(),
            };
            Err(reader.syntax(text))
        };
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
            if let Some(&byte @ b'0'..=b'9') = self.bytes.get(self.at) {
                let text = format!("Invalid leading zero before {}.", quoted(byte));
                return Err(self.syntax(text));
            }
        } else {
            digits(self)?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            digits(self)?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            digits(self)?;
        }
        if let Some(&byte) = self.bytes.get(self.at)
            && !b" \t\r\n,]}/".contains(&byte)
        {
            let text = format!("{} is an invalid end of a number. Expected a delimiter.", quoted(byte));
            return Err(self.syntax(text));
        }
        Ok(Token::Number(String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()))
    }

    /// The text between quotes; the position is on the first quote.
    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                None => {
                    return Err(self.syntax("Expected end of string, but instead reached end of data.".to_owned()));
                }
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(&byte) if byte < 0x20 => {
                    let text = format!(
                        "{} is invalid within a JSON string. The string should be correctly escaped.",
                        quoted(byte)
                    );
                    return Err(self.syntax(text));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let raw = String::from_utf8_lossy(&self.bytes[start..self.at]);
        // lone halves of surrogate pairs are the only thing left that this refuses
        Ok(serde_json::from_str(&raw).unwrap_or_else(|_| "\u{fffd}".to_owned()))
    }

    fn escape(&mut self) -> Result<(), Problem> {
        self.at += 1;
        match self.bytes.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.bytes.get(self.at) {
                        Some(byte) if byte.is_ascii_hexdigit() => self.at += 1,
                        Some(&byte) => {
                            let text = format!(
                                "{} is not a hex digit following '\\u' within a JSON string. The string should be \
                                 correctly escaped.",
                                quoted(byte)
                            );
                            return Err(self.syntax(text));
                        }
                        None => break,
                    }
                }
            }
            Some(&byte) => {
                let text = format!(
                    "{} is an invalid escapable character within a JSON string. The string should be correctly escaped.",
                    quoted(byte)
                );
                return Err(self.syntax(text));
            }
            None => {}
        }
        Ok(())
    }

    fn convert(&self, token: Token, shape: &Shape) -> Result<Value, Problem> {
        let value = match (shape, token) {
            (
                Shape::Bool { nullable: true } | Shape::Int { nullable: true, .. } | Shape::Guid { nullable: true },
                Token::Null,
            )
            | (Shape::Number { nullable: true, .. }, Token::Null)
            | (Shape::Text | Shape::Date | Shape::List { .. } | Shape::Object(_), Token::Null) => Some(Value::Null),
            (Shape::Text | Shape::Date, Token::Text(text)) => Some(Value::Text(text)),
            (Shape::Bool { .. }, Token::Bool(value)) => Some(Value::Bool(value)),
            (Shape::Int { bits, .. }, Token::Number(text) | Token::Text(text)) => whole(&text, *bits),
            (Shape::Number { .. }, Token::Number(text)) => whole(&text, 32),
            (Shape::Guid { .. }, Token::Text(text)) => dashed(&text).map(|id| Value::Text(id.to_string())),
            (Shape::Named { names, .. }, Token::Text(text)) => names
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(text.trim()))
                .map(|(_, number)| Value::Int(i64::from(*number)))
                .or_else(|| whole(text.trim(), 32)),
            (Shape::Named { .. }, Token::Number(text)) => whole(&text, 32),
            (Shape::Access, token) => Some(Value::Int(access(&token))),
            _ => None,
        };
        value.ok_or_else(|| self.mismatch(shape))
    }
}

enum Token {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
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
fn access(token: &Token) -> i64 {
    match token {
        Token::Number(text) => text.parse::<i32>().map_or(0, i64::from),
        Token::Text(text) => ACCESS
            .iter()
            .find(|(name, _)| name == text)
            .map_or_else(|| text.parse::<i32>().unwrap_or(0), |(_, number)| *number)
            .into(),
        Token::Null | Token::Bool(_) => 0,
    }
}

fn whole(text: &str, bits: u32) -> Option<Value> {
    let number: i64 = text.parse().ok()?;
    (bits == 64 || i32::try_from(number).is_ok()).then_some(Value::Int(number))
}

/// Only the form with dashes and nothing around it.
fn dashed(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// The name of the type in the portal's texts.
fn class(shape: &Shape) -> String {
    let (plain, nullable) = match shape {
        Shape::Text => return "System.String".to_owned(),
        Shape::Bool { nullable } => ("System.Boolean", *nullable),
        Shape::Int { bits: 64, nullable } => ("System.Int64", *nullable),
        Shape::Int { nullable, .. } => ("System.Int32", *nullable),
        Shape::Guid { nullable } => ("System.Guid", *nullable),
        Shape::Date => ("ASC.Api.Core.ApiDateTime", false),
        Shape::Number { class, nullable } => (*class, *nullable),
        Shape::Named { class, .. } | Shape::List { class, .. } => (*class, false),
        Shape::Access => ("ASC.Files.Core.Security.FileShare", false),
        Shape::Object(class) => (class.name, false),
    };
    if nullable { format!("System.Nullable`1[{plain}]") } else { plain.to_owned() }
}

/// A byte as the texts show it.
fn quoted(byte: u8) -> String {
    if (0x20..0x7f).contains(&byte) { format!("'{}'", char::from(byte)) } else { format!("'0x{byte:02X}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Class = Class {
        name: "X.Entry",
        members: &[("ip", Shape::Text), ("forAdmin", Shape::Bool { nullable: false })],
        required: &["ip"],
    };
    const SHAPE: Shape = Shape::Object(&Class {
        name: "X.Dto",
        members: &[
            ("list", Shape::List { class: "X.List", item: &Shape::Object(&INNER) }),
            ("enable", Shape::Bool { nullable: true }),
            ("size", Shape::Int { bits: 64, nullable: false }),
            ("access", Shape::Access),
        ],
        required: &["list"],
    });

    fn problem(text: &str) -> (String, String) {
        let problem = read(text.as_bytes(), &SHAPE).expect_err(text);
        (problem.path, problem.text)
    }

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
        for (body, path, position) in [
            (r#"{"list": [{"ip": 1}]}"#, "$.list[0].ip", 18),
            (r#"{"list": ["a"]}"#, "$.list[0]", 13),
            (r#"{"list":[}"#, "$.list[0]", 9),
            (r#"{"list":[],}"#, "$", 11),
            (r#"{"list":[],"enable":NaN}"#, "$.enable", 20),
            (r"{", "$", 1),
            (r"[]", "$", 1),
            ("{\n \"size\": true}", "$.size", 13),
        ] {
            let (found, text) = problem(body);
            assert_eq!(found, path, "{body}");
            assert!(text.ends_with(&format!("BytePositionInLine: {position}.")), "{body}: {text}");
        }
        assert!(problem("{\n \"size\": true}").1.contains("LineNumber: 1"));
    }

    #[test]
    fn missing_members_have_no_position() {
        let (path, text) = problem(r#"{"list":[{"forAdmin":true}]}"#);
        assert_eq!(path, "$.list[0]");
        assert_eq!(text, "JSON deserialization for type 'X.Entry' was missing required properties including: 'ip'.");
    }
}
