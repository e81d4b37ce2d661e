//! Which addresses alerts may go to: those that everybody reaches, unless the configuration says
//! otherwise.
//!
//! Whoever may write the address of a webhook could otherwise have this server knock at machines
//! that only it reaches: the cloud's metadata, a database, itself.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

/// Whether an address belongs to the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // This network, private, loopback, multicast and reserved.
        (0 | 10 | 127 | 224.., ..) => true,
        // Carriers' own, link-local, private.
        (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => {
            true
        }
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, .., g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match (a, b) {
        // NAT64 and 6to4 lead to the address that they hold.
        (0x64, 0xff9b) => address.segments().get(2..6) == Some(&[0; 4]) && v4(g, h),
        (0x2002, _) => v4(b, address.segments().get(2).copied().unwrap_or_default()),
        // Teredo, documentation, benchmarks and other assignments for protocols.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // What is handed out to everybody is 2000::/3.
        _ => a & 0xe000 == 0x2000,
    }
}

/// The addresses of `host:port`, if all of them may be used: one that may not is no accident.
pub(super) fn resolve(host: &str, allow_private: bool) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = host.to_socket_addrs()?.collect();
    check(&found, allow_private)?;
    Ok(found)
}

/// Refuses addresses that are not public.
pub(super) fn check(found: &[SocketAddr], allow_private: bool) -> io::Result<()> {
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    let refused = found.iter().find(|address| !allow_private && !is_public(address.ip()));
    match refused {
        None => Ok(()),
        Some(address) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{} is not on the public internet; `allow_private = true` allows it",
                address.ip()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for text in [
            "127.0.0.1",
            "127.255.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "3fff::1",
            "100::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "192.0.3.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
            "2002:808:808::1",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn one_private_address_among_several_refuses_all() {
        let both = ["1.1.1.1:443", "127.0.0.1:443"].map(|text| text.parse().unwrap());
        assert!(check(&both, false).is_err());
        assert!(check(&both, true).is_ok() && check(&both[..1], false).is_ok());
        assert!(check(&[], true).is_err());
        assert!(resolve("localhost:1", false).is_err());
    }
}
