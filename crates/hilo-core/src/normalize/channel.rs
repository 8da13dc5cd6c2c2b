//! The touch that brought a visit: source, medium and channel by GA4's default channel grouping
//! (<https://support.google.com/analytics/answer/9756891>).
//!
//! In: campaign, click ids, and the landing's referrer. Out: `context.hilo.touch`, or none where the event shows no touch (a
//! page reached from another page of the site, from a payment page or a login, an event of a server). A link inside the site with
//! campaign parameters is flagged: it hides what brought the visitor.

mod payment;
mod sites;

use url::Url;

use crate::config::{AssistantPolicy, NormalizeRules};
use crate::event::{Campaign, Event};
use crate::hosts::{is_host_of, is_public_suffix, site};
use crate::journey::landing::landing_query;
use crate::journey::{Channel, Touch, Via};
use crate::outcome::{Code, Rejection};
use crate::query_keys::CLICK_IDS;
use payment::{is_login, is_payment};
use sites::{Kind, kind_of};

/// Sets the touch. Returns a remark on campaign parameters of a link inside the site.
pub fn apply(event: &mut Event, rules: &NormalizeRules) -> Option<Rejection> {
    event.context.hilo.touch = touch(event, rules);
    if !has_internal_campaign(event, rules) {
        return None;
    }
    event.context.hilo.flag(Code::InternalCampaign);
    let message = "a link of your own site has campaign parameters, which hide what brought the visitor: leave them out there";
    Some(Rejection::at(Code::InternalCampaign, "context.campaign", message))
}

/// The name of the site that has this host.
pub(super) fn site_name(host: &str) -> Option<&'static str> {
    kind_of(host).map(|(name, _)| name)
}

/// Whether the address has campaign parameters, and a page of the shop led to it.
fn has_internal_campaign(event: &Event, rules: &NormalizeRules) -> bool {
    let (own, referrer) = (own_host(event), referrer(event).and_then(host));
    let is_tagged = || {
        let query = landing_query(event).unwrap_or_default();
        query.split('&').any(|part| part.starts_with("utm_"))
    };
    referrer.is_some_and(|theirs| is_own(&theirs, &own, &rules.own_hosts)) && is_tagged()
}

/// The host of the landing, else of the page.
fn own_host(event: &Event) -> String {
    let landing = event.context.hilo.session.as_ref().and_then(|session| session.landing.as_ref());
    let page = || event.context.page.as_ref().and_then(|page| page.url.as_deref());
    landing.and_then(|l| l.url.as_deref()).or_else(page).and_then(host).unwrap_or_default()
}

/// The address from which the visitor came to the landing, else to the page.
fn referrer(event: &Event) -> Option<&str> {
    match event.context.hilo.session.as_ref().and_then(|session| session.landing.as_ref()) {
        Some(landing) => landing.referrer.as_deref(),
        None => event.context.page.as_ref().and_then(|page| page.referrer.as_deref()),
    }
}

fn touch(event: &Event, rules: &NormalizeRules) -> Option<Touch> {
    let landing = event.context.hilo.session.as_ref().and_then(|session| session.landing.as_ref());
    let page = event.context.page.as_ref();
    let via = landing.map_or(Via::Page, |landing| landing.via);
    let referrer = referrer(event);
    let own = own_host(event);
    let referrer_host = referrer.and_then(host).filter(|theirs| brings(theirs, &own, rules));
    let campaign = event.context.campaign.as_ref();
    let click =
        CLICK_IDS.iter().find(|(key, _, _)| event.context.hilo.click_ids.contains_key(*key));
    let mut touch = match (campaign, click, referrer_host.as_deref()) {
        (Some(campaign), click, _) => {
            let click = click.map(|(_, source, medium)| (*source, *medium));
            of_campaign(campaign, click, rules.ai_assistants)
        }
        (None, Some((_, source, medium)), _) => {
            of(Some(source), Some(medium), None, rules.ai_assistants)
        }
        (None, None, Some(host)) => of_referrer(host, rules.ai_assistants),
        (None, None, None) => {
            // Only a landing, or a page without a referrer, shows an arrival.
            let is_arrival = landing.is_some() || (page.is_some() && referrer.is_none());
            if !is_arrival {
                return None;
            }
            let channel = if via == Via::Page { Channel::Direct } else { Channel::Unassigned };
            Touch { channel, ..of(None, None, None, rules.ai_assistants) }
        }
    };
    touch.referrer_host = referrer_host;
    touch.via = via;
    Some(touch)
}

/// Whether a visitor from `host` was brought by it. The shop's own sites bring nobody, and neither do payment pages and logins.
fn brings(host: &str, own: &str, rules: &NormalizeRules) -> bool {
    let is_listed = |listed: &String| is_host_of(host, listed);
    !(is_own(host, own, &rules.own_hosts)
        || is_payment(host)
        || is_login(host)
        || rules.unwanted_referrals.iter().any(is_listed))
}

/// Whether `host` is the shop's own: the page's host, another one of the same domain such as its checkout, or one of a source's pages.
fn is_own(host: &str, own: &str, own_hosts: &[String]) -> bool {
    let domain = site(own);
    let is_of_domain = !own.is_empty() && !is_public_suffix(domain) && site(host) == domain;
    is_of_domain
        || is_host_of(host, own)
        || is_host_of(own, host)
        || own_hosts.iter().any(|listed| is_host_of(host, listed))
}

fn of_campaign(
    campaign: &Campaign,
    click: Option<(&str, &str)>,
    assistants: AssistantPolicy,
) -> Touch {
    let source = campaign.source.as_deref().or(click.map(|(source, _)| source));
    let medium = campaign.medium.as_deref().or(click.map(|(_, medium)| medium));
    of(source, medium, campaign.name.as_deref(), assistants)
}

fn of_referrer(host: &str, assistants: AssistantPolicy) -> Touch {
    let medium = match kind_of(host) {
        Some((_, Kind::Search)) => "organic",
        Some((_, Kind::Social)) => "social",
        Some((_, Kind::Mail)) => "email",
        Some((_, Kind::Video | Kind::Shopping | Kind::Assistant)) | None => "referral",
    };
    let source = kind_of(host).map_or(host, |(name, _)| name);
    of(Some(source), Some(medium), None, assistants)
}

fn of(
    source: Option<&str>,
    medium: Option<&str>,
    campaign: Option<&str>,
    assistants: AssistantPolicy,
) -> Touch {
    Touch {
        channel: grouping(source, medium, campaign, assistants),
        source: source.map(str::to_owned),
        medium: medium.map(str::to_owned),
        campaign: campaign.map(str::to_owned),
        referrer_host: None,
        via: Via::Page,
    }
}

/// The rules of GA4 in their order: the first rule that fits decides.
fn grouping(
    source: Option<&str>,
    medium: Option<&str>,
    campaign: Option<&str>,
    assistants: AssistantPolicy,
) -> Channel {
    let lower = |text: Option<&str>| text.unwrap_or_default().trim().to_lowercase();
    let (source, medium, campaign) = (lower(source), lower(medium), lower(campaign));
    let kind = kind_of(&source).map(|(_, kind)| kind);
    let is_paid = medium.starts_with("paid")
        || medium == "ppc"
        || medium == "retargeting"
        || (medium.starts_with("cp") && medium.len() >= 3);
    let is_shop_campaign = is_shopping_campaign(&campaign);
    if (source.is_empty() || source == "(direct)")
        && matches!(medium.as_str(), "" | "(none)" | "(not set)")
    {
        return Channel::Direct;
    }
    if campaign.contains("cross-network") {
        return Channel::CrossNetwork;
    }
    if is_paid {
        return match kind {
            Some(Kind::Shopping) => Channel::PaidShopping,
            _ if is_shop_campaign => Channel::PaidShopping,
            Some(Kind::Search) => Channel::PaidSearch,
            Some(Kind::Social) => Channel::PaidSocial,
            Some(Kind::Video) => Channel::PaidVideo,
            Some(Kind::Mail | Kind::Assistant) | None if medium.contains("social") => {
                Channel::PaidSocial
            }
            Some(Kind::Mail | Kind::Assistant) | None => Channel::PaidOther,
        };
    }
    // Assistants tag their own links with a source alone.
    if kind == Some(Kind::Assistant) && matches!(medium.as_str(), "" | "organic" | "referral") {
        return match assistants {
            AssistantPolicy::Referral => Channel::Referral,
            AssistantPolicy::Channel => Channel::AiAssistant,
        };
    }
    unpaid(&source, &medium, kind, is_shop_campaign)
}

fn unpaid(source: &str, medium: &str, kind: Option<Kind>, is_shop_campaign: bool) -> Channel {
    const SOCIAL: [&str; 5] = ["social", "social-network", "social-media", "sm", "social network"];
    const EMAIL: [&str; 4] = ["email", "e-mail", "e_mail", "e mail"];
    if matches!(medium, "display" | "banner" | "expandable" | "interstitial" | "cpm") {
        return Channel::Display;
    }
    match kind {
        Some(Kind::Shopping) => return Channel::OrganicShopping,
        _ if is_shop_campaign => return Channel::OrganicShopping,
        Some(Kind::Social) if !EMAIL.contains(&medium) => return Channel::OrganicSocial,
        Some(Kind::Video) => return Channel::OrganicVideo,
        Some(Kind::Search) if matches!(medium, "" | "organic" | "referral") => {
            return Channel::OrganicSearch;
        }
        Some(Kind::Mail) if matches!(medium, "" | "referral") => return Channel::Email,
        Some(Kind::Social | Kind::Search | Kind::Mail | Kind::Assistant) | None => {}
    }
    if SOCIAL.contains(&medium) || medium == "social media" {
        Channel::OrganicSocial
    } else if medium.contains("video") {
        Channel::OrganicVideo
    } else if medium == "organic" {
        Channel::OrganicSearch
    } else if matches!(medium, "referral" | "app" | "link") {
        Channel::Referral
    } else if EMAIL.contains(&medium) || EMAIL.contains(&source) {
        Channel::Email
    } else if matches!(medium, "affiliate" | "affiliates") {
        Channel::Affiliates
    } else if medium == "audio" {
        Channel::Audio
    } else if medium == "sms" || source == "sms" {
        Channel::Sms
    } else if medium.ends_with("push")
        || medium.contains("mobile")
        || medium.contains("notification")
        || source == "firebase"
    {
        Channel::MobilePush
    } else {
        Channel::Unassigned
    }
}

/// GA4's `^(.*(([^a-df-z]|^)shop|shopping).*)$`: "shop" at a word's start, or "shopping". "workshop" does not fit.
fn is_shopping_campaign(campaign: &str) -> bool {
    campaign.contains("shopping")
        || campaign.match_indices("shop").any(|(at, _)| {
            let before = campaign.get(..at).and_then(|head| head.chars().next_back());
            !before.is_some_and(|c| c.is_ascii_lowercase() && c != 'e')
        })
}

fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(url.host_str()?.trim_start_matches("www.").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, medium: &str, campaign: &str, expected: Channel) {
        assert_eq!(
            grouping(Some(source), Some(medium), Some(campaign), AssistantPolicy::Referral),
            expected,
            "{source}/{medium}/{campaign}"
        );
    }

    #[test]
    fn each_channel_of_the_default_grouping_is_found() {
        check("(direct)", "(none)", "", Channel::Direct);
        check("google", "cpc", "x cross-network", Channel::CrossNetwork);
        check("google", "cpc", "shop sale", Channel::PaidShopping);
        check("google", "cpc", "workshop", Channel::PaidSearch);
        check("facebook", "paid-social", "", Channel::PaidSocial);
        check("youtube", "cpv", "", Channel::PaidVideo);
        check("newspaper", "banner", "", Channel::Display);
        check("newspaper", "ppc", "", Channel::PaidOther);
        check("amazon", "referral", "", Channel::OrganicShopping);
        check("instagram", "referral", "", Channel::OrganicSocial);
        check("youtube.com", "referral", "", Channel::OrganicVideo);
        check("duckduckgo", "organic", "", Channel::OrganicSearch);
        check("blog.example", "referral", "", Channel::Referral);
        check("newsletter", "email", "", Channel::Email);
        check("partner", "affiliate", "", Channel::Affiliates);
        check("radio", "audio", "", Channel::Audio);
        check("crm", "sms", "", Channel::Sms);
        check("crm", "web_push", "", Channel::MobilePush);
        check("crm", "carrier pigeon", "", Channel::Unassigned);
        check("chatgpt.com", "", "", Channel::Referral);
        check("mail.google.com", "referral", "", Channel::Email);
        check("chatgpt.com", "cpc", "", Channel::PaidOther);
    }

    #[test]
    fn an_assistant_is_a_channel_of_its_own_where_the_shop_wants_it() {
        for medium in [None, Some("referral")] {
            let channel = grouping(Some("perplexity.ai"), medium, None, AssistantPolicy::Channel);
            assert_eq!(channel, Channel::AiAssistant);
        }
    }

    #[test]
    fn the_hosts_of_one_domain_are_the_shops_own_and_those_of_a_platform_are_not() {
        let listed = ["tienda.example".to_owned()];
        for host in
            ["checkout.shop.example", "blog.shop.example", "shop.example", "www.tienda.example"]
        {
            assert!(is_own(host, "checkout.shop.example", &listed), "{host}");
        }
        for host in ["shop.example.com", "other.example"] {
            assert!(!is_own(host, "checkout.shop.example", &listed), "{host}");
        }
        assert!(!is_own("other.myshopify.com", "shop.myshopify.com", &[]));
        assert!(!is_own("other.example", "", &[]));
    }
}
