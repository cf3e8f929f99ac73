//! The portal's own way with its list: texts are compared, not addresses, and odd entries make it fail. Pure.
//!
//! What is said here about the server is recorded in `fixtures/recorded/iprestrictions-*.json`; a test holds it against that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use audit_model::{Address, PortalText};
use docspace_client::{AddressList, ListEntry};

/// Somebody who asks the portal for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) is_owner: bool,
    pub(crate) is_admin: bool,
    pub(crate) address: IpAddr,
}

/// What the portal does with a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    Admitted,
    Refused,
}

/// How the portal rules, going by list and switch alone.
///
/// An entry that makes it fail counts as refusing although one before it may match: the portal's order of entries is none to rely on.
pub(crate) fn rule(list: &AddressList, caller: &Caller) -> Ruling {
    if !list.enabled || caller.is_owner || list.entries.is_empty() {
        return Ruling::Admitted;
    }
    let text = caller.address.to_string();
    let fails = list.entries.iter().any(|entry| Trouble::of(entry).is_some_and(Trouble::stops_everybody));
    let counting = list.entries.iter().filter(|entry| !entry.for_admin || caller.is_admin);
    let matches = |entry: &ListEntry| match range(entry.ip.raw()) {
        Some((first, last)) => caller.address.is_ipv6() && (first..=last).contains(&caller.address),
        None => entry.ip.raw() == text,
    };
    if !fails && (counting.into_iter().any(matches) || caller.address.is_loopback()) {
        Ruling::Admitted
    } else {
        Ruling::Refused
    }
}

/// What the portal does with whoever comes from where it noted, the owner apart; `None` when what it noted does not tell.
pub(crate) fn noted(list: &AddressList, ip: &PortalText, is_admin: bool) -> Option<Ruling> {
    match Address::parse(ip.raw()) {
        Address::V4(_) | Address::V6(_) | Address::Private(_) => {
            let address = Address::parse(ip.raw()).ip()?;
            Some(rule(list, &Caller { is_owner: false, is_admin, address }))
        }
        // refused for sure when no entry begins like that
        Address::Stump(group) if list.entries.is_empty() || !begins_like(&list.entries, group) => {
            Some(if list.entries.is_empty() { Ruling::Admitted } else { Ruling::Refused })
        }
        Address::Stump(_) | Address::Empty | Address::NotAnAddress => None,
    }
}

fn begins_like(entries: &[ListEntry], group: u16) -> bool {
    let addresses = entries.iter().filter_map(|entry| entry.ip.raw().parse::<Ipv6Addr>().ok());
    addresses.into_iter().any(|ip| ip.segments()[0] == group)
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// No address at all: the portal cannot even read its list, and refuses everybody but the owner.
    Unreadable,
    /// A scope with `-`: comparing fails, and everybody but the owner is refused.
    Breaks,
    /// Taken for a range of IPv6 addresses, which nobody who wrote it will have meant.
    Range,
    /// An address that is written in another way than the portal writes it, so nobody ever matches.
    NeverMatches,
}

impl Trouble {
    /// What is wrong with the entry; `None` for one that does what it says.
    pub(crate) fn of(entry: &ListEntry) -> Option<Self> {
        let text = entry.ip.raw();
        let Some(ip) = dotnet_address(text) else { return Some(Trouble::Unreadable) };
        if text.contains('-') {
            return Some(if range(text).is_some() { Trouble::Range } else { Trouble::Breaks });
        }
        let is_canonical = audit_model::portal_form(ip).is_ok_and(|form| form == text);
        (!is_canonical).then_some(Trouble::NeverMatches)
    }

    pub(crate) fn stops_everybody(self) -> bool {
        matches!(self, Trouble::Unreadable | Trouble::Breaks)
    }
}

/// The range that an entry with a scope like `%x-2001:db8::ff` is taken for.
fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = text.split_once('-')?;
    Some((dotnet_address(first)?, dotnet_address(last)?))
}

/// The address of a text as .NET reads it: without a colon one to four numbers, decimal, octal or hexadecimal, the last of which
/// fills the remaining bytes; with one IPv6, perhaps in brackets, with a port or a scope, which are dropped.
fn dotnet_address(text: &str) -> Option<IpAddr> {
    if !text.contains(':') {
        return dotnet_v4(text).map(IpAddr::V4);
    }
    let inner = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']')?;
            let is_end =
                port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
            is_end.then_some(inner)?
        }
        None => text,
    };
    let (address, scope) = inner.split_once('%').unwrap_or((inner, ""));
    let ip: Ipv6Addr = address.parse().ok()?;
    (!scope.contains([']', '/'])).then_some(IpAddr::V6(ip))
}

fn dotnet_v4(text: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u64> = text.split('.').map(dotnet_number).collect::<Option<_>>()?;
    let (last, leading) = numbers.split_last()?;
    let free_bits = 32_u32.checked_sub(8 * u32::try_from(leading.len()).ok()?).filter(|bits| *bits > 0)?;
    if leading.iter().any(|number| *number > 255) || *last >= 1 << free_bits {
        return None;
    }
    let high = leading.iter().fold(0, |bits, number| bits << 8 | number);
    u32::try_from(high << free_bits | last).ok().map(Ipv4Addr::from_bits)
}

fn dotnet_number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let is_plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    is_plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests;
