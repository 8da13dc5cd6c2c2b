//! Client hints: browser, system and class of device, as Chromium's browsers tell them beside a frozen user agent.
//!
//! In: the request's `Sec-CH-UA*` fields, or the page's `navigator.userAgentData`. Out: the parts that they name. Model, architecture
//! and full versions are not read, because they single out a device.
//! (<https://wicg.github.io/ua-client-hints/>; Windows by <https://learn.microsoft.com/microsoft-edge/web-platform/how-to-detect-win11>.)

use serde_json::Value;

use crate::event::{Browser, ClientHints, Os};

/// Brands under the names that user agents give them.
const NAMES: [(&str, &str); 6] = [
    ("Google Chrome", "Chrome"),
    ("Microsoft Edge", "Edge"),
    ("Samsung Internet", "SamsungBrowser"),
    ("Android WebView", "Webview"),
    ("Yandex", "Yandex Browser"),
    ("YaBrowser", "Yandex Browser"),
];
/// The engine's own brand: it counts where the browser has no other.
const ENGINE: &str = "Chromium";
/// Systems under the names that user agents give them.
const SYSTEMS: [(&str, &str); 2] = [("macOS", "Mac OSX"), ("Chrome OS", "ChromeOS")];
/// The major version by which hints tell Windows 11 from Windows 10.
const WINDOWS_11: u32 = 13;
/// Bytes of a brand or system. Longer text, and text with other marks than names have, is not kept: a page may write anything there.
const NAME_BYTES_MAX: usize = 32;
/// Bytes of a major version.
const VERSION_BYTES_MAX: usize = 8;

/// What hints tell.
#[derive(Default)]
pub(super) struct Hinted {
    pub(super) browser: Option<Browser>,
    pub(super) os: Option<Os>,
    pub(super) is_mobile: Option<bool>,
    brands: String,
}

/// Reads the request's fields.
pub(super) fn of_request(hints: &ClientHints) -> Hinted {
    let brands = hints.brands.as_deref().map(listed).unwrap_or_default();
    let text = |field: &Option<String>| {
        let text = field.as_deref()?.trim().trim_matches('"');
        (!text.is_empty()).then(|| text.to_owned())
    };
    let is_mobile = match hints.mobile.as_deref().map(str::trim) {
        Some("?1") => Some(true),
        Some("?0") => Some(false),
        Some(_) | None => None,
    };
    hinted(&brands, text(&hints.platform), text(&hints.platform_version), is_mobile)
}

/// Reads `navigator.userAgentData`, as Segment's libraries send it.
pub(super) fn of_page(data: &Value) -> Hinted {
    let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
    let brands: Vec<(String, String)> = data
        .get("brands")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|brand| {
            let part = |name: &str| Some(brand.get(name)?.as_str()?.to_owned());
            Some((part("brand")?, part("version").unwrap_or_default()))
        })
        .collect();
    let is_mobile = data.get("mobile").and_then(Value::as_bool);
    hinted(&brands, text("platform"), text("platformVersion"), is_mobile)
}

impl Hinted {
    /// The brands' names in one text, for whoever looks for a bot's.
    pub(super) fn brands(&self) -> &str {
        &self.brands
    }
}

fn hinted(
    brands: &[(String, String)],
    platform: Option<String>,
    version: Option<String>,
    is_mobile: Option<bool>,
) -> Hinted {
    let all: Vec<&str> = brands.iter().map(|(name, _)| name.as_str()).collect();
    Hinted {
        browser: browser(brands),
        os: platform.filter(|name| is_name(name)).map(|name| os(&name, version.as_deref())),
        is_mobile,
        brands: all.join(" "),
    }
}

/// The browser among brands, of which one is the engine and one is made up, so that nobody relies on their order.
fn browser(brands: &[(String, String)]) -> Option<Browser> {
    let is_made_up = |name: &str| {
        name.to_ascii_lowercase().contains("not") && name.to_ascii_lowercase().contains("brand")
    };
    let mut real = brands.iter().filter(|(name, _)| is_name(name) && !is_made_up(name));
    let own = real.clone().find(|(name, _)| name != ENGINE).or_else(|| real.next());
    let (name, version) = own?;
    let known =
        NAMES.iter().find(|(brand, _)| brand == name).map_or(name.as_str(), |(_, known)| known);
    let known = if known == ENGINE { "Chrome" } else { known };
    Some(Browser { name: known.to_owned(), major: major(version) })
}

fn is_name(name: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_letter && name.len() <= NAME_BYTES_MAX && name.chars().all(is_of_names) && name != "Unknown"
}

/// The major version. A page may write any text there, and only a number is one.
fn major(version: &str) -> Option<String> {
    let major = version.split(['.', '_']).next()?;
    let is_number = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && major.len() <= VERSION_BYTES_MAX).then(|| major.to_owned())
}

fn os(platform: &str, version: Option<&str>) -> Os {
    let known =
        SYSTEMS.iter().find(|(hint, _)| *hint == platform).map_or(platform, |(_, known)| known);
    let major = version.and_then(major);
    let version = match (known, &major) {
        ("Windows", Some(major)) => windows(major).map(str::to_owned),
        _ => major,
    };
    Os { name: Some(known.to_owned()), version }
}

/// The edition of Windows. Hints of Windows 7 and 8 have the major version 0, and tell no more.
fn windows(major: &str) -> Option<&'static str> {
    match major.parse::<u32>().ok()? {
        0 => None,
        number if number >= WINDOWS_11 => Some("11"),
        _ => Some("10"),
    }
}

/// The brands of `"Chromium";v="142", "Not A;Brand";v="99"`. A text that is none yields what was read before.
fn listed(text: &str) -> Vec<(String, String)> {
    let (mut brands, mut quoted, mut rest) = (Vec::new(), Vec::new(), text.chars());
    while let Some(letter) = rest.next() {
        if letter != '"' {
            continue;
        }
        let mut part = String::new();
        loop {
            match rest.next() {
                Some('\\') => part.extend(rest.next()),
                Some('"') | None => break,
                Some(letter) => part.push(letter),
            }
        }
        quoted.push(part);
    }
    let mut parts = quoted.into_iter();
    while let (Some(name), Some(version)) = (parts.next(), parts.next()) {
        brands.push((name, version));
    }
    brands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(brands: &str, expected: Option<(&str, &str)>) {
        let found = browser(&listed(brands));
        let found = found.map(|b| (b.name, b.major.unwrap_or_default()));
        let expected = expected.map(|(name, major)| (name.to_owned(), major.to_owned()));
        assert_eq!(found, expected, "{brands}");
    }

    #[test]
    fn the_browser_is_neither_the_engine_nor_the_brand_that_is_made_up() {
        let chrome = Some(("Chrome", "142"));
        check(r#""Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99""#, chrome);
        check(r#""Not(A:Brand";v="8", "Chromium";v="142", "Google Chrome";v="142""#, chrome);
        check(r#""\\Not\"A;Brand";v="99", "Chromium";v="142""#, chrome);
        check(
            r#""Microsoft Edge";v="142", "Chromium";v="142", "Not A;Brand";v="99""#,
            Some(("Edge", "142")),
        );
        check(
            r#""Brave";v="142", "Chromium";v="142", "Not A;Brand";v="99""#,
            Some(("Brave", "142")),
        );
        check(r#""Not A;Brand";v="99""#, None);
        check("", None);
        check("\"", None);
    }

    #[test]
    fn windows_is_told_by_the_version_of_its_platform() {
        for (version, expected) in [("0.3.0", None), ("10.0.0", Some("10")), ("15.0.0", Some("11"))]
        {
            assert_eq!(os("Windows", Some(version)).version.as_deref(), expected, "{version}");
        }
        assert_eq!(os("Windows", None).version, None);
    }
}
