//! Neighbours joined to networks. Pure.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use audit_model::AddressRange;

/// A network holds at most so many times the addresses that were seen in it.
const WIDER: u128 = 2;

/// The smallest networks that hold all these addresses and no other one that was seen, each at most one bit wider than what was seen in it.
/// In order of addresses, IPv4 first.
pub(super) fn joined(addresses: &BTreeSet<IpAddr>, others: &BTreeSet<IpAddr>) -> Vec<AddressRange> {
    let numbers = |all: &BTreeSet<IpAddr>, is_v4: bool| -> Vec<u128> {
        all.iter().filter(|ip| ip.is_ipv4() == is_v4).map(|ip| number(*ip)).collect()
    };
    let mut joined = Vec::new();
    for is_v4 in [true, false] {
        let mut found = Vec::new();
        cover(&numbers(addresses, is_v4), &numbers(others, is_v4), &mut found);
        let ranges = found
            .into_iter()
            .filter_map(|(first, last)| AddressRange::new(address(first, is_v4), address(last, is_v4)).ok());
        joined.extend(ranges);
    }
    joined
}

/// Both lists are sorted.
fn cover(addresses: &[u128], others: &[u128], found: &mut Vec<(u128, u128)>) {
    let (Some(first), Some(last)) = (addresses.first(), addresses.last()) else { return };
    let free_bits = u128::BITS - (first ^ last).leading_zeros();
    let mask = 1_u128.checked_shl(free_bits).map_or(u128::MAX, |size| size - 1);
    let (begin, end) = (first & !mask, first | mask);
    let is_seen = others.iter().any(|other| (begin..=end).contains(other));
    if mask < WIDER * addresses.len() as u128 && !is_seen {
        return found.push((begin, end));
    }
    if free_bits == 0 {
        // one address that is both is nobody's fault: it stays alone
        return found.push((begin, end));
    }
    let middle = begin | (1 << (free_bits - 1));
    let (left, right) = addresses.split_at(addresses.partition_point(|address| *address < middle));
    cover(left, others, found);
    cover(right, others, found);
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

fn address(number: u128, is_v4: bool) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if is_v4 => Ipv4Addr::from(number).into(),
        _ => Ipv6Addr::from(number).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(addresses: &[&str]) -> BTreeSet<IpAddr> {
        addresses.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    fn shown(addresses: &[&str], others: &[&str]) -> Vec<String> {
        joined(&set(addresses), &set(others)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn neighbours_become_the_smallest_network() {
        assert_eq!(shown(&["192.0.2.4", "192.0.2.5", "192.0.2.6"], &[]), ["192.0.2.4/30"]);
        assert_eq!(shown(&["192.0.2.5", "192.0.2.6"], &[]), ["192.0.2.4/30"], "one bit wider");
        assert_eq!(shown(&["192.0.2.7", "192.0.2.8"], &[]), ["192.0.2.7", "192.0.2.8"], "three bits would be needed");
        assert_eq!(shown(&["192.0.2.5", "192.0.2.6"], &["192.0.2.7"]), ["192.0.2.5", "192.0.2.6"]);
        assert_eq!(shown(&["2001:db8::2", "2001:db8::3", "192.0.2.9"], &[]), ["192.0.2.9", "2001:db8::2/127"]);
        assert_eq!(shown(&["0.0.0.1", "255.255.255.254"], &[]), ["0.0.0.1", "255.255.255.254"]);
    }

    proptest! {
        #[test]
        fn every_address_is_held_and_no_other_one(
            addresses in proptest::collection::btree_set(0_u32..64, 1..30),
            others in proptest::collection::btree_set(0_u32..64, 0..10),
        ) {
            let ip = |low: &u32| IpAddr::from(Ipv4Addr::from(0xC000_0200 + low));
            let addresses: BTreeSet<IpAddr> = addresses.iter().map(ip).collect();
            let others: BTreeSet<IpAddr> = others.iter().map(ip).filter(|ip| !addresses.contains(ip)).collect();
            let networks = joined(&addresses, &others);
            for network in &networks {
                let held = addresses.iter().filter(|ip| network.contains(**ip)).count() as u128;
                prop_assert!(network.size().unwrap() <= 2 * held);
                prop_assert!(!others.iter().any(|other| network.contains(*other)));
            }
            for address in &addresses {
                prop_assert_eq!(networks.iter().filter(|network| network.contains(*address)).count(), 1);
            }
        }
    }
}
