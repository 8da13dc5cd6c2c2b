//! Forms: started, submitted, abandoned; the names of fields and the time spent in them. Never a value.
//!
//! In: one act of the visitor, with the form as the document has it. Out: "Form Started", "Form Submitted" or
//! "Form Abandoned". Secret and private fields are not even named.

use hilo_core::text::parts;
use serde::Deserialize;

use crate::json::Json;
use crate::platform::capture::{CaptureKind, Captured, Moment};
use crate::platform::codes::{FORM_FOCUSED, FORM_SENT, FORM_SUBMITTED};

/// Fields that one event lists.
const FIELDS_MAX: usize = 50;
/// Forms that are followed at a time.
const FORMS_MAX: usize = 20;
/// Two submissions within this time are one: an impatient visitor clicks twice.
const TWICE_MS: i64 = 2_000;

/// One thing that a visitor did to a form.
#[derive(Debug, Deserialize)]
pub struct FormAct {
    /// The act: one of the `FORM_` codes.
    pub step: u8,
    /// The form as the document has it, without a single value.
    pub form: Form,
    /// The field's name; empty for a submission.
    pub field: String,
}

/// A form as the document has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// The form's name among the page's forms: its `id`, else its `name`, else its `action`.
    pub key: String,
    /// The attribute `id`.
    pub id: String,
    /// The attribute `name`.
    pub name: String,
    /// Whether the site marked the form `data-hilo-private`.
    pub is_private: bool,
    /// The form's fields, in the document's order.
    pub fields: Vec<Field>,
}

/// A field of a form.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The attribute `name`, else `id`.
    pub name: String,
    /// The attribute `type`.
    pub r#type: String,
    /// The attribute `autocomplete`.
    pub autocomplete: String,
    /// Whether the site marked the field `data-hilo-private`.
    pub is_private: bool,
}

/// A form being filled in.
#[derive(Debug)]
struct Filling {
    form: Form,
    began_ms: i64,
    /// The field that has the focus, and since when. Empty for none, and for a field that must not be named.
    entered: (String, i64),
    /// Milliseconds spent in each field that was visited, in order of the first visit.
    spent: Vec<(String, i64)>,
}

/// The forms of the page that were started and not finished.
#[derive(Debug, Default)]
pub struct Forms {
    open: Vec<Filling>,
    /// Forms that were submitted and not touched since, and when.
    submitted: Vec<(String, i64)>,
}

impl CaptureKind for Forms {
    type Cells = FormAct;

    fn read(&mut self, act: FormAct, moment: &Moment) -> Vec<Captured> {
        if act.form.is_private {
            return Vec::new();
        }
        let known = self.open.iter().position(|filling| filling.form.key == act.form.key);
        if let Some(filling) = known.and_then(|at| self.open.get_mut(at)) {
            filling.stop(moment.elapsed_ms);
        }
        match act.step {
            FORM_SUBMITTED | FORM_SENT => {
                let is_again = self.is_again(&act, moment);
                // A form that was never touched is submitted by a script, or filled in by the browser.
                let filling = match known {
                    Some(at) => self.open.remove(at),
                    None if is_again => return Vec::new(),
                    None => Filling::new(act.form, moment),
                };
                vec![filling.event("Form Submitted", moment)]
            }
            FORM_FOCUSED => self.focus(known, act, moment).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Every form that was begun is abandoned.
    fn leave(&mut self, moment: &Moment) -> Vec<Captured> {
        let mut abandoned = Vec::new();
        for mut filling in self.open.drain(..) {
            filling.stop(moment.elapsed_ms);
            abandoned.push(filling.event("Form Abandoned", moment));
        }
        abandoned
    }
}

impl Forms {
    /// Notes a submission. Returns whether it is the last one of this form again: a page often stops the visitor's submission and
    /// sends the form by script later, when a captcha is solved.
    fn is_again(&mut self, act: &FormAct, moment: &Moment) -> bool {
        let now_ms = moment.elapsed_ms;
        let last = self.submitted.iter_mut().find(|(key, _)| *key == act.form.key);
        let Some((_, at_ms)) = last else {
            if self.submitted.len() < FORMS_MAX {
                self.submitted.push((act.form.key.clone(), now_ms));
            }
            return false;
        };
        let is_soon = now_ms - core::mem::replace(at_ms, now_ms) < TWICE_MS;
        is_soon || act.step == FORM_SENT
    }

    /// A field of the form got the focus; the first one starts the form.
    fn focus(&mut self, known: Option<usize>, act: FormAct, moment: &Moment) -> Option<Captured> {
        self.submitted.retain(|(key, _)| *key != act.form.key);
        let is_named = named(&act.form).any(|field| field.name == act.field);
        let entered = (if is_named { act.field } else { String::new() }, moment.elapsed_ms);
        if let Some(filling) = known.and_then(|at| self.open.get_mut(at)) {
            filling.entered = entered;
            return None;
        }
        if self.open.len() >= FORMS_MAX {
            return None;
        }
        let filling = Filling { entered, ..Filling::new(act.form, moment) };
        let started = filling.event("Form Started", moment);
        self.open.push(filling);
        Some(started)
    }
}

impl Filling {
    const fn new(form: Form, moment: &Moment) -> Filling {
        let entered = (String::new(), 0);
        Filling { form, began_ms: moment.elapsed_ms, entered, spent: Vec::new() }
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

    fn event(&self, name: &'static str, moment: &Moment) -> Captured {
        let mut json = Json::new();
        json.some("form_id", &self.form.id).some("form_name", &self.form.name);
        json.text("path", &moment.path).list("fields");
        for field in named(&self.form).take(FIELDS_MAX) {
            json.open("").text("name", &field.name).some("type", &field.r#type);
            if let Some((_, ms)) = self.spent.iter().find(|(known, _)| *known == field.name) {
                json.number("ms", *ms);
            }
            json.close();
        }
        json.end();
        let lasted = match name {
            "Form Submitted" => "ms_to_submit",
            "Form Abandoned" => "ms_open",
            _ => return Captured { name, properties: json.done() }, // a beginning has no duration
        };
        json.number(lasted, moment.elapsed_ms - self.began_ms);
        if let Some((field, _)) = self.spent.last() {
            json.text("last_field", field);
        }
        Captured { name, properties: json.done() }
    }
}

/// The fields of a form whose very names may leave the page (consent.md, in the page, rule 11).
fn named(form: &Form) -> impl Iterator<Item = &Field> {
    form.fields.iter().filter(|field| {
        let is_secret = matches!(field.r#type.as_str(), "password" | "hidden");
        let is_card = parts(&field.autocomplete, b' ').any(|word| word.starts_with("cc-"));
        !(is_secret || is_card || field.is_private || field.name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::codes::FORM_BLURRED;

    fn field(name: &str, kind: &str, autocomplete: &str, is_private: bool) -> Field {
        let [name, r#type, autocomplete] = [name, kind, autocomplete].map(str::to_owned);
        Field { name, r#type, autocomplete, is_private }
    }

    fn act(step: u8, name: &str) -> FormAct {
        let [key, id] = ["contact", "contact"].map(str::to_owned);
        let fields = vec![
            field("email", "email", "email", false),
            field("pin", "password", "", false),
            field("card", "text", "billing cc-number", false),
            field("diary", "text", "", true),
            field("token", "hidden", "", false),
        ];
        let form = Form { key, id, name: String::new(), is_private: false, fields };
        FormAct { step, form, field: name.to_owned() }
    }

    fn at(elapsed_ms: i64) -> Moment {
        Moment::new("https://a.example/c", elapsed_ms)
    }

    #[test]
    fn a_form_is_started_once_and_submitted_with_its_times() {
        let mut forms = Forms::default();
        assert_eq!(forms.read(act(FORM_FOCUSED, "email"), &at(0))[0].name, "Form Started");
        assert_eq!(forms.read(act(FORM_BLURRED, "email"), &at(40)), []);
        assert_eq!(forms.read(act(FORM_FOCUSED, "email"), &at(50)), []);
        let events = forms.read(act(FORM_SUBMITTED, ""), &at(90));
        assert_eq!(
            events[0].properties,
            r#"{"form_id":"contact","path":"/c","fields":[{"name":"email","type":"email","ms":80}],"ms_to_submit":90,"last_field":"email"}"#
        );
    }

    #[test]
    fn the_names_of_secret_fields_never_leave_the_page() {
        let mut forms = Forms::default();
        let mut events = forms.read(act(FORM_FOCUSED, "pin"), &at(0));
        forms.read(act(FORM_BLURRED, "pin"), &at(10));
        events.extend(forms.leave(&at(20)));
        assert_eq!(events.len(), 2);
        for text in events.iter().map(|event| &event.properties) {
            for name in ["pin", "card", "diary", "token"] {
                assert!(!text.contains(name), "{text}");
            }
        }
    }

    #[test]
    fn a_form_that_was_begun_and_not_sent_is_abandoned_once() {
        let mut forms = Forms::default();
        forms.read(act(FORM_FOCUSED, "email"), &at(0));
        assert_eq!(forms.leave(&at(500))[0].name, "Form Abandoned");
        assert_eq!(forms.leave(&at(600)), []);
    }

    #[test]
    fn a_form_that_a_script_sends_is_submitted_once_and_never_abandoned() {
        let mut forms = Forms::default();
        forms.read(act(FORM_FOCUSED, "email"), &at(0));
        let events = forms.read(act(FORM_SENT, ""), &at(90));
        assert_eq!((events.len(), events[0].name), (1, "Form Submitted"));
        assert_eq!(forms.leave(&at(100)), []);
    }

    #[test]
    fn a_submission_that_a_script_repeats_is_one_until_the_form_is_touched_again() {
        let mut forms = Forms::default();
        assert_eq!(forms.read(act(FORM_SUBMITTED, ""), &at(0)).len(), 1);
        assert_eq!(forms.read(act(FORM_SUBMITTED, ""), &at(1_000)), []);
        assert_eq!(forms.read(act(FORM_SENT, ""), &at(60_000)), [], "the captcha took a minute");
        assert_eq!(forms.read(act(FORM_SUBMITTED, ""), &at(90_000)).len(), 1);
        forms.read(act(FORM_FOCUSED, "email"), &at(91_000));
        assert_eq!(forms.read(act(FORM_SENT, ""), &at(91_500)).len(), 1);
    }

    #[test]
    fn a_private_form_is_invisible() {
        let mut private = act(FORM_FOCUSED, "email");
        private.form.is_private = true;
        assert_eq!(Forms::default().read(private, &at(0)), []);
    }
}
