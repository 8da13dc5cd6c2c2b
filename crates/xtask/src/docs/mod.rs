//! `cargo xtask docs`: writes the generated parts of documents anew, and makes one site of all documents with mdBook.
//! In: the documents where they stand. Out: `target/docs/book/index.html`, without a dead link. The order of the chapters is `book`'s.

pub(crate) mod book;
pub(crate) mod links;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::files::files_under;
use crate::shell::{Problem, Workspace, step};
use crate::tools;
use book::{Book, in_site};

/// The site's settings. The links of the documents are ours (`written`), so no preprocessor of mdBook's looks at them.
const SETTINGS: &str = r#"[book]
title = "hilo"
language = "en"
[build]
use-default-preprocessors = false
[output.html]
additional-css = ["site.css"]
no-section-label = true
input-404 = ""
[output.html.print]
enable = false
[output.html.search]
enable = false
"#;

/// Lines of code are up to 140 letters long, and the names of fields have no blank at which a phone could break them.
const STYLE: &str = ":root { --content-max-width: 960px; }\ntd:first-child { min-width: 130px; }\ntd code { overflow-wrap: anywhere; }\n";

/// Writes what is generated, then the site. `Problem` where a link of the site leads nowhere.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Problem> {
    bless(workspace)?;
    tools::mdbook(workspace)?;
    let home = workspace.target.join("docs");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    write_sources(workspace, &home)?;
    let mut mdbook = workspace.command("mdbook");
    mdbook.arg("build").arg(&home);
    step(workspace, "building the site of the documents", &mut mdbook)?;
    let site = home.join("book");
    let dead = links::dead_in_site(&pages(&site)?, |path| site.join(path).exists());
    if !dead.is_empty() {
        return Err(Problem(format!("links lead nowhere:\n{}", dead.join("\n"))));
    }
    eprintln!("{}", site.join("index.html").display());
    Ok(())
}

/// Lets the tests of the documents write what they generate: the destinations' facts and the field table.
fn bless(workspace: &Workspace) -> Result<(), Problem> {
    let mut cargo = workspace.cargo();
    cargo.env("HILO_BLESS", "1").args(["test", "--package", "hilo-tests", "--test", "docs"]);
    step(workspace, "writing the generated parts of documents anew", &mut cargo).map(drop)
}

/// Writes settings, summary and documents below `home`. A file that is no document is shown as text.
fn write_sources(workspace: &Workspace, home: &Path) -> Result<(), Problem> {
    let documents = documents(workspace)?;
    let book = Book::of(&documents);
    let write = |path: &str, text: &str| {
        let path = home.join(path);
        fs::create_dir_all(path.parent().unwrap_or(home))?;
        fs::write(path, text)
    };
    write("book.toml", SETTINGS)?;
    write("site.css", STYLE)?;
    write("src/SUMMARY.md", &book.summary())?;
    for path in book.paths() {
        let text = documents.get(path).map(String::as_str).unwrap_or_default();
        let (text, files) = written(path, text, &book);
        write(&format!("src/{}", in_site(path)), &text)?;
        for file in files {
            write(&format!("src/{file}.txt"), &fs::read_to_string(workspace.at(&file))?)?;
        }
    }
    Ok(())
}

/// A document with the site's links, and the other files that it links to.
fn written(path: &str, text: &str, book: &Book) -> (String, Vec<String>) {
    let mut files = Vec::new();
    let text = links::rewritten(text, |link| {
        let (target, anchor) = links::parts(link);
        let wanted = links::resolved(path, target)?;
        let place = if target.is_empty() || book.has(&wanted) {
            target.replace("README.md", "index.md")
        } else {
            files.push(wanted);
            format!("{target}.txt")
        };
        Some(format!("{place}{anchor}"))
    });
    (text, files)
}

/// The repository's documents, by path.
fn documents(workspace: &Workspace) -> Result<BTreeMap<String, String>, Problem> {
    let parts = ["README.md", "crates", "js", "examples"].map(|part| workspace.at(part));
    let mut found = BTreeMap::new();
    for path in parts.iter().flat_map(|part| files_under(part)) {
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.strip_prefix(&workspace.root).unwrap_or(&path).to_string_lossy();
            found.insert(name.replace('\\', "/"), fs::read_to_string(&path)?);
        }
    }
    Ok(found)
}

/// The pages of the site, by path.
fn pages(site: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let mut found = BTreeMap::new();
    for path in files_under(site) {
        if path.extension().is_some_and(|extension| extension == "html") {
            let name = path.strip_prefix(site).unwrap_or(&path).to_string_lossy();
            found.insert(name.replace('\\', "/"), fs::read_to_string(&path)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_document_leads_to_its_page_and_another_file_is_shown_as_text() {
        let guides = "# Guides\n[x](x.md)";
        let documents = [
            ("README.md", "# A"),
            ("examples/guides/README.md", guides),
            ("examples/guides/x.md", "# X"),
        ];
        let documents: BTreeMap<_, _> =
            documents.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let book = Book::of(&documents);
        let text = "[a](../../README.md#go-on) [b](../a.conf) [c](https://x.example) [d](#here)\n";
        let (text, files) = written("examples/guides/x.md", text, &book);
        assert_eq!(
            text,
            "[a](../../index.md#go-on) [b](../a.conf.txt) [c](https://x.example) [d](#here)\n"
        );
        assert_eq!(files, ["examples/a.conf"]);
    }
}
