//! The location of an event: at most the city, and its time zone, each by the sender's word, else by the edge's data about the IP
//! address. The address itself is truncated. Only events with consent come here (consent.md, at the edge, 5).

use std::net::IpAddr;

use crate::event::{Event, Facts, Geo, Location, Trust};

/// Sets location, time zone and truncated address.
pub fn apply(event: &mut Event, facts: &Facts) {
    let told = event.context.ip.take();
    // The connection is the server's and not its customer's.
    let ip = match facts.trust {
        Trust::Server => told,
        Trust::Public => facts.ip.clone(),
    };
    event.context.ip = ip.as_deref().and_then(network);
    let is_place = |location: &Location| {
        let Location { country, region, city } = location;
        [country, region, city].into_iter().flatten().any(|text| !text.trim().is_empty())
    };
    let by_sender = event.context.location.take().filter(is_place);
    let by_address = || {
        let Geo { country, region, city, .. } = facts.geo.clone();
        (facts.trust == Trust::Public).then_some(Location { country, region, city })
    };
    // One place or the other: fields of both would be a place where nobody is.
    event.context.location = by_sender.or_else(|| by_address().filter(is_place));
    if facts.trust == Trust::Public && event.context.timezone.is_none() {
        // Pages do not ask their browser: the question costs more than all other work of a page view.
        event.context.timezone.clone_from(&facts.geo.timezone);
    }
}

/// The network of an address: /24 of IPv4, /48 of IPv6.
pub fn network(text: &str) -> Option<String> {
    match text.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0"))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Some(std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn ip_addresses_lose_the_part_that_singles_out_a_home() {
        assert_eq!(network("203.0.113.77").as_deref(), Some("203.0.113.0"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6").as_deref(), Some("2001:db8:1::"));
        assert_eq!(network("::ffff:203.0.113.77").as_deref(), Some("203.0.113.0"));
        assert_eq!(network("not an address"), None);
    }
}
