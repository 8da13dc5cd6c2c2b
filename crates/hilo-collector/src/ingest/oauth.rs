//! The page that a person sees who comes back from a service after connecting a destination, in English and in Spanish.
//!
//! What to say → an answer. The page decides nothing.

use super::lang::Lang;
use super::page::{Page, escaped, page as framed};
use crate::call::Call;
use crate::platform::{Platform, Reply};

/// What the page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// The destination of this name is connected.
    Connected(String),
    /// The person said no at the service.
    Declined,
    /// The service gave no token for the code; the reason.
    Refused(String),
    /// The address was used, is too old, or a later one has replaced it.
    Over,
    /// The address was not made by the collector, or is cut off.
    Wrong,
    /// The collector cannot tell now.
    Later,
}

impl Say {
    const fn status(&self) -> u16 {
        match self {
            Say::Connected(_) => 200,
            Say::Declined => 403,
            Say::Refused(_) => 502,
            Say::Over => 410,
            Say::Wrong => 404,
            Say::Later => 503,
        }
    }

    /// What stands for `{it}` in the sentence.
    fn it(&self) -> &str {
        match self {
            Say::Connected(it) | Say::Refused(it) => it,
            Say::Declined | Say::Over | Say::Wrong | Say::Later => "",
        }
    }
}

/// Makes the page, in the browser's language.
pub fn page<P: Platform>(say: &Say, call: &Call<'_, P>) -> Reply {
    let lang = Lang::accepted(call.incoming).unwrap_or_default();
    let (heading, sentence) = match lang {
        Lang::En => english(say),
        Lang::Es => spanish(say),
    };
    let sentence = sentence.replace("{it}", &escaped(say.it()));
    let said = Page { status: say.status(), lang, heading, sentence: &sentence, button: None };
    framed(&said, &call.loaded.config.controller)
}

const fn english(say: &Say) -> (&'static str, &'static str) {
    match say {
        Say::Connected(_) => (
            "Connected",
            "The destination {it} is connected. What was waiting for it is sent now. You can close this page.",
        ),
        Say::Declined => (
            "Not connected",
            "The service says that access was not granted. Nothing was changed. To try again, run cargo xtask connect once more.",
        ),
        Say::Refused(_) => (
            "Not connected",
            "The service gave no access: {it}. Mend this, and run cargo xtask connect once more.",
        ),
        Say::Over => (
            "This address was used already",
            "It is good once and for ten minutes, and a newer one replaces it. Run cargo xtask connect once more.",
        ),
        Say::Wrong => (
            "This address does not work",
            "It may be cut off. Nothing was changed. Run cargo xtask connect once more.",
        ),
        Say::Later => {
            ("Please try again in a moment", "Nothing was changed. Load this page once more.")
        }
    }
}

const fn spanish(say: &Say) -> (&'static str, &'static str) {
    match say {
        Say::Connected(_) => (
            "Conectado",
            "El destino {it} está conectado. Ahora se envía lo que estaba esperando. Puedes cerrar esta página.",
        ),
        Say::Declined => (
            "Sin conectar",
            "El servicio indica que no se ha concedido el acceso. No se ha cambiado nada. Para intentarlo de nuevo, ejecuta otra vez cargo xtask connect.",
        ),
        Say::Refused(_) => (
            "Sin conectar",
            "El servicio no ha dado acceso: {it}. Corrígelo y ejecuta otra vez cargo xtask connect.",
        ),
        Say::Over => (
            "Esta dirección ya se ha usado",
            "Vale una sola vez y durante diez minutos, y otra más reciente la sustituye. Ejecuta otra vez cargo xtask connect.",
        ),
        Say::Wrong => (
            "Esta dirección no funciona",
            "Puede que esté cortada. No se ha cambiado nada. Ejecuta otra vez cargo xtask connect.",
        ),
        Say::Later => (
            "Inténtalo de nuevo en un momento",
            "No se ha cambiado nada. Vuelve a cargar esta página.",
        ),
    }
}
