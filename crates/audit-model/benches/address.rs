//! How fast an address is found among 100 000 entries, next to asking every entry. Prints the ratio from one run.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use audit_model::{AddressRange, AddressSet};

const ENTRIES: u32 = 100_000;
/// Few enough that the linear side ends soon.
const LOOKUPS: u32 = 2_000;
/// The best of so many counts: the machine is not ours alone.
const ROUNDS: u32 = 20;

fn main() -> io::Result<()> {
    // every other /28 of a large network, and lookups that hit and miss in turn
    let entry = |n: u32| AddressRange::new(ip(n * 32), ip(n * 32 + 15)).expect("both ends are IPv4 and in order");
    let entries: Vec<AddressRange> = (0..ENTRIES).map(entry).collect();
    let asked: Vec<IpAddr> = (0..LOOKUPS).map(|n| ip(n.wrapping_mul(2_654_435_761) % (ENTRIES * 32))).collect();

    let started = Instant::now();
    let set: AddressSet = entries.iter().copied().collect();
    let built = started.elapsed();
    // the first round only fetches the set into the caches
    let mut found = Vec::new();
    let mut searched = std::time::Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        found = asked.iter().map(|ip| set.entry_of(*ip)).collect();
        searched = searched.min(started.elapsed());
    }
    let started = Instant::now();
    let scanned: Vec<Option<usize>> =
        asked.iter().map(|ip| entries.iter().position(|entry| entry.contains(*ip))).collect();
    let linear = started.elapsed();
    assert_eq!(found, scanned, "both ways agree");

    let mut out = io::stdout().lock();
    let hits = found.iter().flatten().count();
    writeln!(out, "{ENTRIES} entries, {LOOKUPS} lookups, {hits} hits: built in {built:?}")?;
    writeln!(
        out,
        "  set {searched:?}, linear scan {linear:?}, ratio {:.0}",
        linear.as_secs_f64() / searched.as_secs_f64().max(f64::EPSILON)
    )
}

fn ip(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0b00_0000 + n).into()
}
