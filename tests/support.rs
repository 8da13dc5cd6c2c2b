//! The only test utilities: one `check` helper per feature.
//! In: a name and an input. Out: an assertion. Holds no product logic.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub mod forward;
pub mod mapping;

/// A stage with golden cases: where they are, under `tests/golden`, and what turns an input into an output.
pub struct Stage {
    /// `validate`, `normalize/clock`, `forward/webhook` …
    pub path: &'static str,
    /// The stage. Must be pure: same input, same output.
    pub run: fn(&Value) -> Value,
}

/// Stages that a catalogue lists, one folder each: `forward/webhook` is the member `webhook` of the family `forward`.
pub struct Family {
    /// The folder of the folders.
    pub path: &'static str,
    /// The members, which are their folders' names.
    pub members: fn() -> Vec<&'static str>,
    /// The stage, told which member it is. Must be pure.
    pub run: fn(&str, &Value) -> Value,
}

type Run<'s> = Box<dyn Fn(&Value) -> Value + 's>;

/// Every stage by its folder.
fn runs<'s>(stages: &'s [Stage], families: &'s [Family]) -> BTreeMap<String, Run<'s>> {
    let alone = stages.iter().map(|stage| (stage.path.to_owned(), Box::new(stage.run) as Run<'s>));
    let of_family = |family: &'s Family| {
        let run = move |member| -> Run<'s> { Box::new(move |input| (family.run)(member, input)) };
        let members = (family.members)().into_iter();
        members.map(move |member| (format!("{}/{member}", family.path), run(member)))
    };
    alone.chain(families.iter().flat_map(of_family)).collect()
}

/// Compares every golden case below `tests/golden` with what its stage makes of it.
///
/// A case is a pair `<sentence-like-name>.in.json` (or `.in.toml`, read as text) and `.out.json`. With `HILO_BLESS=1`
/// the outputs are written instead; the difference is then reviewed as code. A folder with cases that no stage reads
/// fails, and so does a stage without cases, so that neither can be forgotten.
pub fn check_golden(stages: &[Stage], families: &[Family]) {
    let stages = runs(stages, families);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let bless = std::env::var_os("HILO_BLESS").is_some();
    let mut folders = BTreeMap::new();
    find_cases(&root, "", &mut folders);
    let mut failures = String::new();
    for (folder, cases) in &folders {
        match stages.get(folder) {
            Some(run) => cases.iter().for_each(|case| check_case(run, case, bless, &mut failures)),
            None => {
                fail(&mut failures, folder, "has cases, and no stage in tests/golden.rs reads them")
            }
        }
    }
    for folder in stages.keys().filter(|folder| !folders.contains_key(*folder)) {
        fail(&mut failures, folder, "has no golden cases");
    }
    assert!(failures.is_empty(), "{failures}\nHILO_BLESS=1 writes the outputs anew, for review");
}

fn fail(failures: &mut String, case: &str, why: &str) {
    let _ = writeln!(failures, "\n{case}: {why}");
}

/// The inputs below `folder`, by their path relative to `tests/golden`.
fn find_cases(folder: &Path, name: &str, found: &mut BTreeMap<String, Vec<PathBuf>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = if name.is_empty() { file } else { format!("{name}/{file}") };
            find_cases(&path, &below, found);
        } else if file.ends_with(".in.json") || file.ends_with(".in.toml") {
            found.entry(name.to_owned()).or_default().push(path);
        }
    }
}

fn check_case(run: &Run<'_>, case: &Path, bless: bool, failures: &mut String) {
    let shown = case.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(case).display().to_string();
    let input = match fs::read_to_string(case) {
        Ok(text) if shown.ends_with(".toml") => Value::String(text),
        Ok(text) => match serde_json::from_str(&text) {
            Ok(input) => input,
            Err(error) => {
                return fail(failures, &shown, &format!("the input is not JSON: {error}"));
            }
        },
        Err(error) => return fail(failures, &shown, &error.to_string()),
    };
    let output = format!("{:#}\n", run(&input));
    let expected_at = case.with_extension("").with_extension("out.json");
    if bless {
        if let Err(error) = fs::write(&expected_at, output) {
            fail(failures, &shown, &error.to_string());
        }
        return;
    }
    match fs::read_to_string(&expected_at) {
        Ok(expected) if expected == output => {}
        Ok(expected) => fail(failures, &shown, &first_difference(&expected, &output)),
        Err(_) => fail(failures, &shown, "has no .out.json beside it"),
    }
}

/// The first line that differs, with the two before it.
fn first_difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), actual.lines().collect());
    let differs = |at: &usize| expected.get(*at) != actual.get(*at);
    let at = (0..expected.len().max(actual.len())).find(differs).unwrap_or_default();
    let mut text = format!("comes out differently at line {}", at + 1);
    for line in expected.iter().take(at).skip(at.saturating_sub(2)) {
        let _ = write!(text, "\n    {line}");
    }
    for (mark, lines) in [('-', &expected), ('+', &actual)] {
        let _ = write!(text, "\n  {mark} {}", lines.get(at).copied().unwrap_or("(the end)"));
    }
    text
}

/// A value as the page's code copies it for the second module (`js/sdk/src/more/plain.ts`): numbers and texts marked.
pub fn marked(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Number(number)) => format!("n{number}").into(),
        Some(Value::String(text)) => format!("t{text}").into(),
        Some(Value::Array(list)) => list.iter().map(|one| marked(Some(one))).collect(),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(name, one)| (name.clone(), marked(Some(one))))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Some(Value::Bool(flag)) => (*flag).into(),
        Some(Value::Null) | None => Value::Null,
    }
}
