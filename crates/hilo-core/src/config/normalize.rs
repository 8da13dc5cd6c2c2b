//! `[normalize]`: the shop's currency and country, whom bots and assistants count as, and hosts that bring nobody.
//! Reads and checks the table. The steps of `normalize` obey it.

use serde::Serialize;

use super::reader::{Reader, Section};
use super::{ProblemCode, Source};
use crate::phone::Market;

/// The rules for normalizing events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NormalizeRules {
    /// Currency of amounts without a currency, ISO 4217.
    pub currency: Option<String>,
    /// Hosts that bring nobody, with their subdomains, beside the payment pages that hilo knows.
    pub unwanted_referrals: Vec<String>,
    /// The country of telephone numbers that name none, ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What becomes of the events of bots.
    #[serde(skip_serializing_if = "is_default")]
    pub bots: BotPolicy,
    /// The channel of visitors whom an AI assistant brought.
    #[serde(skip_serializing_if = "is_default")]
    pub ai_assistants: AssistantPolicy,
    /// The hosts of the sources' pages. A visitor who comes from one of them was not brought by it.
    #[serde(skip)]
    pub own_hosts: Vec<String>,
}

/// What becomes of the events of bots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BotPolicy {
    /// They are kept, with `context.hilo.bot`.
    #[default]
    Flag,
    /// They are dropped, with the code `bot_refused`.
    Refuse,
}

/// The channel of visitors whom an AI assistant brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AssistantPolicy {
    /// `Referral`, as in GA4's default channel grouping.
    #[default]
    Referral,
    /// `AI Assistant`.
    Channel,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads `[normalize]`.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>, sources: &[Source]) -> NormalizeRules {
    let mut rules = NormalizeRules { own_hosts: own_hosts(sources), ..NormalizeRules::default() };
    let Some(normalize) = reader.section(root, "normalize") else { return rules };
    reader
        .only(&normalize, &["currency", "country", "unwanted_referrals", "bots", "ai_assistants"]);
    rules.currency = reader.text_at(&normalize, "currency").and_then(|(currency, span)| {
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code {
            let message = "write the currency as ISO 4217 does, such as \"EUR\"";
            reader.report(span, "normalize.currency", ProblemCode::BadValue, message);
        }
        is_code.then_some(currency)
    });
    rules.country = reader.text_at(&normalize, "country").and_then(|(country, span)| {
        let is_known = Market::of(&country).is_some();
        if !is_known {
            let known: Vec<_> = Market::countries().collect();
            let message = format!("the numbers of these countries are known: {}", known.join(", "));
            reader.report(span, "normalize.country", ProblemCode::BadValue, message);
        }
        is_known.then_some(country)
    });
    if reader.word(&normalize, "bots", &["flag", "refuse"]) == Some("refuse") {
        rules.bots = BotPolicy::Refuse;
    }
    if reader.word(&normalize, "ai_assistants", &["referral", "channel"]) == Some("channel") {
        rules.ai_assistants = AssistantPolicy::Channel;
    }
    rules.unwanted_referrals = hosts(reader, &normalize);
    rules
}

/// The hosts of every page that may send, and the domains that share a cookie.
fn own_hosts(sources: &[Source]) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for source in sources {
        let pages = source.origins.iter().filter(|origin| origin.is_web() && !origin.is_loopback());
        let names = pages.map(|origin| origin.host().trim_start_matches("www.").to_owned());
        hosts.extend(names.chain(source.cookie_domain.clone()));
    }
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The hosts whose visitors nobody brought. An address in the place of a host would never match.
fn hosts(reader: &Reader<'_>, normalize: &Section<'_>) -> Vec<String> {
    let mut hosts = reader.texts(normalize, "unwanted_referrals");
    hosts.retain(|host| {
        let is_host = host.contains('.')
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if !is_host && let Some(list) = normalize.value("unwanted_referrals") {
            let message = "write the host alone, such as \"pay.example.com\"";
            reader.report(
                list.span(),
                "normalize.unwanted_referrals",
                ProblemCode::BadValue,
                message,
            );
        }
        is_host
    });
    hosts
        .iter()
        .map(|host| host.to_ascii_lowercase().trim_start_matches("www.").to_owned())
        .collect()
}
