//! `hilo.toml`: the senders, the purposes, the destinations, and how long data stays.
//!
//! Text → [`Config`], or every [`Problem`] at once, each with line, column, field and remedy. The file holds names of secrets
//! and never a secret. A destination types its own settings.

mod admin;
mod brackets;
mod cart;
mod categories;
mod destination;
mod feed;
mod health;
mod identity;
mod inbound;
mod key;
mod map;
mod nearest;
mod normalize;
mod optin;
mod origin;
mod plan;
mod problem;
mod reader;
mod secret;
mod settings;
mod source;
mod source_kind;
mod storage;
mod touchpoints;
mod verify;
mod warnings;
mod webhook;

pub use crate::identity::access::AccessRules;
pub use crate::identity::rules::{
    IdentityMode, IdentityRules, TOKEN_SECRET_BYTES_MIN, TokenKey, TokenKeyMaterial,
};
pub use admin::{Admin, Role};
pub use cart::CartRules;
pub use categories::Categories;
pub use destination::{DestinationEntry, EventFilter};
pub use feed::Feed;
pub use health::{Alert, HealthRules};
pub use inbound::{Inbound, preset_rules, preset_rules_for};
pub use key::{Key, KeyState, KeyText};
pub use normalize::{AssistantPolicy, BotPolicy, NormalizeRules};
pub use optin::OptInRules;
pub use origin::Origin;
pub use problem::{Problem, ProblemCode};
pub use settings::Settings;
pub use source::{Basis, ConsentBasis, Source};
pub use source_kind::SourceKind;
pub use storage::{Jurisdiction, Storage};
pub use touchpoints::{TouchpointRules, usual_lenses};
pub use warnings::warnings;
pub use webhook::Webhook;

use serde::Serialize;

use crate::consent::Purpose;
use crate::outcome::Code;
use crate::plan::Plan;
use reader::{Reader, Section};

/// Bytes of a configuration. A KV value may have 25 MB, but a file of that size is a mistake.
pub const CONFIG_BYTES_MAX: usize = 256 * 1024;

/// The whole of `hilo.toml`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// The company responsible for the data, as consent receipts name it.
    pub controller: String,
    /// The deployment: `production`, `development` …
    pub environment: String,
    /// The senders.
    pub sources: Vec<Source>,
    /// The rules for user tokens.
    pub identity: IdentityRules,
    /// The purposes that visitors are asked about.
    pub consent: ConsentRules,
    /// The rules for normalizing events.
    pub normalize: NormalizeRules,
    /// The tracking plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The rules for carts.
    pub cart: CartRules,
    /// The destinations.
    pub destinations: Vec<DestinationEntry>,
    /// How long data stays.
    pub retention: Retention,
    /// Where data stays.
    #[serde(skip_serializing_if = "Storage::is_empty")]
    pub storage: Storage,
    /// Those who may make admin calls, beside whoever has the collector's own admin token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admins: Vec<Admin>,
    /// Whose assertions of Cloudflare Access count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessRules>,
    /// The rules for the scheduled check.
    #[serde(skip_serializing_if = "HealthRules::is_empty")]
    pub health: HealthRules,
    /// The rules for touchpoints.
    #[serde(skip_serializing_if = "TouchpointRules::is_usual")]
    pub touchpoints: TouchpointRules,
}

/// The purposes that visitors are asked about, and when they are asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentRules {
    /// Version of the notice. With a new version every visitor is asked again.
    pub notice_version: String,
    /// Months until a visitor is asked again.
    pub ask_again_months: u32,
    /// The purposes in use.
    pub purposes: Vec<Purpose>,
    /// The purposes for which other systems have names of their own.
    #[serde(skip_serializing_if = "Categories::is_empty")]
    pub categories: Categories,
    /// The rules for opt-ins.
    pub optin: OptInRules,
}

/// How long data stays (consent.md, at the edge, 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Stored events.
    pub events_months: u32,
    /// Counts and sums.
    pub aggregates_months: u32,
    /// Shapes of refused items.
    pub rejects_days: u32,
    /// Consent receipts.
    pub receipts_months: u32,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            events_months: 13,
            aggregates_months: 25,
            rejects_days: 14,
            receipts_months: 36,
        }
    }
}

impl Config {
    /// The source of `key`. Server keys are compared by their digests, in constant time.
    ///
    /// # Errors
    /// `missing_key` for an empty key, `unknown_key`, `key_revoked`.
    pub fn source_by_key(&self, key: &str, is_dev: bool) -> Result<&Source, Code> {
        match self.find_key(key) {
            _ if key.is_empty() => Err(Code::MissingKey),
            Some((source, KeyState::Active)) => Ok(source),
            Some((source, KeyState::Development)) if is_dev => Ok(source),
            Some((_, KeyState::Revoked)) => Err(Code::KeyRevoked),
            Some((_, KeyState::Development)) | None => Err(Code::UnknownKey),
        }
    }

    /// The source of `key` and the key's state, whether or not the key may be used.
    pub fn find_key(&self, key: &str) -> Option<(&Source, KeyState)> {
        let presented = key::Presented::new(key);
        self.sources.iter().find_map(|source| {
            let found = source.keys.iter().find(|key| presented.is(key))?;
            Some((source, found.state))
        })
    }

    /// The destination called `name`.
    pub fn destination(&self, name: &str) -> Option<&DestinationEntry> {
        self.destinations.iter().find(|destination| destination.name == name)
    }

    /// The admin to whom this token belongs.
    pub fn admin_by_token(&self, token: &str) -> Option<&Admin> {
        admin::by_token(&self.admins, token)
    }

    /// The admin whom Cloudflare Access knows by this address, in lower case.
    pub fn admin_by_email(&self, email: &str) -> Option<&Admin> {
        self.admins.iter().find(|admin| admin.email.as_deref() == Some(email))
    }
}

/// Reads `hilo.toml`.
///
/// # Errors
/// Every problem of the file, in the order of its lines.
///
/// ```
/// let problems = hilo_core::config::parse("[projct]\ncontroller = 'Shop'").unwrap_err();
/// let told = problems[0].to_string();
/// assert_eq!(told, "1:2: projct: there is no field `projct` here: did you mean `project`?");
/// ```
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let (config, problems) = examine(text);
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// Reads `hilo.toml` as far as it can be read, and returns every problem beside it, in the order of the lines. Where the file is no
/// TOML the problems are those of the syntax alone: what stands behind a bracket that nobody closed is not what its writer meant.
pub fn examine(text: &str) -> (Config, Vec<Problem>) {
    let is_bounded = text.len() <= CONFIG_BYTES_MAX;
    let reader = Reader::new(if is_bounded { text } else { "" });
    let root = reader.parse();
    let is_toml = reader.is_clean();
    let config = read(&reader, &Section::root(root.get_ref()));
    let mut problems = reader.into_problems();
    if !is_bounded {
        problems = vec![Problem {
            line: 1,
            column: 1,
            field: String::new(),
            code: ProblemCode::BadValue,
            message: format!("the file has more than {CONFIG_BYTES_MAX} bytes"),
        }];
    } else if !is_toml {
        problems.retain(|problem| problem.code == ProblemCode::Syntax);
    }
    (config, problems)
}

/// Reads the tracking plan of a file, which may be a `hilo.toml` or hold the plan alone. Other tables are not looked at.
///
/// # Errors
/// Every problem of the plan, in the order of its lines.
pub fn parse_plan(text: &str) -> Result<Option<Plan>, Vec<Problem>> {
    let is_bounded = text.len() <= CONFIG_BYTES_MAX;
    let reader = Reader::new(if is_bounded { text } else { "" });
    let root = reader.parse();
    let plan = plan::read(&reader, &Section::root(root.get_ref()));
    if reader.is_clean() { Ok(plan) } else { Err(reader.into_problems()) }
}

/// Reads every table. A mistake leaves a problem and a default value, so that the rest is read too.
fn read(reader: &Reader<'_>, root: &Section<'_>) -> Config {
    reader.only(
        root,
        &[
            "project",
            "source",
            "identity",
            "consent",
            "normalize",
            "plan",
            "cart",
            "destination",
            "retention",
            "storage",
            "admin",
            "access",
            "health",
            "touchpoints",
            "lens",
        ],
    );
    let (controller, environment) = project(reader, root);
    let mut consent = consent(reader, root);
    let destinations = destination::read_all(reader, root, &consent.purposes);
    consent.optin = optin::read(reader, root, &destinations);
    let sources = source::read_all(reader, root, &environment);
    let config = Config {
        controller,
        identity: identity::read(reader, root, &environment),
        normalize: normalize::read(reader, root, &sources),
        sources,
        environment,
        plan: plan::read(reader, root),
        cart: cart::read(reader, root),
        destinations,
        retention: retention(reader, root),
        storage: storage::read(reader, root),
        admins: admin::read_all(reader, root),
        access: admin::access(reader, root),
        health: health::read(reader, root),
        touchpoints: touchpoints::read(reader, root),
        consent,
    };
    if config.sources.is_empty() && reader.is_clean() {
        reader.report_missing(
            root,
            "source",
            "add a [[source]] with a name, a kind and keys: nobody can send yet",
        );
    }
    config
}

fn project(reader: &Reader<'_>, root: &Section<'_>) -> (String, String) {
    let Some(project) = reader.section(root, "project") else {
        reader.report_missing(
            root,
            "project",
            "add [project] with `controller`, the company responsible for the data",
        );
        return Default::default();
    };
    reader.only(&project, &["controller", "environment"]);
    let controller = reader.text(&project, "controller").unwrap_or_else(|| {
        reader.report_missing(
            &project,
            "controller",
            "name the company responsible for the data: it stands in receipts",
        );
        String::new()
    });
    (controller, reader.text(&project, "environment").unwrap_or_else(|| "production".to_owned()))
}

fn consent(reader: &Reader<'_>, root: &Section<'_>) -> ConsentRules {
    // Six months: the CNIL's recommendation on how long a choice holds before a visitor is asked again.
    let mut rules = ConsentRules {
        notice_version: "1".to_owned(),
        ask_again_months: 6,
        purposes: Purpose::ASKED.to_vec(),
        categories: Categories::default(),
        optin: OptInRules::default(),
    };
    let Some(consent) = reader.section(root, "consent") else { return rules };
    let known = ["notice_version", "ask_again_months", "purposes", "categories", "optin"];
    reader.only(&consent, &known);
    rules.categories = categories::read(reader, &consent);
    if let Some(version) = reader.text(&consent, "notice_version") {
        rules.notice_version = version;
    }
    if let Some(months) = reader.number(&consent, "ask_again_months", 1..=24) {
        rules.ask_again_months = months;
    }
    if consent.has("purposes") {
        rules.purposes = reader.purposes(&consent, "purposes");
    }
    rules
}

fn retention(reader: &Reader<'_>, root: &Section<'_>) -> Retention {
    let mut retention = Retention::default();
    let Some(section) = reader.section(root, "retention") else { return retention };
    reader
        .only(&section, &["events_months", "aggregates_months", "rejects_days", "receipts_months"]);
    let fields = [
        ("events_months", &mut retention.events_months, 120),
        ("aggregates_months", &mut retention.aggregates_months, 120),
        ("rejects_days", &mut retention.rejects_days, 90),
        ("receipts_months", &mut retention.receipts_months, 240),
    ];
    for (name, value, max) in fields {
        if let Some(number) = reader.number(&section, name, 1..=max) {
            *value = number;
        }
    }
    retention
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [project]
        controller = "Shop"

        [[source]]
        name = "shop"
        kind = "browser"
        keys = ["wk_new", { key = "wk_old", state = "revoked" }, "kJ83hsoD0w2nQpzX61VbTyRmL4uAcEgI"]
        origins = ["https://shop.example"]

        [[source]]
        name = "app"
        kind = "app"
        keys = ["wk_app"]
        origins = ["capacitor://localhost", "https://localhost"]

        [[source]]
        name = "backend"
        kind = "server"
        # printf %s KEY | sha256sum
        keys = [{ sha256 = "SHA" }, { sha256 = "OTHER" }]
    "#;

    fn config() -> Config {
        use sha2::{Digest, Sha256};
        let hex = |key: &str| -> String {
            Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let text = FILE.replace("SHA", &hex("sk_test"));
        parse(&text.replace("OTHER", &hex("Zx81nU0qR7sVdB2mKe5tLw9yHc3fJg6A"))).unwrap()
    }

    #[test]
    fn a_key_finds_its_own_source() {
        let config = config();
        let opened = |key| config.source_by_key(key, false).map(|source| source.name.as_str());
        assert_eq!(opened("wk_new"), Ok("shop"));
        assert_eq!(opened("sk_test"), Ok("backend"));
        // Keys of another collector, which a site keeps.
        assert_eq!(opened("kJ83hsoD0w2nQpzX61VbTyRmL4uAcEgI"), Ok("shop"));
        assert_eq!(opened("Zx81nU0qR7sVdB2mKe5tLw9yHc3fJg6A"), Ok("backend"));
        assert_eq!(opened("wk_old"), Err(Code::KeyRevoked));
        assert_eq!(opened(""), Err(Code::MissingKey));
        for unknown in ["wk_", "sk_", "sk_other", "WK_NEW", "wk_new "] {
            assert_eq!(opened(unknown), Err(Code::UnknownKey), "{unknown}");
        }
    }

    #[test]
    fn a_development_key_finds_its_source_on_a_developers_machine_only() {
        let text = "[project]\ncontroller = \"x\"\n[[source]]\nname = \"backend\"\nkind = \"server\"\n\
            keys = [{ sha256 = \"85e11d562f804d06514402310d04e3af66b105a2c2e3a664c626c18a695defd9\", state = \"development\" }]";
        let config = parse(text).unwrap();
        assert!(config.source_by_key("sk_dev_backend", true).is_ok());
        assert_eq!(config.source_by_key("sk_dev_backend", false), Err(Code::UnknownKey));
    }

    #[test]
    fn pages_of_this_machine_may_send_in_development_only() {
        let allows = |source: &Source, origin: &str, dev| {
            Origin::parse(origin).is_some_and(|origin| source.allows_origin(&origin, dev))
        };
        let config = config();
        let shop = config.source_by_key("wk_new", false).unwrap();
        for origin in ["http://localhost:8787", "http://127.0.0.1:5173", "http://[::1]:3000"] {
            assert!(allows(shop, origin, true) && !allows(shop, origin, false), "{origin}");
        }
        assert!(allows(shop, "https://shop.example", false));
        assert!(!allows(shop, "https://other.example", true));
        assert!(!allows(shop, "null", true));
        let backend = config.source_by_key("sk_test", false).unwrap();
        assert!(!allows(backend, "https://shop.example", true));
    }

    #[test]
    fn the_page_of_an_app_may_send_for_the_app_that_lists_it_only() {
        let config = config();
        let allows = |key, origin: &str, dev| {
            let source = config.source_by_key(key, false).unwrap();
            Origin::parse(origin).is_some_and(|origin| source.allows_origin(&origin, dev))
        };
        for origin in ["capacitor://localhost", "https://localhost"] {
            assert!(allows("wk_app", origin, false), "{origin}");
            assert!(!allows("wk_new", origin, false), "{origin}");
        }
        for origin in ["ionic://localhost", "http://localhost", "https://shop.example", "null"] {
            assert!(!allows("wk_app", origin, false), "{origin}");
        }
        // In development a page of this machine may send, but not the page of an unknown app.
        assert!(allows("wk_app", "http://localhost:5173", true));
        assert!(!allows("wk_new", "capacitor://localhost", true));
    }
}
