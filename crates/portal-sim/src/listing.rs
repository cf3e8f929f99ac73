//! What `portal-sim scenarios` prints: each scenario, and what a program must say about it.

use std::io::{self, Write};

use portal_sim::{Expected, Scenario};

/// What stands above the list.
const HEAD: &str = "\
Built in; run one with:  portal-sim serve --scenario NAME
Under each: whom a program must report, whom it must not, and what nobody can see on such a portal.
";

/// Writes the list.
///
/// # Errors
/// When nobody reads it any more.
pub(crate) fn write(out: &mut impl Write, scenarios: impl Iterator<Item = Scenario>) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    for scenario in scenarios {
        writeln!(out, "\n{}: {}", scenario.name, scenario.description)?;
        let truth = scenario.truth();
        found(out, "must be reported", &scenario, &truth.found)?;
        let addresses = truth.addresses.iter().map(|found| {
            format!("{} from {:?}: {} (ip-fence)\n      {}", found.person, found.ip, found.kind, found.why)
        });
        block(out, "must be reported", addresses)?;
        found(out, "must be reported by a later run", &scenario, &truth.found_later)?;
        let innocent = truth.not_found.iter().map(|innocent| format!("{}: {}", innocent.person, innocent.why));
        block(out, "must not be reported", innocent)?;
        block(out, "cannot be seen", truth.unseen.iter().cloned())?;
        let exit = truth.exit.iter().map(|(program, code)| format!("{program}: {code}, {}", meaning(*code)));
        block(out, "exit code", exit)?;
    }
    Ok(())
}

fn found(out: &mut impl Write, title: &str, scenario: &Scenario, list: &[Expected]) -> io::Result<()> {
    // people of whom the same is true stand in one line
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for found in list {
        let title = scenario.rooms.iter().find(|room| room.id == found.room).map(|room| room.title.as_str());
        // escaped: some titles hold what must not reach a terminal
        let room = title.map_or("deleted by now".to_owned(), |title| format!("{title:?}"));
        let partly = if found.partly { ", of which some cannot be seen" } else { "" };
        let Expected { program, person, acts, within_hours, why, .. } = found;
        let actions = if *acts == 1 { "action" } else { "actions" };
        let what = format!(
            "in room {} ({room}): {acts} {actions} within {within_hours} h{partly} ({program})\n      {why}",
            found.room
        );
        match lines.last_mut() {
            Some((before, people)) if *before == what => people.push(person),
            _ => lines.push((what, vec![person])),
        }
    }
    let who = |people: &[&str]| match people {
        [one] => (*one).to_owned(),
        [first, .., last] => format!("each of {} from {first} to {last}", people.len()),
        [] => String::new(),
    };
    block(out, title, lines.iter().map(|(what, people)| format!("{} {what}", who(people))))
}

/// A title and what stands under it; nothing when there is nothing.
fn block(out: &mut impl Write, title: &str, lines: impl Iterator<Item = String>) -> io::Result<()> {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        writeln!(out, "  {title}")?;
    }
    lines.try_for_each(|line| writeln!(out, "    {line}"))
}

/// What the programs of this workspace mean by an exit code.
fn meaning(code: u8) -> &'static str {
    match code {
        0 => "concluded: everything that can be seen was read",
        4 => "incomplete: the report says what could not be read",
        _ => "nothing can be concluded, and the message says why",
    }
}
