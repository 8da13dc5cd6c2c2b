//! An activity of somebody with a message: what Marketo tells of it → what waits until its person is read, and its details.
//!
//! It is kept between two pages, so it names nobody but by the lead's id.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::words::{at, id, list, members, nobodys, text, time};

/// Marketo's standard types of activity, and the acts that they are.
pub(super) const ACTS: [(i64, &str); 7] = [
    (6, "Message Sent"),
    (7, "Email Delivered"),
    (8, "Email Bounced"),
    (9, "Unsubscribed"),
    (10, "Email Opened"),
    (11, "Email Link Clicked"),
    (27, "Email Bounced"),
];
/// The type of a person who wants no more.
pub(super) const UNSUBSCRIBED: i64 = 9;
/// The type of a soft bounce.
const SOFT: i64 = 27;
/// The attributes that are kept between a page of activities and its people.
const ATTRIBUTES: [&str; 5] = ["Link", "Details", "Category", "Is Bot Activity", "Campaign Run ID"];

/// An activity, as far as its report needs it.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) lead: String,
    pub(super) kind: i64,
    pub(super) at: Option<Timestamp>,
    /// The message.
    pub(super) asset: Option<String>,
    pub(super) asset_name: Option<String>,
    pub(super) campaign: Option<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    /// Whether it is a change by which the person wants no more letters.
    #[serde(default)]
    pub(super) ends: bool,
}

impl Activity {
    /// The details of its act.
    pub(super) fn properties(&self) -> Map<String, Value> {
        let attribute = |name: &str| self.attributes.get(name).map(String::as_str);
        members([
            ("email_id", self.asset.as_deref().map(Value::from)),
            ("email_name", self.asset_name.as_deref().map(Value::from)),
            ("campaign_id", self.campaign.as_deref().map(Value::from)),
            ("link_url", attribute("Link").map(Value::from)),
            ("reason", attribute("Category").map(Value::from)),
            ("is_soft", (self.kind == SOFT).then_some(Value::Bool(true))),
            (
                "is_machine",
                (attribute("Is Bot Activity") == Some("true")).then_some(Value::Bool(true)),
            ),
        ])
    }
}

/// Reads an activity of a type that hilo takes.
pub(super) fn of(activity: &Value) -> Option<Activity> {
    let kind = at(activity, "activityTypeId")?.as_i64()?;
    ACTS.iter().find(|(known, _)| *known == kind)?;
    let attributes = list(activity, "attributes").iter().filter_map(|one| {
        let name = text(one, "name").filter(|name| ATTRIBUTES.contains(&name.as_str()))?;
        let value = at(one, "value")?;
        let value = value.as_bool().map(|is| is.to_string()).or_else(|| id(one, "value"))?;
        // It is kept between two pages, so it must name nobody there either.
        let value = if name == "Link" { nobodys(&value) } else { value };
        Some((name, value))
    });
    Some(Activity {
        id: text(activity, "marketoGUID").or_else(|| id(activity, "id"))?,
        lead: id(activity, "leadId")?,
        kind,
        at: time(activity, "activityDate"),
        asset: id(activity, "primaryAttributeValueId"),
        asset_name: text(activity, "primaryAttributeValue"),
        campaign: id(activity, "campaignId"),
        attributes: attributes.collect(),
        ends: false,
    })
}
