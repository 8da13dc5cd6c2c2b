//! Forms: begun, submitted, abandoned; the names of fields and how long they took. Never a value.
//!
//! In: what the visitor did, with the form as the document has it. Out: "Form Started", "Form Submitted" or
//! "Form Abandoned". Fields that are secret or private are not even named.

use crate::json::Object;
use crate::platform::{FieldSeen, FormAct, FormSeen, FormStep};

/// Fields that one event lists.
const FIELDS_MAX: usize = 50;
/// Forms that are watched at a time.
const FORMS_MAX: usize = 20;

/// A form being filled in.
#[derive(Debug)]
struct Filling {
    form: FormSeen,
    began_ms: i64,
    entered: Option<(String, i64)>,
    /// Milliseconds spent in each field that was visited, in order of the first visit.
    spent: Vec<(String, i64)>,
}

/// An event that a form gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// Its properties, JSON.
    pub properties: String,
}

/// The forms of the page that were begun and not finished.
#[derive(Debug, Default)]
pub struct Forms {
    open: Vec<Filling>,
}

impl Forms {
    /// Reads one act. `now_ms` is any clock that does not jump; `path` is where the page is.
    pub fn read(&mut self, act: FormAct, path: &str, now_ms: i64) -> Option<Told> {
        if act.form.is_private {
            return None;
        }
        match act.step {
            FormStep::Focused => self.enter(act, path, now_ms),
            FormStep::Left => {
                self.leave(&act.form.key, now_ms);
                None
            }
            FormStep::Submitted => {
                self.leave(&act.form.key, now_ms);
                let at = self.open.iter().position(|filling| filling.form.key == act.form.key);
                let filling = match at {
                    Some(at) => self.open.remove(at),
                    // Sent without ever being touched: by a script, or filled in by the browser.
                    None => Filling {
                        form: act.form,
                        began_ms: now_ms,
                        entered: None,
                        spent: Vec::new(),
                    },
                };
                Some(tell("Form Submitted", &filling, path, now_ms))
            }
        }
    }

    /// The visitor goes away: whatever was begun is abandoned.
    pub fn abandon(&mut self, path: &str, now_ms: i64) -> Vec<Told> {
        let open = std::mem::take(&mut self.open);
        open.into_iter()
            .map(|mut filling| {
                filling.stop(now_ms);
                tell("Form Abandoned", &filling, path, now_ms)
            })
            .collect()
    }

    fn enter(&mut self, act: FormAct, path: &str, now_ms: i64) -> Option<Told> {
        let is_named =
            act.form.fields.iter().any(|field| field.name == act.field && may_be_named(field));
        let known = self.open.iter_mut().find(|filling| filling.form.key == act.form.key);
        if let Some(filling) = known {
            filling.stop(now_ms);
            filling.entered = is_named.then_some((act.field, now_ms));
            return None;
        }
        if self.open.len() >= FORMS_MAX {
            return None;
        }
        let entered = is_named.then_some((act.field, now_ms));
        let filling = Filling { form: act.form, began_ms: now_ms, entered, spent: Vec::new() };
        let told = tell("Form Started", &filling, path, now_ms);
        self.open.push(filling);
        Some(told)
    }

    fn leave(&mut self, key: &str, now_ms: i64) {
        if let Some(filling) = self.open.iter_mut().find(|filling| filling.form.key == key) {
            filling.stop(now_ms);
        }
    }
}

impl Filling {
    /// Adds the time in the field that had the focus.
    fn stop(&mut self, now_ms: i64) {
        let Some((name, since_ms)) = self.entered.take() else { return };
        let spent = (now_ms - since_ms).max(0);
        match self.spent.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += spent,
            None => self.spent.push((name, spent)),
        }
    }
}

/// Whether a field's very name may leave the page (consent.md, in the page, rule 11).
fn may_be_named(field: &FieldSeen) -> bool {
    let is_secret = matches!(field.kind.as_str(), "password" | "hidden");
    let is_card = field.autocomplete.split(' ').any(|word| word.starts_with("cc-"));
    !(field.is_private || is_secret || is_card || field.name.is_empty())
}

fn tell(name: &'static str, filling: &Filling, path: &str, now_ms: i64) -> Told {
    let mut fields = String::from("[");
    for field in filling.form.fields.iter().filter(|field| may_be_named(field)).take(FIELDS_MAX) {
        if fields.len() > 1 {
            fields.push(',');
        }
        let spent = filling.spent.iter().find(|(known, _)| *known == field.name);
        let mut json = Object::new();
        json.text("name", &field.name).some("type", Some(&field.kind));
        if let Some((_, ms)) = spent {
            json.number("ms", *ms);
        }
        fields.push_str(&json.close());
    }
    fields.push(']');
    let last = filling.spent.last().map(|(field, _)| field.as_str());
    let mut properties = Object::new();
    properties
        .some("form_id", Some(&filling.form.id))
        .some("form_name", Some(&filling.form.name))
        .text("path", path)
        .raw("fields", &fields);
    match name {
        "Form Submitted" => {
            properties.number("ms_to_submit", now_ms - filling.began_ms).some("last_field", last)
        }
        "Form Abandoned" => {
            properties.number("ms_open", now_ms - filling.began_ms).some("last_field", last)
        }
        _ => &mut properties, // nothing more to tell of a beginning
    };
    Told { name, properties: properties.close() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: &str, autocomplete: &str) -> FieldSeen {
        FieldSeen {
            name: name.to_owned(),
            kind: kind.to_owned(),
            autocomplete: autocomplete.to_owned(),
            is_private: false,
        }
    }

    fn act(step: FormStep, field_name: &str) -> FormAct {
        let fields = vec![
            field("email", "email", "email"),
            field("pin", "password", ""),
            field("card", "text", "billing cc-number"),
            field("token", "hidden", ""),
        ];
        let form = FormSeen {
            key: "contact".to_owned(),
            id: "contact".to_owned(),
            fields,
            ..FormSeen::default()
        };
        FormAct { step, form, field: field_name.to_owned() }
    }

    #[test]
    fn a_form_is_started_once_and_submitted_with_its_times() {
        let mut forms = Forms::default();
        assert_eq!(
            forms.read(act(FormStep::Focused, "email"), "/c", 0).unwrap().name,
            "Form Started"
        );
        assert_eq!(forms.read(act(FormStep::Left, "email"), "/c", 40), None);
        assert_eq!(forms.read(act(FormStep::Focused, "email"), "/c", 50), None);
        let told = forms.read(act(FormStep::Submitted, ""), "/c", 90).unwrap();
        assert_eq!(
            told.properties,
            r#"{"form_id":"contact","path":"/c","fields":[{"name":"email","type":"email","ms":80}],"ms_to_submit":90,"last_field":"email"}"#
        );
    }

    #[test]
    fn secret_fields_are_not_even_named() {
        let mut forms = Forms::default();
        let told = forms.read(act(FormStep::Focused, "pin"), "/c", 0).unwrap();
        forms.read(act(FormStep::Left, "pin"), "/c", 10);
        let left = forms.abandon("/c", 20);
        for text in [&told.properties, &left[0].properties] {
            assert!(
                !text.contains("pin") && !text.contains("card") && !text.contains("token"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_was_begun_and_not_sent_is_abandoned_once() {
        let mut forms = Forms::default();
        forms.read(act(FormStep::Focused, "email"), "/c", 0);
        assert_eq!(forms.abandon("/c", 500)[0].name, "Form Abandoned");
        assert!(forms.abandon("/c", 600).is_empty());
    }

    #[test]
    fn a_private_form_is_invisible() {
        let mut private = act(FormStep::Focused, "email");
        private.form.is_private = true;
        assert_eq!(Forms::default().read(private, "/c", 0), None);
    }
}
