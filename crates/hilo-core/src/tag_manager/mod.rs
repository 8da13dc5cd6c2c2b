//! What shops push to a tag manager → what happened to the cart.
//!
//! In: the entries of a `dataLayer`, in order, as copies. Out: acts on the cart in order, and sentences for the developer. Keeps
//! what was pushed without an event, the currency that `gtag` was told, and what came lately. Has no clock and no page.
//!
//! `plain` is a copied value, `shape` says what an entry holds, `article` reads one item, `doubles` knows what was pushed twice, and
//! `act` makes calls of the cart of all this.

mod act;
mod article;
mod doubles;
mod notes;
mod plain;
mod printed;
mod shape;

use alloc::string::String;
use alloc::vec::Vec;

pub use act::{Act, Call, Line};
pub use article::{Article, Key};
pub use plain::Plain;
pub use printed::read as read_printed;

use crate::money::Currency;
use doubles::Doubles;
use notes::Notes;
use shape::{Family, Told, Words};

/// Acts that may wait for the cart.
const ACTS_MAX: usize = 500;

/// Where and when an entry was pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment<'m> {
    /// The page's clock; `None` for what was pushed before the reader came.
    pub at_ms: Option<i64>,
    /// The page's path.
    pub path: &'m str,
    /// The currency that the page shows, where the page tells it.
    pub currency: &'m str,
    /// Whether the page can still learn the shop's own currency from the collector.
    pub may_ask: bool,
}

/// The reader of one page's `dataLayer`.
#[derive(Debug, Default)]
pub struct Reader {
    /// What was pushed without an event since the last ecommerce event.
    pending: Option<Plain>,
    /// What `gtag("config")` or `gtag("set")` said last.
    currency: Option<Currency>,
    doubles: Doubles,
    acts: Vec<Act>,
    /// Whether the entry that is read needs the shop's own currency.
    is_asking: bool,
}

impl Reader {
    /// Reads one entry. Returns sentences for the developer; `None` where the page may ask for the shop's currency, and the entry
    /// puts an article into the cart whose currency nothing tells. That entry is to be read again, before any other one. Lists of a
    /// shop's articles need no currency, and a removal or an order finds its lines without one.
    pub fn read(&mut self, entry: &Plain, moment: &Moment<'_>) -> Option<Vec<String>> {
        let mut notes = Vec::new();
        self.is_asking = false;
        match entry {
            Plain::List(args) => self.read_arguments(args, moment, &mut notes),
            Plain::Map(_) if entry.get("0").is_some() => {
                let args = ["0", "1", "2"].map(|at| entry.get(at).cloned().unwrap_or_default());
                self.read_arguments(&args, moment, &mut notes);
            }
            Plain::Map(_) => self.read_object(entry, moment, &mut notes),
            Plain::Null | Plain::Number(_) | Plain::Text(_) => {}
        }
        (!self.is_asking).then_some(notes)
    }

    /// The calls of the next act, in order; `None` where no act waits, or where the act needs the cart's lines and has none.
    ///
    /// Where the page `is_leaving` nothing waits for the lines. A list of the cart is given up then: it would correct a cart that
    /// nobody has seen.
    pub fn next(&mut self, lines: Option<&[Line]>, is_leaving: bool) -> Option<Vec<Call>> {
        if lines.is_none() && self.acts.first()?.needs_lines() && !is_leaving {
            return None;
        }
        let next = (!self.acts.is_empty()).then(|| self.acts.remove(0))?;
        match (next, lines) {
            (Act::Is { .. }, None) => Some(Vec::new()),
            (next, lines) => Some(next.calls(lines.unwrap_or_default())),
        }
    }

    /// Whether an act waits.
    pub fn is_waiting(&self) -> bool {
        !self.acts.is_empty()
    }

    /// The arguments of `gtag`, or a list in their place.
    fn read_arguments(&mut self, args: &[Plain], moment: &Moment<'_>, notes: &mut Vec<String>) {
        let [command, name, values @ ..] = args else { return };
        let (none, name_text) = (Plain::Null, name.text().unwrap_or_default());
        let values = values.first().unwrap_or(&none);
        match command.text().unwrap_or_default() {
            "event" => {
                if let Some(told) = shape::ga4(name_text, Words::Gtag, values, values) {
                    self.take(&told, name_text, moment, notes);
                }
            }
            "config" => self.learn(values.value(&["currency"])),
            "set" if name_text == "currency" => self.learn(Some(values)),
            "set" => self.learn(name.value(&["currency"]).or_else(|| values.value(&["currency"]))),
            _ => {}
        }
    }

    fn learn(&mut self, currency: Option<&Plain>) {
        self.currency = currency.and_then(article::currency).or(self.currency);
    }

    /// An object: its own data count first, else what was pushed without an event before.
    fn read_object(&mut self, entry: &Plain, moment: &Moment<'_>, notes: &mut Vec<String>) {
        let ecommerce = entry.get("ecommerce");
        if ecommerce == Some(&Plain::Null) {
            self.pending = None;
        }
        let own = entry.object("ecommerce").or_else(|| entry.value(&["items"]).map(|_| entry));
        let Some(event) = entry.get("event").and_then(Plain::text) else {
            if let Some(data) = own {
                self.hold(data, moment, notes);
            }
            return;
        };
        if let Some(data) = own {
            self.pending = None;
            return self.read_event(event, data, entry, moment, notes);
        }
        let is_due = shape::is_ecommerce(event)
            || (!event.starts_with("gtm.")
                && self.pending.as_ref().is_some_and(shape::has_universal));
        if is_due {
            let data = self.pending.take().unwrap_or_default();
            self.read_event(event, &data, entry, moment, notes);
            if self.is_asking {
                self.pending = Some(data);
            }
        }
    }

    /// Data without an event: an order of Universal Analytics counts by itself, the rest waits for an event.
    fn hold(&mut self, data: &Plain, moment: &Moment<'_>, notes: &mut Vec<String>) {
        if let Some(told) =
            shape::universal(data).into_iter().find(|told| told.family == Family::Purchase)
        {
            return self.take(&told, "purchase", moment, notes);
        }
        match &mut self.pending {
            Some(pending) => pending.merge(data),
            None => self.pending = Some(data.clone()),
        }
    }

    fn read_event(
        &mut self,
        event: &str,
        data: &Plain,
        entry: &Plain,
        moment: &Moment<'_>,
        notes: &mut Vec<String>,
    ) {
        let keys = shape::universal(data);
        let ga4 = shape::ga4(event, Words::Ga4, data, entry)
            .filter(|told| told.items.is_some() || keys.is_empty());
        for told in &keys {
            if ga4.is_none_or(|ga4| ga4.family != told.family) {
                self.take(told, event, moment, notes);
            }
        }
        if let Some(told) = ga4 {
            self.take(&told, event, moment, notes);
        }
    }

    /// One cart event becomes acts.
    fn take(&mut self, told: &Told<'_>, event: &str, moment: &Moment<'_>, notes: &mut Vec<String>) {
        if self.is_asking {
            return;
        }
        let mut notes = Notes::new(event, notes);
        let named = |place: &Plain| {
            let known = |name| place.value(&[name]).and_then(article::currency);
            ["currency", "currencyCode"].into_iter().find_map(known)
        };
        let shown = || article::currency(&Plain::Text(moment.currency.into()));
        let currency =
            told.around.iter().find_map(|place| named(place)).or(self.currency).or_else(shown);
        let items = told.items.map(article::items).unwrap_or_default();
        let mut articles = Vec::new();
        let mut is_whole = true;
        for item in &items {
            match item.and_then(|item| article::read(item, currency, &mut notes)) {
                Some(article) => articles.push(article),
                None => is_whole = false,
            }
        }
        if !is_whole {
            notes.say(&["an item has no id and no name and was left out"]);
        }
        let is_filling = matches!(told.family, Family::Add | Family::View | Family::Checkout);
        let is_unknown = |article: &Article| article.key.currency.is_none();
        if moment.may_ask && is_filling && articles.iter().any(is_unknown) {
            // What stands before it in the same entry is a double when the entry is read again.
            self.is_asking = true;
            return;
        }
        let content = doubles::content(told.family, told.order_id, &articles);
        if let Some(double) =
            self.doubles.judge(told.family, told.words, content, moment.at_ms, moment.path)
        {
            return notes.say(&[double.reason()]);
        }
        if articles.is_empty() && matches!(told.family, Family::Add | Family::Remove) {
            return notes.say(&[
                "there is no item in ecommerce.items, in items beside it, or pushed before it",
            ]);
        }
        if self.acts.len() + articles.len() > ACTS_MAX {
            return notes.say(&["too many acts wait for the cart, so this act was left out"]);
        }
        match told.family {
            Family::Add => self.acts.extend(articles.into_iter().map(Act::Add)),
            Family::Remove => self.acts.extend(articles.into_iter().map(Act::Remove)),
            Family::View => self.acts.extend([Act::Is { articles, is_whole }, Act::Viewed]),
            Family::Checkout => self.acts.extend([Act::Is { articles, is_whole }, Act::Checkout]),
            Family::Purchase => match told.order_id {
                Some(id) => self.acts.push(Act::Ordered { order_id: id.into(), articles }),
                None => {
                    notes.say(&["there is no transaction_id, so the order does not empty the cart"])
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Plain {
        Plain::Text(value.into())
    }

    fn map(fields: &[(&str, Plain)]) -> Plain {
        Plain::Map(fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
    }

    /// The names of articles that a push of `items` adds.
    fn added(items: Plain) -> Vec<String> {
        let entry = map(&[("event", text("add_to_cart")), ("ecommerce", map(&[("items", items)]))]);
        let mut reader = Reader::default();
        reader.read(&entry, &Moment::default());
        let mut found = Vec::new();
        while let Some(calls) = reader.next(Some(&[]), false) {
            for call in calls {
                if let Call::Add(article) = call {
                    found.push(article.key.product_id);
                }
            }
        }
        found
    }

    #[test]
    fn one_odd_field_costs_neither_its_article_nor_the_next_one() {
        let odd = [
            Plain::Null,
            Plain::Number("NaN".into()),
            Plain::Number("1e309".into()),
            text(""),
            text("\u{0}\t\n\u{202f}"),
            text(&"9".repeat(512)),
            Plain::List([text("a"), Plain::Null].into()),
            map(&[("id", text("deep"))]),
        ];
        let fields =
            ["name", "item_name", "item_variant", "price", "currency", "quantity", "anything"];
        for field in fields {
            for value in &odd {
                let first = map(&[("item_id", text("A")), (field, value.clone())]);
                let items = Plain::List([first, map(&[("item_id", text("B"))])].into());
                assert_eq!(added(items), ["A", "B"], "{field}: {value:?}");
            }
        }
        for value in odd {
            let items = Plain::List([value.clone(), map(&[("item_id", text("B"))])].into());
            assert_eq!(added(items).last().map(String::as_str), Some("B"), "{value:?}");
        }
    }

    #[test]
    fn a_list_within_lists_ends() {
        let mut items = map(&[("item_id", text("A"))]);
        for _ in 0..20 {
            items = Plain::List([items].into());
        }
        assert_eq!(added(items), [""; 0]);
    }
}
