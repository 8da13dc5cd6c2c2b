//! Forms: started, a step done, errors shown, submitted, abandoned; the names of fields and the time spent in them. Never a value.
//!
//! In: one act of the visitor, with the form as the document has it. Out: named acts. Secret and private fields are not even named.
//! Of a form that the site marked as a lead form the page may read the fields that this file names, which no other file decides.
//!
//! A submission is held until the page shows what became of it: a form whose script finds a mistake was not submitted.

mod fields;

use hilo_core::plain::Plain;
use hilo_core::text::parts;

use crate::json::Json;
use crate::platform::capture::{CaptureKind, Captured, Moment, write};
use crate::platform::codes::{
    FORM_BLURRED, FORM_CHANGED, FORM_CONFIRMED, FORM_ERRORS, FORM_FOCUSED, FORM_SENT, FORM_SETTLED,
    FORM_STEPPED, FORM_SUBMITTED, FORM_TYPED,
};

/// Fields that one event lists.
const FIELDS_MAX: usize = 50;
/// Forms that are followed at a time.
const FORMS_MAX: usize = 20;
/// Steps of a form that are told.
const STEPS_MAX: usize = 20;
/// Two submissions within this time are one: an impatient visitor clicks twice.
const TWICE_MS: i64 = 2_000;

/// Whether something is wanted of a field.
type Wants<'w> = &'w dyn Fn(&Plain) -> bool;

/// A form being filled in.
#[derive(Debug)]
struct Filling {
    /// The form as the document had it last, without a single value.
    form: Plain,
    began_ms: i64,
    /// The field that the visitor changed first; `None` while nothing was changed.
    first: Option<String>,
    /// The field that has the focus, and since when. Empty for none, and for a field that must not be named.
    entered: (String, i64),
    /// Milliseconds spent in each field that was visited, in order of the first visit.
    spent: Vec<(String, i64)>,
    /// The places of fields that were changed, and how often one was changed again.
    changed: Vec<i64>,
    corrections: i64,
    /// The steps that the visitor has seen, in order.
    steps: Vec<String>,
    /// When it was submitted, while nobody knows what became of that.
    sent_ms: Option<i64>,
    /// Under which number the page keeps what the site asked for; 0 for nothing.
    ticket: i64,
}

/// The forms of the page that were started and not finished.
#[derive(Debug, Default)]
pub struct Forms {
    open: Vec<Filling>,
    /// Forms that were submitted and not touched since, and when.
    submitted: Vec<(String, i64)>,
    tickets: i64,
}

impl CaptureKind for Forms {
    fn read(&mut self, cells: &Plain, moment: &Moment) -> Vec<Captured> {
        let mut told = Vec::new();
        let step = cells.number("step").and_then(|step| u8::try_from(step).ok());
        if let Some(form) = cells.get("form").filter(|form| !form.flag("isPrivate"))
            && let Some(step) = step
        {
            self.take(step, form, cells, moment, &mut told);
        }
        told
    }

    /// Every form that was begun is abandoned, and a submission that led elsewhere arrived.
    fn leave(&mut self, moment: &Moment) -> Vec<Captured> {
        let mut told = Vec::new();
        for mut filling in self.open.drain(..) {
            filling.stop(moment.elapsed_ms);
            if filling.sent_ms.is_some() {
                filling.submit(true, moment, &mut told);
            } else if filling.first.is_some() {
                told.push(filling.event("Form Abandoned", moment.elapsed_ms, false, moment));
            }
        }
        told
    }
}

impl Forms {
    fn take(
        &mut self,
        step: u8,
        form: &Plain,
        cells: &Plain,
        moment: &Moment,
        told: &mut Vec<Captured>,
    ) {
        let (key, now_ms) = (form.word("key"), moment.elapsed_ms);
        if matches!(step, FORM_FOCUSED | FORM_CHANGED) {
            self.submitted.retain(|(known, _)| known != key);
        }
        let is_known = self.open.iter().any(|filling| filling.form.word("key") == key);
        if !is_known {
            let is_sent = matches!(step, FORM_SUBMITTED | FORM_SENT);
            // A form that was never touched is submitted by a script, or filled in by the browser.
            let is_new = is_sent || matches!(step, FORM_FOCUSED | FORM_TYPED | FORM_CHANGED);
            if !is_new
                || self.open.len() >= FORMS_MAX
                || (is_sent && self.is_again(step, key, now_ms))
            {
                return;
            }
            self.open.push(Filling::new(form, now_ms));
        }
        let known = self.open.iter_mut().find(|filling| filling.form.word("key") == key);
        let Some(filling) = known else { return };
        filling.form = form.clone();
        match step {
            FORM_FOCUSED | FORM_BLURRED => {
                filling.stop(now_ms);
                if step == FORM_FOCUSED {
                    filling.entered = (filling.name_at(cells), now_ms);
                }
            }
            FORM_TYPED | FORM_CHANGED if cells.flag("isByHand") => {
                filling.change(step, cells, moment, told);
            }
            FORM_STEPPED => filling.step(cells, moment, told),
            FORM_ERRORS => {
                filling.sent_ms = None;
                told.push(filling.errors(moment));
            }
            FORM_SUBMITTED if filling.sent_ms.is_none_or(|ms| now_ms - ms >= TWICE_MS) => {
                filling.stop(now_ms);
                filling.sent_ms = Some(now_ms);
                self.tickets += 1;
                told.extend(filling.ask(self.tickets));
            }
            FORM_SENT => {
                filling.stop(now_ms);
                // What the page read at the visitor's own submission counts: a script may have changed the form since.
                if filling.sent_ms.is_none() {
                    self.tickets += 1;
                    told.extend(filling.ask(self.tickets));
                }
                self.finish(key, true, moment, told);
            }
            FORM_CONFIRMED | FORM_SETTLED if filling.sent_ms.is_some() => {
                self.finish(key, step == FORM_CONFIRMED, moment, told);
            }
            _ => {}
        }
    }

    /// The form was submitted.
    fn finish(&mut self, key: &str, is_confirmed: bool, moment: &Moment, told: &mut Vec<Captured>) {
        let at = self.open.iter().position(|filling| filling.form.word("key") == key);
        let Some(filling) = at.map(|at| self.open.swap_remove(at)) else { return };
        let sent_ms = filling.sent_ms.unwrap_or(moment.elapsed_ms);
        filling.submit(is_confirmed, moment, told);
        self.submitted.retain(|(known, _)| known != key);
        if self.submitted.len() < FORMS_MAX {
            self.submitted.push((key.to_owned(), sent_ms));
        }
    }

    /// Whether a submission is the last one of this form again: a page often stops the visitor's submission and sends the form by
    /// script later, when a captcha is solved.
    fn is_again(&mut self, step: u8, key: &str, now_ms: i64) -> bool {
        let last = self.submitted.iter_mut().find(|(known, _)| known == key);
        let Some((_, at_ms)) = last else { return false };
        let is_soon = now_ms - core::mem::replace(at_ms, now_ms) < TWICE_MS;
        is_soon || step == FORM_SENT
    }
}

impl Filling {
    fn new(form: &Plain, began_ms: i64) -> Filling {
        Filling {
            form: form.clone(),
            began_ms,
            first: None,
            entered: (String::new(), 0),
            spent: Vec::new(),
            changed: Vec::new(),
            corrections: 0,
            steps: Vec::new(),
            sent_ms: None,
            ticket: 0,
        }
    }

    /// The name of the field that an act is about; empty where it must not be named.
    fn name_at(&self, cells: &Plain) -> String {
        let at = cells.number("at").and_then(|at| usize::try_from(at).ok());
        let field = at.and_then(|at| self.form.list("fields").get(at).zip(Some(at)));
        field
            .filter(|(field, _)| fields::is_named(field))
            .map_or_else(String::new, |(field, at)| fields::name(field, at))
    }

    /// Adds the time in the field that had the focus.
    fn stop(&mut self, now_ms: i64) {
        let (name, since_ms) = core::mem::take(&mut self.entered);
        if name.is_empty() {
            return;
        }
        let spent = (now_ms - since_ms).max(0);
        match self.spent.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += spent,
            None => self.spent.push((name, spent)),
        }
    }

    /// The visitor changed a field; the first change starts the form.
    fn change(&mut self, step: u8, cells: &Plain, moment: &Moment, told: &mut Vec<Captured>) {
        if step == FORM_CHANGED
            && let Some(at) = cells.number("at")
        {
            if self.changed.contains(&at) {
                self.corrections += 1;
            } else if self.changed.len() < FIELDS_MAX {
                self.changed.push(at);
            }
        }
        if self.first.is_none() {
            self.first = Some(self.name_at(cells));
            told.push(self.event("Form Started", moment.elapsed_ms, false, moment));
        }
    }

    /// The visitor went from one step of the form to another. A step that was seen before is a way back.
    fn step(&mut self, cells: &Plain, moment: &Moment, told: &mut Vec<Captured>) {
        let [left, entered] = ["left", "entered"].map(|cell| cells.word(cell));
        let is_back = self.steps.iter().any(|step| step == entered);
        for step in [left, entered] {
            if self.steps.len() < STEPS_MAX && !self.steps.iter().any(|known| known == step) {
                self.steps.push(step.to_owned());
            }
        }
        if !is_back {
            let mut json = self.begin(moment);
            json.text("step", left).number("fields_done", self.count("isFilled"));
            told.push(Captured { name: "Form Step Completed", properties: json.done() });
        }
    }

    /// What the page showed as wrong: the fields by name, and the browser's words for what is wrong with each.
    fn errors(&self, moment: &Moment) -> Captured {
        let mut json = self.begin(moment);
        json.list("fields");
        for (at, field) in self.named().filter(|(_, field)| !field.word("errors").is_empty()) {
            json.open("").text("name", &fields::name(field, at)).list("errors");
            for error in parts(field.word("errors"), b' ') {
                json.text("", error);
            }
            json.end().close();
        }
        json.end();
        Captured { name: "Form Errors Shown", properties: json.done() }
    }

    /// What the page may read now, because a form's values are gone when its script is done: the places of fields whose values the
    /// site asked for, and of boxes whose ticks are opt-ins. The page keeps all that under a number until the form counts as
    /// submitted.
    fn ask(&mut self, ticket: i64) -> Option<Captured> {
        self.ticket = 0;
        let is_lead = !self.form.word("lead").is_empty();
        let gives =
            |field: &Plain| is_lead && !field.word("trait").is_empty() && fields::may_give(field);
        let is_ticked = |field: &Plain| {
            !field.word("optin").is_empty() && field.flag("isFilled") && !field.flag("isPrivate")
        };
        let mut json = Json::new();
        json.number("traits", ticket);
        let wanted: [(&str, Wants<'_>); 2] = [("fields", &gives), ("optins", &is_ticked)];
        for (name, wants) in wanted {
            json.list(name);
            for (at, field) in (0..).zip(self.form.list("fields")) {
                if wants(field) {
                    self.ticket = ticket;
                    json.number("", at);
                }
            }
            json.end();
        }
        (self.ticket == ticket).then(|| Captured { name: "", properties: json.done() })
    }

    /// The form counts as submitted, from the moment of its submission on.
    fn submit(&self, is_confirmed: bool, moment: &Moment, told: &mut Vec<Captured>) {
        let sent_ms = self.sent_ms.unwrap_or(moment.elapsed_ms);
        told.push(self.event("Form Submitted", sent_ms, is_confirmed, moment));
        let lead = self.form.word("lead");
        let mut json = if lead.is_empty() { Json::new() } else { self.begin(moment) };
        json.some("source", lead);
        if self.ticket > 0 {
            json.number("traits", self.ticket);
        } else if lead.is_empty() {
            return;
        }
        let name = if lead.is_empty() { "" } else { "Lead Submitted" };
        told.push(Captured { name, properties: json.done() });
    }

    fn begin(&self, moment: &Moment) -> Json {
        let mut json = Json::new();
        json.some("form_id", self.form.word("id")).some("form_name", self.form.word("name"));
        json.text("path", &moment.path);
        write(&mut json, &self.form, "frame");
        json
    }

    fn event(
        &self,
        name: &'static str,
        at_ms: i64,
        is_confirmed: bool,
        moment: &Moment,
    ) -> Captured {
        let mut json = self.begin(moment);
        json.list("fields");
        for (at, field) in self.named().take(FIELDS_MAX) {
            let name = fields::name(field, at);
            json.open("").text("name", &name).some("type", field.word("type"));
            if let Some((_, ms)) = self.spent.iter().find(|(known, _)| *known == name) {
                json.number("ms", *ms);
            }
            json.close();
        }
        json.end();
        let autofilled = self.count("isAutofilled");
        if autofilled > 0 {
            json.number("autofilled", autofilled);
        }
        let lasted = match name {
            "Form Submitted" => "ms_to_submit",
            "Form Abandoned" => "ms_open",
            _ => {
                // A beginning has no duration.
                json.some("first_field", self.first.as_deref().unwrap_or_default());
                return Captured { name, properties: json.done() };
            }
        };
        json.number("fields_total", i64::try_from(self.named().count()).unwrap_or_default());
        json.number("fields_filled", self.count("isFilled"))
            .number("corrections", self.corrections);
        json.number(lasted, at_ms - self.began_ms);
        if let Some((field, _)) = self.spent.last() {
            json.text("last_field", field);
        }
        if is_confirmed {
            json.raw("confirmed", "true");
        }
        Captured { name, properties: json.done() }
    }

    /// The fields that may be named, each with its place.
    fn named(&self) -> impl Iterator<Item = (usize, &Plain)> {
        let all = self.form.list("fields").iter().enumerate();
        all.filter(|(_, field)| fields::is_named(field))
    }

    /// How many fields that may be named have this flag.
    fn count(&self, flag: &str) -> i64 {
        let found = self.named().filter(|(_, field)| field.flag(flag)).count();
        i64::try_from(found).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Plain {
        Plain::Text(text.to_owned())
    }

    fn map<const N: usize>(cells: [(&str, Plain); N]) -> Plain {
        Plain::Map(cells.map(|(name, value)| (name.to_owned(), value)).into())
    }

    fn with(mut cells: Plain, name: &str, value: Plain) -> Plain {
        if let Plain::Map(fields) = &mut cells {
            fields.retain(|(known, _)| known != name);
            fields.push((name.to_owned(), value));
        }
        cells
    }

    fn field(name: &str, kind: &str, autocomplete: &str, is_private: bool) -> Plain {
        map([
            ("name", text(name)),
            ("type", text(kind)),
            ("autocomplete", text(autocomplete)),
            ("isPrivate", Plain::Flag(is_private)),
        ])
    }

    fn form(fields: Vec<Plain>) -> Plain {
        map([("key", text("contact")), ("id", text("contact")), ("fields", Plain::List(fields))])
    }

    fn fields() -> Vec<Plain> {
        vec![
            with(field("email", "email", "email", false), "isFilled", Plain::Flag(true)),
            field("pin", "password", "", false),
            field("card", "text", "billing cc-number", false),
            field("diary", "text", "", true),
            field("token", "hidden", "", false),
        ]
    }

    fn act_on(form: Plain, step: u8, at: usize) -> Plain {
        map([
            ("step", Plain::Number(step.to_string())),
            ("form", form),
            ("at", Plain::Number(at.to_string())),
            ("isByHand", Plain::Flag(true)),
        ])
    }

    /// An act on the first field of the contact form.
    fn act(step: u8) -> Plain {
        act_on(form(fields()), step, 0)
    }

    fn at(elapsed_ms: i64) -> Moment {
        Moment::new("https://a.example/c", elapsed_ms)
    }

    fn names(told: &[Captured]) -> Vec<&'static str> {
        told.iter().map(|one| one.name).collect()
    }

    #[test]
    fn a_form_is_started_by_its_first_change_and_submitted_with_its_times() {
        let mut forms = Forms::default();
        assert_eq!(forms.read(&act(FORM_FOCUSED), &at(0)), []);
        let started = forms.read(&act(FORM_TYPED), &at(10));
        assert_eq!(
            (started[0].name, started[0].properties.as_str()),
            (
                "Form Started",
                r#"{"form_id":"contact","path":"/c","fields":[{"name":"email","type":"email"}],"first_field":"email"}"#
            )
        );
        assert_eq!(forms.read(&act(FORM_CHANGED), &at(40)), []);
        assert_eq!(forms.read(&act(FORM_BLURRED), &at(40)), []);
        assert_eq!(forms.read(&act(FORM_FOCUSED), &at(50)), []);
        assert_eq!(forms.read(&act(FORM_CHANGED), &at(80)), []);
        assert_eq!(forms.read(&act(FORM_SUBMITTED), &at(90)), []);
        let events = forms.read(&act(FORM_CONFIRMED), &at(700));
        assert_eq!(
            events[0].properties,
            r#"{"form_id":"contact","path":"/c","fields":[{"name":"email","type":"email","ms":80}],"fields_total":1,"fields_filled":1,"corrections":1,"ms_to_submit":90,"last_field":"email","confirmed":true}"#
        );
    }

    #[test]
    fn the_names_of_secret_fields_never_leave_the_page() {
        let mut forms = Forms::default();
        let mut events = Vec::new();
        for place in 0..5 {
            for step in [FORM_FOCUSED, FORM_CHANGED, FORM_BLURRED] {
                events.extend(forms.read(&act_on(form(fields()), step, place), &at(10)));
            }
        }
        let wrong: Vec<Plain> =
            fields().into_iter().map(|one| with(one, "errors", text("tooShort"))).collect();
        events.extend(forms.read(&act_on(form(wrong), FORM_ERRORS, 0), &at(15)));
        events.extend(forms.leave(&at(20)));
        assert_eq!(names(&events), ["Form Started", "Form Errors Shown", "Form Abandoned"]);
        for text in events.iter().map(|event| &event.properties) {
            for name in ["pin", "card", "diary", "token"] {
                assert!(!text.contains(name), "{text}");
            }
        }
    }

    #[test]
    fn a_form_that_was_only_looked_at_is_neither_started_nor_abandoned() {
        let mut forms = Forms::default();
        forms.read(&act(FORM_FOCUSED), &at(0));
        let filled = with(act(FORM_CHANGED), "isByHand", Plain::Flag(false));
        assert_eq!(forms.read(&filled, &at(5)), [], "a password manager fills it in");
        assert_eq!(forms.leave(&at(500)), []);
    }

    #[test]
    fn a_form_that_was_begun_and_not_sent_is_abandoned_once() {
        let mut forms = Forms::default();
        forms.read(&act(FORM_TYPED), &at(0));
        assert_eq!(names(&forms.leave(&at(500))), ["Form Abandoned"]);
        assert_eq!(forms.leave(&at(600)), []);
    }

    #[test]
    fn a_form_that_a_script_sends_is_submitted_once_and_never_abandoned() {
        let mut forms = Forms::default();
        forms.read(&act(FORM_TYPED), &at(0));
        assert_eq!(names(&forms.read(&act(FORM_SENT), &at(90))), ["Form Submitted"]);
        assert_eq!(forms.leave(&at(100)), []);
    }

    #[test]
    fn a_submission_that_a_script_repeats_is_one_until_the_form_is_touched_again() {
        let mut forms = Forms::default();
        assert_eq!(forms.read(&act(FORM_SUBMITTED), &at(0)), []);
        assert_eq!(forms.read(&act(FORM_SUBMITTED), &at(1_000)), []);
        assert_eq!(names(&forms.read(&act(FORM_SETTLED), &at(10_000))), ["Form Submitted"]);
        assert_eq!(forms.read(&act(FORM_SENT), &at(60_000)), [], "the captcha took a minute");
        forms.read(&act(FORM_SUBMITTED), &at(90_000));
        assert_eq!(names(&forms.read(&act(FORM_CONFIRMED), &at(90_001))), ["Form Submitted"]);
        forms.read(&act(FORM_CHANGED), &at(91_000));
        assert_eq!(names(&forms.read(&act(FORM_SENT), &at(91_500))), ["Form Submitted"]);
    }

    #[test]
    fn a_submission_on_a_page_that_is_left_has_arrived() {
        let mut forms = Forms::default();
        forms.read(&act(FORM_TYPED), &at(0));
        forms.read(&act(FORM_SUBMITTED), &at(50));
        let told = forms.leave(&at(900));
        assert_eq!(names(&told), ["Form Submitted"]);
        assert!(told[0].properties.ends_with(r#""ms_to_submit":50,"confirmed":true}"#));
    }

    #[test]
    fn a_submission_whose_page_shows_errors_is_none_and_the_form_goes_on() {
        let mut forms = Forms::default();
        forms.read(&act(FORM_TYPED), &at(0));
        forms.read(&act(FORM_SUBMITTED), &at(50));
        let mut wrong = fields();
        wrong[0] = with(wrong[0].clone(), "errors", text("valueMissing tooShort"));
        let told = forms.read(&act_on(form(wrong), FORM_ERRORS, 0), &at(60));
        assert_eq!(
            (told[0].name, told[0].properties.as_str()),
            (
                "Form Errors Shown",
                r#"{"form_id":"contact","path":"/c","fields":[{"name":"email","errors":["valueMissing","tooShort"]}]}"#
            )
        );
        assert_eq!(forms.read(&act(FORM_SETTLED), &at(10_060)), []);
        assert_eq!(names(&forms.leave(&at(20_000))), ["Form Abandoned"]);
    }

    #[test]
    fn a_step_is_done_once_it_is_left_for_a_new_one() {
        let mut forms = Forms::default();
        forms.read(&act(FORM_TYPED), &at(0));
        let mut go = |left: &str, entered: &str| {
            let cells = with(act(FORM_STEPPED), "left", text(left));
            forms.read(&with(cells, "entered", text(entered)), &at(9))
        };
        assert_eq!(
            go("address", "shipping")[0].properties,
            r#"{"form_id":"contact","path":"/c","step":"address","fields_done":1}"#
        );
        assert_eq!(go("shipping", "address"), [], "a way back");
        assert_eq!(go("address", "shipping"), [], "and forth again");
        assert_eq!(names(&go("shipping", "payment")), ["Form Step Completed"]);
    }

    #[test]
    fn a_lead_form_lets_the_page_read_exactly_the_marked_fields_that_are_not_forbidden() {
        let marked = fields()
            .into_iter()
            .map(|one| with(one, "trait", text("anything")))
            .collect::<Vec<_>>();
        let box_of = |is_ticked| {
            let optin = with(field("news", "checkbox", "", false), "optin", text("email"));
            with(optin, "isFilled", Plain::Flag(is_ticked))
        };
        let mut all = marked;
        all.extend([box_of(true), box_of(false)]);
        let lead = with(form(all), "lead", text("Newsletter"));
        let mut forms = Forms::default();
        forms.read(&act_on(lead.clone(), FORM_TYPED, 0), &at(0));
        let asked = forms.read(&act_on(lead.clone(), FORM_SUBMITTED, 0), &at(50));
        assert_eq!(
            asked,
            [Captured {
                name: "",
                properties: r#"{"traits":1,"fields":[0],"optins":[5]}"#.to_owned()
            }]
        );
        let told = forms.read(&act_on(lead, FORM_CONFIRMED, 0), &at(51));
        assert_eq!(names(&told), ["Form Submitted", "Lead Submitted"]);
        assert_eq!(
            told[1].properties,
            r#"{"form_id":"contact","path":"/c","source":"Newsletter","traits":1}"#
        );
    }

    #[test]
    fn a_form_without_a_lead_gives_no_value_and_keeps_its_opt_in() {
        let mut all: Vec<Plain> =
            fields().into_iter().map(|one| with(one, "trait", text("email"))).collect();
        let mut forms = Forms::default();
        assert_eq!(forms.read(&act_on(form(all.clone()), FORM_SENT, 0), &at(0)).len(), 1);
        let optin = with(field("news", "checkbox", "", false), "optin", text("email"));
        all.push(with(optin, "isFilled", Plain::Flag(true)));
        let other = with(form(all), "key", text("other"));
        let told = forms.read(&act_on(other, FORM_SENT, 0), &at(0));
        assert_eq!(names(&told), ["", "Form Submitted", ""]);
        assert_eq!(told[0].properties, r#"{"traits":2,"fields":[],"optins":[5]}"#);
        assert_eq!(told[2].properties, r#"{"traits":2}"#);
    }

    #[test]
    fn a_private_form_is_invisible() {
        let private = with(form(fields()), "isPrivate", Plain::Flag(true));
        for step in [FORM_FOCUSED, FORM_CHANGED, FORM_SUBMITTED, FORM_SENT] {
            assert_eq!(Forms::default().read(&act_on(private.clone(), step, 0), &at(0)), []);
        }
    }
}
