//! `cargo xtask config test --event FILE my-hilo.toml` prints what violates the tracking plan in a message, and what every destination
//! would get of it, or why it gets nothing.
//! Paths of a `hilo.toml` and of a message or an envelope → text. Everything goes through the collector's own functions. Nothing is
//! stored and nothing is sent, but for `--ask`: that sends what GA4 would get to Google's own check.
//!
//! Secrets come from environment variables with their names. Where there is none, an invented value stands in. Neither is printed.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use hilo_collector::forward::destination::{MappedRequest, MissingSecret};
use hilo_collector::forward::{Configured, Preview, preview};
use hilo_collector::platform::Outgoing;
use hilo_collector::signature::sha256_hex;
use hilo_core::config::{Config, Source};
use hilo_core::event::{Event, Facts, Gist, Trust};
use hilo_core::normalize;
use hilo_core::plan;
use hilo_core::profile::{Person, Profile, fold};
use hilo_core::validate::{check, read_batch};
use jiff::Timestamp;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let (flags, files): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let [config, event] = files.as_slice() else {
        println!("which files? cargo xtask config test --event FILE my-hilo.toml");
        return ExitCode::from(2);
    };
    match run(config, event, flags.iter().any(|flag| flag == "--ask")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(config_path: &str, event_path: &str, asks: bool) -> Result<(), String> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|why| format!("{path}: {why}"));
    let (config, problems) = hilo_collector::pipeline::examine(&read(config_path)?);
    if !problems.is_empty() {
        let told = problems.iter().map(|problem| format!("{config_path}:{problem}"));
        return Err(told.collect::<Vec<_>>().join("\n"));
    }
    if asks && config.environment == "development" {
        return Err(
            "--ask: this is the file of a developer's machine, so nothing is sent".to_owned()
        );
    }
    let source = config.sources.first().ok_or("the file has no [[source]]")?;
    let now = now()?;
    let body = envelope(&read(event_path)?, now).map_err(|why| format!("{event_path}: {why}"))?;
    println!("as if the source {:?} had sent it\n", source.name);
    let judged = judged(&body, source, &config, now)?;
    let person = person(judged.iter().filter(|one| !one.is_refused), &source.name);
    for Judged { event, told, is_refused } in &judged {
        println!("== {} {}", event.kind.name(), event.kind.label().unwrap_or_default());
        told.iter().for_each(|line| println!("  tracking plan: {line}"));
        if *is_refused {
            println!();
            continue;
        }
        for configured in Configured::all(&config.destinations) {
            print(&configured, event, &person, now, asks)?;
        }
        println!();
    }
    Ok(())
}

/// Prints what one destination would get of one event.
fn print(
    configured: &Configured<'_>,
    event: &Event,
    person: &Person,
    now: Timestamp,
    asks: bool,
) -> Result<(), String> {
    let entry = configured.entry();
    let secrets = Secrets::of(entry.secret_names());
    println!("\n{} ({})", entry.name, entry.kind);
    if let Some(channel) = entry.channel {
        println!("  only to people who have subscribed to {}", channel.name());
    }
    match preview(configured, event, person, &|name| secrets.get(name), now) {
        Err(MissingSecret(name)) => println!("  the secret {name} has another form"),
        Ok(Preview::Nothing(why)) => println!("  nothing: {why}"),
        Ok(Preview::Requests(requests, unfit)) => {
            for field in unfit {
                println!("  the field {field} is left out: its value does not fit");
            }
            for request in &requests {
                show(request, &secrets);
                ask_google(&entry.kind, &request.outgoing, &secrets, asks)?;
            }
        }
    }
    Ok(())
}

fn now() -> Result<Timestamp, String> {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|why| why.to_string())?;
    let ms = i64::try_from(passed.as_millis()).map_err(|why| why.to_string())?;
    Timestamp::from_millisecond(ms).map_err(|why| why.to_string())
}

/// A text with an envelope as it is, or an envelope around a message or a list of messages.
fn envelope(text: &str, now: Timestamp) -> Result<String, String> {
    let value: Value = serde_json::from_str(text).map_err(|why| why.to_string())?;
    if value.get("batch").is_some() {
        return Ok(text.to_owned());
    }
    let batch = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    Ok(json!({ "sentAt": now, "batch": batch }).to_string())
}

/// A message that passes, in its normal form.
struct Judged {
    event: Event,
    /// What violates the tracking plan.
    told: Vec<String>,
    /// Whether the plan refuses it.
    is_refused: bool,
}

impl Judged {
    /// Judges an event by the plan of the file, as the collector does behind normalizing.
    fn of(mut event: Event, config: &Config) -> Judged {
        let Some(plan) = &config.plan else {
            return Judged { event, told: Vec::new(), is_refused: false };
        };
        let violations = plan::check(&mut event, plan);
        let is_refused = plan::refusal(plan.mode, &violations).is_some();
        Judged { event, told: plan::told(plan, &violations), is_refused }
    }
}

/// The messages that pass. The reason of any other is printed.
fn judged(
    body: &str,
    source: &Source,
    config: &Config,
    now: Timestamp,
) -> Result<Vec<Judged>, String> {
    let envelope = read_batch(body.as_bytes()).map_err(|why| why.message)?;
    let trust = if source.is_server() { Trust::Server } else { Trust::Public };
    let facts = Facts { received_at: now, trust, ..Facts::default() };
    let mut events = Vec::new();
    for one in check(&envelope, source, config, &facts) {
        match one.result {
            Ok(mut event) => {
                normalize::apply(&mut event, &facts, &config.normalize);
                events.push(Judged::of(*event, config));
            }
            Err(outcome) => {
                let why = outcome.rejection();
                let told = why.map(|why| format!("{}: {}", why.code.name(), why.message));
                println!("{}: {}", outcome.name(), told.unwrap_or_default());
            }
        }
    }
    Ok(events)
}

/// The person that the events tell of.
fn person<'j>(judged: impl Iterator<Item = &'j Judged>, source: &str) -> Person {
    let mut profile = Profile::default();
    for one in judged {
        profile = fold(profile, &Gist::of(&one.event), Some(source));
    }
    Person::of(&profile, BTreeMap::new(), |_| true)
}

fn show(request: &MappedRequest, secrets: &Secrets) {
    let Outgoing { method, url, body, .. } = &request.outgoing;
    if request.step > 0 {
        println!("  then, after the request before has succeeded:");
    }
    println!("  {method} {}", secrets.redact(url));
    let body = match serde_json::from_str::<Value>(body) {
        Ok(json) => format!("{json:#}"),
        Err(_) => body.clone(),
    };
    for line in secrets.redact(&body).lines() {
        println!("  {line}");
    }
}

/// The secrets of one destination by their names.
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn of(names: Vec<&str>) -> Secrets {
        // An invented value has letters that stand in URLs, headers and base64 alike.
        let value =
            |name: &str| std::env::var(name).unwrap_or_else(|_| sha256_hex(name.as_bytes()));
        Secrets(names.into_iter().map(|name| (name.to_owned(), value(name))).collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// The text with names in the place of secrets.
    fn redact(&self, text: &str) -> String {
        let values = self.0.iter().filter(|(_, value)| !value.is_empty());
        values
            .fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("<{name}>")))
    }
}

/// Where Google checks what GA4 would get
/// (<https://developers.google.com/analytics/devguides/collection/protocol/ga4/validating-events>). It stores nothing.
fn check_url(kind: &str, url: &str) -> Option<String> {
    let (host, rest) = url.strip_prefix("https://")?.split_once('/')?;
    let is_google = kind == "ga4"
        && (host == "google-analytics.com" || host.ends_with(".google-analytics.com"));
    let query = rest.strip_prefix("mp/collect").filter(|_| is_google)?;
    Some(format!("https://{host}/debug/mp/collect{query}"))
}

/// Prints the address of Google's own check, and asks it if the deployer wants that. curl reads address and body from its standard
/// input, so that no list of processes shows the secret.
fn ask_google(
    kind: &str,
    outgoing: &Outgoing,
    secrets: &Secrets,
    asks: bool,
) -> Result<(), String> {
    let Some(url) = check_url(kind, &outgoing.url) else { return Ok(()) };
    println!("  Google's own check: POST {}", secrets.redact(&url));
    if !asks {
        return Ok(());
    }
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let options = format!(
        "url = \"{}\"\nheader = \"content-type: application/json\"\ndata-raw = \"{}\"\n",
        quoted(&url),
        quoted(&outgoing.body)
    );
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--config", "-"]);
    let told = |why: std::io::Error| format!("--ask needs the program curl: {why}");
    let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(told)?;
    if let Some(mut input) = curl.stdin.take() {
        input.write_all(options.as_bytes()).map_err(told)?;
    }
    let answer = curl.wait_with_output().map_err(told)?;
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    secrets.redact(&answer).lines().for_each(|line| println!("  {line}"));
    Ok(())
}
