//! The right spelling nearest to a wrong spelling.
//! In: a word and the known words. Out: the known word that was probably meant, if one is near enough.
//! A text that may be a secret in the wrong place is never shown.

/// The candidate nearest to `word`: at most two letters differ, in short words one.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let near =
        |candidate: &&&str| distance(word, candidate) <= if candidate.len() < 5 { 1 } else { 2 };
    candidates.iter().filter(near).min_by_key(|candidate| distance(word, candidate)).copied()
}

/// "did you mean `…`?", or the whole list where no candidate is near.
pub(super) fn hint(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", list(candidates)),
    }
}

/// "`a`, `b` and `c`".
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Bytes of a wrong word that is shown. Our longest word has 17, and secrets are longer.
const SHOWN_BYTES_MAX: usize = 20;

/// The wrong word in backquotes, or `otherwise` for a text that may be a secret in the wrong place.
pub(super) fn shown(text: &str, otherwise: &str) -> String {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_word = text.len() <= SHOWN_BYTES_MAX && text.bytes().all(is_letter);
    if is_word { format!("`{text}`") } else { otherwise.to_owned() }
}

/// The number of letters inserted, removed, replaced, or swapped with their neighbor (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&above, j) + usize::from(x != y);
            let mut least = replaced.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_another_word_is_not() {
        let words = ["name", "kind", "keys", "origins", "consent_basis"];
        for (slip, meant) in [
            ("orgins", "origins"),
            ("nmae", "name"),
            ("consent-basis", "consent_basis"),
            ("key", "keys"),
        ] {
            assert_eq!(nearest(slip, &words), Some(meant));
        }
        assert_eq!(nearest("currency", &words), None);
        assert_eq!(hint("x", &["a", "b", "c"]), "did you mean `a`?");
        assert_eq!(hint("xyz", &["a", "b", "c"]), "there are `a`, `b` and `c`");
    }
}
