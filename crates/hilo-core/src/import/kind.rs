//! The kinds of file, and the columns of each with their other names in English and Spanish.
//!
//! Tables only. `header` finds a file's columns in them, `cells` and `row` read values by their forms.

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Sales of a store: one order in one row, or in one row a line.
    Orders,
    /// Money that was given back.
    Refunds,
    /// Telephone calls.
    Calls,
    /// Visits to a store.
    Visits,
    /// Permissions to write to people, and their ends.
    OptIns,
    /// What is known of people.
    Contacts,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] =
        [Kind::Orders, Kind::Refunds, Kind::Calls, Kind::Visits, Kind::OptIns, Kind::Contacts];

    /// The name on the command line and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Orders => "orders",
            Kind::Refunds => "refunds",
            Kind::Calls => "calls",
            Kind::Visits => "visits",
            Kind::OptIns => "optins",
            Kind::Contacts => "contacts",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The columns.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Kind::Orders => ORDERS,
            Kind::Refunds => REFUNDS,
            Kind::Calls => CALLS,
            Kind::Visits => VISITS,
            Kind::OptIns => OPT_INS,
            Kind::Contacts => CONTACTS,
        }
    }

    /// The column with this name.
    pub fn column(self, name: &str) -> Option<&'static Column> {
        self.columns().iter().find(|column| column.name == name)
    }

    /// Whether several rows may be one order.
    pub const fn is_grouped(self) -> bool {
        matches!(self, Kind::Orders | Kind::Refunds)
    }
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// hilo's name.
    pub name: &'static str,
    /// Other names, in lower case without accents, with `_` for blanks.
    pub aliases: &'static [&'static str],
    /// What its values are.
    pub form: Form,
    /// Whether a file of this kind, and each row of it, needs the column.
    pub need: Need,
}

/// Whether a column is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Each row needs a value.
    Always,
    /// A row may do without.
    Optional,
    /// It belongs to one line of an order: rows of one order may differ in it.
    OfLine,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// An id: its digits stay as they are.
    Id,
    /// An amount of money.
    Amount,
    /// A number that is no money, such as `1.5` for kilograms.
    Number,
    /// A time.
    Time,
    /// The time of day of the column before, which has the date.
    Clock,
    /// Seconds, or `hh:mm:ss`.
    Duration,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A currency, ISO 4217.
    Currency,
    /// One word of a list.
    Word(&'static [Word]),
}

/// A word of a list, and the other words for it.
pub type Word = (&'static str, &'static [&'static str]);

/// The directions of a call.
pub const DIRECTIONS: &[Word] = &[
    ("in", &["inbound", "incoming", "entrante", "entrada", "recibida", "received"]),
    ("out", &["outbound", "outgoing", "saliente", "salida", "realizada", "made"]),
];
/// How a call ended. Other words stay as they are.
pub const OUTCOMES: &[Word] = &[
    ("answered", &["contestada", "atendida", "completed", "si"]),
    (
        "missed",
        &["perdida", "no_contestada", "no_atendida", "no_answer", "unanswered", "busy", "no"],
    ),
    ("voicemail", &["buzon", "buzon_de_voz"]),
];
/// The channels of an opt-in.
pub const CHANNELS: &[Word] = &[
    ("email", &["e_mail", "mail", "correo", "correo_electronico", "newsletter"]),
    ("sms", &[]),
    ("push", &[]),
    ("phone", &["telefono", "llamada", "call"]),
    ("post", &["postal", "carta", "letter"]),
];
/// The states of an opt-in.
pub const STATES: &[Word] = &[
    ("subscribed", &["yes", "si", "true", "1", "alta", "opt_in", "optin", "suscrito", "acepta"]),
    ("unsubscribed", &["no", "false", "0", "baja", "opt_out", "optout", "rechaza"]),
];

const fn needed(name: &'static str, form: Form, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, form, need: Need::Always }
}

const fn maybe(name: &'static str, form: Form, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, form, need: Need::Optional }
}

const fn line(name: &'static str, form: Form, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, form, need: Need::OfLine }
}

const OCCURRED_AT: Column = needed(
    "occurred_at",
    Form::Time,
    &["date", "datetime", "date_time", "timestamp", "fecha", "fecha_hora", "fecha_y_hora", "dia"],
);
const TIME: Column = maybe("time", Form::Clock, &["hora"]);
const EMAIL: Column =
    maybe("email", Form::Email, &["e_mail", "mail", "correo", "correo_electronico"]);
const PHONE: Column =
    maybe("phone", Form::Phone, &["telephone", "mobile", "tel", "telefono", "movil"]);
const CUSTOMER: Column = maybe(
    "customer_id",
    Form::Id,
    &["customer", "user_id", "cliente", "id_cliente", "num_cliente", "n_cliente"],
);
const LOYALTY: Column = maybe(
    "loyalty_id",
    Form::Id,
    &["loyalty", "loyalty_card", "card", "tarjeta", "tarjeta_cliente", "fidelizacion"],
);
const ORDER: Column = needed(
    "order_id",
    Form::Id,
    &["order", "order_number", "receipt", "ticket", "pedido", "num_pedido", "n_pedido", "factura"],
);
const TOTAL: Column = needed("total", Form::Amount, &["amount", "importe", "importe_total"]);
const CURRENCY: Column = maybe("currency", Form::Currency, &["moneda", "divisa"]);
const STORE: Column = maybe("store_id", Form::Id, &["store", "shop", "tienda"]);
const LINE_NO: Column = line("line_no", Form::Id, &["line", "linea", "num_linea"]);
const PRODUCT: Column =
    line("product_id", Form::Id, &["sku", "ref", "referencia", "articulo", "codigo", "ean"]);
const QUANTITY: Column = line("quantity", Form::Number, &["qty", "units", "cantidad", "unidades"]);
const CAMPAIGN: Column = maybe("campaign", Form::Text, &["campana"]);

const ORDERS: &[Column] = &[
    ORDER,
    OCCURRED_AT,
    TIME,
    TOTAL,
    CURRENCY,
    LINE_NO,
    PRODUCT,
    line("name", Form::Text, &["product", "description", "nombre", "producto", "descripcion"]),
    QUANTITY,
    line("price", Form::Amount, &["unit_price", "precio", "precio_unitario", "pvp"]),
    line("discount", Form::Amount, &["descuento", "dto"]),
    line("tax", Form::Amount, &["vat", "impuesto", "impuestos", "iva"]),
    STORE,
    maybe("cashier", Form::Text, &["employee", "cajero", "cajera", "vendedor", "empleado"]),
    EMAIL,
    PHONE,
    CUSTOMER,
    LOYALTY,
    maybe(
        "payment_method",
        Form::Text,
        &["payment", "forma_pago", "forma_de_pago", "metodo_pago", "metodo_de_pago"],
    ),
    maybe("channel", Form::Text, &["canal"]),
];
const REFUNDS: &[Column] = &[
    ORDER,
    OCCURRED_AT,
    TIME,
    TOTAL,
    CURRENCY,
    maybe("refund_id", Form::Id, &["refund", "devolucion", "abono"]),
    LINE_NO,
    PRODUCT,
    QUANTITY,
    STORE,
    EMAIL,
    PHONE,
    CUSTOMER,
    LOYALTY,
];
const CALLS: &[Column] = &[
    maybe("call_id", Form::Id, &["id_llamada", "llamada"]),
    OCCURRED_AT,
    TIME,
    needed("direction", Form::Word(DIRECTIONS), &["sentido", "direccion", "tipo"]),
    needed(
        "phone",
        Form::Phone,
        &["telephone", "mobile", "tel", "telefono", "movil", "number", "numero", "caller"],
    ),
    maybe("duration_s", Form::Duration, &["duration", "seconds", "duracion", "segundos"]),
    maybe("outcome", Form::Text, &["result", "status", "resultado", "estado"]),
    maybe("agent", Form::Text, &["agente", "operador", "extension"]),
    maybe("number_called", Form::Phone, &["called", "numero_llamado", "destino"]),
    CAMPAIGN,
    maybe("note_kind", Form::Text, &["reason", "motivo", "tipo_nota"]),
    EMAIL,
    CUSTOMER,
];
const VISITS: &[Column] = &[
    OCCURRED_AT,
    TIME,
    needed("store_id", Form::Id, &["store", "shop", "tienda"]),
    EMAIL,
    PHONE,
    CUSTOMER,
    LOYALTY,
    maybe("reason", Form::Text, &["motivo"]),
];
const OPT_INS: &[Column] = &[
    EMAIL,
    PHONE,
    CUSTOMER,
    needed("channel", Form::Word(CHANNELS), &["canal"]),
    needed("state", Form::Word(STATES), &["status", "estado", "consent", "consentimiento"]),
    needed(
        "at",
        Form::Time,
        &["occurred_at", "date", "datetime", "timestamp", "fecha", "fecha_hora"],
    ),
    TIME,
    maybe("text", Form::Text, &["texto"]),
    maybe("text_id", Form::Id, &["version", "id_texto"]),
    maybe("source", Form::Text, &["origin", "origen"]),
    maybe("ip_truncated", Form::Text, &["ip_truncada"]),
    maybe("double_opt_in_at", Form::Time, &["confirmed_at", "doble_opt_in", "confirmado"]),
];
const CONTACTS: &[Column] = &[
    CUSTOMER,
    EMAIL,
    PHONE,
    LOYALTY,
    maybe("updated_at", Form::Time, &["occurred_at", "date", "fecha", "modificado"]),
    maybe("first_name", Form::Text, &["nombre", "name"]),
    maybe("last_name", Form::Text, &["surname", "apellido", "apellidos"]),
    maybe("company", Form::Text, &["empresa"]),
    maybe("city", Form::Text, &["ciudad", "poblacion"]),
    maybe("postal_code", Form::Id, &["zip", "cp", "codigo_postal"]),
    maybe("country", Form::Text, &["pais"]),
    maybe("language", Form::Text, &["idioma"]),
    maybe("email_optin", Form::Word(STATES), &["optin_email", "acepta_email", "newsletter"]),
    maybe("sms_optin", Form::Word(STATES), &["optin_sms", "acepta_sms"]),
    maybe("phone_optin", Form::Word(STATES), &["optin_phone", "acepta_llamadas"]),
    maybe("post_optin", Form::Word(STATES), &["optin_post", "acepta_correo_postal"]),
    maybe("optin_at", Form::Time, &["fecha_optin", "fecha_consentimiento"]),
    maybe("optin_text", Form::Text, &["texto_optin", "texto_consentimiento"]),
    maybe("optin_text_id", Form::Id, &["optin_version", "id_texto_optin"]),
];

/// The word of the list that `text` means, by its own name or another.
pub fn word(list: &[Word], text: &str) -> Option<&'static str> {
    let said = plain(text);
    list.iter()
        .find(|(name, others)| *name == said || others.contains(&said.as_str()))
        .map(|(name, _)| *name)
}

/// A name as the tables have it: lower case, without accents, `_` for what stands between words.
pub fn plain(text: &str) -> alloc::string::String {
    let mut plain = alloc::string::String::new();
    for letter in text.trim().chars().flat_map(char::to_lowercase) {
        let letter = match letter {
            'á' | 'à' | 'ä' => 'a',
            'é' | 'è' => 'e',
            'í' | 'ï' => 'i',
            'ó' | 'ò' | 'ö' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            // The name with its ordinal sign: `nº pedido`.
            'º' | 'ª' => continue,
            letter if letter.is_alphanumeric() => letter,
            _ => '_',
        };
        if letter != '_' || !plain.ends_with('_') {
            plain.push(letter);
        }
    }
    plain.trim_matches('_').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_kind_means_two_columns() {
        for kind in Kind::ALL {
            let mut known = alloc::collections::BTreeSet::new();
            for column in kind.columns() {
                for name in column.aliases.iter().chain([&column.name]) {
                    assert!(known.insert(*name), "{} {name}", kind.name());
                    assert_eq!(plain(name), *name);
                }
            }
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn words_are_known_in_english_and_spanish_whatever_their_case_and_accents() {
        assert_eq!(word(DIRECTIONS, " Entrante "), Some("in"));
        assert_eq!(word(STATES, "SÍ"), Some("subscribed"));
        assert_eq!(word(OUTCOMES, "No contestada"), Some("missed"));
        assert_eq!(word(CHANNELS, "fax"), None);
        assert_eq!(plain(" Nº Pedido "), "n_pedido");
        assert_eq!(plain("Correo electrónico"), "correo_electronico");
    }
}
