//! The chapters of the documents' site, and their order.
//! In: the documents by path. Out: mdBook's summary, with each document that the parts name. Writes nothing.

use std::collections::BTreeMap;

use super::links;

/// The parts in order. A folder stands for its README and the documents that the README links to, in this order.
const PARTS: [(&str, &[&str]); 4] = [
    (
        "Your site",
        &[
            "examples/guides/",
            "js/sdk/README.md",
            "examples/proxies/README.md",
            "examples/clients/README.md",
            "examples/imports/README.md",
            "examples/shopify-pixel/README.md",
            "examples/rights/README.md",
            "examples/shop/README.md",
        ],
    ),
    (
        "The collector",
        &[
            "crates/hilo-collector/RUNBOOK.md",
            "crates/hilo-collector/docs/admin.md",
            "crates/hilo-collector/README.md",
            "crates/hilo-collector/docs/webhooks.md",
            "crates/hilo-collector/docs/feeds.md",
            "crates/hilo-collector/docs/inbound.md",
            "crates/hilo-collector/docs/mapping.md",
            "crates/hilo-collector/docs/plan.md",
        ],
    ),
    ("Destinations", &["crates/hilo-collector/docs/destinations/"]),
    (
        "Reference",
        &[
            "crates/hilo-collector/docs/fields.md",
            "crates/hilo-collector/docs/touchpoints.md",
            "crates/ARCHITECTURE.md",
        ],
    ),
];
/// The page with which the site begins.
const FIRST: &str = "README.md";

/// One document of the site.
struct Chapter {
    path: String,
    title: String,
    /// Whether it stands below the chapter before it.
    is_below: bool,
}

/// The site's chapters by part.
pub(crate) struct Book {
    first: Chapter,
    parts: Vec<(&'static str, Vec<Chapter>)>,
}

impl Book {
    /// Orders those of the documents that the parts name.
    pub(crate) fn of(documents: &BTreeMap<String, String>) -> Book {
        let chapter = |path: &str, is_below| Chapter {
            title: title(documents.get(path).map(String::as_str).unwrap_or_default()),
            path: path.to_owned(),
            is_below,
        };
        let listed = |place: &&str| {
            let Some(folder) = place.strip_suffix('/') else {
                return vec![chapter(place, false)];
            };
            let index = format!("{folder}/README.md");
            let text = documents.get(&index).map(String::as_str).unwrap_or_default();
            let inside = links::of(text)
                .into_iter()
                .filter_map(|(_, link)| links::resolved(&index, links::parts(link).0))
                .filter(|path| path.rsplit_once('/').is_some_and(|(home, _)| home == folder))
                .filter(|path| *path != index && documents.contains_key(path));
            let mut chapters = vec![chapter(&index, false)];
            for path in inside {
                if chapters.iter().all(|known| known.path != path) {
                    chapters.push(chapter(&path, true));
                }
            }
            chapters
        };
        Book {
            first: chapter(FIRST, false),
            parts: PARTS
                .iter()
                .map(|(name, places)| (*name, places.iter().flat_map(listed).collect()))
                .collect(),
        }
    }

    /// The chapters' documents, in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        let chapters = self.parts.iter().flat_map(|(_, chapters)| chapters);
        std::iter::once(&self.first).chain(chapters).map(|chapter| chapter.path.as_str())
    }

    /// Whether the document is a chapter.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths().any(|one| one == path)
    }

    /// mdBook's `SUMMARY.md`.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("# Summary\n\n[{}]({})\n", self.first.title, in_site(FIRST));
        for (name, chapters) in &self.parts {
            text.push_str(&format!("\n# {name}\n\n"));
            for Chapter { path, title, is_below } in chapters {
                let indent = if *is_below { "  " } else { "" };
                text.push_str(&format!("{indent}- [{title}]({})\n", in_site(path)));
            }
        }
        text
    }
}

/// Where a document stands in the site's sources: mdBook makes `index.html` of `index.md`.
pub(crate) fn in_site(path: &str) -> String {
    path.strip_suffix("README.md").map_or_else(|| path.to_owned(), |home| format!("{home}index.md"))
}

/// The first heading, up to a colon.
fn title(text: &str) -> String {
    let heading = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("…");
    heading.split(": ").next().unwrap_or(heading).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_readme_and_what_the_readme_links_to_in_this_order() {
        let documents = [
            ("README.md", "# hilo"),
            ("examples/guides/README.md", "# Guides\n[b](b.md) [a](a.md#x) [b](b.md) [c](../c.md)"),
            ("examples/guides/a.md", "# A: more"),
            ("examples/guides/b.md", "# B"),
            ("examples/c.md", "# C"),
        ];
        let documents =
            documents.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let summary = Book::of(&documents).summary();
        let expected = "# Your site\n\n- [Guides](examples/guides/index.md)\n  - [B](examples/guides/b.md)\n  - [A](examples/guides/a.md)\n- [";
        assert!(summary.contains(expected), "{summary}");
        assert!(summary.starts_with("# Summary\n\n[hilo](index.md)\n"), "{summary}");
    }
}
