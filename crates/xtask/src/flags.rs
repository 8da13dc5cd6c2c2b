//! The words and flags of the command line, read once.

use lexopt::Arg;

use crate::shell::Problem;

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
    /// Whether `dev` opens the shop in a browser.
    pub open: bool,
    /// Whether `test` leaves out the slow parts: browsers, packaging and the release build.
    pub quick: bool,
    /// Whether `build` makes the collector's development build.
    pub dev: bool,
}

impl Flags {
    /// Reads the command line of this program.
    pub(crate) fn read() -> Result<Flags, Problem> {
        let mut flags = Flags {
            words: Vec::new(),
            port: 8787,
            state: ".hilo".to_owned(),
            config: None,
            open: true,
            quick: false,
            dev: false,
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
                Arg::Long("no-open") => flags.open = false,
                Arg::Long("quick") => flags.quick = true,
                Arg::Long("dev") => flags.dev = true,
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
