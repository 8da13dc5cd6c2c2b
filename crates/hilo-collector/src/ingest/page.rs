//! The frame of the collector's own pages: plain HTML without a script, in the visitor's language.
//!
//! What to say → an answer. A page loads nothing, no other page may frame it, and no cache stores it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::lang::Lang;
use crate::platform::{Body, Headers, Reply};
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

/// What a page says.
pub struct Page<'p> {
    /// The status of the answer.
    pub status: u16,
    /// The language of its words.
    pub lang: Lang,
    /// The heading.
    pub heading: &'p str,
    /// The sentence, as HTML: whatever comes from outside is [`escaped`].
    pub sentence: &'p str,
    /// The words on the button, if there is one. It posts to the page's own address.
    pub button: Option<&'p str>,
}

/// Makes the answer with a page of the company called `controller`.
pub fn page(said: &Page<'_>, controller: &str) -> Reply {
    let hash = STANDARD.encode(sha256(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut headers = Headers::default();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", said.lang.name()),
        ("content-security-policy", policy.as_str()),
        ("cache-control", "no-store"),
        // The address of the page is a proof.
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
        ("vary", "Accept-Language"),
    ] {
        headers.push(name, value);
    }
    Reply { status: said.status, headers, body: Body::Text(html(said, controller)) }
}

fn html(said: &Page<'_>, controller: &str) -> String {
    let who = escaped(controller);
    let Page { heading, sentence, button, .. } = said;
    // Without an action a form posts to the page's own address, which has the token.
    let form = button.map(|button| {
        format!("<form method=\"post\"><button type=\"submit\">{button}</button></form>")
    });
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{heading} · {who}</title><style>{STYLE}</style></head>\
         <body><main><p class=\"who\">{who}</p><h1>{heading}</h1><p>{sentence}</p>{form}</main></body></html>",
        lang = said.lang.name(),
        form = form.unwrap_or_default(),
    )
}

/// Writes a text so that it can add no markup.
pub fn escaped(text: &str) -> String {
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
        let said =
            Page { status: 200, lang: Lang::Es, heading: "Hola", sentence: "", button: None };
        let html = html(&said, "A & <b>\"B\"</b>");
        assert!(html.contains("A &amp; &lt;b&gt;&quot;B&quot;&lt;/b&gt;"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
    }
}
