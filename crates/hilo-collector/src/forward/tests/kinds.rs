//! Kinds for tests of whole deployments: one deletes people, one would count a repeat twice.

use super::*;

/// A kind that can delete a person, for tests of erasures: the only one so far.
pub(crate) const LEAVER: Kind = Kind { name: "leaver", load: |_| Ok(Box::new(Leaver)), ..DESK };

struct Leaver;

impl Destination for Leaver {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        Ok(Mapping {
            left_out: (0..batch.events.len())
                .map(|at| (at, LeftOut::Refused("no events".to_owned())))
                .collect(),
            ..Mapping::default()
        })
    }

    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let reason = format!("status {}", response.status);
        Reception::All(match response.status {
            204 => Acceptance::Delivered,
            400 => Acceptance::Rejected { reason },
            _ => Acceptance::Retry { after: None, reason },
        })
    }

    fn deletion(&self, person: &Person, _: &Access<'_>) -> Option<Result<Outgoing, MissingSecret>> {
        let (method, headers) = ("POST".to_owned(), Headers::default());
        let url = "https://leaver.example/delete".to_owned();
        let body = json!([person.user_id, person.anonymous_ids]).to_string();
        Some(Ok(Outgoing { method, url, headers, body }))
    }
}

/// A kind that would count a repeat twice, for tests of whole deployments.
pub(crate) const METER: Kind = Kind {
    name: "meter",
    load: |_| Ok(Box::new(Meter)),
    limits: Limits {
        events: 10,
        bytes: 100_000,
        age_s_max: None,
        wants_person: false,
        ..DESK.limits
    },
    ..DESK
};

struct Meter;

impl Destination for Meter {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let (mut events, mut left_out) = (Vec::new(), Vec::new());
        for (at, one) in batch.events.iter().enumerate() {
            match one.event.claimed_id {
                Some(_) => {
                    left_out.push((at, LeftOut::Skipped(reason::missing_identifier("a device"))))
                }
                None => events.push(at),
            }
        }
        let (method, headers) = ("POST".to_owned(), Headers::default());
        let ids: Vec<_> =
            events.iter().map(|at| batch.events[*at].event.message_id.clone()).collect();
        let outgoing = Outgoing {
            method,
            url: "https://meter.example/".to_owned(),
            headers,
            body: ids.join(","),
        };
        let request = MappedRequest { outgoing, events, step: 0 };
        let requests = if request.events.is_empty() { vec![] } else { vec![request] };
        Ok(Mapping { requests, left_out })
    }

    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        crate::forward::destinations::answer::by_status(response)
    }

    fn assumes_sent(&self, _: &BatchEvent<'_>, _: u32) -> bool {
        true
    }
}
