//! What `doctor` says of this program: which rooms it would look at, by which terms, and whether it writes to people. Pure.

use docspace_client::Room;
use job_runner::Check;
use job_runner::words::{blind_spot, plural};

use crate::config::Config;
use crate::rooms::{choose, tags};
use crate::run::BLIND_SPOTS;

/// `rooms` is absent when the portal's list could not be read.
pub(crate) fn checks(config: &Config, rooms: Option<&[Room]>) -> Vec<Check> {
    let mut checks: Vec<Check> = rooms.map(|rooms| looked_at(config, rooms)).into_iter().collect();
    let (days, grace) = (plural(config.period_days.into(), "day"), plural(config.grace_days.into(), "day"));
    let acts = plural(config.min_activity, "act");
    checks.push(Check::ok(
        "terms",
        format!("inactive is who has done fewer than {acts} in {days}, and joined more than {grace} ago"),
    ));
    checks.push(reminders(config));
    let never: Vec<&str> = BLIND_SPOTS.into_iter().map(blind_spot).collect();
    checks.push(Check::ok("blind_spots", format!("no portal records {}", never.join("; "))));
    checks
}

fn looked_at(config: &Config, rooms: &[Room]) -> Check {
    const NAME: &str = "rooms_looked_at";
    let wanted = config.rooms.wanted();
    if !tags(wanted).is_empty() {
        return Check::ok(NAME, "chosen by tag, among others; a run says when nothing fits");
    }
    let choice = choose(wanted, rooms, &[]);
    if let Some(unknown) = choice.unknown.first() {
        return Check::usage(NAME, format!("no room is meant by `{unknown}`"), "look ids and titles up in the portal");
    }
    if choice.ids.is_empty() {
        return Check::fail(NAME, "there is no room to look at", "use the key of an account that sees the rooms");
    }
    let archived =
        if choice.archived > 0 { format!("; {} archived ones are left out", choice.archived) } else { String::new() };
    Check::ok(NAME, format!("{}{archived}", plural(choice.ids.len() as u64, "room")))
}

fn reminders(config: &Config) -> Check {
    const NAME: &str = "reminders";
    let remind = &config.remind;
    if !remind.enabled {
        return Check::ok(NAME, "nobody is written to; `remind.enabled = true` changes that");
    }
    let steps: Vec<String> = remind.steps_days.iter().map(ToString::to_string).collect();
    let guests = if remind.guests { "guests included" } else { "guests left out" };
    let days = if remind.weekends { "on every day" } else { "from Monday to Friday" };
    let text = format!(
        "members who stay inactive are written to on the days {}, {guests}, {} {days}, at most {} a run",
        steps.join(", "),
        remind.hours,
        plural(remind.most_per_run as u64, "mail")
    );
    Check::ok(NAME, text)
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
        let rooms = [Room { fact, archived: false, owner: None }];
        let state = |rooms: &[Room], wanted: &[&str]| {
            let list = wanted.iter().map(|&entry| entry.to_owned()).collect();
            looked_at(&Config { rooms: RoomChoice::List(list), ..Config::default() }, rooms).state
        };
        assert_eq!(state(&rooms, &["Falcon"]), CheckState::Ok);
        assert_eq!(state(&rooms, &["Eagle"]), CheckState::Fail);
        assert_eq!(looked_at(&Config::default(), &[]).state, CheckState::Fail);
        assert_eq!(looked_at(&Config::default(), &rooms).state, CheckState::Ok);
    }
}
