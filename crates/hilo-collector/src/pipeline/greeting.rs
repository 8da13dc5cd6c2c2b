//! The hello of a new page that rides on its first envelope: one call of the page's object claims the id and stores the events.
//!
//! A hello and the entries of its id → the entries stored under the id that the request has a right to, and that right. It may make
//! an id, and tell what is recorded for an id with its proof. It takes no cookie back and links nobody: a simple request must not.

use hilo_core::config::Source;
use hilo_core::outcome::Outcome;

use super::claim::{Candidate, Claimant, Right};
use super::entry::Entry;
use crate::calls::{Planned, Proof, RecordCall, Recorded};
use crate::ingest::hello::Hello;
use crate::platform::{Failure, Platform};

/// A hello on an envelope.
pub(super) struct Greeting<'c, P> {
    pub(super) hello: &'c Hello,
    pub(super) claimant: &'c Claimant<'c, P>,
}

impl<P: Platform> Greeting<'_, P> {
    /// Stores the events of the page's id. Returns the right to the id that they have now. `None` where the envelope has no good event of
    /// that id, or where the page does not prove an id that it has already: its events are stored like any others.
    ///
    /// # Errors
    /// A failure if any of these events is not known to be durable. The page sends the same again, and gets the same id.
    pub(super) async fn store(
        &self,
        entries: &mut [Entry],
        plans: &[Vec<&Planned>],
        source: &Source,
    ) -> Result<Option<Right>, Failure> {
        let Some(id) = self.id() else { return Ok(None) };
        let pairs = entries.iter_mut().zip(plans.iter().map(Vec::as_slice));
        let mut own: Vec<(&mut Entry, &[&Planned])> =
            pairs.filter(|(entry, _)| is_of(entry, id)).collect();
        if own.is_empty() {
            return Ok(None);
        }
        for candidate in self.candidates() {
            // An id that the page has is bound already, or has events that bind it to nobody.
            let proof = self.claimant.proof(&candidate, self.hello.own().is_none());
            let right = self.store_as(candidate, proof, &mut own, source).await?;
            if right.is_some() {
                return Ok(right);
            }
        }
        match self.hello.own() {
            Some(_) => Ok(None),
            None => Err(Failure::Retriable("a new id was used already".to_owned())),
        }
    }

    /// The id that the page gave its events.
    fn id(&self) -> Option<&str> {
        let spare = self.claimant.spare.as_ref();
        self.hello
            .own()
            .or(spare.filter(|spare| spare.proof.is_some()).map(|spare| spare.id.as_str()))
    }

    fn candidates(&self) -> Vec<Candidate> {
        let own = self.hello.own();
        let mut candidates = self.claimant.named_or_spare(own);
        let shown = self.claimant.shown.proof.as_ref();
        candidates
            .retain(|one| own.is_none() || shown.is_some_and(|shown| shown.id == one.fresh.id));
        candidates
    }

    async fn store_as(
        &self,
        candidate: Candidate,
        proof: Proof,
        own: &mut [(&mut Entry, &[&Planned])],
        source: &Source,
    ) -> Result<Option<Right>, Failure> {
        let (secret, platform) = (self.claimant.secret, self.claimant.call.platform);
        let states = self.claimant.call.loaded.config.touchpoints.states;
        let mut call = RecordCall::of(&source.name, true).claiming(proof).judging(states);
        for (entry, plan) in own.iter_mut() {
            if let Some(event) = &mut entry.event {
                event.anonymous_id = Some(candidate.fresh.id.clone());
                call.add(event, plan)?;
            }
        }
        let mut name = candidate.object(secret);
        let (claimed, mut recorded) = call.ask_claiming(platform, name.clone()).await?;
        let Some(mut right) = self.claimant.right(candidate, claimed) else { return Ok(None) };
        if let Some(moved) = &right.moved {
            // The device was linked to its user, who has its events.
            recorded = call.unclaimed().ask(platform, moved.clone()).await?;
            name.clone_from(moved);
        }
        let results: Vec<Recorded> = recorded.unwrap_or_default();
        if !(results.is_empty() || results.len() == own.len()) {
            return Err(Failure::Fatal("a profile did not answer every record".to_owned()));
        }
        let mut results = results.into_iter();
        for (entry, plan) in own.iter_mut() {
            entry.profile.clone_from(&name);
            entry.destinations = plan.iter().map(|planned| planned.name.clone()).collect();
            results.next().into_iter().for_each(|result| entry.correct(result));
        }
        let is_refused = own.iter().all(|(entry, _)| entry.event.is_none());
        let is_new = own.iter().any(|(entry, _)| matches!(entry.outcome, Outcome::Accepted));
        if is_refused || !is_new && !right.consent.denied().is_empty() {
            // A denial or an erasure came before these events: the browser keeps nothing of such an id.
            right.proof = None;
        }
        Ok(Some(right))
    }
}

/// Whether the entry is an event of the device `id`, and of no vouched person.
fn is_of(entry: &Entry, id: &str) -> bool {
    let event = entry.event.as_ref();
    event.is_some_and(|event| event.user_id.is_none() && event.anonymous_id.as_deref() == Some(id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use crate::platform::{Object, Platform as _, Reply};
    use crate::shell::memory::{self, Memory, SHOP, request, run};

    const ID: &str = "5f0c7a3e-0000-4000-8000-000000000000";
    const PROOF: &str = "00000000-0000-4000-8000-000000000007";

    fn memory() -> Memory {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        memory.set_secret("HILO_ADMIN_TOKEN", "token");
        memory
    }

    /// What one browser sends, and the cookie that it keeps.
    struct Page<'m> {
        memory: &'m Memory,
        fields: Vec<(&'static str, String)>,
        cookie: String,
    }

    impl<'m> Page<'m> {
        fn new(memory: &'m Memory) -> Page<'m> {
            Page { memory, fields: Vec::new(), cookie: String::new() }
        }

        fn post(&mut self, path: &str, body: &Value, fields: &[(&str, &str)]) -> (Reply, Value) {
            let own = self.fields.iter().map(|(name, value)| (*name, value.as_str()));
            let kept = Some(("cookie", self.cookie.as_str())).filter(|(_, kept)| !kept.is_empty());
            let all = [("origin", SHOP)].into_iter().chain(own).chain(kept);
            let all: Vec<_> = all.chain(fields.iter().copied()).collect();
            let reply = self.memory.serve(request("POST", path, body, &all)).unwrap();
            if let Some(set) = reply.headers.get("set-cookie") {
                set.split(';').next().unwrap_or_default().clone_into(&mut self.cookie);
            }
            let answer = memory::json(&reply);
            (reply, answer)
        }

        /// A simple request: it has no field of ours.
        fn greet(&mut self, hello: &Value, events: &Value) -> (Reply, Value) {
            let (context, sent) = (json!({"consent": granted()}), self.memory.now().to_string());
            let body = json!({
                "hello": hello, "writeKey": "wk_shop", "sentAt": sent, "context": context,
                "batch": events,
            });
            self.post("/v1/batch", &body, &[])
        }

        /// The first batch of a page that has just made `ID`.
        fn come(&mut self, event: &str) -> (Reply, Value) {
            self.greet(&spare(ID, PROOF), &json!([view(event, ID)]))
        }

        fn decide(&mut self, mut body: Value, state: &str) -> (Reply, Value) {
            let at = self.memory.now().to_string();
            let change = json!({"purpose": "analytics", "state": state, "at": at, "method": "api"});
            body["writeKey"] = json!("wk_shop");
            body["sentAt"] = json!(at);
            body["consent"] = json!({"base": 0, "changes": [change]});
            self.post("/v1/consent", &body, &[("x-hilo", "1")])
        }

        fn hello(&mut self, mut body: Value) -> (Reply, Value) {
            body["writeKey"] = json!("wk_shop");
            body["consent"] = granted();
            self.post("/v1/hello", &body, &[("x-hilo", "1")])
        }

        /// The proof in the cookie, without its signature.
        fn proof(&self) -> &str {
            self.cookie.split('.').nth(2).unwrap_or_default()
        }
    }

    fn granted() -> Value {
        json!({"categoryPreferences": {"analytics": true, "functional": true}, "revision": 1})
    }

    fn spare(id: &str, proof: &str) -> Value {
        json!({"spareId": id, "spareProof": proof})
    }

    fn view(message: &str, id: &str) -> Value {
        json!({
            "type": "page", "messageId": message, "anonymousId": id, "properties": {},
            "timestamp": "2026-11-24T09:59:59Z",
        })
    }

    /// The ids of a device's events.
    fn events(memory: &Memory, id: &str) -> BTreeSet<String> {
        let path = format!("/admin/v1/profiles/a:{id}/events");
        let fields = [("authorization", "Bearer token")];
        let reply = memory.serve(request("GET", &path, &Value::Null, &fields)).unwrap();
        let listed = memory::json(&reply);
        let listed = listed["events"].as_array().unwrap().iter();
        listed.map(|event| event["messageId"].as_str().unwrap().to_owned()).collect()
    }

    fn named(answer: &Value) -> &str {
        answer["anonymousId"].as_str().unwrap_or_default()
    }

    fn ids(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn profiles_asked(memory: &Memory) -> usize {
        let asked = memory.asked();
        asked.iter().filter(|object| matches!(object, Object::Profile(_))).count()
    }

    #[test]
    fn a_new_pages_first_batch_is_stored_and_gets_its_cookie_by_one_call_of_one_object() {
        let memory = memory();
        let mut page = Page::new(&memory);
        let (_, answer) = page.come("m1");
        assert_eq!(profiles_asked(&memory), 1);
        assert_eq!((&answer["accepted"], named(&answer)), (&json!(1), ID));
        assert_eq!((&answer["revision"], &answer["denied"]), (&json!(0), &json!([])));
        assert_eq!(answer["settings"]["askAgainMonths"], 6);
        assert_eq!(answer["spareProof"], PROOF, "perhaps the cookie does not stay");
        assert!(page.cookie.contains(ID), "{}", page.cookie);
        assert_eq!(events(&memory, ID), ids(&["m1"]));
        let (reply, answer) = page.come("m2");
        assert_eq!((named(&answer), &answer["spareProof"]), (ID, &Value::Null), "it has stayed");
        assert_eq!(reply.headers.get("set-cookie"), None);
    }

    #[test]
    fn the_same_page_gets_the_same_id_and_proof_again_after_a_lost_answer() {
        let memory = memory();
        let (mut lost, mut again) = (Page::new(&memory), Page::new(&memory));
        lost.come("m1");
        let (_, answer) = again.come("m1");
        assert_eq!((&answer["duplicate"], named(&answer)), (&json!(1), ID));
        assert_eq!(again.proof(), lost.proof());
        assert!(!again.cookie.contains(PROOF), "the page cannot know what is bound");
        assert_eq!(memory.profiles(), 1);
    }

    #[test]
    fn the_cookies_id_comes_before_the_proposed_one_and_gets_the_events() {
        let memory = memory();
        let mut page = Page::new(&memory);
        let own = page.hello(json!({})).1["anonymousId"].as_str().unwrap().to_owned();
        let (_, answer) = page.come("m1");
        assert_eq!((named(&answer), &answer["spareProof"]), (own.as_str(), &Value::Null));
        assert_eq!(memory.profiles(), 1, "nothing is made for the proposed id");
        assert_eq!((events(&memory, &own), events(&memory, ID)), (ids(&["m1"]), ids(&[])));
    }

    #[test]
    fn an_id_of_somebody_else_brings_another_one_which_is_the_same_each_time() {
        let memory = memory();
        let mut owner = Page::new(&memory);
        owner.hello(json!({"spareId": ID}));
        Page::new(&memory).greet(&Value::Null, &json!([view("m0", ID)]));
        let other = PROOF.replace('7', "8");
        let (mut first, mut again) = (Page::new(&memory), Page::new(&memory));
        let (_, answer) = first.greet(&spare(ID, &other), &json!([view("m1", ID)]));
        let own = named(&answer).to_owned();
        assert!(own != ID && !first.cookie.contains(ID), "{answer}");
        let (_, repeat) = again.greet(&spare(ID, &other), &json!([view("m1", ID)]));
        assert_eq!((named(&repeat), &repeat["duplicate"]), (own.as_str(), &json!(1)));
        let (_, later) = again.greet(&spare(&own, &other), &json!([view("m2", &own)]));
        assert_eq!((named(&later), first.proof()), (own.as_str(), again.proof()));
        assert_eq!(events(&memory, ID), ids(&["m0"]));
        assert_eq!(events(&memory, &own), ids(&["m1", "m2"]));
    }

    #[test]
    fn an_id_with_events_that_nobody_proved_is_bound_to_nobody() {
        let memory = memory();
        Page::new(&memory).greet(&Value::Null, &json!([view("m0", ID)]));
        let mut page = Page::new(&memory);
        assert_ne!(named(&page.come("m1").1), ID);
        for state in ["granted", "denied"] {
            let (_, answer) = Page::new(&memory).decide(spare(ID, PROOF), state);
            assert_ne!(named(&answer), ID, "{state}");
        }
        assert_eq!(events(&memory, ID), ids(&["m0"]));
    }

    #[test]
    fn a_recorded_denial_judges_the_events_and_the_answer_tells_it() {
        let memory = memory();
        let mut page = Page::new(&memory);
        let own = page.hello(json!({})).1["anonymousId"].as_str().unwrap().to_owned();
        page.decide(json!({"anonymousId": own, "keepsId": true}), "denied");
        let (_, answer) = page.come("m1");
        assert_eq!(answer["rejected"][0]["code"], "consent_denied");
        assert_eq!((named(&answer), &answer["denied"]), (own.as_str(), &json!(["analytics"])));
        assert_eq!(answer["revision"], 1);
    }

    #[test]
    fn a_page_of_another_site_gets_a_token_and_a_page_without_cookies_gets_it_with_its_grant() {
        let memory = memory();
        let mut foreign = Page::new(&memory);
        foreign.fields.push(("sec-fetch-site", "cross-site".to_owned()));
        let (reply, answer) = foreign.come("m1");
        assert_eq!((named(&answer), reply.headers.get("set-cookie")), (ID, None));
        assert!(answer["token"].is_string() && answer["spareProof"].is_null(), "{answer}");
        let mut blocked = Page::new(&memory);
        let batch = json!([view("m1", "blocked")]);
        let (_, answer) = blocked.greet(&spare("blocked", PROOF), &batch);
        assert_eq!((&answer["token"], &answer["spareProof"]), (&Value::Null, &json!(PROOF)));
        blocked.cookie.clear();
        blocked.fields.push(("x-hilo-auth", "new".to_owned()));
        let (reply, answer) = blocked.decide(spare("blocked", PROOF), "granted");
        assert_eq!((named(&answer), reply.headers.get("set-cookie")), ("blocked", None));
        assert!(answer["token"].is_string() && answer["spareProof"].is_null(), "{answer}");
    }

    #[test]
    fn a_known_page_hears_of_its_record_with_its_proof_only_and_its_events_count_anyway() {
        let memory = memory();
        let mut page = Page::new(&memory);
        page.come("m1");
        page.decide(json!({"anonymousId": ID}), "granted");
        let before = profiles_asked(&memory);
        let own = json!({"anonymousId": ID});
        let (_, answer) = page.greet(&own, &json!([view("m2", ID)]));
        assert_eq!((named(&answer), &answer["revision"]), (ID, &json!(1)));
        assert_eq!(profiles_asked(&memory), before + 1);
        let (reply, answer) = Page::new(&memory).greet(&own, &json!([view("m3", ID)]));
        assert_eq!((&answer["accepted"], &answer["denied"]), (&json!(1), &Value::Null));
        assert_eq!((named(&answer), reply.headers.get("set-cookie")), ("", None));
        assert!(answer["settings"].is_object());
        assert_eq!(events(&memory, ID), ids(&["m1", "m2", "m3"]));
        memory.advance(jiff::SignedDuration::from_hours(25));
        let (reply, _) = page.greet(&own, &json!([view("m4", ID)]));
        assert!(reply.headers.get("set-cookie").unwrap().contains(ID), "renewed once a day");
    }

    #[test]
    fn a_grant_beside_the_first_batch_is_about_the_same_id_whichever_comes_first() {
        for is_grant_first in [true, false] {
            let memory = memory();
            let (mut one, mut two) = (Page::new(&memory), Page::new(&memory));
            let mut grant = || one.decide(spare(ID, PROOF), "granted").1;
            let mut batch = || two.come("m1").1;
            let answers = if is_grant_first {
                let first = grant();
                [first, batch()]
            } else {
                let first = batch();
                [first, grant()]
            };
            assert!(answers.iter().all(|answer| named(answer) == ID), "{answers:?}");
            assert!(answers.iter().all(|answer| answer["spareProof"] == PROOF), "{answers:?}");
            assert_eq!((one.proof(), memory.profiles()), (two.proof(), 1));
        }
    }

    #[test]
    fn a_denial_by_the_pages_own_proof_is_recorded_for_its_id_and_binds_nothing_new() {
        let memory = memory();
        Page::new(&memory).come("m1");
        let mut body = spare(ID, PROOF);
        body["keepsId"] = json!(false);
        let (_, answer) = Page::new(&memory).decide(body.clone(), "denied");
        assert_eq!((&answer["denied"], named(&answer)), (&json!(["analytics"]), ""));
        let (reply, refused) = Page::new(&memory).come("m2");
        assert_eq!(refused["rejected"][0]["code"], "consent_denied");
        assert_eq!(reply.headers.get("set-cookie"), None, "nothing is handed out under a denial");
        let (late, _) = Page::new(&memory).come("m1");
        assert_eq!(late.headers.get("set-cookie"), None, "nor to a duplicate");
        body["spareId"] = json!("unused");
        Page::new(&memory).decide(body, "denied");
        let other = PROOF.replace('7', "8");
        let mut next = Page::new(&memory);
        let (_, answer) = next.greet(&spare("unused", &other), &json!([view("m3", "unused")]));
        assert_eq!(named(&answer), "unused", "nothing was bound");
    }

    #[test]
    fn a_hello_that_no_page_of_ours_writes_changes_nothing_for_the_events() {
        for hello in [
            json!(7),
            json!({}),
            json!({"spareId": ID}),
            spare(ID, "short"),
            spare(ID, &"x".repeat(200)),
            spare("null", PROOF),
            spare("a;b", PROOF),
            spare("another", PROOF),
        ] {
            let memory = memory();
            let mut page = Page::new(&memory);
            let (_, answer) = page.greet(&hello, &json!([view("m1", ID)]));
            assert_eq!((&answer["accepted"], named(&answer)), (&json!(1), ""), "{hello}");
            assert_eq!((page.cookie.as_str(), events(&memory, ID)), ("", ids(&["m1"])), "{hello}");
        }
    }

    #[test]
    fn a_hello_without_a_good_event_makes_no_id() {
        let memory = memory();
        let mut page = Page::new(&memory);
        let denied = json!({"consent": {"categoryPreferences": {"analytics": false}}});
        let mut event = view("m1", ID);
        event["context"] = denied;
        let (_, answer) = page.greet(&spare(ID, PROOF), &json!([event, 7]));
        assert_eq!((named(&answer), page.cookie.as_str()), ("", ""));
        assert_eq!((memory.profiles(), answer["settings"].is_object()), (0, true));
    }

    #[test]
    fn a_backend_says_no_hello() {
        let memory = memory();
        let body = json!({
            "hello": spare(ID, PROOF), "context": {"consent": granted()},
            "batch": [view("m1", ID)],
        });
        let fields = [("authorization", "Bearer sk_dev_backend")];
        let reply = memory.serve(request("POST", "/v1/batch", &body, &fields)).unwrap();
        assert_eq!((named(&memory::json(&reply)), reply.headers.get("set-cookie")), ("", None));
    }

    #[test]
    fn events_of_other_ids_in_the_envelope_stay_theirs() {
        let memory = memory();
        let mut page = Page::new(&memory);
        page.hello(json!({"anonymousId": "mine"}));
        let batch = json!([view("m1", "earlier"), view("m2", ID), 7, view("m3", "earlier")]);
        let (_, answer) = page.greet(&spare(ID, PROOF), &batch);
        assert_eq!((named(&answer), &answer["accepted"]), ("mine", &json!(3)));
        assert_eq!(answer["rejected"][0]["index"], 2);
        assert_eq!(events(&memory, "earlier"), ids(&["m1", "m3"]));
        assert_eq!(events(&memory, "mine"), ids(&["m2"]));
    }

    #[test]
    fn the_events_of_an_erased_device_are_refused_and_its_cookie_gives_a_new_page_another_id() {
        let memory = memory();
        let mut page = Page::new(&memory);
        page.come("m1");
        let fields = [
            ("origin", SHOP),
            ("x-hilo", "1"),
            ("cookie", page.cookie.as_str()),
            ("authorization", "Bearer wk_shop"),
        ];
        let reply = memory.serve(request("DELETE", "/v1/me", &Value::Null, &fields)).unwrap();
        assert_eq!(reply.status, 202);
        run(memory.settle()).unwrap().unwrap();
        let own = json!({"anonymousId": ID});
        let (_, answer) = page.greet(&own, &json!([view("m2", ID)]));
        assert_eq!(answer["rejected"][0]["code"], "erased");
        let hello = spare("next", PROOF);
        let (_, answer) = page.greet(&hello, &json!([view("m3", "next")]));
        assert_eq!((named(&answer), &answer["accepted"]), ("next", &json!(1)));
        assert!(page.cookie.contains("next"), "{}", page.cookie);
    }
}
