//! Reading forms from the document: names, types, privacy marks; never a value.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event};

use super::{FieldSeen, FormAct, FormSeen, FormStep};

/// Fields of one form that are looked at.
const FIELDS_MAX: u32 = 100;
/// The site's mark for what must stay invisible.
const PRIVATE: &str = "[data-hilo-private]";

/// What `event` did to a form, if it did.
pub(super) fn form_act(event: &Event, step: FormStep) -> Option<FormAct> {
    let target: Element = event.target()?.dyn_into().ok()?;
    let form = target.closest("form").ok().flatten()?;
    let field = if step == FormStep::Submitted { String::new() } else { name_of(&target) };
    // Buttons and the like are no fields.
    let is_field = target.matches("input,select,textarea").unwrap_or(false);
    if step != FormStep::Submitted && !is_field {
        return None;
    }
    Some(FormAct { step, form: read(&form), field })
}

fn read(form: &Element) -> FormSeen {
    let (id, name) = (attribute(form, "id"), attribute(form, "name"));
    let mut key = if id.is_empty() { name.clone() } else { id.clone() };
    if key.is_empty() {
        // Nothing to call it by: where it sends to is the best there is.
        key = attribute(form, "action");
    }
    let mut seen = FormSeen { key, id, name, is_private: is_private(form), fields: Vec::new() };
    if let Ok(fields) = form.query_selector_all("input,select,textarea") {
        for i in 0..fields.length().min(FIELDS_MAX) {
            if let Some(field) = fields.get(i).and_then(|node| node.dyn_into::<Element>().ok()) {
                seen.fields.push(FieldSeen {
                    name: name_of(&field),
                    kind: attribute(&field, "type"),
                    autocomplete: attribute(&field, "autocomplete"),
                    is_private: is_private(&field),
                });
            }
        }
    }
    seen
}

fn name_of(field: &Element) -> String {
    let name = attribute(field, "name");
    if name.is_empty() { attribute(field, "id") } else { name }
}

fn attribute(element: &Element, name: &str) -> String {
    element.get_attribute(name).unwrap_or_default()
}

fn is_private(element: &Element) -> bool {
    // A browser that cannot say is taken for a yes.
    element.closest(PRIVATE).map_or(true, |found| found.is_some())
}
