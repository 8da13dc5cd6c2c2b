//! Why a row, or a whole file, cannot be imported: a stable code, the column to blame, and a sentence with the remedy.
//!
//! A message never repeats a value of a row: it goes into answers and lists that other people read.

use alloc::string::String;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// Every reason to refuse a row or a file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FaultCode { $($(#[$doc])* $variant),+ }

        impl FaultCode {
            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(FaultCode::$variant => $name),+ }
            }
        }
    };
}

codes! {
    /// The file has a column that its kind does not know.
    UnknownColumn = "unknown_column";
    /// Two columns of the file mean the same.
    DuplicateColumn = "duplicate_column";
    /// The file lacks a column that its kind needs.
    MissingColumn = "missing_column";
    /// Amounts of the file have a decimal comma in one row and a decimal point in another.
    MixedDecimals = "mixed_decimals";
    /// No row shows whether `1.234` is a thousand or one.
    AmbiguousDecimals = "ambiguous_decimals";
    /// Dates of the file have the day first in one row and the month first in another.
    MixedDates = "mixed_dates";
    /// No row shows whether day or month stands first.
    AmbiguousDates = "ambiguous_dates";
    /// A time without its zone, and no zone is given.
    ZoneMissing = "zone_missing";
    /// Bytes that are not UTF-8.
    NotUtf8 = "not_utf8";
    /// Rows of too many orders lie apart in the file.
    ScatteredOrders = "scattered_orders";
    /// More rows than one file may have.
    TooManyRows = "too_many_rows";

    /// A row with more or fewer cells than the file's first line, or text that is no JSON object.
    MalformedRow = "malformed_row";
    /// A row over its bound of bytes, or an order over its bound of lines.
    RowTooLarge = "row_too_large";
    /// A value that this kind needs is missing.
    MissingValue = "missing_value";
    /// Text that is no amount or number.
    BadNumber = "bad_number";
    /// Letters that are no currency (ISO 4217), or no currency at all.
    BadCurrency = "bad_currency";
    /// Text that is no time.
    BadTime = "bad_time";
    /// The number by which a spreadsheet stores a date.
    ExcelDate = "excel_date";
    /// A time more than a day ahead.
    InFuture = "in_future";
    /// A time from before the months that events are kept for.
    TooOld = "too_old";
    /// Text that is no telephone number.
    BadPhone = "bad_phone";
    /// A number that a spreadsheet has rounded: `3,46E+10`.
    PhoneMangled = "phone_mangled";
    /// Text that is no e-mail address.
    BadEmail = "bad_email";
    /// A word that this column does not know.
    BadWord = "bad_word";
    /// The rows of one order differ in its total or in its currency.
    TotalMismatch = "total_mismatch";
    /// Another row of the same order is refused, and no part of an order is imported alone.
    OrderRefused = "order_refused";
    /// A row that names nobody.
    NoPerson = "no_person";
    /// The same row was imported before with other values.
    Conflict = "conflict";
}

impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why a row cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The stable code.
    pub code: FaultCode,
    /// The column to blame, by hilo's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// One sentence with the remedy.
    pub message: String,
}

impl Fault {
    /// A fault of the whole row.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Fault {
        Fault { code, column: None, message: message.into() }
    }

    /// A fault of one column.
    pub fn at(code: FaultCode, column: &str, message: impl Into<String>) -> Fault {
        Fault { code, column: Some(column.into()), message: message.into() }
    }
}
