//! Writes JSON: the page writes, the edge reads.
//! In: names and values in order. Out: text. The browser's own parser reads JSON in the page, because it costs no bytes.

use hilo_core::digits;
use hilo_core::text::{put, put_digit};

/// Writes one JSON object, and the objects in it.
///
/// The methods are never inlined and take the writer by reference: a moved and inlined writer made the module a tenth larger.
#[derive(Debug)]
pub struct Json {
    text: String,
}

impl Default for Json {
    fn default() -> Json {
        Json::new()
    }
}

impl Json {
    /// An object without fields.
    pub fn new() -> Json {
        Json { text: String::from("{") }
    }

    /// Adds a field whose value is JSON already.
    #[inline(never)]
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Json {
        self.name(name);
        self.text.push_str(json);
        self
    }

    /// Adds fields of an object or items of a list that are JSON already. Empty text adds nothing.
    pub fn fields(&mut self, json: &str) -> &mut Json {
        if json.is_empty() { self } else { self.raw("", json) }
    }

    /// Adds text.
    #[inline(never)]
    pub fn text(&mut self, name: &str, value: &str) -> &mut Json {
        self.name(name);
        write_text(&mut self.text, value);
        self
    }

    /// Adds text unless it is empty.
    #[inline(never)]
    pub fn some(&mut self, name: &str, value: &str) -> &mut Json {
        if value.is_empty() { self } else { self.text(name, value) }
    }

    /// Adds a whole number.
    #[inline(never)]
    pub fn number(&mut self, name: &str, value: i64) -> &mut Json {
        self.name(name);
        write_number(&mut self.text, value);
        self
    }

    /// Begins an object in the field `name`, or as the next one of a list; [`Json::close`] ends it.
    #[inline(never)]
    pub fn open(&mut self, name: &str) -> &mut Json {
        self.name(name);
        put(&mut self.text, "{");
        self
    }

    /// Ends an object.
    #[inline(never)]
    pub fn close(&mut self) -> &mut Json {
        put(&mut self.text, "}");
        self
    }

    /// Begins a list in the field `name`; [`Json::end`] ends it.
    #[inline(never)]
    pub fn list(&mut self, name: &str) -> &mut Json {
        self.name(name);
        put(&mut self.text, "[");
        self
    }

    /// Ends a list.
    #[inline(never)]
    pub fn end(&mut self) -> &mut Json {
        put(&mut self.text, "]");
        self
    }

    /// Adds text as it is, commas included.
    #[inline(never)]
    pub fn put(&mut self, text: &str) -> &mut Json {
        put(&mut self.text, text);
        self
    }

    /// The object's text.
    pub fn done(mut self) -> String {
        put(&mut self.text, "}");
        self.text
    }

    /// Writes a comma where one is due, and the name. An item of a list has an empty name.
    #[inline(never)]
    fn name(&mut self, name: &str) {
        // Only the beginning of an object or a list ends like that.
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[')) {
            put(&mut self.text, ",");
        }
        if !name.is_empty() {
            write_text(&mut self.text, name);
            put(&mut self.text, ":");
        }
    }
}

/// Writes `value` in quotes, escaped as RFC 8259 demands.
#[inline(never)]
fn write_text(out: &mut String, value: &str) {
    put(out, "\"");
    let mut from = 0;
    for (at, byte) in value.as_bytes().iter().enumerate() {
        let is_control = *byte < 0x20;
        if is_control || matches!(byte, b'"' | b'\\') {
            put(out, value.get(from..at).unwrap_or_default());
            put(out, if is_control { "\\u00" } else { "\\" });
            // A mark is itself the beginning of what follows its escape.
            from = at;
            if is_control {
                put_digit(out, byte / 0x10);
                put_digit(out, byte % 0x10);
                from += 1;
            }
        }
    }
    out.push_str(value.get(from..).unwrap_or_default());
    put(out, "\"");
}

/// Writes a whole number. `format!` would bring the code for floating point along.
#[inline(never)]
pub fn write_number(out: &mut String, value: i64) {
    digits::push(out, value < 0, value.unsigned_abs());
}

/// The decimal text of a whole number.
pub fn number(value: i64) -> String {
    let mut text = String::new();
    write_number(&mut text, value);
    text
}

/// Reads what [`number`] wrote of a number that is not negative; `None` for any other text.
#[inline(never)]
pub fn read_number(text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    i64::try_from(digits::append(0, text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_in_order_and_escaped() {
        let mut json = Json::new();
        json.text("a\"", "b\\\n\u{1}é\u{1f}").number("n", -120).some("x", "").open("o").close();
        json.list("l")
            .open("")
            .number("i", 1)
            .close()
            .open("")
            .close()
            .end()
            .raw("r", "{}")
            .fields("\"f\":1");
        assert_eq!(
            json.done(),
            r#"{"a\"":"b\\\u000a\u0001é\u001f","n":-120,"o":{},"l":[{"i":1},{}],"r":{},"f":1}"#
        );
    }

    #[test]
    fn numbers_keep_every_digit() {
        for value in [0, 7, 10, 1_795_000_000_000, i64::MIN, i64::MAX] {
            assert_eq!(number(value), value.to_string());
        }
        for value in [0, 7, 10, 1_795_000_000_000, i64::MAX] {
            assert_eq!(read_number(&number(value)), Some(value));
        }
        for text in ["", "-1", "+1", "1e3", "9223372036854775808"] {
            assert_eq!(read_number(text), None, "{text}");
        }
    }
}
