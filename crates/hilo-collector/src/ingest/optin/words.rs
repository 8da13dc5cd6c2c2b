//! The words of the opt-in's page, in English and in Spanish.
//!
//! A language and what the page has to say → sentences. `{who}` stands for the controller, `{way}` for the channel.

use hilo_core::consent::OptInChannel;

use crate::calls::optin::{LinkAct, LinkStanding};
use crate::platform::Incoming;

/// What the page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Asks to confirm.
    AskConfirm,
    /// The subscription is confirmed now.
    Confirmed,
    /// It was confirmed before.
    ConfirmedBefore,
    /// The link is too old.
    Expired,
    /// A later choice replaced the request.
    Replaced,
    /// Asks to unsubscribe.
    AskUnsubscribe,
    /// The subscription has ended now.
    Unsubscribed,
    /// There is no subscription.
    UnsubscribedBefore,
    /// The collector did not make this link.
    Wrong,
    /// The collector cannot answer now.
    Later,
}

impl Say {
    /// What a link's standing means.
    pub const fn of(act: LinkAct, standing: LinkStanding) -> Say {
        match (act, standing) {
            (LinkAct::Confirm, LinkStanding::Open) => Say::AskConfirm,
            (LinkAct::Confirm, LinkStanding::Done) => Say::Confirmed,
            (LinkAct::Confirm, LinkStanding::Used) => Say::ConfirmedBefore,
            (LinkAct::Confirm, LinkStanding::Over) => Say::Replaced,
            (LinkAct::Unsubscribe, LinkStanding::Open) => Say::AskUnsubscribe,
            (LinkAct::Unsubscribe, LinkStanding::Done) => Say::Unsubscribed,
            (LinkAct::Unsubscribe, LinkStanding::Used | LinkStanding::Over) => {
                Say::UnsubscribedBefore
            }
        }
    }

    /// The status of the answer.
    pub(super) const fn status(self) -> u16 {
        match self {
            Say::AskConfirm
            | Say::Confirmed
            | Say::ConfirmedBefore
            | Say::AskUnsubscribe
            | Say::Unsubscribed
            | Say::UnsubscribedBefore => 200,
            Say::Expired | Say::Replaced => 410,
            Say::Wrong => 404,
            Say::Later => 503,
        }
    }
}

/// A language that the page has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// The language's tag.
    pub const fn name(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Es => "es",
        }
    }

    /// Reads a tag such as `es` or `es-MX`; `None` for a language that the page does not have.
    pub fn of(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        [Lang::En, Lang::Es].into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.name()))
    }

    /// The language that the browser prefers among those that the page has.
    pub fn accepted(incoming: &Incoming) -> Option<Lang> {
        let header = incoming.headers.get("accept-language")?;
        let mut best: Option<(f32, Lang)> = None;
        for range in header.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok());
            let weight: f32 = weight.unwrap_or(1.0);
            let is_better = weight > 0.0 && best.is_none_or(|(known, _)| weight > known);
            if let Some(lang) = Lang::of(tag.trim()).filter(|_| is_better) {
                best = Some((weight, lang));
            }
        }
        best.map(|(_, lang)| lang)
    }
}

/// A heading, a sentence, and the words on the button, if there is one.
pub(super) type Words = (&'static str, &'static str, Option<&'static str>);

/// Returns what the page says.
pub(super) const fn words(lang: Lang, say: Say) -> Words {
    match lang {
        Lang::En => english(say),
        Lang::Es => spanish(say),
    }
}

const fn english(say: Say) -> Words {
    match say {
        Say::AskConfirm => (
            "Confirm your subscription",
            "{who} asks: may we write to you {way}? Somebody entered your address. If that was not you, close this page, and nothing happens.",
            Some("Yes, subscribe me"),
        ),
        Say::Confirmed => (
            "You are subscribed",
            "{who} may now write to you {way}. You can end the subscription at any time.",
            None,
        ),
        Say::ConfirmedBefore => (
            "This link was used already",
            "You are subscribed: {who} may write to you {way}. There is nothing left to do.",
            None,
        ),
        Say::Expired => (
            "This link has expired",
            "It was valid for seven days. You are not subscribed. To receive what {who} writes, subscribe again.",
            None,
        ),
        Say::Replaced => (
            "This link is no longer valid",
            "A later request or an unsubscription has replaced it. Use the newest message from {who}, or subscribe again.",
            None,
        ),
        Say::AskUnsubscribe => {
            ("Unsubscribe", "{who} will not write to you {way} any more.", Some("Unsubscribe me"))
        }
        Say::Unsubscribed => {
            ("You are unsubscribed", "{who} will not write to you {way} any more.", None)
        }
        Say::UnsubscribedBefore => (
            "You are not subscribed",
            "{who} does not write to this address {way}. There is nothing left to do.",
            None,
        ),
        Say::Wrong => (
            "This link does not work",
            "It may be cut off. Open it again from the message, or copy the whole address. Nothing was changed.",
            None,
        ),
        Say::Later => (
            "Please try again in a moment",
            "Nothing was changed, and your link stays valid.",
            None,
        ),
    }
}

const fn spanish(say: Say) -> Words {
    match say {
        Say::AskConfirm => (
            "Confirma tu suscripción",
            "{who} pregunta: ¿podemos escribirte {way}? Alguien ha introducido tu dirección. Si no has sido tú, cierra esta página y no pasará nada.",
            Some("Sí, suscribirme"),
        ),
        Say::Confirmed => (
            "Suscripción confirmada",
            "{who} puede escribirte {way} a partir de ahora. Puedes darte de baja cuando quieras.",
            None,
        ),
        Say::ConfirmedBefore => (
            "Este enlace ya se ha usado",
            "La suscripción está activa: {who} puede escribirte {way}. No tienes que hacer nada más.",
            None,
        ),
        Say::Expired => (
            "Este enlace ha caducado",
            "Era válido durante siete días. La suscripción no está activa. Para recibir lo que escribe {who}, suscríbete otra vez.",
            None,
        ),
        Say::Replaced => (
            "Este enlace ya no es válido",
            "Una solicitud posterior o una baja lo ha sustituido. Usa el mensaje más reciente de {who} o suscríbete otra vez.",
            None,
        ),
        Say::AskUnsubscribe => (
            "Darse de baja",
            "Pulsa el botón y {who} dejará de escribirte {way}.",
            Some("Darme de baja"),
        ),
        Say::Unsubscribed => ("Te has dado de baja", "{who} ya no te escribirá {way}.", None),
        Say::UnsubscribedBefore => (
            "La suscripción no está activa",
            "{who} no escribe a esta dirección {way}. No tienes que hacer nada más.",
            None,
        ),
        Say::Wrong => (
            "Este enlace no funciona",
            "Puede que esté cortado. Ábrelo otra vez desde el mensaje o copia la dirección completa. No se ha cambiado nada.",
            None,
        ),
        Say::Later => (
            "Inténtalo de nuevo en un momento",
            "No se ha cambiado nada y tu enlace sigue siendo válido.",
            None,
        ),
    }
}

/// Returns the words for a channel.
pub(super) const fn way(lang: Lang, channel: OptInChannel) -> &'static str {
    match (lang, channel) {
        (Lang::En, OptInChannel::Email) => "by e-mail",
        (Lang::En, OptInChannel::Sms) => "by text message",
        (Lang::En, OptInChannel::Push) => "by notification",
        (Lang::En, OptInChannel::Phone) => "by phone",
        (Lang::En, OptInChannel::Post) => "by post",
        (Lang::Es, OptInChannel::Email) => "por correo electrónico",
        (Lang::Es, OptInChannel::Sms) => "por SMS",
        (Lang::Es, OptInChannel::Push) => "con notificaciones",
        (Lang::Es, OptInChannel::Phone) => "por teléfono",
        (Lang::Es, OptInChannel::Post) => "por correo postal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_preferred_language_counts_among_those_that_the_page_has() {
        for (header, expected) in [
            ("es-MX,es;q=0.9,en;q=0.8", Some(Lang::Es)),
            ("de-DE, de;q=0.9, en;q=0.5, es;q=0.7", Some(Lang::Es)),
            ("en-GB", Some(Lang::En)),
            ("es;q=0, en;q=0.1", Some(Lang::En)),
            ("de", None),
            (";;q=x,,", None),
        ] {
            let mut incoming = Incoming::default();
            incoming.headers.push("accept-language", header);
            assert_eq!(Lang::accepted(&incoming), expected, "{header}");
        }
    }
}
