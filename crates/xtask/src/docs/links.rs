//! Links of documents and of the site that is made of them.
//! In: Markdown or HTML. Out: targets inside the repository or the site, with those that lead nowhere. Asks no other host.

use std::collections::BTreeMap;

/// Each link of a Markdown text that leads to no other host, with its line. Links in blocks of code are none.
pub(crate) fn of(text: &str) -> Vec<(usize, &str)> {
    outside_code(text)
        .flat_map(|(number, line)| targets(line).map(move |target| (number, target)))
        .collect()
}

/// The text with another target where `change` gives one.
pub(crate) fn rewritten(text: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (number, target) in of(text) {
        if let (Some(line), Some(better)) = (lines.get_mut(number - 1), change(target)) {
            *line = line.replacen(&format!("]({target})"), &format!("]({better})"), 1);
        }
    }
    lines.join("\n") + "\n"
}

/// The path of a link and its anchor, with the `#`.
pub(crate) fn parts(link: &str) -> (&str, &str) {
    link.split_at(link.find('#').unwrap_or(link.len()))
}

/// The path to which `target` leads from the file `from`; nothing where it leaves the tree. An empty target is the file itself.
pub(crate) fn resolved(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut steps: Vec<&str> = from.split('/').collect();
    steps.pop();
    for step in target.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(steps.pop()?),
            name => steps.push(name),
        }
    }
    Some(steps.join("/"))
}

/// The anchors of a document's headings.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let headings = outside_code(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The links of the site's pages that lead to no file and to no anchor. `has` says whether a file exists.
pub(crate) fn dead_in_site(
    pages: &BTreeMap<String, String>,
    has: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut dead = Vec::new();
    for (page, text) in pages {
        for link in attributes(text).filter(|link| is_inside(link)) {
            let (target, anchor) = parts(link);
            let target = target.split('?').next().unwrap_or_default();
            let place = resolved(page, target).unwrap_or_default();
            let is_there = match (pages.get(&place), anchor.strip_prefix('#')) {
                (Some(text), Some(id)) if !id.is_empty() => text.contains(&format!("id=\"{id}\"")),
                _ => has(&place),
            };
            if !is_there {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    dead
}

/// The values of `href` and `src`. A `<` in a page's text is an entity, so what follows one is a tag.
fn attributes(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|tag| {
        let tag = tag.split('>').next()?;
        let (_, rest) = tag.split_once(" href=\"").or_else(|| tag.split_once(" src=\""))?;
        rest.split('"').next()
    })
}

fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| is_inside(link))
}

fn is_inside(link: &str) -> bool {
    !link.contains("://")
        && !["mailto:", "data:", "javascript:"].iter().any(|word| link.starts_with(word))
}

/// The lines that stand in no block of code, numbered from 1.
fn outside_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_other_hosts_and_in_code_are_no_links_of_the_tree() {
        let text = "[a](b.md) [c](https://d.example)\n```js\nx[0](y)\n```\n[e](#f)";
        assert_eq!(of(text), [(1, "b.md"), (5, "#f")]);
        assert_eq!(rewritten("[a](b.md)\n", |link| Some(format!("{link}x"))), "[a](b.mdx)\n");
    }

    #[test]
    fn a_target_is_resolved_from_the_folder_of_its_file() {
        assert_eq!(resolved("a/b/c.md", "../d.md").as_deref(), Some("a/d.md"));
        assert_eq!(resolved("a.md", "../../d.md"), None);
        assert_eq!(resolved("a.md", "").as_deref(), Some("a.md"));
    }

    #[test]
    fn a_heading_has_the_anchor_that_github_and_mdbook_give_it() {
        assert_eq!(anchors("### When nothing arrives?\n```\n# no\n```"), ["when-nothing-arrives"]);
    }

    #[test]
    fn a_dead_link_of_the_site_is_found_and_text_that_looks_like_one_is_not() {
        let a = r##"<a class="x" href="b.html#there">b</a> <a href="b.html#gone">b</a> <a href="c.html">c</a> &lt;a href="/d/">"##;
        let pages = [("a.html", a), ("b.html", r#"<h2 id="there">"#)];
        let pages = pages.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        assert_eq!(
            dead_in_site(&pages, |path| path == "b.html"),
            ["a.html: b.html#gone", "a.html: c.html"]
        );
    }
}
