//! The work on a webhook's call, behind its answer: what it says → reports → events.
//!
//! An object of the inbox calls this until the work is done. It may be done twice: each report has an id of its own.

use hilo_core::config::{Inbound, Source, Webhook};
use hilo_core::inbound::{Report, Told};
use hilo_core::mapping::inbound::{Call as MapCall, decode, map};
use hilo_core::outcome::{Code, Rejection};
use hilo_core::validate::{REDACTED_BYTES_MAX, outline_of};
use serde_json::Value;

use crate::calls::inbox::{Arrival, Worked};
use crate::forward::destinations::target;
use crate::ingest::hooks::{self, Post, handshake};
use crate::ingest::orders::{self, WebhookContent};
use crate::loaded::Loaded;
use crate::pipeline::orders::{Handed, hand_over};
use crate::pipeline::{journal, reports};
use crate::platform::{Failure, Headers, Incoming, Outgoing, Platform};

/// Does the work on a call.
pub async fn work<P: Platform>(arrival: &Arrival, platform: &P) -> Worked {
    match worked(arrival, platform).await {
        Ok(worked) => worked,
        Err(failure) => Worked::Again(failure.message().to_owned()),
    }
}

async fn worked<P: Platform>(arrival: &Arrival, platform: &P) -> Result<Worked, Failure> {
    let loaded = platform.config().await?;
    let Ok((source, webhook)) = hooks::source(&loaded.config, &arrival.source) else {
        return Ok(Worked::Kept(Code::NotFound));
    };
    let incoming = incoming(arrival);
    let post = Post::of(&incoming, arrival.body.as_bytes());
    if let Some(url) = handshake::subscription(webhook, &post) {
        return subscribe(url, platform).await;
    }
    let desk = Desk { post: &post, source, webhook, loaded: &loaded, platform };
    let Mapped { reports, mut faults } = match desk.reports().await {
        Ok(mapped) => mapped,
        Err(Unread::Failed(failure)) => return Err(failure),
        Err(Unread::Refused(why)) => Mapped { reports: Vec::new(), faults: vec![why] },
    };
    if !reports.is_empty() {
        let taken = reports::take(reports, source, &loaded, platform).await?;
        faults.extend(taken.iter().filter_map(|one| one.outcome.rejection().cloned()));
    }
    for why in &faults {
        let outcome = if why.code == Code::NotMapped { "dropped" } else { "rejected" };
        journal::note_inbound(outcome, why, shape(arrival), source, platform);
    }
    Ok(faults.first().map_or(Worked::Done, |why| Worked::Kept(why.code)))
}

/// What a call gave.
#[derive(Default)]
struct Mapped {
    reports: Vec<Report>,
    /// What the rules could not make of it.
    faults: Vec<Rejection>,
}

/// Why a call gave no reports.
enum Unread {
    /// It is not understood.
    Refused(Rejection),
    /// Our own infrastructure failed.
    Failed(Failure),
}

impl From<Rejection> for Unread {
    fn from(why: Rejection) -> Unread {
        Unread::Refused(why)
    }
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Unread {
        Unread::Failed(failure)
    }
}

/// The work on one call.
struct Desk<'d, P> {
    post: &'d Post<'d>,
    source: &'d Source,
    webhook: &'d Webhook,
    loaded: &'d Loaded,
    platform: &'d P,
}

impl<P: Platform> Desk<'_, P> {
    /// What the call reports. A shop system's order goes to its customer's cart, which reports it itself.
    async fn reports(&self) -> Result<Mapped, Unread> {
        let topic = self.webhook.verify.topic.as_ref().and_then(|place| self.post.value(place));
        let topic = topic.unwrap_or_default();
        match orders::read(self.webhook.preset, &topic, self.post.body)? {
            None | Some(WebhookContent::Other) => self.mapped(),
            Some(WebhookContent::Nothing(_)) => Ok(Mapped::default()),
            Some(WebhookContent::Order(order)) => {
                // The reader of orders speaks for the order: a rule's report of it would count it twice.
                let is_order = |report: &Report| matches!(&report.told, Told::Act { event, .. } if event == orders::ORDER_COMPLETED);
                let mut mapped = self.mapped().unwrap_or_default();
                mapped.reports.retain(|report| !is_order(report));
                // Nor does a rule that misses something of an order lose it.
                mapped.faults.retain(|why| why.code == Code::MapBadValue);
                match hand_over(&order, self.source, self.loaded, self.platform).await? {
                    Handed::Taken | Handed::Refused => {}
                    Handed::Guest => mapped.reports.push(orders::report(*order)),
                }
                Ok(mapped)
            }
        }
    }

    /// What the source's rules make of the call. A value that fits no field costs the field alone, and a report that is lost is the only one.
    fn mapped(&self) -> Result<Mapped, Unread> {
        let Some(Inbound { rules, .. }) = &self.source.inbound else {
            let message = "the source has no rules: add [[source.map]], or map = \"<preset>\"; the call is kept, and can be worked on again then";
            return Err(Rejection::new(Code::NotMapped, message).into());
        };
        let header = |name| self.post.incoming.headers.get(name);
        let content_type = header("content-type").unwrap_or_default();
        let body = decode(content_type, self.post.body, rules.json_field.as_deref())?;
        let named = rules.headers().into_iter();
        let headers: Value = named.filter_map(|name| Some((name, header(name)?))).collect();
        let mut mapped = Mapped::default();
        for made in map(rules, MapCall { body: &body, headers: &headers }) {
            match made {
                Ok(report) => mapped.reports.push(report),
                Err(fault) => mapped.faults.push(fault.rejection()),
            }
        }
        Ok(mapped)
    }
}

/// The call as it came, as far as it was kept.
fn incoming(arrival: &Arrival) -> Incoming {
    let mut headers = Headers::default();
    arrival.headers.iter().for_each(|(name, value)| headers.push(name, value.as_str()));
    Incoming { headers, ..Incoming::default() }
}

/// Calls the vendor back. It asked for this with a valid signature, and the address is one of its own hosts.
async fn subscribe<P: Platform>(url: String, platform: &P) -> Result<Worked, Failure> {
    if target::check(&url, false).is_err() {
        return Ok(Worked::Kept(Code::OriginRefused));
    }
    let (method, body) = ("GET".to_owned(), String::new());
    let request = Outgoing { method, url, headers: Headers::default(), body };
    let response = platform.send(&request).await?;
    match response.status {
        200..=299 => Ok(Worked::Done),
        status => {
            Err(Failure::Retriable(format!("the vendor answered {status} to a subscription")))
        }
    }
}

/// The shape of a body for the reject log: names and types, no value.
fn shape(arrival: &Arrival) -> Option<String> {
    let body: Value = serde_json::from_str(&arrival.body).ok()?;
    Some(outline_of(&body, REDACTED_BYTES_MAX / 2, &|_, _| false).to_string())
}
