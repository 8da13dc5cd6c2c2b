//! The cookies of other services that a page sends, as ids.
//!
//! `message → message`: the list `context.cookies`, texts such as `_ga=GA1.1.1.2`, becomes a part of `context.ids`. An id that the
//! sender gives itself comes first. What has no readable id is left out without a remark, because other services write it.

use serde_json::{Map, Value};

use crate::service_cookies::service_id_of;

/// Reads the cookies of `message`.
pub(super) fn read(message: &mut Map<String, Value>) {
    let Some(Value::Object(context)) = message.get_mut("context") else { return };
    let Some(Value::Array(cookies)) = context.remove("cookies") else { return };
    let cookies = cookies.iter().filter_map(Value::as_str);
    let read = cookies.filter_map(|text| text.split_once('='));
    let found = read.filter_map(|(name, value)| service_id_of(name, value));
    let found: Vec<(&str, String)> = found.collect();
    if found.is_empty() {
        return;
    }
    if let Value::Object(ids) = context.entry("ids").or_insert_with(|| Map::new().into()) {
        for (name, id) in found {
            ids.entry(name).or_insert(Value::String(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(context: Value, expected: Value) {
        let mut message = Map::from_iter([("context".to_owned(), context)]);
        read(&mut message);
        assert_eq!(Value::Object(message), json!({"context": expected}));
    }

    #[test]
    fn cookies_become_ids_and_the_senders_own_id_comes_first() {
        let cookies =
            json!(["_ga=GA1.1.1.2", "_ga_ABC=GS1.1.1690013078.2", "_fbp=fb.1.1795513800000.1"]);
        check(
            json!({"cookies": cookies, "ids": {"fbp": "own"}}),
            json!({"ids": {"fbp": "own", "ga": "1.2", "gaSession": "1690013078"}}),
        );
    }

    #[test]
    fn what_has_no_readable_id_is_left_out() {
        for cookies in [json!(null), json!("_ga=1.2"), json!([7, "_ga", "_ga=x", "session=1.2"])] {
            check(json!({"cookies": cookies, "app": {}}), json!({"app": {}}));
        }
    }
}
