//! What `wrangler.jsonc` says: the lines that are no comment, and the values in them.
//! In: the file's text. Out: names. Whoever needs a name looks for it here or with these two functions.

/// The file with the bindings.
pub(crate) const BINDINGS: &str = "crates/hilo-collector/wrangler.jsonc";

/// The lines of a JSONC that are no comment.
pub(crate) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// What stands between `before` and the next quote, each time.
pub(crate) fn values(line: &str, before: &str) -> Vec<String> {
    line.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// The jurisdiction of every Durable Object; empty for none.
pub(crate) fn jurisdiction(bindings: &str) -> String {
    let mut named = code(bindings).flat_map(|line| values(line, "\"HILO_JURISDICTION\": \""));
    named.next().unwrap_or_default()
}
