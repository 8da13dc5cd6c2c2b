//! Writing JSON, and nothing else: the page writes, the edge reads.
//! In: names and values in order. Out: text. Reading is left to the browser, whose parser costs no bytes.

/// Grows one JSON object.
#[derive(Debug)]
pub struct Object {
    text: String,
    is_empty: bool,
}

impl Default for Object {
    fn default() -> Object {
        Object::new()
    }
}

impl Object {
    /// An object without fields.
    pub fn new() -> Object {
        Object { text: String::from("{"), is_empty: true }
    }

    /// Adds a field whose value is JSON already.
    ///
    /// Never inlined, and by reference: moving and inlining the builder made the module a tenth bigger.
    #[inline(never)]
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Object {
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        write_text(&mut self.text, name);
        self.text.push(':');
        self.text.push_str(json);
        self
    }

    /// Adds text.
    #[inline(never)]
    pub fn text(&mut self, name: &str, value: &str) -> &mut Object {
        let mut json = String::with_capacity(value.len() + 2);
        write_text(&mut json, value);
        self.raw(name, &json)
    }

    /// Adds text where there is some.
    pub fn some(&mut self, name: &str, value: Option<&str>) -> &mut Object {
        match value {
            Some(value) if !value.is_empty() => self.text(name, value),
            Some(_) | None => self,
        }
    }

    /// Adds a whole number.
    #[inline(never)]
    pub fn number(&mut self, name: &str, value: i64) -> &mut Object {
        let mut json = String::new();
        write_number(&mut json, value);
        self.raw(name, &json)
    }

    /// Adds `true` or `false`.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Object {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// The object's text.
    pub fn close(&mut self) -> String {
        self.text.push('}');
        std::mem::take(&mut self.text)
    }
}

/// Writes `value` in quotes, escaped as RFC 8259 demands.
#[inline(never)]
pub fn write_text(out: &mut String, value: &str) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                let code = u32::from(c) as usize;
                out.push_str("\\u00");
                out.push(if code < 16 { '0' } else { '1' });
                out.push(HEX.get(code % 16).copied().unwrap_or('0'));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Writes a whole number. `format!` would bring the machinery of floating point along.
#[inline(never)]
pub fn write_number(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    let mut rest = value.unsigned_abs();
    let mut digits = [0u8; 20];
    let mut count = 0;
    for digit in &mut digits {
        *digit = (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    for digit in digits.iter().take(count).rev() {
        out.push(char::from(b'0' + digit));
    }
}

/// The decimal text of a whole number.
pub fn number(value: i64) -> String {
    let mut text = String::new();
    write_number(&mut text, value);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_in_order_and_escaped() {
        let text = Object::new()
            .text("a\"", "b\\\n\u{1}é")
            .number("n", -120)
            .flag("f", true)
            .some("x", None)
            .close();
        assert_eq!(text, "{\"a\\\"\":\"b\\\\\\n\\u0001é\",\"n\":-120,\"f\":true}");
    }

    #[test]
    fn numbers_keep_every_digit() {
        for value in [0, 7, 10, 1_795_000_000_000, i64::MIN, i64::MAX] {
            assert_eq!(number(value), value.to_string());
        }
    }
}
