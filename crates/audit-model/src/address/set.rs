//! Many entries, asked quickly.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::AddressRange;
use super::range::bits_of;

/// A set of addresses made of entries, which tells by which entry an address belongs to it.
///
/// Entries may overlap; they are cut into stretches that do not, so a lookup is one binary search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    v4: Vec<Stretch>,
    v6: Vec<Stretch>,
}

/// Addresses that the same entry stands for, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    first: u128,
    last: u128,
    entry: usize,
}

impl FromIterator<AddressRange> for AddressSet {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(entries: I) -> Self {
        let entries: Vec<(bool, u128, u128)> = entries.into_iter().map(|entry| entry.bits()).collect();
        let family = |is_v4| {
            let own = entries.iter().enumerate().filter(|(_, entry)| entry.0 == is_v4);
            stretches(own.map(|(entry, (_, first, last))| Stretch { first: *first, last: *last, entry }))
        };
        AddressSet { v4: family(true), v6: family(false) }
    }
}

/// Cuts overlapping stretches; where several entries hold, the one that came first counts.
fn stretches(entries: impl Iterator<Item = Stretch>) -> Vec<Stretch> {
    // where an entry begins, and the address behind its end; none behind the very last address
    let mut edges: Vec<(u128, bool, usize)> = Vec::new();
    for Stretch { first, last, entry } in entries {
        edges.push((first, true, entry));
        edges.extend(last.checked_add(1).map(|behind| (behind, false, entry)));
    }
    edges.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::new();
    let mut holding = BTreeSet::new();
    let mut edges = edges.into_iter().peekable();
    while let Some((at, begins, entry)) = edges.next() {
        if begins {
            holding.insert(entry)
        } else {
            holding.remove(&entry)
        };
        let next = edges.peek().map(|(next, ..)| *next);
        if next == Some(at) {
            continue;
        }
        let Some(&entry) = holding.first() else { continue };
        let last = next.map_or(u128::MAX, |next| next - 1);
        match merged.last_mut().filter(|known| known.entry == entry && known.last.checked_add(1) == Some(at)) {
            Some(known) => known.last = last,
            None => merged.push(Stretch { first: at, last, entry }),
        }
    }
    merged
}

impl AddressSet {
    /// The position of the first entry that the address belongs to, counted from 0 in the order in which the entries were given.
    pub fn entry_of(&self, ip: IpAddr) -> Option<usize> {
        let ip = ip.to_canonical();
        let (stretches, bits) = (if ip.is_ipv4() { &self.v4 } else { &self.v6 }, bits_of(ip));
        let behind = stretches.partition_point(|stretch| stretch.first <= bits);
        let stretch = stretches[..behind].last()?;
        (bits <= stretch.last).then_some(stretch.entry)
    }

    /// Whether any entry is of IPv6.
    pub fn has_v6(&self) -> bool {
        !self.v6.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn set(entries: &[&str]) -> AddressSet {
        entries.iter().map(|entry| entry.parse::<AddressRange>().unwrap()).collect()
    }

    #[test]
    fn the_first_entry_counts_and_the_others_show_behind_its_ends() {
        let set = set(&["192.0.2.64/26", "192.0.2.0/24", "192.0.2.128", "2001:db8::/32"]);
        let entry = |ip: &str| set.entry_of(ip.parse().unwrap());
        assert_eq!((entry("192.0.2.63"), entry("192.0.2.64"), entry("192.0.2.127")), (Some(1), Some(0), Some(0)));
        assert_eq!((entry("192.0.2.128"), entry("192.0.2.255"), entry("192.0.3.0")), (Some(1), Some(1), None));
        assert_eq!((entry("2001:db8::1"), entry("2001:db9::")), (Some(3), None));
        assert_eq!(entry("::ffff:192.0.2.64"), Some(0));
    }

    #[test]
    fn the_last_address_of_all_belongs_too() {
        let set = set(&["255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0/112", "::/0"]);
        assert_eq!(set.entry_of(IpAddr::V4(Ipv4Addr::BROADCAST)), Some(0));
        assert_eq!(set.entry_of(IpAddr::V6(Ipv6Addr::from_bits(u128::MAX))), Some(1));
        assert_eq!(set.entry_of("::2".parse().unwrap()), Some(2));
        assert_eq!(AddressSet::default().entry_of("::2".parse().unwrap()), None);
    }

    /// Numbers close to each other and to both ends, so that entries overlap and touch.
    fn crowded() -> impl Strategy<Value = IpAddr> {
        let v4 = prop_oneof![0..40u32, 0xffff_ffd8..=u32::MAX].prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
        // away from the mapped network, whose addresses are IPv4
        let v6 =
            prop_oneof![0..40u128, u128::MAX - 40..=u128::MAX].prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
        prop_oneof![v4, v6]
    }

    fn entry() -> impl Strategy<Value = AddressRange> {
        (crowded(), crowded())
            .prop_filter_map("one family", |(a, b)| AddressRange::new(a, b).or_else(|_| AddressRange::new(b, a)).ok())
    }

    proptest! {
        #[test]
        fn lookups_agree_with_asking_every_entry(
            entries in prop::collection::vec(entry(), 0..30),
            asked in prop::collection::vec(crowded(), 1..60),
        ) {
            let set: AddressSet = entries.iter().copied().collect();
            for ip in asked {
                let brute = entries.iter().position(|entry| entry.contains(ip));
                prop_assert_eq!(set.entry_of(ip), brute, "{}", ip);
            }
        }

        /// A network and its range are the same set, and what is printed reads back as the same.
        #[test]
        fn a_network_is_its_range(bits in any::<u128>(), prefix in 0..=128u32, is_v4 in any::<bool>()) {
            let (ip, prefix) = if is_v4 {
                (IpAddr::V4(Ipv4Addr::from_bits(bits as u32)), prefix % 33)
            } else {
                (IpAddr::V6(Ipv6Addr::from_bits(bits)), prefix)
            };
            let network = match format!("{ip}/{prefix}").parse::<AddressRange>() {
                Ok(network) => network,
                Err(super::super::RangeError::HostBits { network, .. }) => network.parse().unwrap(),
                Err(error) => panic!("{error}"),
            };
            prop_assert!(network.contains(ip));
            prop_assert_eq!(network.to_string().parse::<AddressRange>(), Ok(network));
            if let Some(first) = network.addresses().next() {
                let last = match network { AddressRange::V4 { last, .. } => IpAddr::V4(last), AddressRange::V6 { last, .. } => IpAddr::V6(last) };
                prop_assert_eq!(format!("{first}-{last}").parse::<AddressRange>(), Ok(network));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC*", dotted in "[0-9a-fx.:/%\\[\\]-]{0,30}") {
            for text in [text, dotted] {
                let _ = text.parse::<AddressRange>();
                if let Some(ip) = crate::Address::parse(&text).ip() {
                    prop_assert_eq!(crate::Address::parse(&ip.to_string()).ip(), Some(ip));
                }
            }
        }
    }
}
