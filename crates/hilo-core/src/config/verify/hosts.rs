//! The vendor's hosts, to which an address that a call brings may lead: `hosts = ["*.vendor.example"]`.

use crate::config::ProblemCode;
use crate::config::reader::{Reader, Section};

/// The hosts of an address that a call may name. A `*` stands for one label, and never for the part that somebody registers.
pub(super) fn read(reader: &Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let hosts = reader.texts(section, "hosts");
    let is_host = |host: &String| {
        let labels: Vec<&str> = host.split('.').collect();
        let (_, registered) = labels.split_at(labels.len().saturating_sub(2));
        let is_plain = |label: &&str| {
            *label == "*"
                || !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        labels.iter().all(is_plain) && registered.len() == 2 && !registered.contains(&"*")
    };
    if let Some(value) = section.value("hosts").filter(|_| !hosts.iter().all(is_host)) {
        let message = "write host names in lower case, such as \"*.vendor.example\": a `*` stands for one label";
        reader.report(value.span(), &section.path_of("hosts"), ProblemCode::BadValue, message);
    }
    if hosts.is_empty() {
        let message = "name the vendor's hosts: an address that a call brings leads nowhere else";
        reader.report_missing(section, "hosts", message);
    }
    hosts
}
