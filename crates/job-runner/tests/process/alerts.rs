//! `alerts …`, and which channel gets what.

use cli_test::Run;
use portal_sim::{Group, Person, PortalSim};

use crate::common::Desk;
use crate::sixth::shares;

async fn run(desk: &Desk, sim: &PortalSim, more: &[&str]) -> Run {
    let mut command = desk.command_of("share-watch", more);
    command.env(cli_test::CLOCK, sim.now().to_rfc3339());
    cli_test::run(command).await
}

fn alerts_of(desk: &Desk, channel: &str) -> usize {
    std::fs::read_to_string(desk.folder.path().join(channel)).unwrap_or_default().lines().count()
}

/// One finding, two channels for a group each, of which the portal has one.
#[tokio::test]
async fn what_is_silenced_waits_and_then_goes_to_the_channel_of_its_group() {
    let (desk, sim) = shares(11).await;
    let mara = Person::new("mara@example.com", "Mara", "Moe").id;
    sim.edit(|portal| portal.content.groups.push(Group { members: vec![mara], ..Group::new("Board") }));
    let channel = |group: &str| {
        let name = group.to_lowercase();
        format!("[[alerts.channel]]\nname = \"{name}\"\nkind = \"file\"\npath = \"{name}\"\ngroups = [\"{group}\"]\n")
    };
    let settings = format!("portal.url = \"{}\"\n{}{}", sim.url(), channel("Board"), channel("Bord"));
    let config = desk.write("share-watch.toml", &settings);
    let told = async |more: &[&str]| run(&desk, &sim, &[more, &["--config", &config]].concat()).await;

    let refused = told(&["alerts", "silence", "add", "--match", "who=mara", "--reason", "x", "--by", "y"]).await;
    assert!(
        refused.exit == 2 && refused.stderr.contains("rule, person, room, severity, matter, fingerprint"),
        "{}",
        refused.stderr
    );
    let person = format!("person={mara}");
    let person = ["alerts", "silence", "add", "--match", &person, "--until", "7d"];
    let added = told(&[&person[..], &["--reason", "migration", "--by", "it@example.com"]].concat()).await;
    assert!(
        added.stdout.contains(&format!("until 2026-11-27T09:00:00Z  person={mara}  by it@example.com: migration")),
        "{}",
        added.stdout
    );
    assert_eq!(told(&["alerts", "silence", "list"]).await.stdout, added.stdout);
    let quiet = told(&["--format", "json"]).await;
    assert_eq!(quiet.json()["findings"][0]["state"], "silenced", "{}", quiet.stdout);
    assert_eq!(alerts_of(&desk, "board"), 0);

    let id = added.stdout.split_whitespace().next().unwrap().to_owned();
    let ended = told(&["alerts", "silence", "end", &id]).await;
    assert_eq!(ended.stdout, format!("{id} has ended\n"));
    let report = told(&[]).await;
    assert!(report.stdout.contains("no group of the portal has the id or the exact name `Bord`"), "{}", report.stdout);
    assert_eq!([alerts_of(&desk, "board"), alerts_of(&desk, "bord")], [1, 0]);

    let listed = told(&["alerts", "list"]).await.stdout;
    assert!(
        listed.contains("board: accepted") && listed.contains("bord: not sent: `groups` leaves it out"),
        "{listed}"
    );
    let matter = listed.split_whitespace().nth(1).unwrap().to_owned();
    let explained = told(&["alerts", "explain", &matter]).await.stdout;
    assert!(explained.contains("Mara Moe") && explained.contains("board: accepted"), "{explained}");
    let doctor = told(&["doctor"]).await.stdout;
    assert!(doctor.contains("`Bord`, named in `alerts.channel.groups`"), "{doctor}");
}
