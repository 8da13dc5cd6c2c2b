//! `cargo xtask deploy [HILO.TOML] [--dry-run]`: from the login to the first event, a step at a time.
//! In: the deployer's `hilo.toml` and what they answer. Out: a deployment, and what `doctor` finds of it. Each step looks first and does only
//! what is missing, so the same command goes on where it stopped. `--dry-run` asks wrangler alone, and nothing leaves the machine.

mod account;
mod needs;

use std::fs;

use crate::bindings::BINDINGS;
use crate::flags::Flags;
use crate::shell::{Problem, Workspace, step};
use crate::{bindings, config, jurisdiction, tools, wrangler};
use account::{Account, Cloudflare};
use needs::Needs;

/// Runs the steps.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    tools::ensure(workspace)?;
    if flags.dry_run {
        return dry_run(workspace).map(|()| true);
    }
    let file = match flags.words.as_slice() {
        [_] => "hilo.toml",
        [_, file] => file,
        _ => return Err(Problem("write `cargo xtask deploy HILO.TOML`.".to_owned())),
    };
    config::check(workspace, file)?;
    let text = fs::read_to_string(std::env::current_dir()?.join(file))?;
    jurisdiction::check(workspace, &text, None)?;
    let bindings = fs::read_to_string(workspace.at(BINDINGS))?;
    let mut account = Cloudflare(workspace);
    let routed = walk(&mut account, &bindings, &Needs::of(&text))?;
    if let Some(changed) = &routed {
        fs::write(workspace.at(BINDINGS), changed)?;
    }
    // Before the deployment, because its variable decides at once.
    jurisdiction::check(workspace, &text, config::in_force(workspace).as_deref())?;
    account.must(&["deploy"], "deploying")?;
    config::upload(workspace, &text)?;
    let Some(url) = needs::address(routed.as_ref().unwrap_or(&bindings)) else {
        account.say("The collector answers on its workers.dev address. A visitor's cookie needs your own host: put a route into wrangler.jsonc, and run the same command again.");
        return Ok(true);
    };
    account.say(&format!("Put the stub of js/sdk/snippet.html into your pages, with src=\"{url}/hilo.js\". Then look at what arrives: {url}/admin/v1/live"));
    let mut doctor = workspace.command("node");
    doctor.args(["js/doctor.ts", &url, "HILO_ADMIN_TOKEN", "", "", env!("CARGO_PKG_VERSION")]);
    Ok(doctor.status()?.success())
}

/// Whether wrangler would take the release build with the bindings of `wrangler.jsonc`. It needs no login.
pub(crate) fn dry_run(workspace: &Workspace) -> Result<(), Problem> {
    let mut wrangler = wrangler::command(workspace);
    wrangler
        .env("WRANGLER_SEND_METRICS", "false")
        .args(["deploy", "--dry-run", "--outdir"])
        .arg(workspace.target.join("xtask/dry-run"));
    step(workspace, "what wrangler would deploy", &mut wrangler).map(drop)
}

/// Login, what is bound, secrets, route. Returns `wrangler.jsonc` where it has changed.
fn walk(
    account: &mut impl Account,
    bindings: &str,
    needs: &Needs,
) -> Result<Option<String>, Problem> {
    if !account.quietly(&["whoami", "--json"])?.is_ok {
        account.must(&["login"], "logging in")?;
    }
    let known = account.quietly(&["queues", "list"])?.output;
    for queue in needs::queues(bindings) {
        if !needs::has_word(&known, &queue) {
            account.must(&["queues", "create", &queue], "creating a queue")?;
        }
    }
    let jurisdiction = bindings::jurisdiction(bindings);
    let place: &[&str] =
        if jurisdiction.is_empty() { &[] } else { &["--jurisdiction", &jurisdiction] };
    for bucket in needs::buckets(bindings, &jurisdiction)? {
        let listed = account.quietly(&[&["r2", "bucket", "list"], place].concat())?.output;
        if !needs::has_word(&listed, &bucket) {
            let create = [&["r2", "bucket", "create", &bucket], place].concat();
            account.must(&create, "creating a bucket")?;
        }
    }
    // A Worker that was never deployed has no list: then nothing is set.
    let set = account.quietly(&["secret", "list"])?.output;
    for name in needs.own.iter().filter(|name| !needs::has_word(&set, name)) {
        let value = account.random()?;
        account.put_secret(name, &value)?;
        if *name == "HILO_ADMIN_TOKEN" {
            account.say(&format!("HILO_ADMIN_TOKEN is {value}\nKeep it where your passwords are: nobody can read it again."));
        }
    }
    for name in needs.named.iter().filter(|name| !needs::has_word(&set, name)) {
        account.say(&format!("hilo.toml names the secret {name}. Paste it:"));
        account.must(&["secret", "put", name], "storing a secret")?;
    }
    if needs::address(bindings).is_some() {
        return Ok(None);
    }
    let host = account.ask("Which host of your site takes the collector, such as shop.example? Empty: workers.dev, for a try")?;
    if host.is_empty() {
        return Ok(None);
    }
    needs::routed(bindings, &host).map(Some)
}

#[cfg(test)]
mod tests {
    use super::account::testing::Script;
    use super::*;

    const FILE: &str = include_str!("../../../hilo-collector/wrangler.jsonc");
    const TOML: &str = "secret = { secret = \"WEBHOOK_SECRET\" }\n";

    fn walked(script: &mut Script, bindings: &str) -> Option<String> {
        walk(script, bindings, &Needs::of(TOML)).unwrap_or_else(|Problem(why)| panic!("{why}"))
    }

    #[test]
    fn a_newcomer_logs_in_creates_what_is_bound_sets_secrets_and_names_a_host() {
        let mut script = Script::new("shop.example");
        let changed = walked(&mut script, FILE).unwrap_or_default();
        let expected = [
            "whoami --json",
            "login",
            "queues list",
            "queues create hilo-deliveries",
            "queues create hilo-dead-letters",
            "secret list",
            "put HILO_SECRET",
            "put HILO_ADMIN_TOKEN",
            "secret put WEBHOOK_SECRET",
        ];
        assert_eq!(script.calls, expected);
        assert_eq!(needs::address(&changed).as_deref(), Some("https://shop.example/_h"));
        let shown = script.said.iter().filter(|line| line.contains("random-")).count();
        assert_eq!(shown, 1, "only the admin token is shown: {:?}", script.said);
    }

    #[test]
    fn the_second_run_creates_nothing() {
        let mut script = Script::new("");
        script.answers = [
            ("whoami --json", "{}"),
            ("queues list", "│ hilo-deliveries │ hilo-dead-letters │"),
            (
                "secret list",
                r#"[{"name":"HILO_SECRET"},{"name":"HILO_ADMIN_TOKEN"},{"name":"WEBHOOK_SECRET"}]"#,
            ),
        ]
        .into();
        let routed =
            needs::routed(FILE, "shop.example").unwrap_or_else(|Problem(why)| panic!("{why}"));
        assert_eq!(walked(&mut script, &routed), None);
        assert_eq!(script.calls, ["whoami --json", "queues list", "secret list"]);
    }

    #[test]
    fn a_bucket_is_created_where_one_is_bound() {
        let mut script = Script::new("");
        walked(&mut script, &FILE.replace("// \"r2_buckets\"", "\"r2_buckets\""));
        assert!(
            script.calls.contains(&"r2 bucket create hilo-archive".to_owned()),
            "{:?}",
            script.calls
        );
    }

    #[test]
    fn a_bucket_is_created_in_the_jurisdiction_of_the_objects_and_no_other_is_taken() {
        let plain = FILE
            .replace("// \"r2_buckets\"", "\"r2_buckets\"")
            .replace("\"HILO_JURISDICTION\": \"\"", "\"HILO_JURISDICTION\": \"eu\"");
        let placed = plain.replace(
            "\"bucket_name\": \"hilo-archive\"",
            "\"bucket_name\": \"hilo-archive\", \"jurisdiction\": \"eu\"",
        );
        let mut script = Script::new("");
        walked(&mut script, &placed);
        for call in
            ["r2 bucket list --jurisdiction eu", "r2 bucket create hilo-archive --jurisdiction eu"]
        {
            assert!(script.calls.contains(&call.to_owned()), "{:?}", script.calls);
        }
        let elsewhere =
            placed.replace("\"HILO_JURISDICTION\": \"eu\"", "\"HILO_JURISDICTION\": \"\"");
        for odd in [plain, elsewhere] {
            let mut script = Script::new("");
            let refused = walk(&mut script, &odd, &Needs::of(TOML));
            assert!(refused.is_err_and(|Problem(why)| why.contains("hilo-archive")));
            assert!(!script.calls.iter().any(|call| call.contains("create hilo-archive")));
        }
    }
}
