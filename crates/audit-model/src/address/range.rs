//! One entry of a list as people write it: an address, a network, or a range.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses from the first to the last, both included, of one family. IPv4-mapped addresses are IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressRange {
    V4 { first: Ipv4Addr, last: Ipv4Addr },
    V6 { first: Ipv6Addr, last: Ipv6Addr },
}

/// Why a text is no entry of a list. Each continues the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("is not an address, network (`192.0.2.0/24`) or range (`192.0.2.1-192.0.2.9`)")]
    NoAddress,
    #[error("has a prefix that is not a number from 0 to {longest}")]
    Prefix { longest: u32 },
    #[error("has bits behind its prefix; the network is `{network}`, the address alone `{address}`")]
    HostBits { network: String, address: IpAddr },
    #[error("ends before it begins; swap both ends")]
    Reversed,
    #[error("begins in one address family and ends in the other")]
    TwoFamilies,
}

/// The first address of the IPv4-mapped network of IPv6.
const MAPPED: u128 = 0xffff_0000_0000;
/// The prefix of that network.
const MAPPED_PREFIX: u32 = 96;

impl AddressRange {
    /// The addresses from `first` to `last`.
    ///
    /// # Errors
    /// `Reversed` and `TwoFamilies`.
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, RangeError> {
        let range = match (first.to_canonical(), last.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => AddressRange::V4 { first, last },
            (IpAddr::V6(first), IpAddr::V6(last)) => AddressRange::V6 { first, last },
            _ => return Err(RangeError::TwoFamilies),
        };
        let (_, first, last) = range.bits();
        if first > last { Err(RangeError::Reversed) } else { Ok(range) }
    }

    fn network(ip: IpAddr, prefix: u32) -> Result<Self, RangeError> {
        let (ip, prefix) = match (ip, ip.to_canonical()) {
            // a network inside the IPv4-mapped one
            (IpAddr::V6(_), IpAddr::V4(mapped)) if (MAPPED_PREFIX..=128).contains(&prefix) => {
                (IpAddr::V4(mapped), prefix - MAPPED_PREFIX)
            }
            (written, _) => (written, prefix),
        };
        let longest = if ip.is_ipv4() { 32 } else { 128 };
        if prefix > longest {
            return Err(RangeError::Prefix { longest });
        }
        let hosts = if ip.is_ipv4() {
            u128::from(u32::MAX.checked_shr(prefix).unwrap_or(0))
        } else {
            u128::MAX.checked_shr(prefix).unwrap_or(0)
        };
        let bits = bits_of(ip);
        let network = address(ip.is_ipv4(), bits & !hosts);
        if network != ip {
            return Err(RangeError::HostBits { network: format!("{network}/{prefix}"), address: ip });
        }
        // not folded: `::/0` must not become a network of IPv4
        match (network, address(ip.is_ipv4(), bits | hosts)) {
            (IpAddr::V4(first), IpAddr::V4(last)) => Ok(AddressRange::V4 { first, last }),
            (IpAddr::V6(first), IpAddr::V6(last)) => Ok(AddressRange::V6 { first, last }),
            _ => Err(RangeError::TwoFamilies),
        }
    }

    /// The network of 2^64 addresses around a single IPv6 address, in which a host changes its address as it likes; everything
    /// else stays as it is.
    #[must_use]
    pub fn widened_to_64(self) -> Self {
        match self {
            AddressRange::V6 { first, last } if first == last => {
                let low = u128::from(u64::MAX);
                AddressRange::V6 {
                    first: Ipv6Addr::from_bits(first.to_bits() & !low),
                    last: Ipv6Addr::from_bits(first.to_bits() | low),
                }
            }
            other => other,
        }
    }

    /// The network that an address counts to when people and places are told apart: /24 of IPv4, /64 of IPv6.
    #[must_use]
    pub fn neighbourhood(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => AddressRange::V4 {
                first: Ipv4Addr::from_bits(ip.to_bits() & !0xff),
                last: Ipv4Addr::from_bits(ip.to_bits() | 0xff),
            },
            IpAddr::V6(ip) => AddressRange::V6 { first: ip, last: ip }.widened_to_64(),
        }
    }

    /// Both as one, when `next` begins right behind the end of this one.
    #[must_use]
    pub fn followed_by(self, next: AddressRange) -> Option<Self> {
        let ((is_v4, first, last), (next_is_v4, next_first, next_last)) = (self.bits(), next.bits());
        let touches = is_v4 == next_is_v4 && last.checked_add(1) == Some(next_first);
        touches.then(|| AddressRange::new(address(is_v4, first), address(is_v4, next_last)).ok()).flatten()
    }

    /// Whether the address is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let (is_v4, first, last) = self.bits();
        ip.is_ipv4() == is_v4 && (first..=last).contains(&bits_of(ip))
    }

    /// How many addresses it has; `None` for all of IPv6, which is one more than can be counted.
    pub fn size(&self) -> Option<u128> {
        let (_, first, last) = self.bits();
        (last - first).checked_add(1)
    }

    /// Its addresses, first to last.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let (is_v4, first, last) = self.bits();
        (first..=last).map(move |bits| address(is_v4, bits))
    }

    /// Whether it is IPv4, and both ends as numbers.
    pub(super) fn bits(&self) -> (bool, u128, u128) {
        match self {
            AddressRange::V4 { first, last } => (true, first.to_bits().into(), last.to_bits().into()),
            AddressRange::V6 { first, last } => (false, first.to_bits(), last.to_bits()),
        }
    }
}

pub(super) fn bits_of(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn address(is_v4: bool, bits: u128) -> IpAddr {
    match u32::try_from(bits) {
        Ok(bits) if is_v4 => Ipv4Addr::from_bits(bits).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    /// Reads `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`, and the same with IPv6. Blanks around the parts are allowed; ports,
    /// brackets and scopes are not.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let ip = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| RangeError::NoAddress);
        if let Some((first, last)) = text.split_once('-') {
            return AddressRange::new(ip(first)?, ip(last)?);
        }
        let Some((network, prefix)) = text.split_once('/') else { return AddressRange::new(ip(text)?, ip(text)?) };
        let network = ip(network)?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let digits = prefix.trim();
        let prefix = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        AddressRange::network(network, prefix.ok_or(RangeError::Prefix { longest })?)
    }
}

impl fmt::Display for AddressRange {
    /// One form for each set of addresses: an address, else a network, else a range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is_v4, first, last) = self.bits();
        let (from, to) = (address(is_v4, first), address(is_v4, last));
        let hosts = first ^ last;
        if first == last {
            return write!(f, "{from}");
        }
        let is_network = hosts & hosts.wrapping_add(1) == 0 && first & hosts == 0;
        let reads_as_v4 = !is_v4 && (first >> 32 == MAPPED >> 32 || last >> 32 == MAPPED >> 32);
        if is_network && !reads_as_v4 {
            let free = u128::BITS - hosts.leading_zeros();
            return write!(f, "{from}/{}", if is_v4 { 32 - free } else { 128 - free });
        }
        write!(f, "{from}-{to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().unwrap_or_else(|error| panic!("{text} {error}"))
    }

    #[test]
    fn each_set_has_one_form() {
        for (text, form) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.0-192.0.2.255", "192.0.2.0/24"),
            (" 192.0.2.0 - 192.0.2.254 ", "192.0.2.0-192.0.2.254"),
            ("192.0.2.1-192.0.2.2", "192.0.2.1-192.0.2.2"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("2001:db8::-2001:db8::ffff", "2001:db8::/112"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:192.0.2.1-::ffff:192.0.2.9", "192.0.2.1-192.0.2.9"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(range(text).to_string(), form, "{text}");
            assert_eq!(range(form), range(text), "{text}");
        }
    }

    #[test]
    fn both_ends_belong_to_it_and_nothing_beyond() {
        let inside = |entry: &str, ip: &str| range(entry).contains(ip.parse().unwrap());
        for (entry, first, last, before, behind) in [
            ("192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
            ("192.0.2.5-192.0.2.9", "192.0.2.5", "192.0.2.9", "192.0.2.4", "192.0.2.10"),
            ("2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db8:0:1::"),
        ] {
            assert!(inside(entry, first) && inside(entry, last), "{entry}");
            assert!(!inside(entry, before) && !inside(entry, behind), "{entry}");
        }
        assert!(inside("192.0.2.0/24", "::ffff:192.0.2.9"), "mapped");
        assert!(!inside("::/0", "192.0.2.9") && !inside("0.0.0.0/0", "2001:db8::1"), "families stay apart");
    }

    #[test]
    fn what_is_no_entry() {
        let error = |text: &str| text.parse::<AddressRange>().expect_err(text);
        for text in [
            "",
            "x",
            "192.0.2",
            "192.0.2.*",
            "010.0.0.1",
            "192.0.2.1:80",
            "[::1]",
            "fe80::1%1",
            "1-2",
            "1.2.3.4-",
            "a/8",
        ] {
            assert_eq!(error(text), RangeError::NoAddress, "{text}");
        }
        for text in
            ["192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.0/24/8", "2001:db8::/129", "::ffff:192.0.2.0/129"]
        {
            assert!(matches!(error(text), RangeError::Prefix { .. }), "{text}");
        }
        assert!(error("192.0.2.5/24").to_string().contains("`192.0.2.0/24`"));
        assert_eq!(error("192.0.2.9-192.0.2.5"), RangeError::Reversed);
        assert_eq!(error("192.0.2.9-2001:db8::1"), RangeError::TwoFamilies);
    }

    #[test]
    fn sizes_and_neighbourhoods() {
        assert_eq!(range("192.0.2.0/24").size(), Some(256));
        assert_eq!(range("::/0").size(), None);
        assert_eq!(range("192.0.2.254-192.0.3.1").addresses().count(), 4);
        let joined = |a: &str, b: &str| range(a).followed_by(range(b)).map(|range| range.to_string());
        assert_eq!(joined("192.0.2.0/25", "192.0.2.128/25").as_deref(), Some("192.0.2.0/24"));
        assert_eq!((joined("192.0.2.1", "192.0.2.3"), joined("192.0.2.1", "::c000:202")), (None, None));
        let around = |ip: &str| AddressRange::neighbourhood(ip.parse().unwrap()).to_string();
        assert_eq!(around("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(around("2001:db8::1:2:3:4"), "2001:db8::/64");
        assert_eq!(range("2001:db8::5").widened_to_64().to_string(), "2001:db8::/64");
        assert_eq!(range("2001:db8::/127").widened_to_64().to_string(), "2001:db8::/127");
        assert_eq!(range("192.0.2.1").widened_to_64().to_string(), "192.0.2.1");
    }
}
