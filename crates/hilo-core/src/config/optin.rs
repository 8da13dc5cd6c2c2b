//! `[consent.optin]`: the channels whose subscriptions have to be confirmed, and the way of the link that confirms them.
//!
//! Reads and checks the table. A subscription that nobody could confirm is a problem of the file. Sends nothing.

use serde::Serialize;

use super::nearest::{nearest, shown};
use super::reader::{Reader, Section};
use super::{DestinationEntry, Origin, Problem, ProblemCode};
use crate::consent::OptInChannel;

/// The rules for opt-ins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptInRules {
    /// The channels whose subscriptions are pending until the person confirms them.
    pub double: Vec<OptInChannel>,
    /// The destination that brings the link to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<String>,
    /// Line and column of that name.
    #[serde(skip)]
    pub confirm_by_at: (usize, usize),
    /// The address of the collector as people reach it. Without it, the address that the subscription came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Default for OptInRules {
    fn default() -> OptInRules {
        // Anybody can write a stranger's e-mail address into a form.
        let double = vec![OptInChannel::Email];
        OptInRules { double, confirm_by: None, confirm_by_at: (1, 1), link: None }
    }
}

impl OptInRules {
    /// A problem with the carrier, which only the collector knows.
    pub fn carrier_problem(&self, message: String) -> Problem {
        let (line, column) = self.confirm_by_at;
        let field = "consent.optin.confirm_by".to_owned();
        Problem { line, column, field, code: ProblemCode::BadValue, message }
    }

    /// Whether a subscription to this channel is pending until the person confirms it.
    pub fn is_double(&self, channel: OptInChannel) -> bool {
        self.double.contains(&channel)
    }
}

/// Reads `[consent.optin]`. The destinations are read before it, because one of them carries the link.
pub(super) fn read(
    reader: &Reader<'_>,
    root: &Section<'_>,
    destinations: &[DestinationEntry],
) -> OptInRules {
    let mut rules = OptInRules::default();
    let consent = reader.section(root, "consent");
    let section = consent.and_then(|consent| reader.section(&consent, "optin"));
    if let Some(section) = &section {
        let channels = OptInChannel::ALL.map(OptInChannel::name);
        let known: Vec<&str> = ["confirm_by", "link"].into_iter().chain(channels).collect();
        reader.only(section, &known);
        if let Some((name, at)) = carrier(reader, section, destinations) {
            (rules.confirm_by, rules.confirm_by_at) = (Some(name), at);
        }
        rules.link = link(reader, section);
        for channel in OptInChannel::ALL {
            read_channel(reader, section, channel, &mut rules);
        }
    }
    // A name that is wrong has its own problem.
    if section.is_none_or(|section| !section.has("confirm_by")) {
        check_reachable(reader, root, destinations, &rules);
    }
    rules
}

/// Reads `email = { double = true }`.
fn read_channel(
    reader: &Reader<'_>,
    section: &Section<'_>,
    channel: OptInChannel,
    rules: &mut OptInRules,
) {
    let Some(table) = reader.section(section, channel.name()) else { return };
    reader.only(&table, &["double"]);
    let Some(is_double) = reader.flag(&table, "double") else { return };
    rules.double.retain(|one| *one != channel);
    if !is_double {
        return;
    }
    rules.double.push(channel);
    if !section.has("confirm_by") {
        let message = "nothing carries the link that confirms a subscription: name a destination, such as confirm_by = \"webhook\"";
        reader.report_missing(section, "confirm_by", message);
    }
}

fn carrier(
    reader: &Reader<'_>,
    section: &Section<'_>,
    destinations: &[DestinationEntry],
) -> Option<(String, (usize, usize))> {
    let (name, span) = reader.text_at(section, "confirm_by")?;
    let names: Vec<&str> = destinations.iter().map(|one| one.name.as_str()).collect();
    if names.contains(&name.as_str()) {
        return Some((name, reader.position(span.start)));
    }
    let told = shown(&name, "with this name");
    let hint = nearest(&name, &names).map_or_else(
        || "add a [[destination]] that sends the link to people".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    );
    let message = format!("there is no destination {told}, so no link would arrive: {hint}");
    reader.report(span, &section.path_of("confirm_by"), ProblemCode::BadValue, message);
    None
}

/// Reads the address under which people reach the collector: an origin, and the path before `/v1`.
fn link(reader: &Reader<'_>, section: &Section<'_>) -> Option<String> {
    let (link, span) = reader.text_at(section, "link")?;
    let address = url::Url::parse(&link).ok();
    let origin =
        address.as_ref().and_then(|one| Origin::parse(&one.origin().ascii_serialization()));
    let is_secure = link.starts_with("https://") || origin.is_some_and(|one| one.is_loopback());
    let is_plain = address.is_some_and(|one| {
        one.query().is_none()
            && one.fragment().is_none()
            && one.username().is_empty()
            && one.password().is_none()
    });
    if is_secure && is_plain {
        return Some(link.trim_end_matches('/').to_owned());
    }
    let message =
        "write the address of the collector without query, such as \"https://shop.example/_h\"";
    reader.report(span, &section.path_of("link"), ProblemCode::BadValue, message);
    None
}

/// Reports a destination that writes by a channel to which nobody could ever subscribe.
fn check_reachable(
    reader: &Reader<'_>,
    root: &Section<'_>,
    destinations: &[DestinationEntry],
    rules: &OptInRules,
) {
    for (entry, section) in destinations.iter().zip(reader.sections(root, "destination")) {
        let Some(channel) = entry.channel.filter(|channel| rules.is_double(*channel)) else {
            continue;
        };
        let Some(value) = section.value("channel") else { continue };
        let name = channel.name();
        let message = format!(
            "a subscription to {name} has to be confirmed, and nothing carries the link: write [consent.optin] \
             confirm_by = \"a destination\", or {name} = {{ double = false }}"
        );
        let field = section.path_of("channel");
        reader.report(value.span(), &field, ProblemCode::MissingField, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const FILE: &str = "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\n\
        keys = [\"wk_1\"]\norigins = [\"https://shop.example\"]\n\
        [[destination]]\nname = \"letters\"\ntype = \"webhook\"\npurposes = [\"analytics\"]\n";

    fn read(more: &str) -> Result<OptInRules, Vec<String>> {
        let config = parse(&format!("{FILE}{more}"));
        let told = |problems: Vec<_>| problems.iter().map(ToString::to_string).collect();
        config.map(|config| config.consent.optin).map_err(told)
    }

    #[track_caller]
    fn check_problem(more: &str, field: &str, words: &str) {
        let problems = read(more).unwrap_err();
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert!(problem.contains(&format!(": {field}: ")), "{problem}");
        assert!(problem.contains(words), "{problem}");
    }

    #[test]
    fn only_email_has_to_be_confirmed_unless_the_file_says_otherwise() {
        assert_eq!(read("").unwrap().double, [OptInChannel::Email]);
        let more = "[consent.optin]\nconfirm_by = \"letters\"\nlink = \"https://shop.example/_h/\"\n\
            email = { double = false }\nsms = { double = true }\n";
        let rules = read(more).unwrap();
        assert_eq!(rules.double, [OptInChannel::Sms]);
        assert_eq!(rules.confirm_by.as_deref(), Some("letters"));
        assert_eq!(rules.link.as_deref(), Some("https://shop.example/_h"));
    }

    #[test]
    fn a_carrier_that_is_no_destination_is_refused_with_the_nearest_name() {
        let more = "[consent.optin]\nconfirm_by = \"leters\"\n";
        check_problem(more, "consent.optin.confirm_by", "did you mean `letters`?");
    }

    #[test]
    fn a_double_opt_in_without_a_carrier_is_refused() {
        let more = "[consent.optin]\nsms = { double = true }\n";
        check_problem(more, "consent.optin.confirm_by", "nothing carries the link");
    }

    #[test]
    fn a_destination_to_whose_channel_nobody_could_subscribe_is_refused() {
        check_problem("channel = \"email\"\n", "destination.channel", "has to be confirmed");
        assert!(read("channel = \"sms\"\n").is_ok());
        assert!(read("channel = \"email\"\n[consent.optin]\nemail = { double = false }\n").is_ok());
        assert!(read("channel = \"email\"\n[consent.optin]\nconfirm_by = \"letters\"\n").is_ok());
    }

    #[test]
    fn a_link_that_people_could_not_follow_is_refused() {
        for link in ["shop.example", "http://shop.example/_h", "https://shop.example/_h?a=b"] {
            let more = format!("[consent.optin]\nlink = \"{link}\"\n");
            check_problem(&more, "consent.optin.link", "https://shop.example/_h");
        }
    }
}
