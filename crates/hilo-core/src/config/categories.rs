//! `[consent.categories]`: the purposes for which other systems have names of their own (`Analytics`, `C0002`).
//!
//! Reads the table, and finds the purposes of a name. The gate decides what an unknown name means.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::de::DeValue;

use super::ProblemCode;
use super::reader::{Reader, Section};
use crate::consent::Purpose;

/// The consent categories of consent tools and of Segment's clients, each with its purposes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Categories(BTreeMap<String, Vec<Purpose>>);

impl Categories {
    /// Whether no category is mapped.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The purposes for which `name` stands; `None` for a name that nobody mapped.
    ///
    /// A purpose's own name needs no mapping. A mapped name counts as it is written. A purpose's own name in other letters,
    /// such as `Analytics`, counts where the file does not map it to something else.
    pub fn purposes(&self, name: &str) -> Option<&[Purpose]> {
        let own = |is_own: &dyn Fn(&str) -> bool| {
            Purpose::ALL.iter().find(|purpose| is_own(purpose.name())).map(std::slice::from_ref)
        };
        own(&|purpose| purpose == name)
            .or_else(|| self.0.get(name).map(Vec::as_slice))
            .or_else(|| own(&|purpose| purpose.eq_ignore_ascii_case(name)))
    }
}

/// Reads `[consent.categories]`: each value is a purpose, or a list of purposes.
pub(super) fn read(reader: &Reader<'_>, consent: &Section<'_>) -> Categories {
    let Some(section) = reader.section(consent, "categories") else { return Categories::default() };
    let names = Purpose::ALL.map(Purpose::name);
    let mut categories = BTreeMap::new();
    for (key, value) in section.table {
        let category = key.get_ref().as_ref();
        let words = if let DeValue::Array(_) = value.get_ref() {
            reader.words(&section, category, &names)
        } else {
            reader.word(&section, category, &names).into_iter().collect()
        };
        let field = section.path_of(category);
        if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
            let message = "name a purpose for this category, such as \"analytics\"";
            reader.report(value.span(), &field, ProblemCode::MissingField, message);
        }
        if names.contains(&category) && words != [category] {
            let message = "this is a purpose's own name, which trackers send: it stands for itself";
            reader.report(value.span(), &field, ProblemCode::BadValue, message);
        }
        let purposes = words.into_iter().filter_map(Purpose::from_name).collect();
        categories.insert(category.to_owned(), purposes);
    }
    Categories(categories)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_found_by_its_mapping_and_a_purpose_by_its_name_in_any_letters() {
        let mapped = [
            ("C0002", vec![Purpose::Analytics]),
            ("Functional", vec![Purpose::Personalization]),
            ("C0004", vec![Purpose::Advertising, Purpose::SaleShare]),
        ];
        let categories =
            Categories(mapped.into_iter().map(|(name, to)| (name.to_owned(), to)).collect());
        for (name, expected) in [
            ("analytics", Some([Purpose::Analytics].as_slice())),
            ("ANALYTICS", Some(&[Purpose::Analytics])),
            ("C0002", Some(&[Purpose::Analytics])),
            ("c0002", None),
            ("C0004", Some(&[Purpose::Advertising, Purpose::SaleShare])),
            ("Functional", Some(&[Purpose::Personalization])),
            ("functional", Some(&[Purpose::Functional])),
            ("DataSharing", None),
            ("", None),
        ] {
            assert_eq!(categories.purposes(name), expected, "{name}");
        }
    }
}
