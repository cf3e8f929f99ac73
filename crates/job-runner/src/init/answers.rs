//! What is known so far, and what a person adds to it.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};

use super::ask::Asker;
use super::question::{self, Form};
use crate::args::{CommonArgs, FlagSetting};
use crate::config::{self, Read, Sources};
use crate::doctor::Reached;
use crate::environment::Environment;
use crate::program::Program;
use crate::setup;

/// Everything that is known so far.
pub(super) struct Answers<'a> {
    pub(super) args: CommonArgs,
    pub(super) environment: Environment,
    /// By key; of two for one key the later counts.
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) sources: &'a Sources,
}

impl Answers<'_> {
    pub(super) fn read<P: Program>(&self) -> Read<P::Config> {
        let flags = self.settings.iter().map(|(key, value)| FlagSetting::answer(key.clone(), value.clone()));
        let sources = Sources { flags: flags.collect(), environment: self.environment.clone(), ..self.sources.clone() };
        config::read::<P::Config>(P::ABOUT.name, &sources)
    }

    /// What is wrong with the answer for a setting, for whoever has given it.
    pub(super) fn problem_with<P: Program>(&self, key: &str) -> Option<String> {
        let problems = self.read::<P>().problems;
        let problem = problems.into_iter().find(|problem| problem.key.as_deref() == Some(key))?;
        Some(format!("Not accepted: `{key}` {}", problem.message))
    }
}

/// Asks for what no flag has said. An answer that cannot be is asked for again.
pub(super) fn ask<P: Program>(
    answers: &mut Answers<'_>,
    asker: Asker,
    reached: &Reached,
    defaults: &Dict,
) -> anyhow::Result<()> {
    if !asker.is_person() {
        return Ok(());
    }
    let mut questions = P::questions(reached);
    if P::ABOUT.sends_alerts {
        questions.extend(question::of_alerts());
    }
    questions.extend(question::of_all());
    for question in questions {
        let is_of_use = question.only_with.is_none_or(|key| answers.settings.contains_key(key));
        if answers.settings.contains_key(question.key) || !is_of_use {
            continue;
        }
        loop {
            let value = match &question.form {
                Form::Line => {
                    asker.line(&question.text)?.map(|typed| value(&typed, config::at(defaults, question.key)))
                }
                Form::Several(choices) => {
                    let which = asker.several(&question::with_keys(&question.text), choices)?;
                    (!which.is_empty()).then(|| question::chosen(choices, &which))
                }
            };
            let Some(value) = value else { break };
            answers.settings.insert(question.key.to_owned(), value);
            let Some(problem) = answers.problem_with::<P>(question.key) else { break };
            setup::print(&format!("{problem}\n"))?;
            answers.settings.remove(question.key);
        }
    }
    Ok(())
}

/// What was typed, as the setting wants it: lists with commas or as TOML writes them, and texts with quotes or without.
pub(super) fn value(typed: &str, default: Option<&Value>) -> Value {
    let as_toml = || config::toml_value(typed);
    let is_list = matches!(default, Some(Value::Array(..)));
    match typed.chars().next() {
        Some('"' | '\'') if let Some(Value::String(_, text)) = as_toml() => match is_list {
            true => vec![text].into(),
            false => text.into(),
        },
        Some('[') if let Some(list @ Value::Array(..)) = as_toml() => list,
        _ if is_list => {
            typed.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect::<Vec<_>>().into()
        }
        _ => config::typed(typed, default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_as_it_is_meant() {
        let (list, number, text) = (Value::from(Vec::<String>::new()), Value::from(20), Value::from("all"));
        for (typed, default, expected) in [
            ("71, Acme", Some(&list), r#"["71","Acme"]"#),
            (r#"["Board, open"]"#, Some(&list), r#"["Board, open"]"#),
            (r#""Board, open""#, Some(&list), r#"["Board, open"]"#),
            (r#"["Acme"]"#, Some(&text), r#"["Acme"]"#),
            ("[Acme] open", Some(&text), r#""[Acme] open""#),
            ("30", Some(&number), "30"),
            ("30", Some(&text), r#""30""#),
            ("1h", None, r#""1h""#),
            (r#""1h""#, None, r#""1h""#),
            ("'1h'", None, r#""1h""#),
            (r#""Acme" and "Globex""#, None, r#""\"Acme\" and \"Globex\"""#),
        ] {
            assert_eq!(serde_json::to_string(&value(typed, default)).unwrap(), expected, "{typed}");
        }
    }
}
