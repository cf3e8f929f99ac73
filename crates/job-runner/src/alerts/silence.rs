//! `alerts silence …`: what is not told for a time.

use std::collections::BTreeMap;

use alerting::{Outbox, SILENCE_KEYS, Silence};
use audit_model::Severity;
use job_store::Store;
use report::words::utc;

use crate::Error;
use crate::args::SilenceCommand;
use crate::config::Settings;
use crate::config::channels::rule_meant_by;
use crate::exit::Exit;
use crate::setup::{Setup, copy_at, print};
use crate::upkeep::in_turn;

pub(super) async fn run<C: Settings>(command: &SilenceCommand, setup: &Setup<'_, C>) -> anyhow::Result<Exit> {
    if let SilenceCommand::List = command {
        let outbox = Outbox::open(copy_at(&setup.state()?).await?).await?;
        let silences = outbox.silences(setup.now).await?;
        let text: String = silences.iter().map(shown).collect();
        print(if silences.is_empty() { "nothing is silenced\n" } else { &text })?;
        return Ok(Exit::Concluded);
    }
    let added = match command {
        SilenceCommand::Add { criteria, reason, by } => Some(asked(criteria, reason, by, setup)?),
        _ => None,
    };
    let work = async |store: &Store| {
        let outbox = Outbox::open(store.clone()).await?;
        Ok(match (command, added) {
            (_, Some(silence)) => {
                outbox.silence(&silence).await?;
                (shown(&silence), Exit::Concluded)
            }
            (SilenceCommand::End { id }, _) if outbox.end_silence(id, setup.now).await? => {
                (format!("{id} has ended\n"), Exit::Concluded)
            }
            _ => ("no such silence goes on; `alerts silence list` shows those that do\n".to_owned(), Exit::Nothing),
        })
    };
    in_turn(&setup.state()?, setup.now, work).await
}

fn asked<C>(criteria: &[String], reason: &str, by: &str, setup: &Setup<'_, C>) -> Result<Silence, Error> {
    let mut all = BTreeMap::new();
    for text in criteria {
        let keys = SILENCE_KEYS.join(", ");
        let wrong = || Error::setting("--match", format!("must be KEY=VALUE, with KEY one of {keys}, each once"));
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        if !SILENCE_KEYS.contains(&key) || value.trim().is_empty() || all.contains_key(key) {
            return Err(wrong());
        }
        checked(key, value.trim())?;
        all.insert(key.to_owned(), value.trim().to_owned());
    }
    // a date is the start of that day in UTC here: the portal, which knows its zone, is not asked
    let until = setup.args.until.map(|until| until.resolve_ahead(setup.now, chrono_tz::Tz::UTC));
    let until = until.filter(|until| *until > setup.now);
    let message = "must say when the silence ends: an instant or date to come, or a length such as `7d`";
    let until = until.ok_or_else(|| Error::setting("--until", message))?;
    Ok(Silence::new(all, (setup.now, until), reason.trim(), by.trim()))
}

/// A value that nothing can have silences nothing, and nobody learns it.
fn checked(key: &str, value: &str) -> Result<(), Error> {
    let severities = Severity::ALL.map(Severity::name);
    let message = match key {
        "severity" if !severities.contains(&value) => format!("knows the severities {}", severities.join(", ")),
        "rule" => match rule_meant_by(value) {
            Some(meant) => format!("names no rule with `{value}`; did you mean `{meant}`?"),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    Err(Error::setting("--match", message))
}

fn shown(silence: &Silence) -> String {
    let Silence { id, criteria, until, reason, author, .. } = silence;
    let criteria: Vec<String> = criteria.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{id}  until {}  {}  by {author}: {reason}\n", utc(*until), criteria.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_nothing_can_have_are_refused() {
        for (key, value) in [("severity", "hgih"), ("rule", "unusual_activty"), ("severity", "High")] {
            checked(key, value).unwrap_err();
        }
        for (key, value) in [("severity", "high"), ("rule", "my_own_rule"), ("room", "hgih")] {
            checked(key, value).unwrap();
        }
    }
}
