//! The reports that a row becomes: named touchpoints with Segment's properties, facts about a person, opt-ins.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::fault::{Fault, FaultCode};
use super::kind::{Kind, OUTCOMES, word};
use super::row::{Row, part_of};
use crate::inbound::{Report, Told, Who};

/// The name of an order that an earlier import brought with other values, and that this one may change.
pub const ORDER_UPDATED: &str = "Order Updated";
/// The columns of a contact beside the names of the traits that they become (Segment spec, identify).
const TRAITS: [(&str, &str); 6] = [
    ("email", "email"),
    ("phone", "phone"),
    ("first_name", "firstName"),
    ("last_name", "lastName"),
    ("company", "company"),
    ("language", "language"),
];
/// The columns of a contact beside the parts of its address.
const ADDRESS: [(&str, &str); 3] =
    [("city", "city"), ("postal_code", "postalCode"), ("country", "country")];
/// The columns of a contact beside the channels of its opt-ins.
const OPT_INS: [(&str, &str); 4] = [
    ("email_optin", "email"),
    ("sms_optin", "sms"),
    ("phone_optin", "phone"),
    ("post_optin", "post"),
];

/// Makes the reports of a row. `key` is its own name.
pub(super) fn of(row: &Row<'_>, kind: Kind, key: &str, who: &Who) -> Result<Vec<Report>, Fault> {
    Ok(match kind {
        Kind::Orders => Vec::from([order(row, key, who, "Order Completed")?]),
        Kind::Refunds => Vec::from([order(row, key, who, "Order Refunded")?]),
        Kind::Calls => Vec::from([call(row, key, who)]),
        Kind::Visits => Vec::from([visit(row, key, who)]),
        Kind::OptIns => Vec::from([opt_in(row, key, who)?]),
        Kind::Contacts => contact(row, key, who)?,
    })
}

/// The same report as a change of what an earlier one told: an order alone can be changed. `digest` keeps two changes apart.
pub fn updated(report: &Report, key: &str, digest: &str) -> Option<Report> {
    let Told::Act { event, properties } = &report.told else { return None };
    let told = Told::Act { event: ORDER_UPDATED.to_string(), properties: properties.clone() };
    (event == "Order Completed").then(|| Report {
        id: Some(part_of(key, digest)),
        told,
        ..report.clone()
    })
}

fn act(
    row: &Row<'_>,
    key: &str,
    who: &Who,
    event: &str,
    channel: &str,
    mut properties: Map<String, Value>,
) -> Report {
    row.further(&mut properties);
    let mut context = Map::new();
    context.insert("channel".to_string(), channel.into());
    if let Some(campaign) = row.text("campaign") {
        context.insert("campaign".to_string(), json!({ "name": campaign }));
    }
    Report {
        id: Some(key.to_string()),
        told: Told::Act { event: event.to_string(), properties },
        occurred_at: row.time("occurred_at"),
        who: who.clone(),
        context,
    }
}

fn order(row: &Row<'_>, key: &str, who: &Who, event: &str) -> Result<Report, Fault> {
    let mut properties = Map::new();
    row.copy(
        &["order_id", "refund_id", "currency", "store_id", "cashier", "payment_method", "channel"],
        &mut properties,
    );
    row.copy_numbers(&["total"], &mut properties);
    let mut products = Vec::new();
    for item in row.items()? {
        let mut product = Map::new();
        item.copy(&["line_no", "product_id", "name"], &mut product);
        item.copy_numbers(&["quantity", "price", "discount", "tax"], &mut product);
        // An order without its lines has its own discount and tax.
        if product.contains_key("product_id") || product.contains_key("name") {
            products.push(Value::Object(product));
        } else {
            properties.append(&mut product);
        }
    }
    if !products.is_empty() {
        properties.insert("products".to_string(), Value::Array(products));
    }
    properties.insert("affiliation".to_string(), "store".into());
    Ok(act(row, key, who, event, "Store", properties))
}

fn call(row: &Row<'_>, key: &str, who: &Who) -> Report {
    let outcome = row.text("outcome");
    let outcome = outcome.as_deref().and_then(|text| word(OUTCOMES, text));
    let event = match (row.text("direction").as_deref(), outcome) {
        (Some("out"), _) => "Call Made",
        (_, Some("missed")) => "Call Missed",
        (_, Some("voicemail")) => "Voicemail Left",
        (_, _) => "Call Received",
    };
    let mut properties = Map::new();
    row.copy(
        &["call_id", "direction", "outcome", "agent", "number_called", "note_kind"],
        &mut properties,
    );
    if let Some(outcome) = outcome {
        properties.insert("outcome".to_string(), outcome.into());
    }
    row.copy_numbers(&["duration_s"], &mut properties);
    act(row, key, who, event, "Phone", properties)
}

fn visit(row: &Row<'_>, key: &str, who: &Who) -> Report {
    let mut properties = Map::new();
    row.copy(&["store_id", "reason"], &mut properties);
    act(row, key, who, "Store Visited", "Store", properties)
}

fn opt_in(row: &Row<'_>, key: &str, who: &Who) -> Result<Report, Fault> {
    let is_subscribed = row.text("state").as_deref() == Some("subscribed");
    let text = row.text("text").or_else(|| row.text("text_id"));
    // An opt-out needs no proof.
    if is_subscribed && text.is_none() {
        let message = "say which text the person agreed to: the text itself, or text_id";
        return Err(Fault::at(FaultCode::MissingValue, "text", message));
    }
    if who.email.is_none() && who.phone.is_none() {
        let message = "name the address: email or phone";
        return Err(Fault::new(FaultCode::NoPerson, message));
    }
    let mut context = Map::new();
    row.copy(&["text_id", "source", "ip_truncated", "double_opt_in_at"], &mut context);
    let channel = row.text("channel").unwrap_or_default();
    Ok(Report {
        id: Some(key.to_string()),
        told: Told::OptIn { channel, is_subscribed, text },
        occurred_at: row.time("at"),
        who: who.clone(),
        context,
    })
}

fn contact(row: &Row<'_>, key: &str, who: &Who) -> Result<Vec<Report>, Fault> {
    let mut traits = Map::new();
    row.further(&mut traits);
    traits.remove("import_flags");
    let named = |names: &[(&str, &str)], to: &mut Map<String, Value>| {
        for (column, name) in names {
            to.extend(row.text(column).map(|text| ((*name).to_string(), text.into())));
        }
    };
    named(&TRAITS, &mut traits);
    let mut address = Map::new();
    named(&ADDRESS, &mut address);
    if !address.is_empty() {
        traits.insert("address".to_string(), Value::Object(address));
    }
    let mut reports = Vec::from([Report {
        id: Some(key.to_string()),
        told: Told::Traits(traits),
        occurred_at: row.time("updated_at"),
        who: who.clone(),
        context: Map::new(),
    }]);
    for (column, channel) in OPT_INS {
        let Some(state) = row.text(column) else { continue };
        let is_subscribed = state == "subscribed";
        let text = row.text("optin_text").or_else(|| row.text("optin_text_id"));
        let occurred_at = row.time("optin_at").or_else(|| row.time("updated_at"));
        if is_subscribed && (text.is_none() || occurred_at.is_none()) {
            let (column, message) = match text {
                None => (
                    "optin_text",
                    "say which text the person agreed to: the text itself, or optin_text_id",
                ),
                Some(_) => ("optin_at", "say when the person agreed"),
            };
            return Err(Fault::at(FaultCode::MissingValue, column, message));
        }
        let mut context = Map::new();
        context.extend(row.text("optin_text_id").map(|id| ("text_id".to_string(), id.into())));
        reports.push(Report {
            id: Some(part_of(key, channel)),
            told: Told::OptIn { channel: channel.to_string(), is_subscribed, text },
            occurred_at,
            who: who.clone(),
            context,
        });
    }
    Ok(reports)
}
