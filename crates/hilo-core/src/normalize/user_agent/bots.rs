//! Programs that call themselves bots: crawlers, previews, monitors, automated browsers.
//!
//! In: a user agent. Out: whether a program sent it that works for nobody who looks at the page. `lists/bots.txt` has the words, from a
//! public list (`cargo xtask update lists`). A bot that poses as a browser is not found, and an HTTP library is none: apps use them.

/// Words in lower case, one a line. `^` stands for the beginning of the text, and `$` for its end.
const LIST: &str = include_str!("../../../lists/bots.txt");

/// The word that most bots end their names with, and the make of telephones that ends so too.
const BOT: &str = "bot";
const CUBOT: &str = "cu";

/// Whether a user agent names a bot.
pub(super) fn is_bot(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    has_bot(&text) || words().any(|word| fits(&text, word))
}

fn words() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether `bot` ends a word: `Googlebot/2.1`, and not `CUBOT X20` or `Botany`.
fn has_bot(text: &str) -> bool {
    text.match_indices(BOT).any(|(at, word)| {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(CUBOT) && !behind.starts_with(|c: char| c.is_ascii_lowercase())
    })
}

fn fits(text: &str, word: &str) -> bool {
    if let Some(start) = word.strip_prefix('^') {
        text.starts_with(start)
    } else if let Some(end) = word.strip_suffix('$') {
        text.ends_with(end)
    } else {
        text.contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRAWLERS: &str = include_str!("../../../../../tests/lists/crawlers.txt");
    const BROWSERS: &str = include_str!("../../../../../tests/lists/browsers.txt");

    fn samples(list: &'static str) -> Vec<&'static str> {
        list.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn the_crawlers_of_the_lists_own_source_are_found_and_browsers_are_not() {
        let crawlers = samples(CRAWLERS);
        let missed: Vec<_> = crawlers.iter().filter(|text| !is_bot(text)).collect();
        let browsers = samples(BROWSERS);
        let taken: Vec<_> = browsers.iter().filter(|text| is_bot(text)).collect();
        assert!(
            crawlers.len() > 1_900 && browsers.len() > 900,
            "{} {}",
            crawlers.len(),
            browsers.len()
        );
        assert_eq!((missed.len(), taken.len()), (0, 0), "{missed:#?} {taken:#?}");
    }

    #[test]
    fn a_name_that_only_resembles_a_bots_is_none() {
        for text in [
            "Mozilla/5.0 (Linux; Android 9; CUBOT X20) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64) Botany/1.0",
            "okhttp/4.12.0",
            "",
        ] {
            assert!(!is_bot(text), "{text}");
        }
        for text in
            ["Bot", "some-bot", "SuperBot_2", "Chrome-Lighthouse", "HeadlessChrome/142.0.0.0"]
        {
            assert!(is_bot(text), "{text}");
        }
    }
}
