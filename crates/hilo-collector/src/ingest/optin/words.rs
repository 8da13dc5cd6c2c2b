//! The words of the opt-in's page, in English and in Spanish.
//!
//! A language and what the page has to say → sentences. `{who}` stands for the controller, `{way}` for the channel.

use hilo_core::consent::OptInChannel;

use crate::calls::optin::{LinkAct, LinkStanding};
use crate::ingest::lang::Lang;

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
