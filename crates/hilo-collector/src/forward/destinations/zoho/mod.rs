//! Zoho CRM: people as leads or contacts, touchpoints and orders as rows of their own modules (REST API v8).
//!
//! Events → upserts of up to 100 records. Zoho finds a record by the fields of `duplicate_check_fields`, so a repeat changes nothing.
//! A person is known by the e-mail address alone. It does not convert leads, and it cannot delete: Zoho deletes by its own record ids.

mod answer;
mod records;
mod settings;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use records::Door;
use settings::Settings;

use super::crm;
use crate::forward::destination::{
    Batch, ClientAuth, Destination, Flow, Kind, Limits, MappedRequest, Mapping, MissingSecret,
    OAuth, OptIns, Reception,
};
use crate::platform::Response;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "zoho",
    title: "Zoho CRM",
    is_silent: false,
    optins: OptIns::Kept,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // A call takes 100 records.
        events: 100,
        bytes: 1_000_000,
        age_s_max: None,
        // An order that comes after its refund would take the refund back.
        is_ordered: true,
        mixes_people: true,
        wants_person: true,
        pace: None,
    },
};

/// A data center: an account lives in one, and the others do not know it.
struct DataCenter {
    name: &'static str,
    /// The host that gives tokens.
    accounts: &'static str,
    /// The ending of the hosts that take calls.
    hosts: &'static [&'static str],
}

const DATA_CENTERS: [DataCenter; 10] = [
    DataCenter { name: "com", accounts: "accounts.zoho.com", hosts: &[".zohoapis.com"] },
    DataCenter { name: "eu", accounts: "accounts.zoho.eu", hosts: &[".zohoapis.eu"] },
    DataCenter { name: "in", accounts: "accounts.zoho.in", hosts: &[".zohoapis.in"] },
    DataCenter { name: "au", accounts: "accounts.zoho.com.au", hosts: &[".zohoapis.com.au"] },
    DataCenter { name: "jp", accounts: "accounts.zoho.jp", hosts: &[".zohoapis.jp"] },
    DataCenter { name: "cn", accounts: "accounts.zoho.com.cn", hosts: &[".zohoapis.com.cn"] },
    DataCenter { name: "ca", accounts: "accounts.zohocloud.ca", hosts: &[".zohoapis.ca"] },
    DataCenter { name: "sa", accounts: "accounts.zoho.sa", hosts: &[".zohoapis.sa"] },
    DataCenter { name: "uk", accounts: "accounts.zoho.uk", hosts: &[".zohoapis.uk"] },
    DataCenter { name: "ae", accounts: "accounts.zoho.ae", hosts: &[".zohoapis.ae"] },
];

/// A configured account.
struct Zoho {
    settings: Settings,
    center: &'static DataCenter,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Settings = entry.read_settings()?;
    let wrong = |field: &str, why: String| entry.problem(field, ProblemCode::BadValue, why);
    let center = DATA_CENTERS.iter().find(|center| center.name == settings.data_center);
    let center = center.ok_or_else(|| {
        let names: Vec<_> = DATA_CENTERS.iter().map(|center| center.name).collect();
        wrong("data_center", format!("there are {}", names.join(", ")))
    })?;
    for (field, name) in names(&settings) {
        if !crm::is_field(name) {
            let why = "write a name as Zoho's API has it: letters, digits and _".to_owned();
            return Err(wrong(field, why));
        }
    }
    if settings.order.as_ref().is_some_and(|one| !crm::is_currency(&one.currency)) {
        return Err(wrong("order.currency", crm::CURRENCY_REMEDY.to_owned()));
    }
    Ok(Box::new(Zoho { settings, center }))
}

/// Every setting that becomes a part of a path or a name in a record.
fn names(settings: &Settings) -> Vec<(&'static str, &str)> {
    let mut names = Vec::new();
    if let Some(one) = &settings.touchpoint {
        names.push(("touchpoint.module", one.module.as_str()));
        names.push(("touchpoint.event_id", &one.event_id));
        names.extend(one.email.iter().map(|name| ("touchpoint.email", name.as_str())));
    }
    if let Some(one) = &settings.order {
        names.push(("order.module", &one.module));
        names.push(("order.order_number", &one.order_number));
    }
    names
}

impl Destination for Zoho {
    fn wants(&self, event: &Event) -> bool {
        let Settings { touchpoint, order, .. } = &self.settings;
        crm::tells_of_person(event)
            || touchpoint.as_ref().is_some_and(|one| crm::is_touchpoint(event, one.pages))
            || order.as_ref().is_some_and(|one| one.stage_of(event).is_some())
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let secret = || MissingSecret(self.settings.client_secret.secret.clone());
        let token = batch.access.token.ok_or_else(secret)?;
        let usual = || format!("www{}", self.center.hosts.concat());
        let host = token.host.clone().unwrap_or_else(usual);
        let door = Door {
            base: format!("https://{host}/crm/v8"),
            headers: [("authorization", format!("Zoho-oauthtoken {}", token.access))],
        };
        Ok(records::map(&self.settings, &door, batch))
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        answer::read(request, response)
    }

    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        answer::found(request, response)
    }

    fn oauth(&self) -> Option<OAuth> {
        let Settings { client_id, client_secret, refresh_token, .. } = &self.settings;
        let asked = "auth?scope=ZohoCRM.modules.ALL&access_type=offline&prompt=consent";
        let at = |path: &str| format!("https://{}/oauth/v2/{path}", self.center.accounts);
        Some(OAuth {
            token_url: at("token"),
            authorize_url: Some(at(asked)),
            flow: Flow::Refresh {
                id: client_id.clone(),
                secret: client_secret.clone(),
                first: refresh_token.clone(),
                rotates: false,
            },
            client: ClientAuth::Body,
            host_member: Some("api_domain"),
            hosts: self.center.hosts,
            life_s: 3_600,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn a_wrong_setting_is_named() {
        let login = "client_id = { secret = 'ID' }\nclient_secret = { secret = 'S' }\n";
        for (settings, words) in [
            ("data_center = 'de'", "destination.data_center: there are com, eu, in"),
            (
                "data_center = 'eu'\norder = { currency = 'EUR', module = 'Deals/../Leads' }",
                "destination.order.module: write a name",
            ),
            (
                "data_center = 'eu'\norder.stage = 'Won'",
                "destination.order.currency: write the currency",
            ),
            (
                "data_center = 'eu'\norder.currency = 'euro'",
                "destination.order.currency: write the currency",
            ),
            ("data_center = 'eu'\nperson.module = 'Accounts'", "this word is not known here"),
        ] {
            let problem = problem("zoho", &format!("{login}{settings}"));
            assert!(problem.contains(words), "{problem}");
        }
        assert_eq!(problem("zoho", &format!("{login}data_center = 'au'")), "");
    }

    #[test]
    fn each_data_center_has_hosts_of_its_own() {
        for center in &DATA_CENTERS {
            assert!(
                center.hosts.iter().all(|host| host.starts_with(".zohoapis.")),
                "{}",
                center.name
            );
            let same = DATA_CENTERS.iter().filter(|other| other.accounts == center.accounts);
            assert_eq!(same.count(), 1, "{}", center.name);
        }
    }
}
