//! The words and flags of the command line, read once.

use lexopt::Arg;

use crate::shell::Problem;

/// The flags that say how `import` reads a file.
const IMPORT: [&str; 9] = [
    "source",
    "kind",
    "timezone",
    "country",
    "currency",
    "date-format",
    "decimal",
    "encoding",
    "extra",
];

/// The command line, read.
pub(crate) struct Flags {
    /// The verb, and what follows it.
    pub words: Vec<String>,
    /// Where `dev` listens.
    pub port: u16,
    /// The folder in which `dev` keeps its state.
    pub state: String,
    /// The `hilo.toml` that `dev` uploads.
    pub config: Option<String>,
    /// Whether `dev` starts the stub server, and sends to every destination that has a stub.
    pub with_stubs: bool,
    /// The message or envelope that `config test` reads.
    pub event: Option<String>,
    /// The file that `plan` writes types into.
    pub types: Option<String>,
    /// The source whose call `config test` reads.
    pub inbound: Option<String>,
    /// The headers of that call.
    pub headers: Vec<String>,
    /// Whether `config test` asks Google's own check.
    pub ask: bool,
    /// Whether `dev` opens the shop in a browser.
    pub open: bool,
    /// Whether `test` leaves out the slow parts: browsers, packaging and the release build.
    pub quick: bool,
    /// Whether `build` makes the collector's development build.
    pub dev: bool,
    /// Whether `build` builds only what a page loads.
    pub page: bool,
    /// Whether `size` tells what each capture kind costs.
    pub kinds: bool,
    /// Whether `import` only shows what would become of the file.
    pub dry_run: bool,
    /// Whether `import` changes orders that an earlier import brought.
    pub update: bool,
    /// The flags of `import` that its reading program takes, each name with its value.
    pub import: Vec<String>,
    /// Where the collector is that `connect` and `import` talk to, with its prefix.
    pub url: String,
    /// The variable that has the admin token of `doctor`.
    pub admin_token_env: String,
    /// The origin of the pages that `doctor` stands for.
    pub origin: Option<String>,
    /// The write key of these pages.
    pub key: Option<String>,
    /// Where the service sends a person back to, if that is not the collector.
    pub redirect: Option<String>,
}

impl Flags {
    /// Reads the command line of this program.
    pub(crate) fn read() -> Result<Flags, Problem> {
        let mut flags = Flags {
            words: Vec::new(),
            port: 8787,
            state: ".hilo".to_owned(),
            config: None,
            with_stubs: false,
            event: None,
            types: None,
            inbound: None,
            headers: Vec::new(),
            ask: false,
            open: true,
            quick: false,
            dev: false,
            page: false,
            kinds: false,
            dry_run: false,
            update: false,
            import: Vec::new(),
            url: "http://127.0.0.1:8787/_h".to_owned(),
            admin_token_env: "HILO_ADMIN_TOKEN".to_owned(),
            origin: None,
            key: None,
            redirect: None,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next().map_err(problem)? {
            match arg {
                Arg::Long("port") => {
                    flags.port = value(&mut parser)?
                        .parse()
                        .map_err(|_| Problem("--port wants a number up to 65535.".to_owned()))?
                }
                Arg::Long("state") => flags.state = value(&mut parser)?,
                Arg::Long("config") => flags.config = Some(value(&mut parser)?),
                Arg::Long("with-stubs") => flags.with_stubs = true,
                Arg::Long("event") => flags.event = Some(value(&mut parser)?),
                Arg::Long("types") => flags.types = Some(value(&mut parser)?),
                Arg::Long("in") => flags.inbound = Some(value(&mut parser)?),
                Arg::Long("header") => flags.headers.push(value(&mut parser)?),
                Arg::Long("ask") => flags.ask = true,
                Arg::Long("no-open") => flags.open = false,
                Arg::Long("quick") => flags.quick = true,
                Arg::Long("page") => flags.page = true,
                Arg::Long("kinds") => flags.kinds = true,
                Arg::Long("dev") => flags.dev = true,
                Arg::Long("url") => flags.url = value(&mut parser)?,
                Arg::Long("dry-run") => flags.dry_run = true,
                Arg::Long("update") => flags.update = true,
                Arg::Long(name) if IMPORT.contains(&name) => {
                    let name = format!("--{name}");
                    flags.import.extend([name, value(&mut parser)?]);
                }
                Arg::Long("admin-token-env") => flags.admin_token_env = value(&mut parser)?,
                Arg::Long("origin") => flags.origin = Some(value(&mut parser)?),
                Arg::Long("key") => flags.key = Some(value(&mut parser)?),
                Arg::Long("redirect") => flags.redirect = Some(value(&mut parser)?),
                Arg::Long("help") | Arg::Short('h') => flags.words.insert(0, "help".to_owned()),
                Arg::Value(word) => flags.words.push(word.to_string_lossy().into_owned()),
                Arg::Long(_) | Arg::Short(_) => return Err(problem(arg.unexpected())),
            }
        }
        Ok(flags)
    }
}

fn value(parser: &mut lexopt::Parser) -> Result<String, Problem> {
    parser.value().map(|v| v.to_string_lossy().into_owned()).map_err(problem)
}

fn problem(error: lexopt::Error) -> Problem {
    Problem(format!("{error}. Run `cargo xtask help` for the flags."))
}
