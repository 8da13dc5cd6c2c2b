//! The page of an opt-in's link: plain HTML without a script, in the visitor's language.
//!
//! What to say → an answer. To open the page changes nothing, because mail scanners open links; its button posts. The page loads
//! nothing and no other page may frame it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::consent::OptInChannel;

use super::words::{Lang, Say, way, words};
use crate::call::Call;
use crate::optin_link::Claims;
use crate::platform::{Body, Headers, Platform, Reply};
use crate::signature::sha256;

/// The page's whole style. Its hash stands in the content security policy.
const STYLE: &str = "*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:#f4f3f0;color:#1d1d1b;\
font:1.0625rem/1.55 system-ui,sans-serif}\
main{width:100%;max-width:34rem;background:#fff;border:1px solid #d9d6cf;border-radius:.75rem;padding:clamp(1.25rem,5vw,2.5rem)}\
p{margin:0 0 1.25rem;overflow-wrap:anywhere}\
.who{margin:0 0 .5rem;color:#5c5a55;font-size:.9375rem}\
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}\
p:last-child{margin-bottom:0}\
button{width:100%;min-height:3rem;padding:.75rem 1.25rem;border:0;border-radius:.5rem;background:#1b4d8f;color:#fff;\
font:inherit;font-weight:600;cursor:pointer}\
button:hover{background:#153d72}\
button:focus-visible{outline:3px solid #f0a500;outline-offset:3px}\
@media (prefers-color-scheme:dark){body{background:#161614;color:#f1efea}main{background:#21211e;border-color:#3d3b36}\
.who{color:#b6b2a9}button{background:#8ab8f5;color:#10233d}button:hover{background:#a9cbf8}}";

/// Makes the page. `claims` are those of the link, if the collector made it.
pub fn page<P: Platform>(say: Say, claims: Option<&Claims>, call: &Call<'_, P>) -> Reply {
    let told = claims.and_then(|claims| Lang::of(claims.lang.as_deref()?));
    let lang = told.or_else(|| Lang::accepted(call.incoming)).unwrap_or_default();
    let channel = claims.map_or(OptInChannel::Email, |claims| claims.link.channel);
    let html = html(say, lang, channel, &call.loaded.config.controller);
    let hash = STANDARD.encode(sha256(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut headers = Headers::default();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", lang.name()),
        ("content-security-policy", policy.as_str()),
        ("cache-control", "no-store"),
        // The address of this page is the proof.
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
        ("vary", "Accept-Language"),
    ] {
        headers.push(name, value);
    }
    Reply { status: say.status(), headers, body: Body::Text(html) }
}

fn html(say: Say, lang: Lang, channel: OptInChannel, controller: &str) -> String {
    let who = escaped(controller);
    let (heading, sentence, button) = words(lang, say);
    let sentence = sentence.replace("{way}", way(lang, channel)).replace("{who}", &who);
    // Without an action a form posts to the page's own address, which has the token.
    let form = button.map(|button| {
        format!("<form method=\"post\"><button type=\"submit\">{button}</button></form>")
    });
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{heading} · {who}</title><style>{STYLE}</style></head>\
         <body><main><p class=\"who\">{who}</p><h1>{heading}</h1><p>{sentence}</p>{form}</main></body></html>",
        lang = lang.name(),
        form = form.unwrap_or_default(),
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controllers_name_cannot_add_markup() {
        let html = html(Say::AskConfirm, Lang::Es, OptInChannel::Email, "A & <b>\"B\"</b>");
        assert!(html.contains("A &amp; &lt;b&gt;&quot;B&quot;&lt;/b&gt; pregunta"), "{html}");
        let left = ["<b>", "{who}", "{way}"].map(|text| html.contains(text));
        assert_eq!(left, [false; 3], "{html}");
    }
}
