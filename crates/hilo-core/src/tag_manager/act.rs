//! What a push does to the cart: acts, and acts → calls of the cart once its lines are known.
//!
//! An add needs no other line. A removal looks for the line that it means, because pushes leave out variant and currency. A list
//! of the whole cart corrects the cart; the corrections are no acts of the visitor.

use alloc::string::String;
use alloc::vec::Vec;

use super::article::{self, Article, Key};
use super::named::Named;
use crate::digits;
use crate::money::Amount;
use crate::plain::Plain;

/// What a push does to the cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Articles were put in.
    Add(Article),
    /// So many units were taken out, or the whole line where no number is given.
    Remove(Article),
    /// The cart is this. A list that lacks articles removes nothing.
    Is {
        /// Its articles.
        articles: Vec<Article>,
        /// Whether each item of the list could be read.
        is_whole: bool,
        /// Whether the visitor has just changed the cart, so that an empty list empties it, and what differs is the visitor's act.
        is_act: bool,
        /// Whether the shop system itself says so. What differs from a captured cart is then an act on an earlier page, or in
        /// another tab.
        is_shop: bool,
    },
    /// The cart was looked at.
    Viewed,
    /// A checkout began.
    Checkout,
    /// An order was placed.
    Ordered {
        /// The shop's id of the order.
        order_id: String,
        /// What was bought; empty where the push does not tell.
        articles: Vec<Article>,
        /// What the order is about, for its event.
        about: Named,
    },
    /// Something happened that is no call of the cart.
    Named(Named),
}

/// A line of the cart as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    key: Key,
    quantity: u32,
    price: Option<Amount>,
}

/// A call of the cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Adds units.
    Add(Article),
    /// Sets the number of units; 0 removes the line.
    Set(Article, u32),
    /// As `Set`, and no touchpoint comes of it.
    Correct(Article, u32),
    /// Takes units away.
    Dec(Article, u32),
    /// Reports that the cart was looked at.
    Viewed,
    /// Begins a checkout.
    Checkout,
    /// Takes what was bought out of the cart, and reports the order.
    Ordered(String, Vec<Article>, Named),
    /// Reports a named act.
    Named(Named),
}

impl Line {
    /// Reads the lines of a cart; `None` where there are none because the cart is not open yet.
    pub fn all(lines: &Plain) -> Option<Vec<Line>> {
        match lines {
            Plain::List(lines) => Some(lines.iter().filter_map(Line::read).collect()),
            Plain::Null | Plain::Flag(_) | Plain::Number(_) | Plain::Text(_) | Plain::Map(_) => {
                None
            }
        }
    }

    fn read(line: &Plain) -> Option<Line> {
        let text = |name| line.get(name).and_then(Plain::text);
        let currency = line.get("currency").and_then(article::currency);
        let options_hash = text("options_hash").and_then(digits::read).unwrap_or_default();
        Some(Line {
            quantity: u32::try_from(digits::read(text("quantity")?)?).ok()?,
            price: currency.zip(text("price")).and_then(|(known, text)| Amount::parse(text, known)),
            key: Key { product_id: text("product_id")?.into(), options_hash, currency },
        })
    }

    fn article(&self) -> Article {
        let Line { key, quantity, price } = self.clone();
        Article { key, name: String::new(), price, quantity: Some(quantity) }
    }
}

impl Act {
    /// Whether the act depends on what the cart holds.
    pub const fn needs_lines(&self) -> bool {
        matches!(self, Act::Remove(_) | Act::Is { .. } | Act::Ordered { .. })
    }

    /// The calls that the act comes to in a cart with these lines.
    pub fn calls(self, lines: &[Line]) -> Vec<Call> {
        match self {
            Act::Add(article) => {
                let units = article.quantity.unwrap_or(1);
                if units == 0 {
                    Vec::new()
                } else {
                    [Call::Add(Article { quantity: Some(units), ..article })].into()
                }
            }
            Act::Remove(article) => {
                let meant = Article { key: meant(&article.key, lines), ..article };
                match meant.quantity {
                    None => [Call::Set(meant, 0)].into(),
                    Some(0) => Vec::new(),
                    Some(units) => [Call::Dec(meant, units)].into(),
                }
            }
            Act::Is { articles, is_whole, is_act, is_shop } => {
                let is_loud = is_act || (is_shop && !lines.is_empty());
                corrections(articles, is_whole, is_act, lines)
                    .into_iter()
                    .map(|(article, units)| match is_loud {
                        true => Call::Set(article, units),
                        false => Call::Correct(article, units),
                    })
                    .collect()
            }
            Act::Named(named) => [Call::Named(named)].into(),
            Act::Viewed => [Call::Viewed].into(),
            Act::Checkout => [Call::Checkout].into(),
            Act::Ordered { order_id, articles, about } => {
                [Call::Ordered(order_id, bought(&articles, lines), about)].into()
            }
        }
    }
}

/// Whether a line is of the article and contradicts nothing that the push says.
fn fits(key: &Key, known: &Key) -> bool {
    known.product_id == key.product_id
        && (key.currency.is_none() || known.currency.is_none() || known.currency == key.currency)
        && (key.options_hash == 0
            || known.options_hash == 0
            || known.options_hash == key.options_hash)
}

/// The line that a push means: the line with this key, else the first line that fits.
fn meant(key: &Key, lines: &[Line]) -> Key {
    let known = || lines.iter().map(|line| &line.key);
    let found = known().find(|known| *known == key).or_else(|| known().find(|one| fits(key, one)));
    found.unwrap_or(key).clone()
}

/// The lines that an order takes, with their units. An article without its variant takes units of one variant's line after the other,
/// until it has its number. Articles that name a line exactly come first.
fn bought(articles: &[Article], lines: &[Line]) -> Vec<Article> {
    let mut left = lines.to_vec();
    let mut bought = Vec::new();
    for is_named in [true, false] {
        let is_exact = |one: &&Article| lines.iter().any(|line| line.key == one.key) == is_named;
        for article in articles.iter().filter(is_exact) {
            let mut units = article.quantity.unwrap_or(1);
            let mut key = meant(&article.key, lines);
            while units > 0 {
                let next = meant(&article.key, &left);
                let Some(line) = left.iter_mut().find(|line| line.key == next) else { break };
                let taken = units.min(line.quantity);
                take(&mut bought, article, &next, taken);
                units -= taken;
                line.quantity -= taken;
                left.retain(|line| line.quantity > 0);
                key = next;
            }
            // The order has more than the page's cart knew.
            take(&mut bought, article, &key, units);
        }
    }
    bought
}

/// Adds units of a line to what was bought.
fn take(bought: &mut Vec<Article>, article: &Article, key: &Key, units: u32) {
    match bought.iter_mut().find(|one| one.key == *key) {
        _ if units == 0 => {}
        Some(one) => one.quantity = one.quantity.map(|known| known.saturating_add(units)),
        None => {
            let (key, quantity) = (key.clone(), Some(units));
            bought.push(Article { key, quantity, ..article.clone() });
        }
    }
}

/// The lines that differ, with their units. An empty list corrects nothing unless the visitor emptied the cart: a cart that was not
/// loaded yet is told as an empty one.
fn corrections(
    articles: Vec<Article>,
    is_whole: bool,
    is_act: bool,
    lines: &[Line],
) -> Vec<(Article, u32)> {
    let mut is: Vec<Article> = Vec::new();
    for article in articles {
        // Without a currency the article is the line that has one. With a currency it is a line of its own.
        let key = if article.key.currency.is_none() {
            meant(&article.key, lines)
        } else {
            article.key.clone()
        };
        let units = article.quantity.unwrap_or(1);
        match is.iter_mut().find(|one| one.key == key) {
            Some(one) => {
                one.quantity = Some(one.quantity.unwrap_or_default().saturating_add(units))
            }
            None => is.push(Article { key, quantity: Some(units), ..article }),
        }
    }
    if is.is_empty() && !is_act {
        return Vec::new();
    }
    let mut calls = Vec::new();
    for line in lines.iter().filter(|_| is_whole).map(Line::article) {
        if !is.iter().any(|one| one.key == line.key) {
            calls.push((line, 0));
        }
    }
    for one in is {
        let units = one.quantity.unwrap_or_default();
        let known = lines.iter().map(Line::article).find(|line| line.key == one.key);
        let has_price = |line: &Article| one.price.is_none() || one.price == line.price;
        if !known.is_some_and(|line| line.quantity == one.quantity && has_price(&line)) {
            calls.push((one, units));
        }
    }
    calls
}
