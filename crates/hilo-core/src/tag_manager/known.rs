//! What a page tells search engines about its products → names and prices by id.
//!
//! In: cells `{id, name, price, currency}`, as `js/sdk/src/shop/schema.ts` reads them from the page. Out: an item with what it lacked.
//! Recommendations are products too, so only an equal id counts.

use super::article;
use crate::money::Currency;
use crate::plain::Plain;

/// The item with the name and the price that the page tells of the same product, where the item has none. `around` is the currency that
/// holds for the item. `None` where the page tells nothing of it.
#[inline(never)]
pub(super) fn complete(products: &Plain, item: &Plain, around: Option<Currency>) -> Option<Plain> {
    let (Plain::Map(fields), Plain::List(products)) = (item, products) else { return None };
    let id = item.first(&article::IDS)?;
    let known = products.iter().find(|product| product.first(&["id"]) == Some(id))?;
    let mut fields = fields.clone();
    let mut put = |from: &str, to: &str| {
        let value = known.get(from).cloned().unwrap_or_default();
        fields.retain(|(name, _)| name != to);
        fields.push((to.into(), value));
    };
    if item.first(&article::NAMES).is_none() {
        put("name", "name");
    }
    let own = item.value(&["currency"]).and_then(article::currency).or(around);
    let theirs = known.value(&["currency"]).and_then(article::currency);
    // A price is nothing without its currency, and no other currency's price.
    if item.value(&["price"]).is_none() && theirs.is_some() && (own.is_none() || own == theirs) {
        put("price", "price");
        put("currency", "currency");
    }
    Some(Plain::Map(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<const N: usize>(cells: [(&str, &str); N]) -> Plain {
        let cell = |(name, value): (&str, &str)| (name.into(), Plain::Text(value.into()));
        Plain::Map(cells.map(cell).into())
    }

    fn completed(item: &Plain, around: &str) -> Option<[Option<String>; 3]> {
        let mug = map([("id", "M"), ("name", "Mug"), ("price", "20.00"), ("currency", "EUR")]);
        let bare = map([("id", "B"), ("name", "Bare"), ("price", "7")]);
        let products = Plain::List([bare, mug].into());
        let whole = complete(&products, item, Currency::parse(around))?;
        Some(["name", "price", "currency"].map(|name| whole.first(&[name]).map(str::to_owned)))
    }

    #[test]
    fn a_missing_name_and_price_come_from_the_product_of_the_same_id_only() {
        let mug = [Some("Mug"), Some("20.00"), Some("EUR")].map(|text| text.map(str::to_owned));
        assert_eq!(completed(&map([("item_id", "M")]), ""), Some(mug.clone()));
        assert_eq!(completed(&map([("item_id", "M")]), "EUR"), Some(mug));
        assert_eq!(completed(&map([("item_id", "OTHER")]), ""), None);
        assert_eq!(complete(&Plain::Null, &map([("item_id", "M")]), None), None);
    }

    #[test]
    fn what_the_shop_pushed_counts_and_a_price_in_another_currency_does_not() {
        let own = map([("id", "M"), ("title", "Cup"), ("price", "7"), ("currency", "USD")]);
        let kept = [None, Some("7"), Some("USD")].map(|text| text.map(str::to_owned));
        assert_eq!(completed(&own, ""), Some(kept));
        let named = || Some("Mug".to_owned());
        assert_eq!(completed(&map([("id", "M")]), "USD"), Some([named(), None, None]));
        let bare = completed(&map([("id", "B")]), "");
        assert_eq!(bare, Some([Some("Bare".to_owned()), None, None]), "it has no currency");
    }
}
