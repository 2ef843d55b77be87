//! Where events may be posted: never, unless the operator says so, into the network the server stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Whether an address is of the public internet, and not of this machine, this network or a tunnel into either.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && v4.octets()[2] == 0;
    let benchmarks = a == 198 && (b == 18 || b == 19);
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || shared
        || protocols
        || benchmarks)
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let s = v6.segments();
    let [.., c, d] = s;
    let [e, f] = [c.to_be_bytes(), d.to_be_bytes()];
    let within = Ipv4Addr::new(e[0], e[1], f[0], f[1]);
    // What carries an address of IPv4: mapped, compatible, translated (RFC 6052).
    if (s[..5] == [0; 5] && matches!(s[5], 0 | 0xffff)) || s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return !v6.is_loopback() && !v6.is_unspecified() && is_public_v4(within);
    }
    // 6to4 and Teredo are tunnels to addresses of IPv4; 64:ff9b:1::/48 is translated locally.
    let tunnel = s[0] == 0x2002 || (s[0] == 0x2001 && s[1] == 0) || (s[0] == 0x64 && s[1] == 0xff9b);
    // Global unicast is 2000::/3: what lies beyond is local, link-local, multicast or given to nobody.
    s[0] & 0xe000 == 0x2000 && !tunnel
}

/// The host of a receiver's address, which may be posted to.
///
/// # Errors
/// A sentence: another scheme, credentials in it, a host that cannot be found or is not public.
pub fn checked(url: &str, allow_private: bool) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|_| "is not an address a request can be sent to".to_owned())?;
    let port = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        _ => return Err("must begin with `https://` or `http://`".to_owned()),
    };
    let Some(authority) = uri.authority().filter(|a| !a.host().is_empty()) else {
        return Err("names no host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("must hold no user name and no password: the signature says who sends".to_owned());
    }
    let host = authority.host().to_owned();
    if !allow_private {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let found = (bare, authority.port_u16().unwrap_or(port))
            .to_socket_addrs()
            .map_err(|_| format!("the host `{host}` cannot be found"))?;
        if found.map(|a| a.ip()).any(|ip| !is_public(ip)) {
            return Err(format!(
                "`{host}` is this machine or in a private network: the operator allows that with `--webhooks-allow-private`"
            ));
        }
    }
    Ok(host)
}

/// Looks hosts up at each delivery, and refuses what is not public then: a name may have moved since it was checked.
#[derive(Debug)]
pub struct Guarded {
    inner: DefaultResolver,
    allow_private: bool,
}

impl Guarded {
    /// With or without private networks.
    pub fn new(allow_private: bool) -> Self {
        Self { inner: DefaultResolver::default(), allow_private }
    }
}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if !self.allow_private && found.iter().any(|address| !is_public(address.ip())) {
            return Err(ureq::Error::Other("the host is this machine or in a private network".into()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for public in ["8.8.8.8", "193.0.6.139", "2001:67c:2e8:22::c100:68b", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2001:0:1::1",
            "4000::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn what_is_no_receiver_is_refused() {
        for bad in [
            "ftp://8.8.8.8/",
            "urn:x:y",
            "https://",
            "http://u:p@8.8.8.8/",
            "http://127.0.0.1:9/",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert!(checked(bad, false).is_err(), "{bad}");
        }
        assert_eq!(checked("https://8.8.8.8:8443/x?y", false).as_deref(), Ok("8.8.8.8"));
        assert_eq!(checked("http://127.0.0.1:9/", true).as_deref(), Ok("127.0.0.1"));
    }
}
