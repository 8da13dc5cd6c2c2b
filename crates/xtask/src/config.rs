//! `cargo xtask config check FILE`, `config test --event FILE`, `config test --in SOURCE FILE`, `config preset NAME`, `config push FILE` and
//! `config rollback`. The collector's own programs `config_check`, `config_test` and `config_in` read the files. This module runs them, and
//! wrangler for the upload. The last files stay in KV: a collector that cannot read the newest takes the newest that it can read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::flags::Flags;
use crate::shell::{Problem, Workspace, step, tail, watch};
use crate::{jurisdiction, plan, tools, wrangler};

/// The file for a developer's machine, with every setting and its reason.
const EXAMPLE: &str = "crates/hilo-collector/hilo.toml";
/// The key of the file in force. The collector (`shell/config.rs`) knows the same keys, and a test of it compares them.
const CURRENT: &str = "hilo.toml";
/// The keys of the files that were pushed, newest first.
const PUSHED: [&str; 3] = ["hilo.toml.1", "hilo.toml.2", "hilo.toml.3"];

/// Reads the words after `config`.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    match flags.words.get(1..).unwrap_or_default() {
        [verb, body, file @ ..] if verb == "test" && flags.inbound.is_some() => {
            let config = file.first().map_or_else(|| workspace.at(EXAMPLE), PathBuf::from);
            test_call(workspace, flags, Path::new(body), &config).map(|()| true)
        }
        [verb, name] if verb == "preset" => {
            let words = |program: &mut Command| {
                program.arg("preset").arg(name);
            };
            mapped(workspace, words).map(|()| true)
        }
        [verb] if verb == "test" => {
            let example = workspace.at(EXAMPLE);
            test(workspace, flags, &example).map(|()| true)
        }
        [verb, file] if verb == "test" => test(workspace, flags, Path::new(file)).map(|()| true),
        [verb, file] if verb == "check" => check(workspace, file).map(|()| true),
        [verb, file] if verb == "push" => {
            check(workspace, file)?;
            let text = plan::joined(&std::env::current_dir()?.join(file))?;
            tools::ensure(workspace)?;
            upload(workspace, &text).map(|()| true)
        }
        [verb] if verb == "rollback" => {
            tools::ensure(workspace)?;
            let mut kv = Kv::of(workspace)?;
            let text = earlier(&mut kv)?;
            let file = kv.folder.join("earlier.toml");
            fs::write(&file, &text)?;
            check(workspace, &file.to_string_lossy())?;
            jurisdiction::check(workspace, &text, kv.get(CURRENT)?.as_deref())?;
            push(&mut kv, &text).map(|()| true)
        }
        _ => Err(Problem(
            "write `cargo xtask config check FILE`, `config test --event FILE [HILO.TOML]`, `config test --in SOURCE FILE [HILO.TOML]`, `config preset NAME`, `config push FILE` or `config rollback`."
                .to_owned(),
        )),
    }
}

/// Uploads a file that was checked, unless its jurisdiction is another one than before.
pub(crate) fn upload(workspace: &Workspace, text: &str) -> Result<(), Problem> {
    let mut kv = Kv::of(workspace)?;
    jurisdiction::check(workspace, text, kv.get(CURRENT)?.as_deref())?;
    push(&mut kv, text)
}

/// The file in force. `None` also where there is no namespace yet, which the first deployment makes: [`upload`] compares again.
pub(crate) fn in_force(workspace: &Workspace) -> Option<String> {
    Kv::of(workspace).ok()?.get(CURRENT).ok()?
}

/// Prints every problem and every warning of `file`. Only a problem is a failure.
pub(crate) fn check(workspace: &Workspace, file: &str) -> Result<(), Problem> {
    let path = std::env::current_dir()?.join(file);
    readable(&path)?;
    let path = plan::joined_file(workspace, &path)?;
    let mut build = workspace.cargo();
    build.args(["build", "--package", "hilo-collector", "--example", "config_check"]);
    step(workspace, "building what reads hilo.toml", &mut build)?;
    let status =
        Command::new(workspace.target.join("debug/examples/config_check")).arg(path).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(Problem(format!("{file} cannot be used; each problem stands above with its line.")))
    }
}

/// Prints what every destination of the file would get of the message in `--event`.
fn test(workspace: &Workspace, flags: &Flags, config: &Path) -> Result<(), Problem> {
    let Some(event) = &flags.event else {
        return Err(Problem("which message? cargo xtask config test --event FILE.".to_owned()));
    };
    let home = std::env::current_dir()?;
    let (config, event) = (home.join(config), home.join(event));
    readable(&config)?;
    readable(&event)?;
    let config = plan::joined_file(workspace, &config)?;
    let mut build = workspace.cargo();
    build.args(["build", "--package", "hilo-collector", "--example", "config_test"]);
    step(workspace, "building what maps messages", &mut build)?;
    let mut program = Command::new(workspace.target.join("debug/examples/config_test"));
    program.arg(config).arg(event).args(flags.ask.then_some("--ask"));
    if program.status()?.success() {
        Ok(())
    } else {
        Err(Problem("the message could not be tested; the reason stands above.".to_owned()))
    }
}

/// Prints what the body of a call becomes, and why not.
fn test_call(
    workspace: &Workspace,
    flags: &Flags,
    body: &Path,
    config: &Path,
) -> Result<(), Problem> {
    let home = std::env::current_dir()?;
    let (body, config) = (home.join(body), home.join(config));
    readable(&body)?;
    readable(&config)?;
    let source = flags.inbound.as_deref().unwrap_or_default();
    mapped(workspace, |program| {
        program.arg(source).arg(&body).arg(&config).arg("--").args(&flags.headers);
    })
}

/// Runs the program that maps the bodies of calls.
fn mapped(workspace: &Workspace, words: impl Fn(&mut Command)) -> Result<(), Problem> {
    let mut build = workspace.cargo();
    build.args(["build", "--package", "hilo-collector", "--example", "config_in"]);
    step(workspace, "building what maps calls", &mut build)?;
    let mut program = Command::new(workspace.target.join("debug/examples/config_in"));
    words(&mut program);
    if program.status()?.success() {
        Ok(())
    } else {
        Err(Problem("the call could not be mapped; the reason stands above.".to_owned()))
    }
}

/// Whether a file can be read, asked before minutes go into building what reads it.
fn readable(path: &Path) -> Result<(), Problem> {
    File::open(path).map(drop).map_err(|why| {
        let path = path.display();
        Problem(format!("{path} cannot be read ({why}). An example to copy: {EXAMPLE}."))
    })
}

/// Why wrangler could not list the keys, by what it printed.
fn unlisted(output: &str) -> Problem {
    if ["CLOUDFLARE_API_TOKEN", "wrangler login"].iter().any(|word| output.contains(word)) {
        return Problem(
            "this machine is not logged in to Cloudflare, so nothing was uploaded: run `cargo xtask wrangler login`, or set CLOUDFLARE_API_TOKEN, and run the same command again."
                .to_owned(),
        );
    }
    eprintln!("{}", tail(output, 40));
    Problem(
        "wrangler could not list the uploaded files; the end of its output stands above."
            .to_owned(),
    )
}

/// Where the texts of `hilo.toml` are stored.
trait Store {
    /// The text of a key; `None` if there is none.
    fn get(&mut self, key: &str) -> Result<Option<String>, Problem>;
    /// Stores a text.
    fn put(&mut self, key: &str, text: &str) -> Result<(), Problem>;
}

/// Uploads `text`, and keeps the files before it. The file in force is written last: whatever fails before that leaves it
/// as it was. To push the newest file again moves no other.
fn push(store: &mut impl Store, text: &str) -> Result<(), Problem> {
    let [newest, second, third] = PUSHED;
    let before = match store.get(newest)? {
        // A file that was uploaded by hand is worth keeping too.
        None => store.get(CURRENT)?,
        before => before,
    };
    if let Some(before) = before.filter(|before| before != text) {
        if let Some(older) = store.get(second)? {
            store.put(third, &older)?;
        }
        store.put(second, &before)?;
    }
    store.put(newest, text)?;
    store.put(CURRENT, text)
}

/// The file that was in force before the last push. A second rollback undoes the first.
fn earlier(store: &mut impl Store) -> Result<String, Problem> {
    let [_, second, _] = PUSHED;
    store.get(second)?.ok_or_else(|| {
        Problem(
            "there is no earlier file: `cargo xtask config push` has uploaded one only.".to_owned(),
        )
    })
}

/// The namespace `CONFIG`, through wrangler.
struct Kv<'w> {
    workspace: &'w Workspace,
    /// The keys that existed at the beginning.
    keys: Vec<String>,
    /// A folder for files on their way.
    folder: PathBuf,
}

impl Kv<'_> {
    fn of(workspace: &Workspace) -> Result<Kv<'_>, Problem> {
        let folder = workspace.target.join("xtask/config");
        fs::create_dir_all(&folder)?;
        let mut kv = Kv { workspace, keys: Vec::new(), folder };
        let mut list = kv.wrangler("list");
        list.args(["--prefix", CURRENT]);
        let listed = watch(workspace, "listing the uploaded files", &mut list)?;
        if !listed.is_ok {
            return Err(unlisted(&listed.output));
        }
        let listed = listed.output;
        let known = [CURRENT].into_iter().chain(PUSHED);
        kv.keys =
            known.filter(|key| listed.contains(&format!("\"{key}\""))).map(str::to_owned).collect();
        Ok(kv)
    }

    /// `wrangler kv key <verb>` of the namespace.
    fn wrangler(&self, verb: &str) -> Command {
        let mut wrangler = wrangler::command(self.workspace);
        wrangler.args(["kv", "key", verb, "--remote", "--binding", "CONFIG"]);
        wrangler
    }
}

impl Store for Kv<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>, Problem> {
        if !self.keys.iter().any(|known| known == key) {
            return Ok(None);
        }
        // Not through `step`: its output is a log, and this text must stay as it is.
        let done = self.wrangler("get").arg(key).output()?;
        if !done.status.success() {
            let why = String::from_utf8_lossy(&done.stderr).into_owned();
            return Err(Problem(format!("wrangler could not read {key}: {why}")));
        }
        let text = String::from_utf8(done.stdout);
        text.map(Some).map_err(|_| Problem(format!("{key} is no text.")))
    }

    fn put(&mut self, key: &str, text: &str) -> Result<(), Problem> {
        let file = self.folder.join(key);
        fs::write(&file, text)?;
        let mut put = self.wrangler("put");
        put.arg(key).arg("--path").arg(file);
        step(self.workspace, &format!("uploading {key}"), &mut put)?;
        self.keys.push(key.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Texts in memory. A put fails when `puts_left` is used up.
    struct Memory {
        texts: BTreeMap<String, String>,
        puts_left: usize,
    }

    impl Store for Memory {
        fn get(&mut self, key: &str) -> Result<Option<String>, Problem> {
            Ok(self.texts.get(key).cloned())
        }

        fn put(&mut self, key: &str, text: &str) -> Result<(), Problem> {
            if self.puts_left == 0 {
                return Err(Problem("the network is gone.".to_owned()));
            }
            self.puts_left -= 1;
            self.texts.insert(key.to_owned(), text.to_owned());
            Ok(())
        }
    }

    fn memory() -> Memory {
        Memory { texts: BTreeMap::new(), puts_left: usize::MAX }
    }

    fn pushed(store: &Memory) -> Vec<&str> {
        PUSHED.iter().filter_map(|key| store.texts.get(*key)).map(String::as_str).collect()
    }

    fn push_all(store: &mut Memory, texts: &[&str]) {
        for text in texts {
            assert!(push(store, text).is_ok());
        }
    }

    #[test]
    fn a_file_that_does_not_exist_is_said_to_be_unreadable_and_an_example_is_named() {
        let Err(Problem(why)) = readable(Path::new("/nowhere/hilo.toml")) else {
            panic!("the file was read")
        };
        assert!(why.starts_with("/nowhere/hilo.toml cannot be read (No such file"), "{why}");
        assert!(why.contains(EXAMPLE) && !why.contains("line"), "{why}");
        assert!(Workspace::find().at(EXAMPLE).exists());
    }

    #[test]
    fn without_a_login_the_remedy_is_to_log_in() {
        let wrangler = "In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.";
        assert!(unlisted(wrangler).0.contains("run `cargo xtask wrangler login`"));
        assert!(!unlisted("A request to the Cloudflare API failed.").0.contains("login"));
    }

    #[test]
    fn the_last_three_files_are_kept_newest_first() {
        let mut store = memory();
        push_all(&mut store, &["a", "b", "c", "d"]);
        assert_eq!(pushed(&store), ["d", "c", "b"]);
        assert_eq!(store.texts[CURRENT], "d");
    }

    #[test]
    fn to_push_the_same_file_again_moves_no_other() {
        let mut store = memory();
        push_all(&mut store, &["a", "b", "b"]);
        assert_eq!(pushed(&store), ["b", "a"]);
    }

    #[test]
    fn a_file_that_was_uploaded_by_hand_is_kept_by_the_first_push() {
        let mut store = memory();
        store.texts.insert(CURRENT.to_owned(), "by hand".to_owned());
        push_all(&mut store, &["a"]);
        assert_eq!(pushed(&store), ["a", "by hand"]);
    }

    #[test]
    fn a_rollback_puts_the_file_before_back_and_a_second_one_undoes_it() {
        let mut store = memory();
        push_all(&mut store, &["a", "b"]);
        for expected in ["a", "b"] {
            let text = earlier(&mut store).unwrap_or_else(|Problem(why)| why);
            push_all(&mut store, &[&text]);
            assert_eq!(store.texts[CURRENT], expected);
        }
        assert!(earlier(&mut memory()).is_err());
    }

    #[test]
    fn a_push_that_fails_leaves_the_file_in_force_and_loses_no_earlier_one_when_it_is_repeated() {
        for puts_left in 0..4 {
            let mut store = memory();
            push_all(&mut store, &["a", "b"]);
            store.puts_left = puts_left;
            assert!(push(&mut store, "c").is_err(), "{puts_left}");
            assert_eq!(store.texts[CURRENT], "b");
            store.puts_left = usize::MAX;
            push_all(&mut store, &["c"]);
            assert_eq!(store.texts[CURRENT], "c");
            assert_eq!(pushed(&store).first(), Some(&"c"));
            assert!(pushed(&store).contains(&"b"), "{puts_left}: {:?}", pushed(&store));
        }
    }
}
