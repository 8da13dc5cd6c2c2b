//! What requests and answers of most services share: a JSON body, and what a status means where the body says no more.

use serde::Serialize;
use url::Url;

use crate::forward::destination::{Acceptance, Reception};
use crate::forward::reason;
use crate::forward::words::beginning;
use crate::platform::{Headers, Outgoing, Response};

/// The most bytes of an answer in a reason.
const QUOTED_BYTES_MAX: usize = 300;

/// A POST with a JSON body. `headers` are added to the content type. A value that is no JSON gives an empty body, which no type of
/// this folder is.
pub(super) fn post(url: String, headers: &[(&str, String)], body: &impl Serialize) -> Outgoing {
    let mut all = Headers::default();
    all.push("content-type", "application/json");
    for (name, value) in headers {
        all.push(name, value.clone());
    }
    let body = serde_json::to_string(body).unwrap_or_default();
    Outgoing { method: "POST".to_owned(), url, headers: all, body }
}

/// What a status means for all events of a request, where the service's own words say no more: 2xx is a success; 400 and 422 are the
/// fault of an event, so a batch is bisected; 401 and 403 are the door's; 408, 425, 429 and 5xx pass, and so may a redirect.
pub(in crate::forward) fn by_status(response: &Response) -> Reception {
    let why = quoted(response);
    Reception::All(match response.status {
        200..=299 => Acceptance::Delivered,
        400 | 413 | 422 => return Reception::Poison { reason: reason::refused(&why) },
        401 | 403 => Acceptance::Unauthorized { reason: why },
        301..=399 => redirected(response),
        408 | 425 | 429 | 500..=599 => retry(response),
        _ => Acceptance::Rejected { reason: reason::refused(&why) },
    })
}

/// The events may be sent again, after the time that the answer names.
pub(in crate::forward) fn retry(response: &Response) -> Acceptance {
    let after = response.headers.get("retry-after").map(str::to_owned);
    Acceptance::Retry { after, reason: quoted(response) }
}

/// The answer names another address: a service in maintenance, a portal on the way, or a service that has moved. No event is at fault,
/// and the deployer has days to write the new address.
pub(super) fn redirected(response: &Response) -> Acceptance {
    let after = response.headers.get("retry-after").map(str::to_owned);
    let to = response.headers.get("location").and_then(|to| Url::parse(to).ok());
    let host = to.as_ref().and_then(Url::host_str);
    Acceptance::Retry { after, reason: reason::redirected(response.status, host) }
}

/// What a success means whose body cannot be read. One that was cut needs a smaller batch; any other may come from anywhere on the way.
pub(in crate::forward) fn unread(response: &Response) -> Reception {
    match response.is_cut() {
        true => Reception::Poison {
            reason: reason::refused("the answer is longer than what is read of it"),
        },
        false => Reception::All(retry(response)),
    }
}

/// The status, and the beginning of the answer.
pub(in crate::forward) fn quoted(response: &Response) -> String {
    let body = beginning(response.body.trim(), QUOTED_BYTES_MAX);
    match body.is_empty() {
        true => format!("status {}", response.status),
        false => format!("status {}: {body}", response.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_one_meaning() {
        let of = |status| by_status(&Response { status, ..Response::default() });
        assert_eq!(of(204), Reception::All(Acceptance::Delivered));
        for status in [400, 413, 422] {
            assert!(matches!(of(status), Reception::Poison { .. }), "{status}");
        }
        for status in [401, 403] {
            assert!(matches!(of(status), Reception::All(Acceptance::Unauthorized { .. })));
        }
        for status in [301, 302, 307, 308, 408, 425, 429, 500, 503, 524] {
            assert!(matches!(of(status), Reception::All(Acceptance::Retry { .. })), "{status}");
        }
        for status in [300, 404, 409, 410, 415] {
            assert!(matches!(of(status), Reception::All(Acceptance::Rejected { .. })), "{status}");
        }
    }

    #[test]
    fn a_redirect_names_the_host_and_nothing_else_of_its_address() {
        let of = |to: &str| {
            let mut response = Response { status: 308, ..Response::default() };
            response.headers.push("location", to);
            redirected(&response)
        };
        let told = |to| {
            let Acceptance::Retry { reason, .. } = of(to) else { panic!("{to}") };
            reason
        };
        let there = told("https://login.example/in?session=s3cret");
        assert!(
            there.starts_with("redirected: status 308 leads to login.example, and no"),
            "{there}"
        );
        assert!(!there.contains("s3cret"));
        assert!(told("/elsewhere").contains("leads to an address that cannot be read"));
    }
}
