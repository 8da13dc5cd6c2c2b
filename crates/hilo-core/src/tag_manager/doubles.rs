//! One act, pushed twice: by a plugin in the words of two products, by an effect that runs twice, by a page that is shown again.
//!
//! In: what a push told, its content and its time. Out: whether it is known already. Keeps a bounded list.

use alloc::string::String;
use alloc::vec::Vec;

use super::article::{Article, hash};
use super::named::Named;
use super::shape::{Family, Words};
use crate::digits;
use crate::money::Currency;

/// Pushes that are remembered.
const RECENT_MAX: usize = 50;
/// The same act in other words comes within this time.
const TWIN_MS: i64 = 1_000;
/// Two clicks are never so close; two runs of one effect are.
const EFFECT_MS: i64 = 50;

/// Why a push does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Double {
    /// The act came in other words.
    Twin,
    /// The act came in the same words, faster than a person acts.
    Effect,
    /// The page said so already, and nothing changed since then.
    Known,
}

impl Double {
    /// The reason, for the developer.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Double::Twin => "the same act came in other words within a second; it counts once",
            Double::Effect => "the same act came twice within 50 ms; it counts once",
            Double::Known => "the page pushed the same before; it counts once",
        }
    }
}

/// What a push is about, to compare it with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// The articles as they are in every vocabulary: ids, quantities, prices.
    outline: u64,
    /// The articles with their variants and currencies, which plugins write in one vocabulary and leave out in another.
    whole: u64,
}

#[derive(Debug)]
struct Recent {
    family: Family,
    content: Content,
    words: Vec<Words>,
    /// The page's clock; `None` for what was pushed before the reader came.
    at_ms: Option<i64>,
    address: String,
}

/// What was pushed lately.
#[derive(Debug, Default)]
pub(super) struct Doubles {
    recent: Vec<Recent>,
}

impl Doubles {
    /// Whether the push is a double of an earlier one; remembers it.
    pub(super) fn judge(
        &mut self,
        family: Family,
        words: Words,
        content: Content,
        at_ms: Option<i64>,
        address: &str,
    ) -> Option<Double> {
        let same =
            |one: &&mut Recent| one.family == family && one.content.outline == content.outline;
        for one in self.recent.iter_mut().rev().filter(same) {
            let has_words = one.words.contains(&words);
            // The same words would name the same variant.
            if has_words && one.content != content {
                continue;
            }
            let apart_ms = one.at_ms.zip(at_ms).map(|(before, now)| now - before);
            // Pushes from before the reader have no times: they came together.
            let is_near =
                apart_ms.is_none_or(|ms| ms <= TWIN_MS) && one.at_ms.is_some() == at_ms.is_some();
            if !has_words && is_near {
                one.words.push(words);
                return Some(Double::Twin);
            }
            if matches!(family, Family::Purchase | Family::Refund) {
                return Some(Double::Known);
            }
            if family.is_act() {
                if has_words && apart_ms.is_some_and(|ms| ms < EFFECT_MS) {
                    return Some(Double::Effect);
                }
            } else if has_words && one.address == address {
                return Some(Double::Known);
            }
        }
        // Once the cart is another one, what it was before may be said again.
        let is_list = matches!(family, Family::View | Family::Checkout);
        if is_list || matches!(family, Family::Add | Family::Remove) {
            self.recent.retain(|one| {
                !matches!(one.family, Family::View | Family::Checkout)
                    || (is_list && one.content == content)
            });
        }
        if self.recent.len() >= RECENT_MAX {
            self.recent.remove(0);
        }
        self.recent.push(Recent {
            family,
            content,
            words: [words].into(),
            at_ms,
            address: address.into(),
        });
        None
    }
}

/// The same numbers for the same content: an order's id, or articles with quantity and price in any order, and what named acts tell
/// beside them.
pub(super) fn content(
    family: Family,
    order_id: Option<&str>,
    articles: &[Article],
    acts: &[Named],
) -> Content {
    let mut content = Content { outline: 0, whole: 0 };
    if let (Family::Purchase | Family::Refund, Some(id)) = (family, order_id) {
        content.outline = hash(id);
        if family == Family::Purchase {
            return content;
        }
    }
    for article in articles {
        let mut row = row(article);
        content.outline = content.outline.wrapping_add(hash(&row));
        row.push('\t');
        digits::push(&mut row, false, article.key.options_hash);
        row.push_str(article.key.currency.as_ref().map_or("", Currency::code));
        content.whole = content.whole.wrapping_add(hash(&row));
    }
    for act in acts {
        content.whole = content.whole.wrapping_add(hash(act.details.whole()));
    }
    if articles.is_empty() {
        content.outline = content.outline.wrapping_add(content.whole);
    }
    content
}

fn row(article: &Article) -> String {
    let mut text = article.key.product_id.clone();
    text.push('\t');
    digits::push(&mut text, false, u64::from(article.quantity.unwrap_or(1)));
    if let Some(price) = article.price {
        text.push('\t');
        digits::push(&mut text, price.minor < 0, price.minor.unsigned_abs());
    }
    text
}
