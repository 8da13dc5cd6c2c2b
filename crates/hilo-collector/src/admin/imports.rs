//! `GET /admin/v1/import/:id`: how far an import is, and which rows were refused; with `?format=csv` the refused rows as CSV.
//!
//! The pipeline takes an import's rows. The collector keeps no row that it refused, so the list has lines and reasons only.

use hilo_core::import::header::guarded;
use hilo_core::outcome::{Code, Rejection};

use super::http::ok;
use crate::call::{Call, Trouble};
use crate::calls::imports::{ImportStanding, ImportsCall, LineFault, ask_imports};
use crate::platform::{Body, Headers, Platform, Reply};

/// Shows an import.
pub(super) async fn show<P: Platform>(id: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let question = ImportsCall::Standing { id: id.to_owned() };
    let standing: Option<ImportStanding> = ask_imports(call.platform, &question).await?;
    let Some(standing) = standing else {
        return Err(Rejection::new(Code::NotFound, "there is no import with this id").into());
    };
    if call.incoming.query_value("format").as_deref() == Some("csv") {
        return Ok(csv(&standing.rejected_rows));
    }
    Ok(ok(&standing))
}

fn csv(rows: &[LineFault]) -> Reply {
    let mut text = "line,column,code,message\r\n".to_owned();
    for LineFault { line, column, code, message } in rows {
        let cells = [&line.to_string(), column.as_deref().unwrap_or_default(), code, message];
        let cells = cells.map(|cell| format!("\"{}\"", guarded(cell).replace('"', "\"\"")));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    let mut headers = Headers::default();
    headers.push("content-type", "text/csv; charset=utf-8");
    headers.push("content-disposition", "attachment; filename=\"refused.csv\"");
    headers.push("cache-control", "no-store");
    headers.push("x-content-type-options", "nosniff");
    Reply { status: 200, headers, body: Body::Text(text) }
}
