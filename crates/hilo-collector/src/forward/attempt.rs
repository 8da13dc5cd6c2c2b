//! One attempt: a batch goes through all steps of its destination, and each event gets one result.
//!
//! It maps the batch, sends the requests and classifies the answers. It bisects a batch that one event poisons, repeats a request without
//! the events that the answer names, and gets a new access token once where the destination refuses the one at hand. It continues with
//! the next step for the events that finished this one, and keeps the order if the destination needs it. The outbox stores, not this file.

use std::cell::RefCell;
use std::rc::Rc;

use super::asked;
use super::batch::Outbound;
use super::destination::{
    Acceptance, Access, Batch, LeftOut, MappedRequest, Mapping, MissingSecret, Reception,
    STEPS_MAX, Token,
};
use super::destinations::target;
use super::gate::Held;
use super::outside::{Ended, Outside, Sent};
use super::plan::Loaded;
use super::reason;
use super::results::{HeldBack, Mark, OneResult, Part, Results, ended};
use super::shown::Veil;
use crate::calls::DeliveryResult;
use crate::platform::{Failure, Outgoing, Response};

/// The statuses that the edge makes itself when a request was sent and its answer did not come (Cloudflare: 520 broken off, 524 out of
/// time).
const UNKNOWN: [u16; 2] = [520, 524];

/// Brings a batch to its destination. Returns one result per delivery, in order. A delivery that must not be sent any more has none.
pub(super) async fn attempt<S>(
    batch: Vec<Outbound>,
    loaded: &Loaded,
    outside: &Outside<'_, S>,
    held_back: &RefCell<HeldBack>,
) -> Vec<Ended>
where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
{
    let needs_token = loaded.destination.oauth().is_some();
    let token = if needs_token { (outside.renew)(None).await.map(Some) } else { Ok(None) };
    let results = Results {
        batch: &batch,
        held_back,
        is_ordered: loaded.kind.limits.is_ordered,
        now: outside.now,
        list: batch.iter().map(|_| (None, None)).collect(),
        found_in: vec![None; batch.len()],
        parted: 0,
        marks: vec![Mark::None; batch.len()],
    };
    let run = Run {
        batch: &batch,
        loaded,
        outside,
        results,
        found: RefCell::default(),
        token: None,
        is_renewed: !needs_token,
        looked_up: RefCell::default(),
    };
    let (results, marks) = run.go(token).await;
    let ended = |((mut one, (result, shown)), mark): ((Outbound, OneResult), Mark)| {
        one.delivery.row = mark.row(one.delivery.row)?;
        let mark = mark.is_asked().then(|| outside.mark_id.clone());
        Some(Ended { delivery: one.delivery, result: ended(result), shown, mark })
    };
    batch.into_iter().zip(results).zip(marks).filter_map(ended).collect()
}

struct Run<'r, 'o, S> {
    batch: &'r [Outbound],
    loaded: &'r Loaded,
    outside: &'r Outside<'o, S>,
    results: Results<'r>,
    /// What answers told for later steps.
    found: RefCell<Vec<(String, String)>>,
    token: Option<Token>,
    /// Whether the token was renewed, which happens once.
    is_renewed: bool,
    /// The secrets that the mapping has looked up.
    looked_up: RefCell<Vec<String>>,
}

impl<S> Run<'_, '_, S>
where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
{
    /// Takes all steps, with the token at hand or without one. Returns the results.
    async fn go(mut self, token: Result<Option<Token>, Held>) -> (Vec<OneResult>, Vec<Mark>) {
        let step = self.batch.first().map_or(0, |one| one.delivery.steps);
        // A stack whose top comes first: the parts that follow from a part come before the parts behind it.
        let mut parts = vec![Part { places: (0..self.batch.len()).collect(), step }];
        match token {
            Ok(token) => self.token = token,
            Err(held) => parts.drain(..).flat_map(|part| part.places).for_each(|place| {
                self.results.wait(place, step, &held);
            }),
        }
        while let Some(part) = parts.pop() {
            parts.extend(self.send_part(part).await.into_iter().rev());
        }
        (self.results.list, self.results.marks)
    }

    /// Sends the requests of one step. Returns the remaining parts, in order.
    async fn send_part(&mut self, mut part: Part) -> Vec<Part> {
        part.places.retain(|place| !self.results.is_held_back(*place, part.step));
        self.mark(&mut part).await;
        if part.places.is_empty() {
            return Vec::new();
        }
        let Mapping { requests, left_out } = match self.map(&part) {
            Ok(mapping) => mapping,
            Err(MissingSecret(name)) => {
                self.wait_for_secret(&name, &part);
                return Vec::new();
            }
        };
        self.leave_out(&part, left_out);
        let mut apart = Vec::new();
        let is_due = |request: &&MappedRequest| {
            request.step == part.step && part.of(request).next().is_some()
        };
        let mut of_step = requests.iter().filter(is_due);
        while let Some(request) = of_step.next() {
            let places: Vec<usize> = part.of(request).collect();
            let sent = self.send(request, &places).await;
            if self.gets_new_token(&sent).await {
                // The other requests were made with the token that the destination has refused, too.
                let left: Vec<usize> = of_step.by_ref().flat_map(|other| part.of(other)).collect();
                let is_left = |place: &&usize| places.contains(place) || left.contains(place);
                let again = part.places.iter().filter(is_left).copied().collect();
                apart.push(Part { places: again, step: part.step });
                break;
            }
            // If order matters, this round sends only this request. The events of the other requests, and all later
            // events, are mapped again when the attempt has found out which events are held back.
            let first = match self.loaded.kind.limits.is_ordered {
                true => of_step.by_ref().flat_map(|request| &request.events).min(),
                false => None,
            };
            let rest = part.places.iter().skip(first.copied().unwrap_or(part.places.len()));
            let is_open = |place: &&usize| !places.contains(place) && self.results.is_open(**place);
            let rest = rest.filter(is_open).copied().collect();
            match sent {
                Ok(sent) => {
                    if sent.has_found {
                        self.results.note_found(&places, part.step);
                    }
                    apart.extend(self.receive(request, places, part.step, sent));
                }
                Err(held) => places.iter().for_each(|at| self.results.wait(*at, part.step, &held)),
            }
            apart.push(Part { places: rest, step: part.step });
        }
        let is_apart = |place: &usize| apart.iter().any(|part: &Part| part.places.contains(place));
        let mut left = vec![self.go_on(&part, &requests, is_apart)];
        left.append(&mut apart);
        left.retain(|part| !part.places.is_empty());
        left
    }

    /// Whether the destination would count a repeat of an event's request of this step.
    fn counts_twice(&self, place: usize, step: u32) -> bool {
        let one = self.batch.get(place).map(Outbound::as_event);
        one.is_some_and(|one| self.loaded.destination.assumes_sent(&one, step))
    }

    fn needs_mark(&self, place: usize, step: u32) -> bool {
        self.results.mark(place) == Mark::None && self.counts_twice(place, step)
    }

    /// Marks the events whose requests of this step the destination would count twice, and takes out those that must not be sent any
    /// more. Behind a closed gate nothing is sent, so nothing is marked.
    async fn mark(&mut self, part: &mut Part) {
        let unmarked = part.places.iter().filter(|place| self.needs_mark(**place, part.step));
        let unmarked: Vec<usize> = unmarked.copied().collect();
        if unmarked.is_empty() || self.is_gate_closed() {
            return;
        }
        let batch = self.batch;
        let deliveries = unmarked.iter().filter_map(|place| Some(&batch.get(*place)?.delivery));
        let marks = asked::marked(&deliveries.collect::<Vec<_>>(), self.outside).await;
        for (place, mark) in unmarked.into_iter().zip(marks) {
            self.results.note_mark(place, part.step, mark);
        }
        part.places.retain(|place| self.results.is_open(*place));
    }

    fn is_gate_closed(&self) -> bool {
        self.outside.gate.is_closed(self.loaded.kind.limits.pace, (self.outside.now)())
    }

    fn map(&self, part: &Part) -> Result<Mapping, MissingSecret> {
        let outbound = part.places.iter().filter_map(|place| self.batch.get(*place));
        let events = outbound.map(Outbound::as_event);
        let secrets = |name: &str| {
            let found = (self.outside.secrets)(name);
            let mut looked_up = self.looked_up.borrow_mut();
            if let Some(secret) = found.as_ref().filter(|secret| !looked_up.contains(secret)) {
                looked_up.push(secret.clone());
            }
            found
        };
        self.loaded.destination.requests(&Batch {
            events: events.collect(),
            access: Access { secrets: &secrets, token: self.token.as_ref() },
            found: &self.found.borrow(),
            now: (self.outside.now)(),
        })
    }

    fn wait_for_secret(&mut self, name: &str, part: &Part) {
        let reason = format!(
            "the secret {name} is not set or is none: cargo xtask wrangler secret put {name}"
        );
        let held = Held { after_s: 0, reason, is_its_turn: false };
        part.places.iter().for_each(|place| self.results.wait(*place, part.step, &held));
    }

    /// Ends the events that the destination does not take.
    fn leave_out(&mut self, part: &Part, left_out: Vec<(usize, LeftOut)>) {
        for (at, why) in left_out {
            let Some(place) = part.at(at) else { continue };
            match why {
                LeftOut::Skipped(reason) => {
                    self.results.end(place, DeliveryResult::Skipped { reason })
                }
                LeftOut::Refused(reason) => self.results.die(place, part.step, &reason),
            }
        }
    }

    /// Sends a request with the events at these places, if the gate lets it start.
    async fn send(&self, request: &MappedRequest, places: &[usize]) -> Result<Sent, Held> {
        let (mut is_unknown, mut has_found, mut response) = (false, false, None);
        let mut times = None;
        let reception = if let Err(why) =
            target::check_request(&request.outgoing, self.outside.is_dev)
        {
            let reason = reason::invalid(&format!("the URL may not be called: {why}"));
            Reception::All(Acceptance::Rejected { reason })
        } else {
            let Outside { send, now, gate, .. } = self.outside;
            let began = now();
            let pace = self.loaded.kind.limits.pace;
            if !self.is_gate_closed() && places.iter().any(|at| self.needs_mark(*at, request.step))
            {
                // The gate has just opened, and the next attempt marks the events first.
                let reason = "waits: the destination has just come back".to_owned();
                return Err(Held { after_s: 1, reason, is_its_turn: true });
            }
            gate.permit(pace, began)?;
            let reception = match send(&request.outgoing).await {
                Ok(answer) => {
                    let reception = self.loaded.destination.classify(request, &answer);
                    is_unknown = UNKNOWN.contains(&answer.status);
                    has_found = self.find(request, &answer);
                    response = Some(answer);
                    reception
                }
                Err(failure) => {
                    is_unknown = !matches!(failure, Failure::Unreached(_));
                    let reason = failure.message().to_owned();
                    Reception::All(Acceptance::Retry { after: None, reason })
                }
            };
            times = Some((began, now()));
            reception
        };
        let is_accepted = reception == Reception::All(Acceptance::Delivered);
        let veil = if is_accepted { None } else { Some(self.veil(request, places)) };
        let reception = match &veil {
            Some(veil) => veil.scrub_reasons(reception),
            None => reception,
        };
        // The brake tells its reason to deliveries of other people, so it gets the scrubbed one.
        if let Some((began, ended)) = times {
            self.outside.gate.note(&reception, began, ended);
        }
        Ok(Sent { reception, is_unknown, has_found, response, veil })
    }

    /// Keeps what an answer tells for later steps. Returns whether it tells anything.
    fn find(&self, request: &MappedRequest, answer: &Response) -> bool {
        if !(200..300).contains(&answer.status) {
            return false;
        }
        let mut found = self.loaded.destination.found(request, answer);
        let has_found = !found.is_empty();
        self.found.borrow_mut().append(&mut found);
        has_found
    }

    /// Hides the secrets and the people of a request.
    fn veil(&self, request: &MappedRequest, places: &[usize]) -> Veil {
        let mut secrets = self.looked_up.borrow().clone();
        secrets.extend(self.token.as_ref().map(|token| token.access.clone()));
        let mut veil = Veil::of(&request.outgoing, &secrets);
        for one in places.iter().filter_map(|place| self.batch.get(*place)) {
            veil.hide_event(&one.event);
            veil.hide_person(one.delivery.person.as_deref());
        }
        veil
    }

    /// Whether the destination has refused the token, and there is another one now. Asked for once in an attempt.
    async fn gets_new_token(&mut self, sent: &Result<Sent, Held>) -> bool {
        let is_refused = sent.as_ref().is_ok_and(|sent| sent.refusal().is_some());
        if !is_refused || std::mem::replace(&mut self.is_renewed, true) {
            return false;
        }
        let renewed = (self.outside.renew)(self.token.clone()).await.ok();
        let is_new = renewed.is_some() && renewed != self.token;
        self.token = renewed.or(self.token.take());
        is_new
    }

    /// Gives the events of a request their results. Delivered events get no result yet, because they may have further
    /// steps. Returns the parts of a request that are sent again.
    fn receive(
        &mut self,
        request: &MappedRequest,
        mut places: Vec<usize>,
        step: u32,
        sent: Sent,
    ) -> Vec<Part> {
        if let Some(reason) = sent.refusal() {
            self.outside.gate.shut(&reason::unauthorized(reason), (self.outside.now)());
        }
        if let (true, Reception::All(Acceptance::Retry { reason, .. })) =
            (sent.is_unknown, &sent.reception)
        {
            places.retain(|place| !self.is_assumed(*place, step, reason));
        }
        let Sent { reception, response, veil, .. } = sent;
        let own = places.clone();
        let halves = self.results.give(places, step, reception);
        let mut shown = None;
        for place in own {
            let Some((Some(DeliveryResult::Dead { .. }), place)) = self.results.list.get_mut(place)
            else {
                continue;
            };
            let show = || {
                let veil = veil.as_ref()?;
                Some(Rc::new(veil.show(&request.outgoing, response.as_ref())))
            };
            shown = shown.or_else(show);
            place.clone_from(&shown);
        }
        halves
    }

    /// Whether an event counts as sent though no answer came. It ends then.
    fn is_assumed(&mut self, place: usize, step: u32, why: &str) -> bool {
        let is_assumed = self.counts_twice(place, step);
        if is_assumed {
            self.results.end(place, DeliveryResult::Assumed { reason: reason::assumed_sent(why) });
        }
        is_assumed
    }

    /// Makes the part of the next step: the events that finished this step and have a request of a later one. The other
    /// events have ended, except those in another part of this step.
    fn go_on(
        &mut self,
        part: &Part,
        requests: &[MappedRequest],
        is_apart: impl Fn(&usize) -> bool,
    ) -> Part {
        let mut next = Part { places: Vec::new(), step: part.step + 1 };
        for (at, &place) in part.places.iter().enumerate() {
            if !self.results.is_open(place) || is_apart(&place) {
                continue;
            }
            let steps = requests.iter().filter(|request| request.events.contains(&at));
            match steps.map(|request| request.step).max() {
                None => self.results.die(
                    place,
                    part.step,
                    "the destination made no request of this event",
                ),
                Some(last) if last <= part.step => {
                    self.results.end(place, DeliveryResult::Delivered)
                }
                Some(last) if last >= STEPS_MAX => {
                    self.results.die(
                        place,
                        part.step,
                        "the destination wants more steps than there are",
                    );
                }
                Some(_) => next.places.push(place),
            }
        }
        next
    }
}
