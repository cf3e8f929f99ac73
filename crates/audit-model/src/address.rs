//! Addresses as the portal notes them, and as people write them into lists.
//!
//! What the portal notes is a claim, and often a piece of one: every caller can set it, and on output everything from the first
//! colon on is cut. So a text is judged before it is compared, and what cannot be judged is never taken for an address.

mod range;
mod set;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::PortalText;

pub use range::{AddressRange, RangeError};
pub use set::AddressSet;

/// What a noted address is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A public IPv4 address; an IPv4-mapped IPv6 address is one too.
    V4(Ipv4Addr),
    /// A public IPv6 address in full. The portal's lists never hold one.
    V6(Ipv6Addr),
    /// An address of a private, shared, local or loopback network: it says who the caller is only inside that network.
    Private(IpAddr),
    /// The first group of an IPv6 address, the rest was cut.
    Stump(u16),
    /// Nothing: an IPv6 address that begins with a colon, such as an IPv4-mapped one, or no address at all.
    Empty,
    /// A text that no server notes by itself: somebody has set it.
    NotAnAddress,
}

impl Address {
    /// Judges what an event says.
    pub fn of(noted: Option<&PortalText>) -> Self {
        noted.map_or(Address::Empty, |text| Address::parse(text.raw()))
    }

    /// Judges a text. Ports and brackets are cut, a scope is dropped, and IPv4-mapped addresses are IPv4 addresses.
    ///
    /// Forms that only some programs read as an address (`010.0.0.1`, `192.168.257`, `0x7f000001`) are none: the portal writes
    /// addresses in one form only.
    pub fn parse(text: &str) -> Self {
        if text.is_empty() {
            return Address::Empty;
        }
        match parse_full(text) {
            Some(ip) => Address::from(ip),
            None => stump(text).map_or(Address::NotAnAddress, Address::Stump),
        }
    }

    /// The address, where there is a whole one.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Address::V4(ip) => Some(ip.into()),
            Address::V6(ip) => Some(ip.into()),
            Address::Private(ip) => Some(ip),
            Address::Stump(_) | Address::Empty | Address::NotAnAddress => None,
        }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            ip if is_private(ip) => Address::Private(ip),
            IpAddr::V4(ip) => Address::V4(ip),
            IpAddr::V6(ip) => Address::V6(ip),
        }
    }
}

/// A whole address, perhaps with a port, in brackets, or with a scope; IPv4-mapped ones folded.
fn parse_full(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Some(ip.into());
    }
    if let Some((address, port)) = text.split_once(':')
        && let Ok(ip) = address.parse::<Ipv4Addr>()
    {
        return is_port(port).then_some(ip.into());
    }
    let inner = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, after) = rest.split_once(']')?;
            let is_end = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
            is_end.then_some(inner)?
        }
        None => text,
    };
    let (address, scope) = inner.split_once('%').unwrap_or((inner, "0"));
    let is_scope = !scope.is_empty() && scope.chars().all(|c| c.is_ascii_alphanumeric());
    let ip: Ipv6Addr = address.parse().ok().filter(|_| is_scope)?;
    Some(IpAddr::from(ip).to_canonical())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// What is left of an IPv6 address after the cut: one group of up to four hexadecimal digits, perhaps behind a bracket.
fn stump(text: &str) -> Option<u16> {
    let group = text.strip_prefix('[').unwrap_or(text);
    let is_group = (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_group.then(|| u16::from_str_radix(group, 16).ok()).flatten()
}

/// Networks whose addresses mean something only inside: RFC 1918, 6598 (carriers), 3927, 4193, 4291, loopback, unspecified.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Why an address has no place in the portal's own list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    #[error("stands for no single caller")]
    NotOneCaller,
    #[error("is written differently by the portal, and so would never match")]
    OtherSpelling,
}

/// The one text under which the portal recognises an address, because it compares texts: IPv4-mapped addresses as IPv4, IPv6 in
/// lower case with the longest run of zeros left out.
///
/// # Errors
/// For the unspecified address and multicast, and for the forms that the portal writes with a dotted end.
pub fn portal_form(ip: IpAddr) -> Result<String, NoEntry> {
    let ip = ip.to_canonical();
    if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(NoEntry::NotOneCaller);
    }
    if let IpAddr::V6(ip) = ip
        && !ip.is_loopback()
        && ends_dotted(ip)
    {
        return Err(NoEntry::OtherSpelling);
    }
    Ok(ip.to_string())
}

/// `::a.b.c.d`, `::ffff:0:a.b.c.d` and ISATAP, which .NET writes with a dotted end.
fn ends_dotted(ip: Ipv6Addr) -> bool {
    let groups = ip.segments();
    let is_isatap = matches!(groups[4..6], [0 | 0x0200, 0x5efe]);
    let is_old = groups[..4] == [0; 4] && (groups[4..6] == [0, 0] || groups[4..6] == [0xffff, 0]);
    is_isatap || is_old
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Address {
        Address::V4(text.parse().unwrap())
    }

    fn v6(text: &str) -> Address {
        Address::V6(text.parse().unwrap())
    }

    fn private(text: &str) -> Address {
        Address::Private(text.parse().unwrap())
    }

    #[test]
    fn whole_addresses_in_every_dress() {
        for (text, expected) in [
            ("192.0.2.1", v4("192.0.2.1")),
            ("192.0.2.1:5555", v4("192.0.2.1")),
            ("::ffff:192.0.2.1", v4("192.0.2.1")),
            ("::FFFF:c000:201", v4("192.0.2.1")),
            ("[::ffff:192.0.2.1]:443", v4("192.0.2.1")),
            ("2001:db8::1", v6("2001:db8::1")),
            ("2001:DB8:0:0:0:0:0:1", v6("2001:db8::1")),
            ("2001:0db8::1", v6("2001:db8::1")),
            ("[2001:db8::1]", v6("2001:db8::1")),
            ("[2001:db8::1]:443", v6("2001:db8::1")),
            ("2001:db8::192.0.2.1", v6("2001:db8::c000:201")),
            ("fe80::1%eth0", private("fe80::1")),
            ("::1", private("::1")),
            ("10.0.0.1", private("10.0.0.1")),
            ("10.0.0.1:5555", private("10.0.0.1")),
            ("::ffff:10.0.0.1", private("10.0.0.1")),
            ("100.64.0.1", private("100.64.0.1")),
            ("100.128.0.1", v4("100.128.0.1")),
            ("172.32.0.1", v4("172.32.0.1")),
            ("169.254.1.1", private("169.254.1.1")),
            ("127.0.0.1", private("127.0.0.1")),
            ("fd00::1", private("fd00::1")),
        ] {
            assert_eq!(Address::parse(text), expected, "{text}");
        }
    }

    /// What the portal shows of `2001:db8::1`, `[2001:db8::1]:443`, `::1`, `::ffff:10.0.0.1`, and of texts that callers set.
    #[test]
    fn what_is_left_after_the_cut() {
        for (text, expected) in [
            ("2001", Address::Stump(0x2001)),
            ("[2001", Address::Stump(0x2001)),
            ("fe80", Address::Stump(0xfe80)),
            ("1", Address::Stump(1)),
            ("", Address::Empty),
            ("[", Address::NotAnAddress),
        ] {
            assert_eq!(Address::parse(text), expected, "{text:?}");
        }
        assert_eq!(Address::of(None), Address::Empty);
    }

    #[test]
    fn texts_that_no_server_notes() {
        for text in [
            "1.2",
            "192.168.257",
            "0x7f000001",
            "2130706433",
            "127.1",
            "010.0.0.1",
            "192.000.002.001",
            "256.1.1.1",
            "1.2.3.4.",
            " 1.2.3.4",
            "1.2.3.4 ",
            "1.2.3.4\n",
            "1.2.3.4:",
            "1.2.3.4:http",
            "1.2.3.4:70000",
            "1.2.3.4:+1",
            "10.0.0.0/8",
            "10.0.0.1-10.0.0.9",
            "2001:db8::/32",
            "::1%",
            "::1%a-b",
            "2001:db8::1%x-2001:db8::ff",
            "[192.0.2.1]",
            "[2001:db8::1",
            "[2001:db8::1]x",
            "2001:db8::1::2",
            "12345::1",
            "2001:",
            "localhost",
            "office",
            "20017",
            "２.2.2.2",
            "<b>",
        ] {
            assert_eq!(Address::parse(text), Address::NotAnAddress, "{text:?}");
        }
    }

    #[test]
    fn the_portals_spelling() {
        let form = |text: &str| portal_form(text.parse().unwrap());
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8::192.0.2.1", "2001:db8::c000:201"),
            ("::1", "::1"),
        ] {
            assert_eq!(form(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0"] {
            assert_eq!(form(text), Err(NoEntry::NotOneCaller), "{text}");
        }
        for text in ["::192.0.2.1", "::ffff:0:c000:201", "fe80::5efe:c000:201", "2001:db8::200:5efe:c000:201"] {
            assert_eq!(form(text), Err(NoEntry::OtherSpelling), "{text}");
        }
    }
}
