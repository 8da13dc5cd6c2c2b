//! `GET /admin/v1/destinations`: the destinations and how the access to each stands. `POST …/:name/connect`: a person connects one.
//!
//! The object of each destination answers. No answer has a token, a code or a secret.

use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::http::{body, ok};
use crate::call::{Call, Trouble, secret};
use crate::calls::tokens::{
    CodeAnswer, ConnectAnswer, Described, Door, Failed, TokensCall, TokensStanding, ask_tokens,
};
use crate::connect_link;
use crate::platform::http::percent_decode;
use crate::platform::{Failure, Incoming, Platform, Reply};

/// A destination, as people see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'d> {
    name: &'d str,
    r#type: &'d str,
    title: &'d str,
    /// `secrets`, `client` or `grant`.
    access: &'static str,
    /// Missing where there are no tokens: then only a request can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    connected: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_at: Option<Timestamp>,
}

/// Lists the destinations whose settings can be read.
pub(super) async fn list<P: Platform>(described: &[Described], call: &Call<'_, P>) -> Reply {
    let mut shown = Vec::new();
    for one in described {
        let access = match one.door {
            Door::Secrets => "secrets",
            Door::Client => "client",
            Door::Grant => "grant",
        };
        let standing: Option<TokensStanding> = match one.door {
            Door::Secrets => None,
            Door::Client | Door::Grant => Some(standing(&one.name, call).await),
        };
        shown.push(show(one, access, standing));
    }
    ok(&json!({ "destinations": shown }))
}

/// Asks how the access to one stands. An object that fails hides no other destination.
async fn standing<P: Platform>(name: &str, call: &Call<'_, P>) -> TokensStanding {
    let asked = ask_tokens(call.platform, name, &TokensCall::Standing).await;
    asked.unwrap_or_else(|failure: Failure| {
        let at_ms = call.platform.now().as_millisecond();
        let reason = format!("the token's object failed: {}", failure.message());
        TokensStanding { failed: Some(Failed { at_ms, reason }), ..TokensStanding::default() }
    })
}

fn show<'d>(
    one: &'d Described,
    access: &'static str,
    standing: Option<TokensStanding>,
) -> Shown<'d> {
    let time = |ms: i64| Timestamp::from_millisecond(ms).ok();
    let connected = standing.as_ref().map(|standing| standing.is_connected);
    let standing = standing.unwrap_or_default();
    Shown {
        name: &one.name,
        r#type: &one.kind,
        title: &one.title,
        access,
        connected,
        since: standing.since_ms.and_then(time),
        refresh_at: standing.refresh_ms.and_then(time),
        expires_at: standing.expires_ms.and_then(time),
        last_error_at: standing.failed.as_ref().and_then(|failed| time(failed.at_ms)),
        last_error: standing.failed.map(|failed| failed.reason),
    }
}

/// The body of a connect call.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ConnectBody {
    redirect_uri: Option<String>,
    code: Option<String>,
    state: Option<String>,
}

/// Begins to connect a destination, or takes what a person brought back by hand.
pub(super) async fn connect<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let name = percent_decode(name);
    let ConnectBody { redirect_uri, code, state } = body(call.incoming)?;
    if let Some(code) = code {
        return hand_over(&name, code, &state.unwrap_or_default(), call).await;
    }
    let redirect_uri = redirect_uri.unwrap_or_else(|| callback(call.incoming));
    let question = TokensCall::Connect { redirect_uri: redirect_uri.clone() };
    match ask_tokens(call.platform, &name, &question).await? {
        ConnectAnswer::Open { authorize_url, until_ms } => {
            let until = Timestamp::from_millisecond(until_ms).unwrap_or_default();
            Ok(ok(&json!({
                "authorizeUrl": authorize_url, "redirectUri": redirect_uri, "until": until,
            })))
        }
        ConnectAnswer::Refused(why) => Err(Rejection::new(Code::NotFound, why).into()),
    }
}

async fn hand_over<P: Platform>(
    name: &str,
    code: String,
    state: &str,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let secret = secret(call.platform)?;
    let found = connect_link::read(state, &secret).filter(|(named, _)| named == name);
    let Some((_, nonce)) = found else {
        let message = "the state belongs to the address that began to connect this destination";
        return Err(Rejection::at(Code::WrongType, "state", message).into());
    };
    match ask_tokens(call.platform, name, &TokensCall::Code { nonce, code }).await? {
        CodeAnswer::Connected => Ok(ok(&json!({ "connected": true }))),
        CodeAnswer::Over => {
            let message = "the code came too late or was used: begin once more";
            Err(Rejection::at(Code::WrongType, "state", message).into())
        }
        CodeAnswer::Refused(why) => Err(Rejection::at(Code::WrongType, "code", why).into()),
    }
}

/// Where services send people back: below the prefix under which this call came.
fn callback(incoming: &Incoming) -> String {
    let Incoming { scheme, host, path, .. } = incoming;
    let prefix = path.split("/admin/").next().unwrap_or_default();
    format!("{scheme}://{host}{prefix}/v1/oauth/callback")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_back_below_the_prefix_of_the_admin_call() {
        for (path, expected) in [
            ("/_h/admin/v1/destinations/crm/connect", "https://shop.example/_h/v1/oauth/callback"),
            ("/admin/v1/destinations/crm/connect", "https://shop.example/v1/oauth/callback"),
        ] {
            let incoming = Incoming {
                scheme: "https".to_owned(),
                host: "shop.example".to_owned(),
                path: path.to_owned(),
                ..Incoming::default()
            };
            assert_eq!(callback(&incoming), expected);
        }
    }
}
