//! What `doctor` says of this program: which rooms it would look at, by which terms, and whether it writes to people.

use ::report::words::{blind_spot, list, plural};
use docspace_client::Room;
use job_runner::{Check, Reached};

use crate::config::Config;
use crate::gather::{Tagged, advice, choose, tagged};
use crate::remind::check_templates;
use crate::rule::BLIND_SPOTS;

/// `reached` is absent when the portal could not be asked.
pub(crate) async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let mut checks = match reached {
        Some(reached) => looked_at(config, reached).await,
        None => Vec::new(),
    };
    let (days, grace) = (plural(config.period_days.into(), "day"), plural(config.grace_days.into(), "day"));
    let acts = plural(config.min_activity, "action");
    checks.push(Check::ok(
        "terms",
        format!("inactive means fewer than {acts} in {days}, after joining more than {grace} ago"),
    ));
    checks.push(reminders(config));
    checks.extend(templates(config));
    checks.push(manager(config));
    let never: Vec<&str> = BLIND_SPOTS.into_iter().map(blind_spot).collect();
    checks.push(Check::ok("blind_spots", format!("no portal records {}", never.join("; "))));
    checks
}

const ROOMS: &str = "rooms_looked_at";

async fn looked_at(config: &Config, reached: &Reached) -> Vec<Check> {
    match tagged(config.rooms.wanted(), &reached.client).await {
        Ok(tagged) => chosen(config, &reached.rooms, &tagged),
        Err(error) => vec![Check::failed(ROOMS, error)],
    }
}

fn chosen(config: &Config, rooms: &[Room], tagged: &Tagged) -> Vec<Check> {
    let choice = choose(config.rooms.wanted(), rooms, tagged);
    if !choice.unknown.is_empty() {
        let told =
            |unknown: &String| Check::usage(ROOMS, format!("no room matches `{unknown}`"), advice(unknown, rooms));
        return choice.unknown.iter().map(told).collect();
    }
    if choice.ids.is_empty() {
        return vec![Check::fail(
            ROOMS,
            "there is no room to look at",
            "use the key of an account that sees the rooms",
        )];
    }
    let archived =
        if choice.archived > 0 { format!("; {} archived ones are left out", choice.archived) } else { String::new() };
    vec![Check::ok(ROOMS, format!("{}{archived}", plural(choice.ids.len() as u64, "room")))]
}

fn reminders(config: &Config) -> Check {
    const NAME: &str = "reminders";
    let remind = &config.remind;
    if !remind.enabled {
        return Check::ok(NAME, "nobody is written to until `remind.enabled = true` is set");
    }
    let steps: Vec<String> = remind.steps_days.iter().map(ToString::to_string).collect();
    let who = if remind.guests { "members, guests too," } else { "members, but no guests," };
    let days = if remind.weekends { "every day" } else { "Monday to Friday" };
    let text = format!(
        "{who} get a mail on {} {} of being inactive; mails leave {days}, {}, at most {} per run",
        if steps.len() == 1 { "day" } else { "days" },
        list(&steps),
        remind.hours,
        plural(remind.most_per_run as u64, "mail")
    );
    Check::ok(NAME, text)
}

/// Whether mails can be made from the templates that are set.
fn templates(config: &Config) -> Option<Check> {
    const NAME: &str = "templates";
    if !config.remind.enabled && config.remind.templates.is_none() {
        return None;
    }
    Some(match check_templates(&config.remind.mail_templates()) {
        Ok(()) => Check::ok(NAME, "every reminder can be made from the templates, in every language"),
        Err(failure) => Check::failed(NAME, failure),
    })
}

/// Who gets the whole report.
fn manager(config: &Config) -> Check {
    const NAME: &str = "manager";
    let manager = &config.manager;
    let file = manager.file.as_ref().map(|file| format!("is written to {}", file.as_path().display()));
    let mail = match manager.mail_to.len() as u64 {
        0 => None,
        many => Some(format!("is mailed to {}", plural(many, "address"))),
    };
    let owners =
        manager.per_owner.then(|| "is mailed to the owner of each room in which somebody is inactive".to_owned());
    let ways: Vec<String> = [file, mail, owners].into_iter().flatten().collect();
    if ways.is_empty() {
        let remedy = "set `manager.mail_to` or `manager.file`";
        return Check::warn(NAME, "nobody gets the whole report: only what is new is printed", remedy);
    }
    Check::ok(NAME, format!("the whole report {}", ways.join(", and ")))
}

#[cfg(test)]
mod tests {
    use audit_model::{RoomFact, RoomId};
    use job_runner::CheckState;

    use super::*;
    use crate::config::RoomChoice;

    #[test]
    fn rooms_that_are_not_there_are_named() {
        let fact = RoomFact { id: RoomId::Number(71), title: "Falcon".into(), room_type: Some(8), created: None };
        let rooms = [Room { fact, archived: false, owner: None, files: None, folders: None }];
        let state = |rooms: &[Room], wanted: &[&str]| {
            let list = wanted.iter().map(|&entry| entry.to_owned()).collect();
            chosen(&Config { rooms: RoomChoice::List(list), ..Config::default() }, rooms, &Tagged::new())[0].state
        };
        assert_eq!(state(&rooms, &["Falcon"]), CheckState::Ok);
        assert_eq!(state(&rooms, &["Eagle"]), CheckState::Fail);
        assert_eq!(chosen(&Config::default(), &[], &Tagged::new())[0].state, CheckState::Fail);
        assert_eq!(chosen(&Config::default(), &rooms, &Tagged::new())[0].state, CheckState::Ok);
    }
}
