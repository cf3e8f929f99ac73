//! Every recorded exchange against a simulator in the same state.
//!
//! `worlds` builds the state that a recording's host label means, `exchange` reads the recordings and asks, `compare`
//! says what counts as the same, `known` lists what differs and why. The answers come from the simulator's rules: the
//! worlds hold rows, never answers.

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod exchange;
mod known;
mod rows;
mod stand_in;
mod worlds;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use exchange::Exchange;
use known::Verdict;
use portal_sim::PortalSim;
use worlds::Dates;

/// What came of one file.
#[derive(Default)]
struct Tally {
    matched: usize,
    known: usize,
    set_up: usize,
    total: usize,
}

#[tokio::test]
async fn every_recorded_exchange_is_answered_as_recorded() {
    let mut unknown = Vec::new();
    let mut used = BTreeSet::new();
    let mut sum = Tally::default();
    for file in exchange::files() {
        let mut tally = Tally::default();
        let mut sims: BTreeMap<String, (PortalSim, Dates)> = BTreeMap::new();
        for exchange in exchange::read(&file) {
            tally.total += 1;
            match known::verdict(&file, &exchange) {
                Verdict::SetUp => tally.set_up += 1,
                Verdict::Compare(reason) => {
                    let mut asked = stand_in::real_request(&file, &exchange);
                    let (sim, dates) = match sims.entry(exchange.host.clone()) {
                        Entry::Occupied(entry) => entry.into_mut(),
                        Entry::Vacant(entry) => {
                            let sim = worlds::start(&file, &exchange.host).await;
                            let dates = Dates::of(&sim);
                            entry.insert((sim, dates))
                        }
                    };
                    worlds::prepare(&file, &exchange, sim);
                    worlds::sign(sim, &mut asked);
                    let answer = exchange::ask(sim, &asked).await;
                    let difference = compare::difference(&file, &exchange, &answer, dates);
                    if exchange.method != "GET" && !worlds::is_stateful(&file) {
                        // what these requests change was not there for the recordings that follow
                        sims.remove(&exchange.host);
                    }
                    match (difference, reason) {
                        (None, _) => tally.matched += 1,
                        (Some(_), Some(entry)) => {
                            tally.known += 1;
                            used.insert(entry);
                        }
                        (Some(text), None) => unknown.push(describe(&file, &exchange, &text)),
                    }
                }
            }
        }
        println!("{}", line(&file, &tally));
        sum.matched += tally.matched;
        sum.known += tally.known;
        sum.set_up += tally.set_up;
        sum.total += tally.total;
    }
    println!("{}", line("all files", &sum));
    for (index, (what, reason)) in known::DIFFERENCES.iter().enumerate() {
        println!("known difference, {what}: {reason}");
        if !used.contains(&index) {
            unknown.push(format!("{what}: listed as a known difference, and everything matches"));
        }
    }
    assert!(unknown.is_empty(), "{} unknown differences:\n{}", unknown.len(), unknown.join("\n"));
    assert!(sum.matched > 1000, "only {} exchanges matched", sum.matched);
}

fn line(name: &str, tally: &Tally) -> String {
    let Tally { matched, known, set_up, total } = tally;
    format!("{name:38} {matched:5} matched {known:4} known difference {set_up:4} set-up {total:5} total")
}

fn describe(file: &str, exchange: &Exchange, difference: &str) -> String {
    format!("{file}: {} [{} {}]\n    {difference}", exchange.name, exchange.method, exchange.target)
}
