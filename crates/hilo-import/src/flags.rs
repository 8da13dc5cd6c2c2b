//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use hilo_core::import::Kind;
use hilo_core::import::dates::DateOrder;
use hilo_core::money::Currency;
use hilo_core::phone::Market;
use jiff::tz::TimeZone;
use lexopt::{Arg, Parser};

use crate::problem::Problem;

/// How the file is to be read.
pub(crate) struct Flags {
    /// The file.
    pub(crate) file: PathBuf,
    /// The source in `hilo.toml`.
    pub(crate) source: String,
    /// What the rows are.
    pub(crate) kind: Kind,
    /// The zone of times without an offset.
    pub(crate) zone: Option<TimeZone>,
    /// The country of numbers without their code.
    pub(crate) market: Option<&'static Market>,
    /// The currency of rows that name none.
    pub(crate) currency: Option<Currency>,
    /// The order of dates.
    pub(crate) order: Option<DateOrder>,
    /// The decimal mark.
    pub(crate) mark: Option<char>,
    /// Whether the file is windows-1252.
    pub(crate) is_windows: bool,
    /// Whether further columns become properties.
    pub(crate) keeps_further: bool,
    /// Whether to show what the rows become, and to send nothing.
    pub(crate) shows: bool,
    /// The list of rows to copy.
    pub(crate) refused: Option<PathBuf>,
    /// All of it as text: the same file with other flags is another import.
    pub(crate) said: String,
}

impl Flags {
    /// Reads the arguments, without the name of the program.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString, IntoIter: 'static>,
    ) -> Result<Flags, Problem> {
        let mut parser = Parser::from_args(arguments);
        let (mut file, mut source, mut kind) = (None, None, None);
        let mut flags = Flags {
            file: PathBuf::new(),
            source: String::new(),
            kind: Kind::Orders,
            zone: None,
            market: None,
            currency: None,
            order: None,
            mark: None,
            is_windows: false,
            keeps_further: false,
            shows: false,
            refused: None,
            said: String::new(),
        };
        while let Some(arg) = parser.next().map_err(problem)? {
            match arg {
                Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
                Arg::Long("show") => flags.shows = true,
                Arg::Long("refused") => {
                    flags.refused = Some(parser.value().map_err(problem)?.into());
                }
                Arg::Long(name) => {
                    let name = name.to_owned();
                    let value = parser.value().map_err(problem)?.to_string_lossy().into_owned();
                    match name.as_str() {
                        "source" => source = Some(value.clone()),
                        "kind" => kind = Some(read_kind(&value)?),
                        _ => flags.set(&name, &value)?,
                    }
                    flags.said.push_str(&format!("--{name}={value}\n"));
                }
                Arg::Short(_) | Arg::Value(_) => return Err(problem(arg.unexpected())),
            }
        }
        let missing = |what: &str| {
            Problem(format!("which {what}? cargo xtask import FILE --source till --kind orders"))
        };
        flags.file = file.ok_or_else(|| missing("file"))?;
        flags.source = source.ok_or_else(|| missing("source"))?;
        flags.kind = kind.ok_or_else(|| missing("kind"))?;
        Ok(flags)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let wants = |what: &str| Problem(format!("--{name} wants {what}"));
        match name {
            "timezone" => {
                let zone = TimeZone::get(value)
                    .map_err(|_| wants("a zone by its name, such as Europe/Madrid"))?;
                self.zone = Some(zone);
            }
            "country" => {
                let known = || Market::countries().collect::<Vec<_>>().join(" ");
                let market = Market::of(value);
                self.market =
                    Some(market.ok_or_else(|| wants(&format!("a country: {}", known())))?);
            }
            "currency" => {
                let currency = Currency::parse(value).filter(|currency| !currency.is_none());
                self.currency =
                    Some(currency.ok_or_else(|| wants("three capital letters, such as EUR"))?);
            }
            "date-format" => {
                self.order =
                    Some(DateOrder::parse(value).ok_or_else(|| wants("dd/mm/yyyy or mm/dd/yyyy"))?);
            }
            "decimal" => {
                self.mark = Some(match value {
                    "comma" | "," => ',',
                    "point" | "." => '.',
                    _ => return Err(wants("comma or point")),
                });
            }
            "encoding" => {
                self.is_windows = match value.to_ascii_lowercase().as_str() {
                    "windows-1252" | "cp1252" => true,
                    "utf-8" => false,
                    _ => return Err(wants("utf-8 or windows-1252")),
                };
            }
            "extra" if value == "properties" => self.keeps_further = true,
            "extra" => return Err(wants("properties")),
            _ => return Err(Problem(format!("there is no flag --{name}: cargo xtask help"))),
        }
        Ok(())
    }
}

fn read_kind(value: &str) -> Result<Kind, Problem> {
    let known = Kind::ALL.map(Kind::name).join(", ");
    Kind::from_name(value).ok_or_else(|| Problem(format!("--kind wants one of {known}")))
}

fn problem(error: lexopt::Error) -> Problem {
    Problem(error.to_string())
}
