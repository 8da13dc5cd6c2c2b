//! What a deployment needs: the names in `wrangler.jsonc` and in `hilo.toml`, and the route.
//! In: the texts of both files. Out: queues, buckets, secrets, the collector's address. Lines in comments do not count.

use crate::bindings::{code, values};
use crate::shell::Problem;

/// The secrets without which the collector takes nothing. `wrangler.jsonc` names the same, and a test compares them.
const OWN: [&str; 2] = ["HILO_SECRET", "HILO_ADMIN_TOKEN"];
/// The line of `wrangler.jsonc` in whose place a route comes.
const ROUTE_EXAMPLE: &str =
    "// \"routes\": [{ \"pattern\": \"shop.example/_h/*\", \"zone_name\": \"shop.example\" }],";

/// The secrets of a deployment.
pub(super) struct Needs {
    /// The collector's own, which `deploy` makes.
    pub own: Vec<&'static str>,
    /// Those that `hilo.toml` names.
    pub named: Vec<String>,
}

impl Needs {
    /// The secrets of a deployment with this `hilo.toml`.
    pub(super) fn of(hilo_toml: &str) -> Needs {
        let lines = hilo_toml.lines().map(|line| line.split('#').next().unwrap_or_default());
        let mut named: Vec<String> = lines.flat_map(|line| values(line, "secret = \"")).collect();
        named.sort();
        named.dedup();
        Needs { own: OWN.to_vec(), named }
    }
}

/// The queues that `wrangler.jsonc` names, each once.
pub(super) fn queues(bindings: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code(bindings) {
        for name in ["\"queue\": \"", "\"dead_letter_queue\": \""] {
            found.extend(values(line, name));
        }
    }
    let mut once: Vec<String> = Vec::new();
    for name in found {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// The buckets that `wrangler.jsonc` binds, which must be in this jurisdiction; empty for none. Each stands on one line.
pub(super) fn buckets(bindings: &str, jurisdiction: &str) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    for line in code(bindings) {
        let names = values(line, "\"bucket_name\": \"");
        let places = values(line, "\"jurisdiction\": \"");
        for (at, name) in names.into_iter().enumerate() {
            if places.get(at).map_or("", String::as_str) != jurisdiction {
                return Err(Problem(format!(
                    "the bucket {name} is not in the jurisdiction of HILO_JURISDICTION (\"{jurisdiction}\"): write in its line of wrangler.jsonc \"jurisdiction\": \"{jurisdiction}\", or leave the field out where there is none."
                )));
            }
            found.push(name);
        }
    }
    Ok(found)
}

/// The collector's address, by its first route.
pub(super) fn address(bindings: &str) -> Option<String> {
    let routes = code(bindings).skip_while(|line| !line.trim_start().starts_with("\"routes\""));
    let mut quoted = routes.flat_map(|line| line.split('"').skip(1).step_by(2));
    let pattern = quoted.find(|text| text.ends_with("/*"))?;
    Some(format!("https://{}", pattern.trim_end_matches("/*")))
}

/// `wrangler.jsonc` with a route on this host.
pub(super) fn routed(bindings: &str, host: &str) -> Result<String, Problem> {
    let is_host = host.contains('.')
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if !is_host {
        return Err(Problem(format!("\"{host}\" is no host: write it as in shop.example.")));
    }
    if !bindings.contains(ROUTE_EXAMPLE) {
        return Err(Problem(format!(
            "put this line into wrangler.jsonc, and run the same command again: {}",
            route(host)
        )));
    }
    Ok(bindings.replace(ROUTE_EXAMPLE, &route(host)))
}

/// The line of a route. wrangler finds the zone of the host by itself.
fn route(host: &str) -> String {
    format!("\"routes\": [\"{host}/_h/*\"],")
}

/// Whether `name` stands in `text` as a word of its own: `hilo` is not in `hilo-deliveries`.
pub(super) fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !is_part(c)).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../hilo-collector/wrangler.jsonc");

    #[test]
    fn wranglers_file_requires_the_same_secrets() {
        let required = FILE.lines().find(|line| line.contains("\"required\"")).unwrap_or_default();
        assert!(OWN.iter().all(|name| has_word(required, name)), "{required}");
    }

    #[test]
    fn names_are_read_from_both_files_and_comments_name_nothing() {
        assert_eq!(queues(FILE), ["hilo-deliveries", "hilo-dead-letters"]);
        assert_eq!(buckets(FILE, "").map_err(|Problem(why)| why), Ok(Vec::new()));
        assert_eq!(address(FILE), None);
        let toml = "a = { secret = \"B\" }\nc = [{ secret = \"A\" }, { secret = \"B\" }] # { secret = \"C\" }\n# secret = \"D\"";
        assert_eq!(Needs::of(toml).named, ["A", "B"]);
    }

    #[test]
    fn a_host_becomes_a_route_and_anything_else_is_refused() {
        let routed = |host| routed(FILE, host).map_err(|Problem(why)| why);
        let text = routed("www.shop.example").unwrap_or_default();
        assert!(text.contains("\n  \"routes\": [\"www.shop.example/_h/*\"],\n"), "{text}");
        assert_eq!(address(&text).as_deref(), Some("https://www.shop.example/_h"));
        let named = "\"routes\": [\n{ \"pattern\": \"shop.example/_h/*\", \"zone_name\": \"shop.example\" }\n],";
        assert_eq!(address(named).as_deref(), Some("https://shop.example/_h"));
        for odd in ["shop", "https://shop.example", "shop.example/x", "a b.c"] {
            assert!(routed(odd).is_err(), "{odd}");
        }
    }
}
