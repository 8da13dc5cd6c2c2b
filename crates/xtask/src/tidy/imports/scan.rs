//! Reads one Rust file as tokens: its modules, what they define, what they import, which paths they name.
//! In: the text of a file. Out: [`Scope`]s, the file's own first, then its inline modules.
//! Works on tokens, not on a syntax tree, because paths inside macro calls count as well. Code under `#[cfg(test)]` is skipped.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One module's worth of code.
#[derive(Default)]
pub(super) struct Scope {
    /// The names of the inline modules around it, outermost first.
    pub inline: Vec<String>,
    /// Names of items that the module defines.
    pub items: BTreeSet<String>,
    /// Names of modules that the module declares for tests only.
    pub test_modules: BTreeSet<String>,
    /// What it imports.
    pub uses: Vec<Use>,
    /// Paths that its code names.
    pub paths: Vec<NamedPath>,
}

/// One name that a `use` brings into scope.
pub(super) struct Use {
    /// The name in this module; `*` for everything.
    pub name: String,
    /// Where it comes from.
    pub path: Vec<String>,
    /// Whether it is `pub` in any form, so that others may take the name from here.
    pub is_public: bool,
    /// The line.
    pub line: usize,
}

/// A path somewhere in code.
pub(super) struct NamedPath {
    /// Its segments.
    pub segments: Vec<String>,
    /// The line.
    pub line: usize,
}

/// Keywords after which a module's item has its name.
const ITEMS: [&str; 8] = ["struct", "enum", "union", "trait", "type", "fn", "const", "static"];

/// Reads `text`. A file that is not Rust has no scopes: the compiler will complain about it.
pub(super) fn scan(text: &str) -> Vec<Scope> {
    let Ok(tokens) = text.parse::<TokenStream>() else { return Vec::new() };
    let mut scopes = vec![Scope::default()];
    walk(tokens, 0, true, &mut scopes);
    scopes
}

/// Reads the tokens of one group into the scope at `own`. `is_module` holds for what stands directly in a module.
fn walk(tokens: TokenStream, own: usize, is_module: bool, scopes: &mut Vec<Scope>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at..).unwrap_or_default();
        let before = tokens.get(..at).unwrap_or_default();
        let Some(scope) = scopes.get_mut(own) else { return };
        at += match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => attribute(rest, scope),
            TokenTree::Ident(word) => match word.to_string().as_str() {
                // `use<'a>` in a type is no import.
                "use" if !rest.get(1).is_some_and(|next| is_mark(next, '<')) => {
                    let end = rest.iter().position(|t| is_mark(t, ';')).unwrap_or(rest.len());
                    use_tree(rest.get(1..end).unwrap_or_default(), &[], is_public(before), scope);
                    end
                }
                "mod" if is_module => inline_module(rest, own, scopes),
                name => {
                    if is_module {
                        scope.items.extend(item(name, rest));
                    }
                    path(rest, before, scope)
                }
            },
            TokenTree::Group(group) => {
                walk(group.stream(), own, false, scopes);
                1
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
        };
    }
}

/// The tokens of an attribute, and of the code after it if that is compiled for tests only.
fn attribute(rest: &[TokenTree], scope: &mut Scope) -> usize {
    let inner = usize::from(rest.get(1).is_some_and(|token| is_mark(token, '!')));
    let Some(TokenTree::Group(group)) = rest.get(1 + inner) else { return 1 };
    let length = 2 + inner;
    if !is_for_tests(group.stream()) {
        return length;
    }
    if inner == 1 {
        return rest.len();
    }
    let item = rest.get(length..).unwrap_or_default();
    let is_use = item.iter().take(3).any(|token| is_word(token, "use"));
    for (at, token) in item.iter().enumerate() {
        if is_word(token, "mod")
            && let Some(TokenTree::Ident(name)) = item.get(at + 1)
        {
            scope.test_modules.insert(name.to_string());
        }
        let is_body = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            && !is_use;
        if is_body || is_mark(token, ';') || is_mark(token, ',') {
            return length + at + 1;
        }
    }
    rest.len()
}

/// `cfg(test)`, also as one of several conditions, but not `cfg(not(test))`.
fn is_for_tests(attribute: TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text.starts_with("cfg(")
        && text.contains("test")
        && !text.contains("not(test")
        && ["(test)", "(test,", ",test)", ",test,"].iter().any(|form| text.contains(form))
}

/// `mod name { … }` is a scope of its own; `mod name;` is a file of its own.
fn inline_module(rest: &[TokenTree], own: usize, scopes: &mut Vec<Scope>) -> usize {
    let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) = (rest.get(1), rest.get(2))
    else {
        return 1;
    };
    let mut inline = scopes.get(own).map(|scope| scope.inline.clone()).unwrap_or_default();
    inline.push(name.to_string());
    scopes.push(Scope { inline, ..Scope::default() });
    let new = scopes.len() - 1;
    walk(body.stream(), new, true, scopes);
    3
}

/// The name of the item that begins with the keyword `word`.
fn item(word: &str, rest: &[TokenTree]) -> Option<String> {
    let at = match word {
        _ if ITEMS.contains(&word) => 1,
        // `macro_rules! name`
        "macro_rules" => 2,
        _ => return None,
    };
    rest.iter().skip(at).find(|token| !is_word(token, "mut")).and_then(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

/// Reads `a::b::{c, d as e, self}` below `head`.
fn use_tree(tokens: &[TokenTree], head: &[String], is_public: bool, scope: &mut Scope) {
    for tree in tokens.split(|token| is_mark(token, ',')) {
        let mut path = head.to_vec();
        let mut name = None;
        let mut line = 0;
        for (at, token) in tree.iter().enumerate() {
            if line == 0 {
                line = token.span().start().line;
            }
            match token {
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    use_tree(&inner, &path, is_public, scope);
                    path.clear();
                }
                TokenTree::Ident(word) if word == "as" => {
                    name = tree.get(at + 1).map(ToString::to_string);
                    break;
                }
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == '*' => name = Some("*".to_owned()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        if let Some(last) = path.last() {
            let name = name.unwrap_or_else(|| last.clone());
            scope.uses.push(Use { name, path, is_public, line });
        }
    }
}

/// Whether the item after these tokens begins with `pub` or `pub(…)`.
fn is_public(before: &[TokenTree]) -> bool {
    match before {
        [.., word, TokenTree::Group(_)] | [.., word] => is_word(word, "pub"),
        [] => false,
    }
}

/// Notes the path that begins here, and says how many tokens it has.
fn path(rest: &[TokenTree], before: &[TokenTree], scope: &mut Scope) -> usize {
    let mut segments = Vec::new();
    let mut length = 0;
    while let Some(TokenTree::Ident(word)) = rest.get(length) {
        segments.push(word.to_string());
        length += 1;
        let is_longer = matches!(rest.get(length..length + 3), Some([a, b, TokenTree::Ident(_)]) if is_mark(a, ':') && is_mark(b, ':'));
        if !is_longer {
            break;
        }
        length += 2;
    }
    // A field, a method, a lifetime, or the end of a path that began with a type in brackets.
    let is_inner = before.last().is_some_and(|token| is_mark(token, '.') || is_mark(token, '\''))
        || matches!(before, [.., a, b] if is_mark(a, ':') && is_mark(b, ':'));
    let is_called = rest.get(length).is_some_and(|token| {
        is_mark(token, '!') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
    });
    let is_type = segments.first().is_some_and(|name| name.starts_with(char::is_uppercase));
    // A lone word in lower case is mostly a variable.
    if !is_inner && (segments.len() > 1 || is_called || is_type) {
        let line = rest.first().map_or(0, |token| token.span().start().line);
        scope.paths.push(NamedPath { segments, line });
    }
    length.max(1)
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}
