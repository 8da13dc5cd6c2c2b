//! The account that `deploy` works on, and the person at the terminal.
//! In: wrangler's arguments and questions. Out: what wrangler printed, what the person answered. Tests have a script in their place.

use std::fs::File;
use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::shell::{Done, Problem, Workspace, watch};
use crate::wrangler;

/// Cloudflare's side, by wrangler.
pub(super) trait Account {
    /// Runs wrangler and reads what it prints.
    fn quietly(&mut self, arguments: &[&str]) -> Result<Done, Problem>;
    /// Runs wrangler on the terminal, where it may ask. A failure ends the walk.
    fn must(&mut self, arguments: &[&str], what: &str) -> Result<(), Problem>;
    /// Stores a secret that no terminal shows.
    fn put_secret(&mut self, name: &str, value: &str) -> Result<(), Problem>;
    /// Makes a secret of 32 random bytes.
    fn random(&mut self) -> Result<String, Problem>;
    /// Asks the person for a line.
    fn ask(&mut self, question: &str) -> Result<String, Problem>;
    /// Tells the person something.
    fn say(&mut self, line: &str);
}

/// The account that wrangler is logged in to.
pub(super) struct Cloudflare<'w>(pub &'w Workspace);

impl Cloudflare<'_> {
    fn wrangler(&self, arguments: &[&str]) -> Command {
        let mut wrangler = wrangler::command(self.0);
        wrangler.args(arguments);
        wrangler
    }
}

impl Account for Cloudflare<'_> {
    fn quietly(&mut self, arguments: &[&str]) -> Result<Done, Problem> {
        let label = format!("asking Cloudflare: {}", arguments.join(" "));
        watch(self.0, &label, &mut self.wrangler(arguments))
    }

    fn must(&mut self, arguments: &[&str], what: &str) -> Result<(), Problem> {
        if self.wrangler(arguments).status()?.success() {
            return Ok(());
        }
        Err(Problem(format!(
            "{what} failed; wrangler's output stands above. Run the same command again: what is done stays done."
        )))
    }

    fn put_secret(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let mut put = self.wrangler(&["secret", "put", name]);
        // By the input, because every program of the machine may read arguments.
        let mut child = put.stdin(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(value.as_bytes())?;
        }
        if child.wait()?.success() {
            return Ok(());
        }
        Err(Problem(format!("{name} could not be stored; wrangler's output stands above.")))
    }

    fn random(&mut self) -> Result<String, Problem> {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn ask(&mut self, question: &str) -> Result<String, Problem> {
        eprint!("{question}: ");
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn say(&mut self, line: &str) {
        eprintln!("{line}");
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::collections::BTreeMap;

    use super::*;

    /// An account that is written down: what it answers, and what was called.
    pub(crate) struct Script {
        /// What a call prints. A call that is not named fails, as on an empty account.
        pub(crate) answers: BTreeMap<&'static str, &'static str>,
        pub(crate) calls: Vec<String>,
        pub(crate) said: Vec<String>,
        host: &'static str,
    }

    impl Script {
        /// An account without anything, and a person who names this host.
        pub(crate) fn new(host: &'static str) -> Script {
            Script { answers: BTreeMap::new(), calls: Vec::new(), said: Vec::new(), host }
        }
    }

    impl Account for Script {
        fn quietly(&mut self, arguments: &[&str]) -> Result<Done, Problem> {
            let call = arguments.join(" ");
            let answer = self.answers.get(call.as_str());
            self.calls.push(call);
            Ok(Done { output: answer.unwrap_or(&"").to_string(), is_ok: answer.is_some() })
        }

        fn must(&mut self, arguments: &[&str], _: &str) -> Result<(), Problem> {
            self.calls.push(arguments.join(" "));
            Ok(())
        }

        fn put_secret(&mut self, name: &str, _: &str) -> Result<(), Problem> {
            self.calls.push(format!("put {name}"));
            Ok(())
        }

        fn random(&mut self) -> Result<String, Problem> {
            Ok(format!("random-{}", self.calls.len()))
        }

        fn ask(&mut self, _: &str) -> Result<String, Problem> {
            Ok(self.host.to_owned())
        }

        fn say(&mut self, line: &str) {
            self.said.push(line.to_owned());
        }
    }
}
