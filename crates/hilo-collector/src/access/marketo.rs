//! Marketo's instances: their ids, hosts and tokens, and what the codes of a whole answer mean
//! (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes>).

use super::{ClientAuth, Flow, OAuth, Refused, SecretName};

/// Why a Munchkin id is refused, for people.
pub const WRONG_ID: &str = "a Munchkin id is called like 123-ABC-456: Admin, Integration, Munchkin";
/// The seconds to wait after too many calls in 20 s.
const RATE_S: u32 = 20;
/// The seconds to wait where the calls of a day are used up. The day ends at midnight in Chicago.
const DAILY_S: u32 = 3_600;

/// Whether a text is a Munchkin id: three digits, three letters, three digits. It becomes a part of the host.
pub fn is_munchkin_id(id: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        3 | 7 => byte == b'-',
        4..=6 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    };
    id.len() == 11 && id.bytes().enumerate().all(is_right)
}

/// The host of the instance with this id.
pub fn host(munchkin_id: &str) -> String {
    format!("{}.mktorest.com", munchkin_id.to_ascii_lowercase())
}

/// How a custom service of the instance gets tokens.
pub fn oauth(munchkin_id: &str, id: &SecretName, secret: &SecretName) -> OAuth {
    OAuth {
        token_url: format!("https://{}/identity/oauth/token", host(munchkin_id)),
        authorize_url: None,
        flow: Flow::Client { id: id.clone(), secret: secret.clone() },
        client: ClientAuth::Query,
        host_member: None,
        hosts: &[],
        life_s: 3_600,
    }
}

/// What a code of a whole answer means.
pub fn refused(code: &str) -> Refused {
    match code {
        // 603 is a permission, or the list of addresses that may call: the deployer can mend both.
        "601" | "602" | "603" => Refused::Door,
        "606" | "615" => Refused::Later(Some(RATE_S)),
        "607" => Refused::Later(Some(DAILY_S)),
        "500" | "502" | "604" | "608" | "611" | "614" | "713" | "719" => Refused::Later(None),
        _ => Refused::Other,
    }
}
