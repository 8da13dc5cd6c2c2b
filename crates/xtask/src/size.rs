//! `cargo xtask size`: the bytes that visitors and Cloudflare download, and the time in which the collector's script starts, against
//! their budgets. In: `js/sdk/size.json` and built files. Out: a table, and every budget that is crossed. Builds nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::shell::{Problem, Workspace, step};

/// One line of `size.json`: files that count together, and the most bytes they may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    files: Vec<String>,
    raw: Option<usize>,
    gzip: Option<usize>,
    brotli: Option<usize>,
}

/// Bytes of one artifact.
pub(crate) struct Sizes {
    raw: usize,
    gzip: usize,
    /// As a visitor gets it.
    pub brotli: usize,
}

/// The most milliseconds of processor time before the collector's first request. Each isolate of Cloudflare pays them once. Cloudflare
/// refuses a script that takes more than a second (<https://developers.cloudflare.com/workers/platform/limits/#worker-startup-time>).
const STARTUP_MS_MAX: f64 = 100.0;

/// Prints the table. `false` means that a budget is crossed.
#[expect(clippy::print_stdout, reason = "the result of the task")]
pub(crate) fn run(workspace: &Workspace) -> Result<bool, Problem> {
    let home = workspace.at("js/sdk");
    let text = fs::read_to_string(home.join("size.json"))?;
    let budgets: BTreeMap<String, Budget> = serde_json::from_str(&text)
        .map_err(|error| Problem(format!("js/sdk/size.json: {error}.")))?;
    println!("{:<34} {:>10} {:>10} {:>10}   budget", "artifact, bytes", "raw", "gzip", "brotli");
    let mut crossed = Vec::new();
    for (name, budget) in &budgets {
        let sizes = measure(&home, &budget.files)?;
        println!(
            "{name:<34} {:>10} {:>10} {:>10}   {}",
            sizes.raw,
            sizes.gzip,
            sizes.brotli,
            promise(budget)
        );
        crossed.extend(over(name, budget, &sizes));
    }
    if let Some(startup_ms) = startup_ms(workspace)? {
        println!(
            "{:<34} {startup_ms:>10} {:>24} ≤ {STARTUP_MS_MAX}",
            "collector's start, CPU ms", ""
        );
        crossed.extend(late(startup_ms));
    }
    for sentence in &crossed {
        println!("{sentence}");
    }
    Ok(crossed.is_empty())
}

/// Measures the start of the release build on this machine's workerd. `None` where the machine does not tell processor time.
fn startup_ms(workspace: &Workspace) -> Result<Option<f64>, Problem> {
    let mut node = workspace.command("node");
    node.arg("tests/collector/startup.ts");
    let done = step(workspace, "starting the collector's script", &mut node)?;
    match done.output.lines().last() {
        None => Ok(None),
        Some(last) => last
            .parse()
            .map(Some)
            .map_err(|_| Problem(format!("startup.ts printed no number: {}", done.output))),
    }
}

/// The sentence of a script that starts too late.
fn late(startup_ms: f64) -> Option<String> {
    (startup_ms > STARTUP_MS_MAX).then(|| {
        format!("over budget: the collector's script takes {startup_ms:.1} ms of CPU to start, more than {STARTUP_MS_MAX}")
    })
}

fn promise(budget: &Budget) -> String {
    let parts = [("raw", budget.raw), ("gzip", budget.gzip), ("brotli", budget.brotli)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(kind, bytes)| Some(format!("{kind} ≤ {}", bytes?)))
        .collect();
    parts.join(", ")
}

/// One sentence for each crossed budget.
fn over(name: &str, budget: &Budget, sizes: &Sizes) -> Vec<String> {
    [("raw", sizes.raw, budget.raw), ("gzip", sizes.gzip, budget.gzip), ("brotli", sizes.brotli, budget.brotli)]
        .into_iter()
        .filter_map(|(kind, found, allowed)| {
            let allowed = allowed.filter(|allowed| found > *allowed)?;
            Some(format!("over budget: {name} is {found} bytes {kind}, {} more than the {allowed} of js/sdk/size.json", found - allowed))
        })
        .collect()
}

/// Sums up the files of one artifact below `home`. Each file is compressed by itself, as it is served.
pub(crate) fn measure<P: AsRef<str>>(home: &Path, patterns: &[P]) -> Result<Sizes, Problem> {
    let mut sizes = Sizes { raw: 0, gzip: 0, brotli: 0 };
    for pattern in patterns {
        let bytes = fs::read(find(home, pattern.as_ref())?)?;
        sizes.raw += bytes.len();
        sizes.gzip += gzip(&bytes)?;
        sizes.brotli += brotli(&bytes)?;
    }
    Ok(sizes)
}

/// The one file that `pattern` names. `*` stands for a content hash in the file's name.
fn find(home: &Path, pattern: &str) -> Result<PathBuf, Problem> {
    let path = home.join(pattern);
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((head, rest)) = name.split_once('*') else {
        return Ok(path);
    };
    let folder = path.parent().unwrap_or(home);
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    found.retain(|file| {
        file.file_name().is_some_and(|n| {
            n.to_string_lossy().starts_with(head) && n.to_string_lossy().ends_with(rest)
        })
    });
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(Problem(format!(
            "js/sdk/size.json: {pattern} names {} files, it must be one. Run `cargo xtask build`.",
            found.len()
        ))),
    }
}

fn gzip(bytes: &[u8]) -> Result<usize, Problem> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn brotli(bytes: &[u8]) -> Result<usize, Problem> {
    let mut compressed = Vec::new();
    // The build compresses with the same quality, window and hint, so this is what a visitor gets.
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(raw: usize) -> Budget {
        Budget { files: Vec::new(), raw: Some(raw), gzip: None, brotli: None }
    }

    #[test]
    fn a_crossed_budget_names_artifact_figure_and_limit() {
        let sizes = Sizes { raw: 1_030, gzip: 500, brotli: 400 };
        assert_eq!(over("stub", &budget(1_030), &sizes).len(), 0, "the budget itself is allowed");
        let sentences = over("stub", &budget(1_024), &sizes);
        assert_eq!(sentences.len(), 1);
        assert!(
            sentences[0].contains("stub is 1030 bytes raw, 6 more than the 1024"),
            "{}",
            sentences[0]
        );
    }

    #[test]
    fn a_script_that_starts_too_late_is_named_with_its_time() {
        assert_eq!(late(STARTUP_MS_MAX), None, "the budget itself is allowed");
        let sentence = late(130.25).unwrap_or_default();
        assert!(sentence.contains("takes 130.2 ms of CPU"), "{sentence}");
    }

    #[test]
    fn gzip_and_brotli_make_a_repetitive_text_smaller() {
        let text = "hilo ".repeat(1_000);
        assert!(gzip(text.as_bytes()).is_ok_and(|n| n < 200));
        assert!(brotli(text.as_bytes()).is_ok_and(|n| n < 200));
    }
}
