//! Checkouts and orders. A checkout stores the lines of the cart, and an order removes exactly these lines, once.
//!
//! A call → the checkout's lines, or the view after the order. This file does not handle payments.

use std::collections::BTreeMap;

use hilo_core::cart::checkout::Bought;
use hilo_core::cart::touchpoint::{CartEvent, checkout_id, order_id};
use hilo_core::cart::wire::{Full, Revision};
use hilo_core::cart::{Cart, Ctx, LineKey, Quantity};
use hilo_core::money::Amount;
use serde::{Deserialize, Serialize};

use super::hub::{ChangeKind, Hub, News};
use super::state::{OpenCheckout, Task, first_time, has_happened, sum_hash};
use super::touch::{Product, about, price, products};
use super::{foreign, view};
use crate::calls::cart::{CartAnswer, Order, Owner, Person, ShownLine, Since, Speaker};
use crate::calls::refused::{CartRefusal, RefusedCode};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::hex;

/// How long a checkout stays open if no order ends it. Payment pages give up earlier.
const OPEN_MS: i64 = 3_600_000;
/// The most stored checkouts. An order can refer to each of them.
const CHECKOUTS_MAX: i64 = 16;
/// The length of the random part of a checkout's id, in hex digits.
const ID_CHARS: usize = 32;
/// The beginning of the ids of what orders without a checkout took.
const OF_ORDER: &str = "order_";
/// The epoch of a checkout whose dots mean nothing in this cart: no cart has had so many epochs.
pub(super) const ENDED: u32 = u32::MAX;
/// The kind of the ids of orders that the hub has reported.
pub(super) const REPORTED: &str = "reported";
/// The most bytes of an order's id.
const ORDER_ID_BYTES_MAX: usize = 128;

/// A stored checkout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkout {
    pub id: String,
    /// The epoch that its dots belong to.
    pub epoch: u32,
    /// The dots and replicas that the cart had when the checkout began: a cart without lines.
    pub seen: Full,
    pub lines: Vec<ShownLine>,
    /// The person that the checkout is about.
    pub person: Option<Person>,
    /// Whether an order has ended the checkout.
    pub is_ordered: bool,
    /// The order that ended it. A page may tell an order before the server that reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
}

impl Checkout {
    /// Stores what an order without a checkout took out of the cart, for a server that reports the order later. No order can
    /// refer to it.
    fn of_order(order_id: &str, lines: Vec<ShownLine>) -> Checkout {
        Checkout {
            id: format!("{OF_ORDER}{order_id}"),
            epoch: ENDED,
            seen: Full::of(&Cart::default()),
            lines,
            person: None,
            is_ordered: true,
            order_id: None,
        }
    }

    /// Whether it is a checkout that began, with an id that the page has.
    fn is_named(&self) -> bool {
        !self.id.starts_with(OF_ORDER)
    }

    fn ctx(&self) -> Ctx {
        self.seen.cart(self.epoch).ctx
    }
}

/// Reads a checkout by its id.
fn find(sql: &impl Sql, id: &str) -> Result<Option<Checkout>, Failure> {
    let rows = sql.exec("SELECT body FROM checkouts WHERE id = ?", &[id.into()])?;
    rows.first().map(|row| decode(row.text("body")?)).transpose()
}

/// Lists the stored checkouts, oldest first.
pub(super) fn all(sql: &impl Sql) -> Result<Vec<Checkout>, Failure> {
    let rows = sql.exec("SELECT body FROM checkouts ORDER BY seq", &[])?;
    rows.iter().map(|row| decode(row.text("body")?)).collect()
}

/// Stores a checkout, and deletes the oldest ones beyond the bound.
pub(super) fn keep(sql: &impl Sql, checkout: &Checkout) -> Result<(), Failure> {
    sql.exec(
        "INSERT INTO checkouts (id, body) VALUES (?, ?)
         ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        &[checkout.id.as_str().into(), encode(checkout)?.into()],
    )?;
    sql.exec(
        "DELETE FROM checkouts WHERE seq <= (SELECT max(seq) FROM checkouts) - ?",
        &[SqlValue::Int(CHECKOUTS_MAX)],
    )?;
    Ok(())
}

impl<S: Sql> Hub<'_, S> {
    /// Begins a checkout, which becomes the open one. An order may still refer to an earlier checkout.
    pub(super) fn begin_checkout(
        &mut self,
        person: Option<Person>,
        speaker: &Speaker,
    ) -> Result<CartAnswer, Failure> {
        #[derive(Serialize)]
        struct Begun<'a> {
            checkout_id: &'a str,
            rev: Revision,
            lines: &'a [ShownLine],
            totals: BTreeMap<String, String>,
            sum_hash: &'a str,
        }
        if let Some(why) = self.refuse_moved() {
            return CartAnswer::refused(why);
        }
        self.note_speaker(speaker);
        let random: String =
            hex(&self.turn.random_for("checkout")).chars().take(ID_CHARS).collect();
        let id = format!("co_{}_{random}", self.turn.name);
        let cart = &self.stored.cart;
        let mut seen = Cart::of(cart.epoch);
        seen.ctx.absorb(&cart.ctx);
        let checkout = Checkout {
            id: id.clone(),
            epoch: cart.epoch,
            seen: Full::of(&seen),
            lines: view::shown(cart),
            person: person.filter(Person::is_consenting),
            is_ordered: false,
            order_id: None,
        };
        let (sum_hash, listed) = (sum_hash(cart)?, products(cart));
        keep(self.sql, &checkout)?;
        let until_ms = self.turn.ms() + OPEN_MS;
        let open = OpenCheckout { id: id.clone(), sum_hash: sum_hash.clone(), until_ms };
        self.stored.state.checkout = Some(open);
        self.stored.schedule(self.sql, Task::Checkout, Some(until_ms))?;
        self.news.push(News::Checkout { open: true, changed: false });
        if let (true, Owner::Customer(_)) = (speaker.is_server, &speaker.owner)
            && let Some(subject) = self.subject(checkout.person.as_ref())
        {
            let mut properties = about(&listed);
            properties.insert("checkout_id".to_owned(), id.as_str().into());
            self.report(&subject, CartEvent::CheckoutStarted, &checkout_id(&id), properties)?;
        }
        let begun = Begun {
            checkout_id: &id,
            rev: self.stored.state.rev,
            lines: &checkout.lines,
            totals: view::totals(&self.stored.cart),
            sum_hash: &sum_hash,
        };
        CartAnswer::done(&begun, false)
    }

    /// Removes the bought units, and reports the order if a server tells it. Each happens once for an order's id. They are two
    /// facts: a page may tell the order first, and reports it only where its visitor allows that.
    pub(super) fn ordered(
        &mut self,
        order: &Order,
        speaker: &Speaker,
    ) -> Result<CartAnswer, Failure> {
        if order.order_id.is_empty() || order.order_id.len() > ORDER_ID_BYTES_MAX {
            return CartAnswer::refused(RefusedCode::BadOrder.into());
        }
        let is_known = has_happened(self.sql, "order", &order.order_id)?;
        let is_reported = has_happened(self.sql, REPORTED, &order.order_id)?;
        if !is_known || (speaker.is_server && !is_reported) {
            if let Some(why) = self.refuse_moved() {
                return CartAnswer::refused(why);
            }
            if is_known {
                self.report_late(order, speaker)?;
            } else if let Err(why) = self.take_order(order, speaker)? {
                return CartAnswer::refused(why);
            }
        }
        let since = Since {
            epoch: self.stored.cart.epoch,
            rev: Revision(0),
            replica: None,
            with_lines: speaker.is_server,
        };
        CartAnswer::done(&self.seen(&since, Some(is_known))?, is_known)
    }

    fn take_order(
        &mut self,
        order: &Order,
        speaker: &Speaker,
    ) -> Result<Result<(), CartRefusal>, Failure> {
        let checkout = self.checkout_of(order)?;
        let Some(bought) = bought(order, checkout.as_ref()) else {
            return Ok(Err(RefusedCode::BadOrder.into()));
        };
        let bought = self.recognized(&bought, order, checkout.as_ref());
        let (cart, hub) = (&self.stored.cart, self.stored.state.hub);
        let delta = match &checkout {
            Some(checkout) if checkout.epoch == cart.epoch => {
                cart.order_done(hub, &checkout.ctx(), &bought).map(Some)
            }
            // The checkout belongs to an ended epoch, whose lines are all gone.
            Some(_) => Ok(None),
            None => cart.ordered_elsewhere(hub, &bought).map(Some),
        };
        let delta = match delta {
            Ok(delta) => delta,
            Err(refusal) => return Ok(Err(CartRefusal::from(&refusal))),
        };
        first_time(self.sql, "order", &order.order_id)?;
        let person = if let Some(told) = &order.person {
            self.stored.state.person = Some(told.clone()).filter(Person::is_consenting);
            self.stored.state.person.clone()
        } else {
            let of_checkout = checkout.as_ref().and_then(|checkout| checkout.person.clone());
            of_checkout.or_else(|| self.stored.state.person.clone())
        };
        self.report_recovery(order, person.as_ref(), speaker)?;
        if speaker.is_server {
            self.report_order(order, &bought, checkout.as_ref(), person.as_ref())?;
        }
        self.note_speaker(speaker);
        let lines = self.shown_of_checkout(&bought, checkout.as_ref());
        // A server has reported its order just now.
        let is_to_report = !speaker.is_server;
        let of_order = || Checkout::of_order(&order.order_id, lines);
        if let Some(ended) = checkout.or_else(|| is_to_report.then(of_order)) {
            let order_id = Some(order.order_id.clone());
            keep(self.sql, &Checkout { is_ordered: true, order_id, person, ..ended })?;
        }
        if self.stored.state.checkout.take().is_some() {
            self.stored.schedule(self.sql, Task::Checkout, None)?;
            self.news.push(News::Checkout { open: false, changed: false });
        }
        if let Some(delta) = delta {
            self.act(&delta, ChangeKind::Order)?;
        }
        Ok(Ok(()))
    }

    /// Reports an order that a page has taken out of the cart before.
    fn report_late(&mut self, order: &Order, speaker: &Speaker) -> Result<(), Failure> {
        let is_of_order = |checkout: &Checkout| checkout.order_id.as_ref() == Some(&order.order_id);
        let checkout = all(self.sql)?.into_iter().rfind(is_of_order);
        let Some(bought) = bought(order, checkout.as_ref()) else { return Ok(()) };
        let bought = self.recognized(&bought, order, checkout.as_ref());
        let person = checkout.as_ref().and_then(|checkout| checkout.person.clone());
        self.speak_for_server(speaker);
        self.report_order(order, &bought, checkout.as_ref(), person.as_ref())
    }

    /// A server that sends orders may name the customer, even if a page has edited the cart.
    fn speak_for_server(&mut self, speaker: &Speaker) {
        self.stored.state.is_server = true;
        self.stored.state.source.clone_from(&speaker.source);
        self.is_dirty = true;
    }

    /// Finds the checkout of an order: the one with the order's checkout id, or the newest of this epoch that no order
    /// has ended.
    fn checkout_of(&self, order: &Order) -> Result<Option<Checkout>, Failure> {
        if let Some(id) = &order.checkout_id
            && let Some(checkout) = find(self.sql, id)?.filter(Checkout::is_named)
        {
            return Ok(Some(checkout));
        }
        let epoch = self.stored.cart.epoch;
        let is_candidate = |checkout: &Checkout| checkout.epoch == epoch && !checkout.is_ordered;
        Ok(all(self.sql)?.into_iter().rfind(is_candidate))
    }

    /// Maps the bought lines of a shop system to lines of the checkout, or else of the cart.
    fn recognized(&self, bought: &Bought, order: &Order, checkout: Option<&Checkout>) -> Bought {
        if !order.is_foreign {
            return bought.clone();
        }
        let is_named = checkout.is_some_and(|found| order.checkout_id.as_ref() == Some(&found.id));
        let known: Vec<(LineKey, u32)> = match checkout {
            Some(checkout) => {
                checkout.lines.iter().map(|shown| (shown.line.clone(), shown.quantity)).collect()
            }
            None => self.stored.cart.shown().map(|(line, units)| (line.clone(), units)).collect(),
        };
        foreign::recognized(bought, &known, is_named)
    }

    /// Reports the recovery of an abandoned cart.
    fn report_recovery(
        &mut self,
        order: &Order,
        person: Option<&Person>,
        speaker: &Speaker,
    ) -> Result<(), Failure> {
        if speaker.is_server {
            self.speak_for_server(speaker);
        }
        let reminded = self.reminded(person);
        self.is_dirty = true;
        let Some(abandoned) = self.stored.state.abandoned.take() else { return Ok(()) };
        let Some(reminded) = reminded else { return Ok(()) };
        let seconds = (self.turn.ms() - abandoned.at_ms).max(0) / 1_000;
        let mut properties = serde_json::Map::new();
        properties.insert("seconds_between".to_owned(), seconds.into());
        properties.insert("order_id".to_owned(), order.order_id.as_str().into());
        let message_id = abandoned.message_id(CartEvent::CartRecovered);
        self.report(&reminded, CartEvent::CartRecovered, &message_id, properties)
    }

    /// Reports an order that a server tells, once. Where nobody may be named, nothing is reported yet: a later call may name
    /// somebody.
    fn report_order(
        &mut self,
        order: &Order,
        bought: &Bought,
        checkout: Option<&Checkout>,
        person: Option<&Person>,
    ) -> Result<(), Failure> {
        let Some(subject) = self.subject(person) else { return Ok(()) };
        let product = |ShownLine { line, quantity, info }| Product {
            line,
            quantity: Quantity::whole(quantity),
            info,
        };
        let shown = self.shown_of_checkout(bought, checkout);
        let mut products: Vec<Product> = shown.into_iter().map(product).collect();
        measure(&mut products, order);
        let mut properties = about(&products);
        properties.insert("order_id".to_owned(), order.order_id.as_str().into());
        if order.is_unpaid {
            properties.insert("paid".to_owned(), false.into());
        }
        if let Some((minor, currency)) = order.total {
            let total = price(Amount { minor, currency });
            properties.extend(total.map(|total| ("total".to_owned(), total)));
            properties.insert("currency".to_owned(), currency.code().into());
        }
        if let Some(checkout) = checkout.filter(|checkout| checkout.is_named()) {
            properties.insert("checkout_id".to_owned(), checkout.id.as_str().into());
        }
        first_time(self.sql, REPORTED, &order.order_id)?;
        let message_id = order_id(&order.order_id);
        self.report(&subject, CartEvent::OrderCompleted, &message_id, properties)
    }

    /// Returns bought lines with the look that they have in the cart, or had in the checkout.
    fn shown_of_checkout(&self, bought: &Bought, checkout: Option<&Checkout>) -> Vec<ShownLine> {
        let known = checkout.map(|checkout| checkout.lines.as_slice()).unwrap_or_default();
        let info = |line: &LineKey| {
            let looks = self.stored.cart.look(line).map(|(_, info)| info);
            let looked = || known.iter().find(|shown| shown.line == *line).map(|shown| &shown.info);
            looks.or_else(looked).cloned().unwrap_or_default()
        };
        let shown = bought.iter().map(|(line, &quantity)| ShownLine {
            line: line.clone(),
            quantity,
            info: info(line),
        });
        shown.collect()
    }
}

/// Returns the bought lines: those of the order, or else those of the checkout.
fn bought(order: &Order, checkout: Option<&Checkout>) -> Option<Bought> {
    let mut bought: Bought = match (order.exactly(), checkout) {
        (Some(lines), _) => {
            lines.into_iter().map(|(line, quantity)| (line.clone(), quantity.units())).collect()
        }
        (None, Some(checkout)) => {
            checkout.lines.iter().map(|shown| (shown.line.clone(), shown.quantity)).collect()
        }
        (None, None) => return None,
    };
    bought.retain(|_, units| *units > 0);
    Some(bought)
}

/// Gives products of whole units the order's exact quantities: where an order bought a part of its last unit, the last line that
/// it took has the part.
fn measure(products: &mut [Product], order: &Order) {
    for (line, exactly) in order.exactly().into_iter().flatten() {
        let too_much = Quantity::whole(exactly.units()).minus(exactly);
        let is_of_line = |product: &Product| product.line == *line;
        let is_alike = |product: &Product| foreign::is_alike(&product.line, line);
        let place = products.iter().position(is_of_line);
        let place = place.or_else(|| products.iter().rposition(is_alike));
        if let Some(product) = place.and_then(|place| products.get_mut(place)) {
            product.quantity = product.quantity.minus(too_much);
        }
    }
}
