//! Forms: begun, submitted, abandoned; the names of fields and how long they took. Never a value.
//!
//! In: what the visitor did, with the form as the document has it. Out: "Form Started", "Form Submitted" or
//! "Form Abandoned". Fields that are secret or private are not even named.

use hilo_core::text::{cut, parts};

use crate::json::Json;
use crate::platform::{FormAct, FormStep};

/// Fields that one event lists.
const FIELDS_MAX: usize = 50;
/// Forms that are watched at a time.
const FORMS_MAX: usize = 20;

/// A form being filled in.
#[derive(Debug)]
struct Filling {
    form: String,
    began_ms: i64,
    /// The field that has the focus, and since when; empty for none that may be named.
    entered: (String, i64),
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
        let key = cell(&act.form, 0);
        if cell(&act.form, 3) == PRIVATE {
            return None;
        }
        let known = self.open.iter().position(|filling| cell(&filling.form, 0) == key);
        if let Some(filling) = known.and_then(|at| self.open.get_mut(at)) {
            filling.stop(now_ms);
        }
        match act.step {
            FormStep::Left => None,
            FormStep::Submitted => {
                let told = match known.and_then(|at| self.open.get(at)) {
                    Some(filling) => filling.tell("Form Submitted", path, now_ms),
                    // Sent without ever being touched: by a script, or filled in by the browser.
                    None => Filling::new(act.form, now_ms).tell("Form Submitted", path, now_ms),
                };
                let mut place = 0..;
                self.open.retain(|_| place.next() != known);
                Some(told)
            }
            FormStep::Focused => {
                let is_named = fields(&act.form).any(|field| cell(field, 0) == act.field);
                let entered = (if is_named { act.field } else { String::new() }, now_ms);
                if let Some(filling) = known.and_then(|at| self.open.get_mut(at)) {
                    filling.entered = entered;
                    return None;
                }
                if self.open.len() >= FORMS_MAX {
                    return None;
                }
                let mut filling = Filling::new(act.form, now_ms);
                let told = filling.tell("Form Started", path, now_ms);
                filling.entered = entered;
                self.open.push(filling);
                Some(told)
            }
        }
    }

    /// The visitor goes away: whatever was begun is abandoned. One form at a time, until there is none.
    pub fn abandon(&mut self, path: &str, now_ms: i64) -> Option<Told> {
        let mut filling = self.open.pop()?;
        filling.stop(now_ms);
        Some(filling.tell("Form Abandoned", path, now_ms))
    }
}

impl Filling {
    const fn new(form: String, now_ms: i64) -> Filling {
        Filling { form, began_ms: now_ms, entered: (String::new(), 0), spent: Vec::new() }
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

    fn tell(&self, name: &'static str, path: &str, now_ms: i64) -> Told {
        let mut json = Json::new();
        json.some("form_id", cell(&self.form, 1)).some("form_name", cell(&self.form, 2));
        json.text("path", path).list("fields");
        for field in fields(&self.form).take(FIELDS_MAX) {
            let name = cell(field, 0);
            json.open("").text("name", name).some("type", cell(field, 1));
            if let Some((_, ms)) = self.spent.iter().find(|(known, _)| known == name) {
                json.number("ms", *ms);
            }
            json.close();
        }
        json.end();
        let lasted = match name {
            "Form Submitted" => "ms_to_submit",
            "Form Abandoned" => "ms_open",
            _ => return Told { name, properties: json.done() }, // nothing more to tell of a beginning
        };
        json.number(lasted, now_ms - self.began_ms);
        if let Some((field, _)) = self.spent.last() {
            json.text("last_field", field);
        }
        Told { name, properties: json.done() }
    }
}

/// What stands in the last cell of what is marked `data-hilo-private`.
const PRIVATE: &str = "private";

/// The fields of a form whose very names may leave the page (consent.md, in the page, rule 11).
fn fields(form: &str) -> impl Iterator<Item = &str> {
    parts(form, b'\n').skip(1).filter(|field| {
        let is_secret = matches!(cell(field, 1), "password" | "hidden");
        let is_card = parts(cell(field, 2), b' ').any(|word| word.starts_with("cc-"));
        !(is_secret || is_card || cell(field, 3) == PRIVATE || cell(field, 0).is_empty())
    })
}

/// One cell of the first line of a table.
#[inline(never)]
fn cell(table: &str, column: usize) -> &str {
    parts(cut(table, b'\n').0, b'\t').nth(column).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(step: FormStep, field: &str) -> FormAct {
        let form = "contact\tcontact\t\t\n\
            email\temail\temail\t\n\
            pin\tpassword\t\t\n\
            card\ttext\tbilling cc-number\t\n\
            diary\ttext\t\tprivate\n\
            token\thidden\t\t";
        FormAct { step, form: form.to_owned(), field: field.to_owned() }
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
        let left = forms.abandon("/c", 20).unwrap();
        for text in [&told.properties, &left.properties] {
            for name in ["pin", "card", "diary", "token"] {
                assert!(!text.contains(name), "{text}");
            }
        }
    }

    #[test]
    fn what_was_begun_and_not_sent_is_abandoned_once() {
        let mut forms = Forms::default();
        forms.read(act(FormStep::Focused, "email"), "/c", 0);
        assert_eq!(forms.abandon("/c", 500).unwrap().name, "Form Abandoned");
        assert_eq!(forms.abandon("/c", 600), None);
    }

    #[test]
    fn a_private_form_is_invisible() {
        let mut private = act(FormStep::Focused, "email");
        private.form = private.form.replacen("contact\t\t", "contact\t\tprivate", 1);
        assert_eq!(Forms::default().read(private, "/c", 0), None);
    }
}
