//! `[touchpoints]`: the numbers for the states of people; `[[lens]]`: where touchpoints stand.
//! Reads and checks the tables. `journey/lens/` uses the rules.

use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeValue;

use super::ProblemCode;
use super::reader::{Reader, Section};
use crate::journey::lens::{
    ByState, Cycle, Experience, Goal, Initiator, LensRule, Owner, Role, Stage, USUAL,
};
use crate::journey::{State, StateRules};

/// The most rules of a file.
const RULES_MAX: usize = 500;
/// The fields of a rule.
const FIELDS: [&str; 12] = [
    "kind",
    "channel",
    "state",
    "about",
    "stage",
    "cycle",
    "experience",
    "goal",
    "visible",
    "owner",
    "initiator",
    "role",
];

/// The rules for touchpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TouchpointRules {
    /// The numbers for the states of people.
    #[serde(flatten)]
    pub states: StateRules,
    /// The deployer's own rules of the lenses, which come before the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lenses: Vec<LensRule>,
}

impl TouchpointRules {
    /// Whether the file says nothing about touchpoints.
    pub fn is_usual(&self) -> bool {
        *self == TouchpointRules::default()
    }
}

/// Reads `[touchpoints]` and `[[lens]]`.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>) -> TouchpointRules {
    let mut states = StateRules::default();
    if let Some(section) = reader.section(root, "touchpoints") {
        reader.only(&section, &["post_days", "loyal_orders"]);
        if let Some(days) = reader.number(&section, "post_days", 1..=365) {
            states.post_days = days;
        }
        if let Some(orders) = reader.number(&section, "loyal_orders", 2..=50) {
            states.loyal_orders = orders;
        }
    }
    TouchpointRules { states, lenses: lenses(reader, root) }
}

/// The usual rules of the lenses.
pub fn usual_lenses() -> Vec<LensRule> {
    let reader = Reader::new(USUAL);
    let root = reader.parse();
    lenses(&reader, &Section::root(root.get_ref()))
}

fn lenses(reader: &Reader<'_>, root: &Section<'_>) -> Vec<LensRule> {
    let sections = reader.sections(root, "lens");
    if let Some(more) = sections.get(RULES_MAX) {
        let message =
            format!("there are more than {RULES_MAX} rules: let one rule name many kinds");
        reader.report(more.span.clone(), "lens", ProblemCode::BadValue, message);
    }
    sections.iter().take(RULES_MAX).map(|section| rule(reader, section)).collect()
}

fn rule(reader: &Reader<'_>, section: &Section<'_>) -> LensRule {
    reader.only(section, &FIELDS);
    let word = |field: &str, words: &[&'static str]| reader.word(section, field, words);
    let rule = LensRule {
        kinds: one_or_more(reader, section, "kind"),
        channels: words(reader, section, "channel"),
        states: words(reader, section, "state"),
        about: one_or_more(reader, section, "about"),
        stage: by_state(reader, section, "stage", Stage::WORDS, Stage::of),
        cycle: by_state(reader, section, "cycle", Cycle::WORDS, Cycle::of),
        experience: word("experience", Experience::WORDS).and_then(Experience::of),
        goal: word("goal", Goal::WORDS).and_then(Goal::of),
        is_visible: reader.flag(section, "visible"),
        owner: word("owner", Owner::WORDS).and_then(Owner::of),
        initiator: word("initiator", Initiator::WORDS).and_then(Initiator::of),
        role: word("role", Role::WORDS).and_then(Role::of),
    };
    let names_some = ["kind", "channel", "state", "about"].iter().any(|field| section.has(field));
    if !names_some {
        let message = "say which touchpoints are meant: kind = \"Store Visited\"";
        reader.report_missing(section, "kind", message);
    }
    for (field, message) in [
        ("stage", "say where it stands: stage = \"precompra\""),
        ("cycle", "say where it stands: cycle = \"consideracion\""),
    ] {
        if !section.has(field) {
            reader.report_missing(section, field, message);
        }
    }
    rule
}

/// A text, or a list of texts.
fn one_or_more(reader: &Reader<'_>, section: &Section<'_>, field: &str) -> Vec<String> {
    let is_text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().is_some();
    if section.value(field).is_some_and(is_text) {
        return reader.text(section, field).into_iter().collect();
    }
    reader.texts(section, field)
}

/// Channels or states, by the words that the wire has for them.
fn words<'de, T: Deserialize<'de>>(
    reader: &Reader<'_>,
    section: &Section<'_>,
    field: &str,
) -> Vec<T> {
    let texts = one_or_more(reader, section, field);
    let read = |text: &String| {
        let read: Result<T, WordError> = T::deserialize(text.clone().into_deserializer());
        if let (Err(error), Some(value)) = (&read, section.value(field)) {
            let path = section.path_of(field);
            reader.report(value.span(), &path, ProblemCode::BadValue, error.to_string());
        }
        read.ok()
    };
    texts.iter().filter_map(read).collect()
}

/// A word for all states, or a table of words by state, with `default` for the others.
fn by_state<T: Copy>(
    reader: &Reader<'_>,
    section: &Section<'_>,
    field: &str,
    words: &[&'static str],
    of: impl Fn(&str) -> Option<T>,
) -> ByState<T> {
    let Some(value) = section.value(field) else { return ByState::default() };
    let DeValue::Table(table) = value.get_ref() else {
        return ByState([reader.word(section, field, words).and_then(of); 5]);
    };
    let states = Section { table, path: section.path_of(field), span: value.span() };
    let names = State::ALL.map(State::name);
    let mut known = vec!["default"];
    known.extend(names);
    reader.only(&states, &known);
    let read = |name: &str| reader.word(&states, name, words).and_then(&of);
    let others = read("default");
    let is_whole = others.is_some() || names.iter().all(|name| states.has(name));
    if !is_whole && !states.has("default") {
        let message = "give a value for the other states too: default = …";
        reader.report_missing(&states, "default", message);
    }
    ByState(names.map(|name| read(name).or(others)))
}

#[cfg(test)]
mod tests {
    use super::super::{examine, parse};
    use super::*;
    use crate::journey::lens::{Placement, place};
    use crate::journey::{Channel, Touchpoint};

    const FILE: &str = "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\n\
        keys = [\"wk_shop\"]\norigins = [\"https://shop.example\"]\n";

    fn touchpoint(kind: &str, channel: Option<Channel>, state: State) -> Touchpoint {
        Touchpoint { kind: kind.to_owned(), channel, about: None, state, machine: false }
    }

    fn words_of(placed: &Placement) -> (&str, &str, Option<&str>) {
        let experience = placed.experience.map(Experience::word);
        (
            placed.stage.map_or("unplaced", Stage::word),
            placed.cycle.map_or("unplaced", Cycle::word),
            experience,
        )
    }

    #[test]
    fn the_usual_rules_have_no_problem() {
        let (_, problems) = examine(&format!("{FILE}{USUAL}"));
        assert_eq!(problems, []);
        assert!(usual_lenses().len() > 50);
    }

    #[test]
    fn the_same_page_stands_elsewhere_for_a_stranger_and_for_a_customer() {
        let rules = usual_lenses();
        let viewed = |state| place(&touchpoint("Product Viewed", None, state), &rules);
        assert_eq!(words_of(&viewed(State::New)), ("precompra", "atraccion", Some("explora")));
        let loyal = viewed(State::Loyal);
        assert_eq!(words_of(&loyal), ("precompra", "fidelizacion", Some("explora")));
        let page = place(&touchpoint("page", None, State::Fresh), &rules);
        assert_eq!(words_of(&page), ("poscompra", "retencion", Some("explora")));
    }

    #[test]
    fn a_visit_is_discovered_by_an_advertisement_and_explored_by_a_newsletter() {
        let rules = usual_lenses();
        let visit =
            |channel| place(&touchpoint("Visit Started", Some(channel), State::New), &rules);
        let paid = visit(Channel::PaidSocial);
        assert_eq!((paid.experience, paid.owner), (Some(Experience::Discovers), Some(Owner::Paid)));
        let mail = visit(Channel::Email);
        assert_eq!((mail.experience, mail.owner), (Some(Experience::Explores), Some(Owner::Owned)));
        assert_eq!(mail.role, Role::Arrival);
    }

    #[test]
    fn a_call_of_support_stands_after_the_purchase() {
        let rules = usual_lenses();
        let mut call = touchpoint("Call Received", Some(Channel::Phone), State::Known);
        assert_eq!(place(&call, &rules).stage, Some(Stage::Before));
        call.about = Some("support".to_owned());
        let placed = place(&call, &rules);
        assert_eq!((placed.stage, placed.is_offline), (Some(Stage::After), true));
    }

    #[test]
    fn a_kind_without_a_rule_is_unplaced_until_the_deployer_has_one() {
        let fitting = touchpoint("Fitting Booked", Some(Channel::Store), State::Known);
        let placed = place(&fitting, &usual_lenses());
        assert_eq!((words_of(&placed), placed.role), (("unplaced", "unplaced", None), Role::None));
        let own = "[[lens]]\nkind = \"Fitting *\"\nstage = \"precompra\"\nrole = \"contact\"\n\
            cycle = { new = \"atraccion\", default = \"retencion\" }\n";
        let config = parse(&format!("{FILE}{own}")).unwrap();
        let usual = usual_lenses();
        let placed = place(&fitting, config.touchpoints.lenses.iter().chain(&usual));
        assert_eq!(
            (words_of(&placed), placed.role),
            (("precompra", "retencion", None), Role::Contact)
        );
    }

    #[test]
    fn a_rule_with_unknown_words_is_explained() {
        let own = "[touchpoints]\npost_days = 0\n[[lens]]\nkind = \"x\"\nstage = \"before\"\nchannel = \"Shop\"\n\
            state = [\"old\"]\ncycle = { new = \"atraccion\" }\n[[lens]]\nstage = \"compra\"\ncycle = \"conversion\"\n";
        let (_, problems) = examine(&format!("{FILE}{own}"));
        let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        let expected = [
            "touchpoints.post_days",
            "lens.stage",
            "lens.channel",
            "lens.state",
            "lens.cycle.default",
            "lens.kind",
        ];
        assert_eq!(fields, expected, "{problems:?}");
    }
}
