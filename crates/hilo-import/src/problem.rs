//! Why a file cannot be imported.

use hilo_core::import::Fault;

/// Why the file cannot be imported: one sentence for the person.
#[derive(Debug)]
pub struct Problem(pub String);

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem(error.to_string())
    }
}

impl From<csv::Error> for Problem {
    fn from(error: csv::Error) -> Problem {
        Problem(error.to_string())
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        let column = fault.column.map(|column| format!(" ({column})")).unwrap_or_default();
        Problem(format!("{}{column}: {}", fault.code.name(), fault.message))
    }
}
