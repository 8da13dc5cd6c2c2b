//! `cargo xtask config test --in SOURCE FILE [my-hilo.toml]` prints what the body in FILE becomes, and why not. `config preset NAME` prints
//! the rules of a preset as `hilo.toml` has them.
//!
//! Paths of a body and of a `hilo.toml` → text. Everything goes through the collector's own functions. Nothing is stored or sent. Where the
//! file has no source of that name and there is a preset of that name, the preset's rules count.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;

use hilo_core::config::parse;
use hilo_core::inbound::presets::{ALL, as_rules, text};
use hilo_core::inbound::{Report, Told, Who};
use hilo_core::mapping::inbound::{Call, Made, Rules, Step, decode, trace};
use serde_json::{Map, Value};

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let headers = words.iter().position(|word| word == "--").map_or_else(Vec::new, |at| {
        let headers = words.split_off(at);
        headers.into_iter().skip(1).collect()
    });
    let done = match words.as_slice() {
        [verb, name] if verb == "preset" => preset(name),
        [source, body, config] => run(source, body, config, &headers),
        _ => Err("which files? cargo xtask config test --in SOURCE FILE my-hilo.toml".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::from(2)
        }
    }
}

/// Prints the rules of a preset.
fn preset(name: &str) -> Result<(), String> {
    let names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
    let text = text(name).ok_or_else(|| format!("there are the presets {}", names.join(", ")))?;
    println!("{}", as_rules(text).trim());
    Ok(())
}

fn run(source: &str, body: &str, config: &str, headers: &[String]) -> Result<(), String> {
    let rules = rules(source, config)?;
    let body = std::fs::read(body).map_err(|why| format!("{body}: {why}"))?;
    // JSON is read as JSON, whatever the type.
    let kind = "application/x-www-form-urlencoded";
    let body = decode(kind, &body, rules.json_field.as_deref());
    let body = body.map_err(|why| format!("{}: {}", why.code.name(), why.message))?;
    let mut given = Map::new();
    for header in headers {
        let (name, value) = header.split_once(':').ok_or("a header is written NAME: VALUE")?;
        given.insert(name.trim().to_ascii_lowercase(), Value::from(value.trim()));
    }
    for name in rules.headers().into_iter().filter(|name| !given.contains_key(*name)) {
        println!("the rules read the header {name}: add --header '{name}: …'");
    }
    for step in trace(&rules, Call { body: &body, headers: &Value::Object(given) }) {
        print(&step);
    }
    Ok(())
}

/// The rules of a source of the file, or of the preset with this name.
fn rules(source: &str, path: &str) -> Result<Rules, String> {
    let text = std::fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))?;
    let told = |why: Vec<hilo_core::config::Problem>, path: &str| {
        let lines = why.iter().map(|problem| format!("{path}:{problem}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let config = parse(&text).map_err(|why| told(why, path))?;
    let named = config.sources.into_iter().find(|one| one.name == source);
    if let Some(named) = named {
        let inbound = named.inbound.map(|inbound| inbound.rules);
        return inbound.ok_or_else(|| {
            format!("the source {source} has no rules: give it `map = \"…\"` or [[source.map]]")
        });
    }
    println!("{path} has no source called {source}, so the preset of this name counts\n");
    hilo_core::config::preset_rules(source)
        .map_err(|why| told(why, source))?
        .ok_or_else(|| format!("there is neither a source nor a preset called {source}"))
}

fn print(step: &Step) {
    let rule = step.rule.map(|rule| format!("rule {rule}")).unwrap_or_default();
    let element = step.element.map(|at| format!(", element {at}")).unwrap_or_default();
    match &step.made {
        Made::Nothing => println!("== nothing: {rule}{element} leaves it out"),
        Made::Fault(fault) => {
            let lost = if fault.is_report_lost { "nothing" } else { "without a field" };
            println!("== {lost}: {}: {fault}", fault.code.name());
        }
        Made::Report(report) => {
            println!("== {} ({rule}{element})", title(report));
            show(report);
        }
    }
}

fn title(report: &Report) -> String {
    match &report.told {
        Told::Act { event, .. } => event.clone(),
        Told::Traits(_) => "facts about the person".to_owned(),
        Told::OptIn { channel, is_subscribed: true, .. } => format!("opt-in by {channel}"),
        Told::OptIn { channel, is_subscribed: false, .. } => format!("opt-out by {channel}"),
    }
}

fn show(report: &Report) {
    let Who { user_id, anonymous_id, email, phone, order_id, loyalty_id } = &report.who;
    let at = report.occurred_at.map(|at| at.to_string());
    let lines = [
        ("id", report.id.as_ref()),
        ("time", at.as_ref()),
        ("user_id", user_id.as_ref()),
        ("anonymous_id", anonymous_id.as_ref()),
        ("email", email.as_ref()),
        ("phone", phone.as_ref()),
        ("order_id", order_id.as_ref()),
        ("loyalty_id", loyalty_id.as_ref()),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            println!("  {name}: {value}");
        }
    }
    if *report == (Report { who: Who::default(), ..report.clone() }) {
        println!("  about nobody that the body names");
    }
    let details = match &report.told {
        Told::Act { properties, .. } => properties.clone(),
        Told::Traits(traits) => traits.clone(),
        Told::OptIn { text, .. } => {
            text.iter().map(|text| ("text".to_owned(), Value::from(text.as_str()))).collect()
        }
    };
    for (name, part) in [("context", &report.context), ("details", &details)] {
        if !part.is_empty() {
            let json = format!("{:#}", Value::Object(part.clone()));
            println!("  {name}: {}", json.replace('\n', "\n  "));
        }
    }
}
