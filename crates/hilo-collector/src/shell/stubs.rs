//! The stub server of a developer's machine (`tests/stubs`), which stands in for the services that destinations send to.
//!
//! `HILO_STUBS` and the URL of a request → the URL to call. Nothing is sent where the setting is wrong: neither may a developer's
//! events reach a real service, nor the events of a live site another machine.

use crate::forward::destinations::target;

/// The value of `HILO_STUBS`, judged once: no stub server, its URL, or why there must be none.
pub(super) type Stubs = Result<Option<String>, &'static str>;

/// Judges the value of `HILO_STUBS`.
pub(super) fn read(value: Option<String>, is_dev: bool) -> Stubs {
    let Some(url) = value else { return Ok(None) };
    if !is_dev {
        return Err("HILO_STUBS counts with HILO_DEV=1 only: remove it");
    }
    if !url.starts_with("http://") || target::check(&url, true).is_err() {
        return Err(
            "HILO_STUBS must be an http URL of this machine, such as http://127.0.0.1:8790",
        );
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

/// Returns the URL to call in place of `url`: `https://host/path` becomes `http://127.0.0.1:8790/host/path`. A request to this machine
/// stays as it is.
pub(super) fn url_of(stubs: &Stubs, url: &str) -> Result<String, &'static str> {
    let rest = url.strip_prefix("https://");
    Ok(match (stubs.as_ref().map_err(|why| *why)?, rest) {
        (Some(stubs), Some(rest)) => format!("{stubs}/{rest}"),
        (None, _) | (_, None) => url.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stubs(url: &str, is_dev: bool) -> Stubs {
        read(Some(url.to_owned()), is_dev)
    }

    #[test]
    fn a_request_goes_to_the_stub_server_with_its_host_in_the_path() {
        let stubs = stubs("http://127.0.0.1:8790/", true);
        let call = url_of(&stubs, "https://api.vendor.example/v1/batch?a=1&b=%2F");
        assert_eq!(call.unwrap(), "http://127.0.0.1:8790/api.vendor.example/v1/batch?a=1&b=%2F");
        assert_eq!(url_of(&stubs, "http://127.0.0.1:1/in").unwrap(), "http://127.0.0.1:1/in");
    }

    #[test]
    fn without_the_setting_a_request_goes_where_it_wants() {
        let none = read(None, false);
        assert_eq!(
            url_of(&none, "https://api.vendor.example/").unwrap(),
            "https://api.vendor.example/"
        );
    }

    #[test]
    fn a_live_site_sends_nothing_while_the_setting_is_there() {
        let live = stubs("http://127.0.0.1:8790", false);
        assert!(url_of(&live, "https://api.vendor.example/").is_err());
    }

    #[test]
    fn no_other_machine_is_a_stub_server() {
        for url in [
            "https://stubs.example",
            "http://10.0.0.1:8790",
            "http://stubs.example",
            "",
            "http://a:b@127.0.0.1/",
        ] {
            assert!(url_of(&stubs(url, true), "https://api.vendor.example/").is_err(), "{url}");
        }
    }
}
