//! Whole files through the program: bytes in, printed rows or the reason out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs the program on a file with these bytes. The file's name tells the test.
fn run(name: &str, bytes: &[u8], flags: &[&str]) -> (Output, PathBuf) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_hilo-import"));
    (program.arg(&path).args(["--source", "till"]).args(flags).output().unwrap(), path)
}

const ORDERS: [&str; 6] = ["--kind", "orders", "--timezone", "Europe/Madrid", "--currency", "EUR"];

/// The rows that are printed, each with these fields.
fn rows(name: &str, bytes: &[u8], flags: &[&str], fields: &[&str]) -> Vec<Value> {
    let (output, _) = run(name, bytes, flags);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.split("\n\n").skip(1).flat_map(str::lines);
    let mut rows: Vec<Value> = rows.map(|row| serde_json::from_str(row).unwrap()).collect();
    rows.sort_by_key(|row| row["line"].as_u64());
    rows.iter().map(|row| fields.iter().map(|field| row[*field].clone()).collect()).collect()
}

#[track_caller]
fn refuses(name: &str, bytes: &[u8], flags: &[&str], words: &[&str]) {
    let (output, _) = run(name, bytes, flags);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{error}");
    for word in words {
        assert!(error.contains(word), "{word} is missing: {error}");
    }
}

#[test]
fn a_file_of_a_spreadsheet_is_read_with_its_mark_its_delimiter_and_its_quotes() {
    let file = "\u{feff}sep=;\r\nTicket;Fecha;Importe;Tienda\r\n1;20/11/2026;44,90;\"Sol; \"\"centro\"\"\"\r\n2;21/11/2026;1.005,00;\"two\r\nlines\"\r\n3;22/11/2026;7;Sol\r\n";
    let found = rows("spreadsheet.csv", file.as_bytes(), &ORDERS, &["line", "total", "store_id"]);
    let expected = [
        json!([3, "44.90", "Sol; \"centro\""]),
        json!([4, "1005.00", "two\nlines"]),
        json!([6, "7.00", "Sol"]),
    ];
    assert_eq!(found, expected);
    let old = "order_id,date,total\r1,2026-11-20,5.00\r2,2026-11-20,6.00\r";
    let found = rows("returns.csv", old.as_bytes(), &ORDERS, &["line", "total"]);
    assert_eq!(found, [json!([2, "5.00"]), json!([3, "6.00"])]);
}

#[test]
fn rows_of_ndjson_have_their_own_keys() {
    let file = "{\"order_id\": 1, \"date\": \"2026-11-20\", \"total\": 44.9}\n\n{\"ticket\": \"2\"}\nnonsense\n{\"date\": \"2026-11-20\", \"order_id\": \"3\", \"total\": \"5\", \"email\": \"ana@shop.example\"}\n";
    let mixed = run("mixed.ndjson", file.as_bytes(), &ORDERS).0;
    assert!(String::from_utf8_lossy(&mixed.stderr).contains("duplicate_column"));
    let file = file.replace("ticket", "order_id");
    let found =
        rows("rows.ndjson", file.as_bytes(), &ORDERS, &["line", "order_id", "email", "refused"]);
    assert_eq!(found[0], json!([1, "1", null, null]));
    assert_eq!(
        (&found[1][3]["code"], &found[2][3]["code"]),
        (&json!("missing_value"), &json!("malformed_row"))
    );
    assert_eq!(found[3], json!([5, "3", "ana@shop.example", null]));
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_refused_alone() {
    let file = "order_id,date,total\n1,2026-11-20\n2,2026-11-20,5.00,\n3,2026-11-20,5.00,x\n";
    let found = rows("cells.csv", file.as_bytes(), &ORDERS, &["line", "refused"]);
    let codes: Vec<&Value> = found.iter().map(|row| &row[1]["code"]).collect();
    assert_eq!(codes, [&json!("malformed_row"), &Value::Null, &json!("malformed_row")]);
}

#[test]
fn a_file_that_has_two_readings_is_refused_and_read_where_the_person_decides() {
    let file = "order_id,date,total\n1,04/05/2026,1.234\n";
    refuses(
        "ambiguous.csv",
        file.as_bytes(),
        &ORDERS,
        &["ambiguous_decimals", "line 2", "--decimal"],
    );
    let decided = [&ORDERS[..], &["--decimal", "comma"]].concat();
    refuses("dates.csv", file.as_bytes(), &decided, &["ambiguous_dates", "--date-format"]);
    let decided = [&decided[..], &["--date-format", "dd/mm/yyyy"]].concat();
    let found = rows("decided.csv", file.as_bytes(), &decided, &["occurred_at", "total"]);
    assert_eq!(found, [json!(["2026-05-03T22:00:00Z", "1234.00"])]);
    let mixed = "order_id;date;total\n1;2026-11-20;44,90\n2;2026-11-20;44.90\n";
    refuses("mixed.csv", mixed.as_bytes(), &ORDERS, &["mixed_decimals", "line 3", "line 2"]);
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_the_place_and_read_with_its_encoding() {
    let file = b"order_id;date;total;tienda\n1;2026-11-20;44,90;Gran V\xeda\n";
    refuses("latin.csv", file, &ORDERS, &["not_utf8", "byte 52", "--encoding windows-1252"]);
    let flags = [&ORDERS[..], &["--encoding", "windows-1252"]].concat();
    assert_eq!(rows("latin2.csv", file, &flags, &["store_id"]), [json!(["Gran Vía"])]);
    refuses("sheet.xlsx", b"PK\x03\x04....", &ORDERS, &["save it as CSV UTF-8"]);
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
    let mut file = b"order_id,date,total\n1,2026-11-20,\"5.00\n".to_vec();
    file.resize(6 * 1024 * 1024, b'x');
    refuses("quote.csv", &file, &ORDERS, &["a quote that is never closed"]);
}

#[test]
fn every_fault_of_the_columns_is_told_before_a_row_is_read() {
    let words = ["unknown_column (shoe_size)", "missing_column (total)", "--extra properties"];
    refuses("columns.csv", b"order_id,date,shoe size\n", &ORDERS, &words);
    refuses("empty.csv", b"order_id,date,total\n", &ORDERS, &["no rows"]);
}

#[test]
fn a_dry_run_shows_the_first_events_and_copies_the_refused_rows_without_their_formulas() {
    let file = "call_id,date,direction,phone\n1,2026-11-20 10:00,in,600111222\n2,2026-11-20 10:00,in,=600111222\n";
    let flags = ["--kind", "calls", "--timezone", "Europe/Madrid", "--country", "ES", "--show"];
    let (output, path) = run("show.csv", file.as_bytes(), &flags);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("Call Received") && told.contains("1 events to import, 1 rows refused"),
        "{told}"
    );
    let copy = std::fs::read_to_string(path.with_file_name("show.csv.refused.csv")).unwrap();
    let lines: Vec<&str> = copy.lines().collect();
    assert_eq!(lines[0], "call_id,date,direction,phone,hilo_code,hilo_message");
    assert!(lines[1].starts_with("2,2026-11-20 10:00,in,'=600111222,bad_phone,"), "{}", lines[1]);
}

#[test]
fn the_same_file_gives_the_same_calls_and_other_flags_another_import() {
    let file = "order_id,date,total\n1,2026-11-20,5.00\n";
    let plan = |name, flags: &[&str]| {
        let text = String::from_utf8(run(name, file.as_bytes(), flags).0.stdout).unwrap();
        serde_json::from_str::<Value>(text.split("\n\n").next().unwrap()).unwrap()["plan"].clone()
    };
    let (one, same) = (plan("one.csv", &ORDERS), plan("same.csv", &ORDERS));
    assert_eq!(one, same);
    assert_eq!(one["rows"], 1);
    assert_ne!(one, plan("other.csv", &[&ORDERS[..], &["--decimal", "point"]].concat()));
}
