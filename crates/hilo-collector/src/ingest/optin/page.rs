//! The page of an opt-in's link, in the visitor's language.
//!
//! What to say → an answer. To open the page changes nothing, because mail scanners open links; its button posts.

use hilo_core::consent::OptInChannel;

use super::words::{Say, way, words};
use crate::call::Call;
use crate::ingest::lang::Lang;
use crate::ingest::page::{Page, escaped, page as framed};
use crate::optin_link::Claims;
use crate::platform::{Platform, Reply};

/// Makes the page. `claims` are those of the link, if the collector made it.
pub fn page<P: Platform>(say: Say, claims: Option<&Claims>, call: &Call<'_, P>) -> Reply {
    let told = claims.and_then(|claims| Lang::of(claims.lang.as_deref()?));
    let lang = told.or_else(|| Lang::accepted(call.incoming)).unwrap_or_default();
    let channel = claims.map_or(OptInChannel::Email, |claims| claims.link.channel);
    let controller = &call.loaded.config.controller;
    let (heading, sentence, button) = words(lang, say);
    let sentence = filled(sentence, lang, channel, controller);
    let said = Page { status: say.status(), lang, heading, sentence: &sentence, button };
    framed(&said, controller)
}

fn filled(sentence: &str, lang: Lang, channel: OptInChannel, controller: &str) -> String {
    sentence.replace("{way}", way(lang, channel)).replace("{who}", &escaped(controller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controllers_name_cannot_add_markup_to_a_sentence() {
        let (_, sentence, _) = words(Lang::Es, Say::AskConfirm);
        let filled = filled(sentence, Lang::Es, OptInChannel::Email, "A & <b>\"B\"</b>");
        assert!(filled.contains("A &amp; &lt;b&gt;&quot;B&quot;&lt;/b&gt; pregunta"), "{filled}");
        let left = ["<b>", "{who}", "{way}"].map(|text| filled.contains(text));
        assert_eq!(left, [false; 3], "{filled}");
    }
}
