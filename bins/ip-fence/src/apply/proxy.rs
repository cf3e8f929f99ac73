//! `doctor --probe-proxy`: whether a header that anybody can send passes the portal's list.

use std::net::{IpAddr, Ipv4Addr};

use audit_model::PortalText;
use chrono::TimeDelta;
use job_runner::args::Probe;
use job_runner::{Check, Desk, Setup};
use uuid::Uuid;

use super::command::{who, writer};
use super::entry::{Answer, Entry, Mark, Purpose, Put, State};
use super::intent::Intent;
use super::journal::Kept;
use super::merge;
use super::portal::Live;
use super::run::{Ledger as _, Portal as _};
use super::seen::{Read, Row, Trail};
use crate::config::Config;

pub(crate) const PROBE: Probe = Probe {
    flag: "probe-proxy",
    check: "probe_proxy",
    help: "Also try whether a forged header passes the portal's own address list: writes the list as it is, with `X-Forwarded-For`, and looks which address the portal notes. Needs `apply_key_file`",
};

/// For documentation: nobody comes from there.
const CLAIMED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 123);

/// With the pauses between them, a minute: events are written down late.
const LOOKS: u32 = 11;

const NOT_TRIED: &str = "was not tried, so nothing was written:";

pub(crate) async fn checks(setup: &Setup<'_, Config>) -> Vec<Check> {
    vec![check(setup).await.unwrap_or_else(|error| Check::failed(PROBE.check, error))]
}

async fn check(setup: &Setup<'_, Config>) -> anyhow::Result<Check> {
    if setup.config.apply_key_file.is_none() {
        return Ok(Check::usage(
            PROBE.check,
            format!("{NOT_TRIED} it takes a key that may write"),
            "set `apply_key_file` to the file of a key of the portal's owner with `*:read` and `*:write`",
        ));
    }
    let done = setup.at_desk_to_its_end(async |desk| at_desk(setup, desk).await).await?;
    Ok(done.unwrap_or_else(|| not_tried("there is no store yet to remember it in", "let `ip-fence` run once")))
}

fn not_tried(why: &str, remedy: &str) -> Check {
    Check::fail(PROBE.check, format!("{NOT_TRIED} {why}"), remedy)
}

async fn at_desk(setup: &Setup<'_, Config>, desk: &Desk) -> anyhow::Result<Check> {
    const LATER: &str = "try again later";
    if let Some(busy) = desk.busy() {
        return Ok(not_tried(&format!("{busy} is at work"), LATER));
    }
    let kept = Kept::open(desk.store.clone(), setup.now).await?;
    let entries = kept.entries().await?;
    if entries.iter().any(|entry| entry.state.is_open()) {
        return Ok(not_tried("a plan is being applied", "confirm it, or take it back"));
    }
    let live = Live::new(writer(setup)?, setup.clock());
    // its clock is known from here on
    let guard = live.guard().await.map_err(anyhow::Error::msg)?;
    if !guard.is_owner || !guard.has_keys {
        return Ok(not_tried(
            "the key is not the owner's, or the server is older than 3.1",
            "let `apply_key_file` name a key of the owner",
        ));
    }
    let number = entries.iter().filter(|entry| entry.intent.plan == PROBE.flag).count() + 1;
    let mut entry = blank(format!("{}-{number}", PROBE.flag), &live, who(None, setup));
    // in this order: what somebody writes between the two is in the list, and its event is still to come
    let trail = live.trail(&entry).await;
    let read = live.read().await.map_err(anyhow::Error::msg)?;
    if !trail.is_complete {
        return Ok(not_tried("the audit trail cannot be read", LATER));
    }
    if let Some((trouble, _)) = merge::trouble(&read.list) {
        return Ok(not_tried(trouble, "see `ip-fence plan`"));
    }
    if setup.stopping().is_asked() {
        return Ok(not_tried("`doctor` was stopped", LATER));
    }
    prepare(&mut entry, (read, guard.account), &trail, &live);
    kept.commit(&entry).await?;
    let answer = live.write_as_from(&entry.intent.before, &entry.tag(1), IpAddr::V4(CLAIMED)).await;
    let answered = |entry: &Entry| {
        let mut entry = entry.clone();
        entry.answered(answer.clone());
        entry
    };
    kept.decide(&entry.id, answered).await?;
    if let Answer::Refused(why) = &answer {
        return Ok(not_tried(&format!("the portal does not take the write ({why})"), "see `ip-fence doctor`"));
    }
    let (own, others) = noted(&live, &entry, setup).await;
    if let Some(own) = &own {
        let mark = Mark { event: own.event, at: own.at };
        let found = |entry: &Entry| {
            let mut entry = entry.clone();
            entry.puts.iter_mut().for_each(|put| (put.arrived, put.events) = (Some(true), vec![mark]));
            entry
        };
        kept.decide(&entry.id, found).await?;
    }
    Ok(verdict(own.as_ref(), &others))
}

/// An application that changes nothing, and is over before it begins.
fn blank(id: String, live: &Live, by: String) -> Entry {
    let clocks = live.clocks();
    let now = clocks.portal.unwrap_or(clocks.here);
    let intent = Intent {
        plan: PROBE.flag.to_owned(),
        tenant: None,
        before: docspace_client::AddressList { entries: Vec::new(), enabled: false },
        add: Vec::new(),
        remove: Vec::new(),
        enable_after: false,
        by: by.clone(),
    };
    let entry = Entry::new(id, intent, (now, clocks.here), TimeDelta::zero(), (by, false)).marked();
    Entry {
        ended: Some(now),
        ..entry.into_state(State::Refused, Some(("it changes nothing", "sie ändert nichts").into()))
    }
}

fn prepare(entry: &mut Entry, (read, account): (Read, Option<Uuid>), trail: &Trail, live: &Live) {
    entry.intent.tenant = read.tenant;
    entry.intent.enable_after = read.list.enabled;
    entry.intent.before = read.list.clone();
    entry.puts.push(Put {
        number: 1,
        purpose: Purpose::Probe,
        account,
        sent: read.list.clone(),
        read: read.list,
        at: entry.accepted,
        here: live.clocks().here,
        known: trail.rows.iter().map(|row| row.event).collect(),
        answer: Answer::None,
        arrived: None,
        events: Vec::new(),
        is_verified: false,
        is_raced: false,
        is_void: false,
    });
}

/// The event of our write, and those of others since the list was read.
async fn noted(live: &Live, entry: &Entry, setup: &Setup<'_, Config>) -> (Option<Row>, Vec<Row>) {
    let known = entry.puts.first().map(|put| put.known.clone()).unwrap_or_default();
    let mut look = 0;
    loop {
        let trail = live.trail(entry).await;
        let (own, others): (Vec<Row>, Vec<Row>) = trail.rows.into_iter().partition(|row| row.is_of(entry, 1));
        look += 1;
        if !own.is_empty() || look >= LOOKS || setup.stopping().is_asked() {
            return (own.into_iter().next(), others.into_iter().filter(|row| !known.contains(&row.event)).collect());
        }
        live.pause(look).await;
    }
}

fn verdict(own: Option<&Row>, others: &[Row]) -> Check {
    if let Some(other) = others.first() {
        let who = PortalText::new(other.name.as_str()).for_terminal();
        return Check::fail(
            PROBE.check,
            format!("{who} wrote the address list at the same moment, and this write may have undone theirs"),
            "ask them to look at the list, and try again",
        );
    }
    let Some(own) = own else {
        return Check::warn(
            PROBE.check,
            "the portal has not noted the write, so nobody knows whether a header passes the list",
            "servers before 3.7 note none; with a newer one, try again",
        );
    };
    let ip = own.ip.clone().unwrap_or_default();
    if ip == CLAIMED.to_string() {
        return Check::fail(
            PROBE.check,
            format!(
                "the portal took this machine for {CLAIMED}, because the header `X-Forwarded-For` said so: whoever sends an address of the list in it passes the list"
            ),
            "let the server trust no proxy but its own (`knownProxies`, `knownNetworks`), and let that proxy replace the header",
        );
    }
    let shown =
        if ip.is_empty() { "an address that it does not tell".to_owned() } else { PortalText::new(ip).for_terminal() };
    Check::ok(
        PROBE.check,
        format!("a forged `X-Forwarded-For` does not pass the list: the portal sees this machine as {shown}"),
    )
}
