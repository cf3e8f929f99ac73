//! Addresses as .NET reads and writes them, which is not how anybody else does.
//!
//! Who is let in by them is decided in `portal::admission`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of a text, as `IPAddress.TryParse` takes it.
///
/// Without a colon: one to four numbers, decimal, octal or hexadecimal, the last one filling the remaining bytes.
/// With one: IPv6, perhaps in brackets, perhaps with a port, perhaps with a scope, which is dropped.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    if text.contains(':') { v6(text).map(IpAddr::V6) } else { v4(text).map(IpAddr::V4) }
}

/// The same for an address that may carry a port, as in `X-Forwarded-For`.
pub(crate) fn parse_endpoint(text: &str) -> Option<IpAddr> {
    match text.split_once(':') {
        Some((address, port)) if !port.contains(':') && !address.is_empty() && !address.starts_with('[') => {
            let _: u16 = port.parse().ok()?;
            parse(address)
        }
        _ => parse(text),
    }
}

fn v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 {
        return None;
    }
    let mut address: u64 = 0;
    for part in leading {
        let byte = number(part)?;
        if byte > 255 {
            return None;
        }
        address = address << 8 | byte;
    }
    let bits = 8 * (4 - leading.len());
    let tail = number(last)?;
    if tail >= 1 << bits {
        return None;
    }
    u32::try_from(address << bits | tail).ok().map(Ipv4Addr::from_bits)
}

fn number(text: &str) -> Option<u64> {
    let digits = |text: &str, radix| {
        let plain = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
        plain.then(|| u64::from_str_radix(text, radix).ok()).flatten()
    };
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return digits(hex, 16);
    }
    match text.strip_prefix('0') {
        Some("") => Some(0),
        Some(octal) => digits(octal, 8),
        None => digits(text, 10),
    }
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    let inner = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']')?;
            let port = port.strip_prefix(':').map_or(port.is_empty(), |port| port.chars().all(|c| c.is_ascii_digit()));
            if !port {
                return None;
            }
            inner
        }
        None => text,
    };
    let (address, scope) = inner.split_once('%').unwrap_or((inner, ""));
    if scope.contains([']', '/']) {
        return None;
    }
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_octal_and_hexadecimal_addresses() {
        for (text, address) in [
            ("1", "0.0.0.1"),
            ("1.2", "1.0.0.2"),
            ("192.168.257", "192.168.1.1"),
            ("0x7f000001", "127.0.0.1"),
            ("010.0.0.1", "8.0.0.1"),
            ("192.000.002.001", "192.0.2.1"),
            ("[2001:DB8::1]:443", "2001:db8::1"),
            ("::1%", "::1"),
        ] {
            assert_eq!(parse(text).map(|ip| ip.to_string()).as_deref(), Some(address), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_address() {
        for text in [
            "",
            " 1.2.3.4",
            "08.1.1.1",
            "256.1.1.1",
            "1.2.3.4.",
            "1.2.3.4.5",
            "4294967296",
            "10.0.0.0/8",
            "1.2.3.4:80",
            "::1%x/64",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn ports_are_dropped_from_forwarded_addresses() {
        assert_eq!(parse_endpoint("192.0.2.1:4711"), parse("192.0.2.1"));
        assert_eq!(parse_endpoint("[2001:db8::1]:4711"), parse("2001:db8::1"));
        assert_eq!(parse_endpoint("garbage"), None);
    }
}
