//! What shops tell of themselves → what happened to the cart, and named acts.
//!
//! In: the entries of a `dataLayer`, in order, a shop system's own cart, and the products of a page, as copies. Out: acts in order, and
//! sentences for the developer. Keeps what was pushed without an event, the currency that `gtag` was told, the page's products, and
//! what came lately. Has no clock and no page.
//!
//! `shape` says what an entry holds, `article` reads one item, `known` completes it, `doubles` knows what was pushed twice, `named` and
//! `order` say it in Segment's words, `shop_cart` reads a shop's own cart, and `act` makes calls of the cart of all this.

mod act;
mod article;
mod doubles;
mod known;
mod named;
mod notes;
mod order;
mod shape;
mod shop_cart;

use alloc::string::String;
use alloc::vec::Vec;

pub use act::{Act, Call, Line};
pub use article::{Article, Key};
pub use named::{Details, Named};

use crate::money::Currency;
use crate::plain::Plain;
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
    /// What the page tells of its products.
    products: Plain,
    doubles: Doubles,
    acts: Vec<Act>,
    /// Whether the entry that is read needs the shop's own currency.
    is_asking: bool,
}

/// The items of an event.
struct Items {
    articles: Vec<Article>,
    /// The same in Segment's words; for a promotion's event the promotions.
    products: Vec<Details>,
    /// Whether each item could be read.
    is_whole: bool,
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
            Plain::Null | Plain::Flag(_) | Plain::Number(_) | Plain::Text(_) => {}
        }
        (!self.is_asking).then_some(notes)
    }

    /// Reads a shop system's own cart, as `shop_cart` says.
    pub fn read_cart(&mut self, cart: &Plain) {
        if self.acts.len() < ACTS_MAX {
            self.acts.push(shop_cart::read(cart));
        }
    }

    /// Learns the products that the page tells of, as `known` says.
    pub fn learn_products(&mut self, products: Plain) {
        self.products = products;
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
            (Act::Is { is_act: false, .. }, None) => Some(Vec::new()),
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
        let has_universal = |data: &Plain| !shape::universal(data).is_empty();
        let is_due = shape::family(event).is_some()
            || (!event.starts_with("gtm.") && self.pending.as_ref().is_some_and(has_universal));
        if is_due {
            let data = self.pending.take().unwrap_or_default();
            self.read_event(event, &data, entry, moment, notes);
            if self.is_asking {
                self.pending = Some(data);
            }
        }
    }

    /// Data without an event: an order, a product or a list of Universal Analytics counts by itself, the rest waits for an event.
    fn hold(&mut self, data: &Plain, moment: &Moment<'_>, notes: &mut Vec<String>) {
        let mut whole = shape::universal(data);
        whole
            .retain(|told| matches!(told.family, Family::Purchase | Family::Detail | Family::List));
        for told in &whole {
            self.take(told, "ecommerce", moment, notes);
        }
        if !whole.is_empty() {
            return;
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

    /// One shop event becomes acts.
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
        let Items { articles, mut products, is_whole } = self.items(told, currency, &mut notes);
        let is_filling = matches!(told.family, Family::Add | Family::View | Family::Checkout);
        let is_unknown = |article: &Article| article.key.currency.is_none();
        if moment.may_ask && is_filling && articles.iter().any(is_unknown) {
            // What stands before it in the same entry is a double when the entry is read again.
            self.is_asking = true;
            return;
        }
        // Where the whole has no currency, its first article's counts.
        let currency = currency.or_else(|| articles.first()?.key.currency);
        let acts = told.family.name().map(|name| {
            named::acts(name, told, currency, core::mem::take(&mut products), &mut notes)
        });
        let acts = acts.unwrap_or_default();
        let content = doubles::content(told.family, told.order_id, &articles, &acts);
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
        if self.acts.len() + articles.len().max(acts.len()) > ACTS_MAX {
            return notes.say(&["too many acts wait for the cart, so this act was left out"]);
        }
        let items = Items { articles, products, is_whole };
        self.queue(told, currency, items, acts, &mut notes);
    }

    /// What the event's items are.
    fn items(&self, told: &Told<'_>, currency: Option<Currency>, notes: &mut Notes<'_>) -> Items {
        let items = told.items.map(article::items).unwrap_or_default();
        let mut found = Items { articles: Vec::new(), products: Vec::new(), is_whole: true };
        if told.family.is_promotion() {
            // What is said about the whole event comes last: it counts where no item has a promotion.
            let places = items.iter().copied().flatten().chain(told.around);
            let all = places.map(named::promotion).filter(|one| *one != Details::default());
            found.products.extend(all);
            if !items.is_empty() {
                found.products.truncate(items.len());
            }
            return found;
        }
        let is_told = told.family.name().is_some() || told.family == Family::Purchase;
        for item in &items {
            let whole = item.and_then(|item| known::complete(&self.products, item, currency));
            let item = whole.as_ref().or(*item);
            match item.and_then(|item| article::read(item, currency, notes).zip(Some(item))) {
                Some((article, item)) => {
                    if is_told {
                        found.products.push(named::product(item, &article, currency));
                    }
                    found.articles.push(article);
                }
                None => found.is_whole = false,
            }
        }
        if !found.is_whole {
            notes.say(&["an item has no id and no name and was left out"]);
        }
        found
    }

    /// Adds what the event comes to, to what waits.
    fn queue(
        &mut self,
        told: &Told<'_>,
        currency: Option<Currency>,
        Items { articles, products, is_whole }: Items,
        acts: Vec<Named>,
        notes: &mut Notes<'_>,
    ) {
        match told.family {
            Family::Add => self.acts.extend(articles.into_iter().map(Act::Add)),
            Family::Remove => self.acts.extend(articles.into_iter().map(Act::Remove)),
            Family::View | Family::Checkout => {
                let next = if told.family == Family::View { Act::Viewed } else { Act::Checkout };
                let is = Act::Is { articles, is_whole, is_act: false, is_shop: false };
                self.acts.extend([is, next]);
            }
            Family::Purchase => match told.order_id {
                Some(id) => {
                    let about =
                        named::order_of(told, currency, &articles, products, is_whole, notes);
                    self.acts.push(Act::Ordered { order_id: id.into(), articles, about });
                }
                None => {
                    notes.say(&["there is no transaction_id, so the order does not empty the cart"])
                }
            },
            Family::List
            | Family::Click
            | Family::Detail
            | Family::Wish
            | Family::Step
            | Family::StepDone
            | Family::Payment
            | Family::Refund
            | Family::Promo
            | Family::PromoClick
            | Family::Search => self.acts.extend(acts.into_iter().map(Act::Named)),
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
