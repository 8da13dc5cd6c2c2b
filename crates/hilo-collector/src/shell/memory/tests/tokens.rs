//! Access tokens over hours of an injected clock, against a strict service: it takes each rotating refresh token once, and ends the
//! grant of whoever shows one again.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::*;
use crate::calls::tokens::{NoToken, Token, TokensCall, TokensStanding, ask_token, ask_tokens};
use crate::platform::{Response, Sql as _};

mod connect;
mod crashes;
mod deliveries;

const TOKENS_URL: &str = "https://id.vault.example/token";

/// What becomes of a token request on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Well,
    /// Nobody knows whether the request reached the service. It did not.
    Lost,
    /// The request surely does not reach the service.
    Unreached,
    /// The service grants a token, and its answer is lost.
    Unanswered,
    /// The service is down.
    Down,
}

/// The service.
#[derive(Default)]
struct Service {
    way: Way,
    rotates: bool,
    /// The refresh token that is good.
    good: Option<String>,
    used: BTreeSet<String>,
    is_revoked: bool,
    /// The access tokens that are good.
    live: BTreeSet<String>,
    granted: u32,
    /// The tokens of events and deletions that it took.
    taken: Vec<(String, String)>,
}

impl Service {
    fn answer(&mut self, request: &Outgoing) -> Option<Result<Response, Failure>> {
        let of = |status: u16| Response { status, body: "{}".to_owned(), ..Response::default() };
        if request.url != TOKENS_URL {
            let path = request.url.strip_prefix("https://vault.example/")?;
            let token = request.headers.get("authorization")?.strip_prefix("Bearer ")?;
            if !self.live.contains(token) {
                return Some(Ok(of(401)));
            }
            self.taken.push((path.to_owned(), request.body.clone()));
            return Some(Ok(of(200)));
        }
        let broken = || Failure::Retriable("the connection broke".to_owned());
        Some(match self.way {
            Way::Well => Ok(self.grant(&request.body)),
            Way::Down => Ok(of(503)),
            Way::Lost => Err(broken()),
            Way::Unreached => Err(Failure::Unreached("no connection".to_owned())),
            Way::Unanswered => {
                self.grant(&request.body);
                Err(broken())
            }
        })
    }

    fn grant(&mut self, form: &str) -> Response {
        let value = |name: &str| {
            let pairs = url::form_urlencoded::parse(form.as_bytes());
            pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let refuse = |error: &str| Response {
            status: 400,
            body: json!({ "error": error }).to_string(),
            ..Response::default()
        };
        match value("grant_type").as_deref() {
            Some("client_credentials") => {}
            Some("authorization_code") => {
                let is_good =
                    value("code").as_deref() == Some("good") && value("code_verifier").is_some();
                if !is_good {
                    return refuse("invalid_grant");
                }
                self.is_revoked = false;
                self.good = None;
            }
            Some("refresh_token") => {
                let shown = value("refresh_token").unwrap_or_default();
                self.is_revoked |= self.used.contains(&shown);
                if self.is_revoked || self.good.as_ref() != Some(&shown) {
                    self.is_revoked = true;
                    return refuse("invalid_grant");
                }
            }
            _ => return refuse("unsupported_grant_type"),
        }
        self.granted += 1;
        let access = format!("access-{}", self.granted);
        self.live.insert(access.clone());
        let mut answer =
            json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600});
        if value("grant_type").as_deref() != Some("client_credentials")
            && (self.rotates || self.good.is_none())
        {
            let next = format!("refresh-{}", self.granted);
            self.used.extend(self.good.replace(next.clone()));
            answer["refresh_token"] = next.into();
        }
        Response { status: 200, body: answer.to_string(), ..Response::default() }
    }
}

type Shared = Rc<RefCell<Service>>;

/// A deployment with the destination `vault`, with these settings.
fn deployment(settings: &str) -> (Memory, Shared) {
    let memory = memory();
    let vault = format!(
        "[[destination]]\nname = \"vault\"\ntype = \"vault\"\npurposes = [\"analytics\"]\n{settings}\n"
    );
    memory.configure(&format!("{}\n{vault}", include_str!("../../../../hilo.toml")));
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    memory.set_secret("VAULT_ID", "client-1");
    memory.set_secret("VAULT_SECRET", "s3cret");
    memory.set_secret("VAULT_FIRST", "refresh-0");
    let good = Some("refresh-0".to_owned());
    let rotates = settings.contains("rotates = true");
    let service = Rc::new(RefCell::new(Service { good, rotates, ..Service::default() }));
    let shared = Rc::clone(&service);
    memory.set_vendor(move |request| shared.borrow_mut().answer(request));
    (memory, service)
}

const CLIENT: &str = "";
const STAYS: &str = "rotates = false\nfirst = { secret = \"VAULT_FIRST\" }";
const ROTATES: &str = "rotates = true\nfirst = { secret = \"VAULT_FIRST\" }";
const ASKS_A_PERSON: &str = "rotates = true";

fn token(memory: &Memory, stale: Option<&Token>) -> Result<Token, NoToken> {
    run(ask_token(memory, "vault", stale)).unwrap()
}

fn access(memory: &Memory) -> String {
    token(memory, None).map_or_else(|why| why.reason, |token| token.access)
}

fn standing(memory: &Memory) -> TokensStanding {
    run(ask_tokens(memory, "vault", &TokensCall::Standing)).unwrap().unwrap()
}

/// The number of token requests.
fn requests(memory: &Memory) -> usize {
    memory.sent().iter().filter(|sent| sent.url == TOKENS_URL).count()
}

fn minutes(memory: &Memory, minutes: i64) {
    memory.advance(SignedDuration::from_mins(minutes));
}

#[test]
fn fifty_callers_at_once_make_one_request() {
    for settings in [CLIENT, STAYS, ROTATES] {
        let (memory, _) = deployment(settings);
        memory.slow_down(7);
        for expected in ["access-1", "access-2"] {
            let callers = (0..50).map(|_| ask_token(&memory, "vault", None));
            let tokens = run(join_all(callers)).unwrap();
            assert!(tokens.iter().all(|token| token.as_ref().unwrap().access == expected));
            minutes(&memory, 48);
        }
        assert_eq!(requests(&memory), 2, "{settings}");
    }
}

#[test]
fn a_token_is_renewed_after_four_fifths_of_its_life() {
    let (memory, service) = deployment(ROTATES);
    assert_eq!(access(&memory), "access-1");
    memory.advance(SignedDuration::from_secs(2_879));
    assert_eq!(access(&memory), "access-1");
    memory.advance(SignedDuration::from_secs(1));
    assert_eq!(access(&memory), "access-2");
    assert_eq!(standing(&memory).since_ms, Some(1_795_514_400_000));
    // Thirty refreshes show thirty refresh tokens.
    for refreshed in 3..33 {
        minutes(&memory, 48);
        assert_eq!(access(&memory), format!("access-{refreshed}"));
    }
    assert!(!service.borrow().is_revoked);
}

#[test]
fn a_token_that_cannot_be_renewed_is_good_until_its_end_and_the_service_is_not_hammered() {
    let (memory, service) = deployment(STAYS);
    assert_eq!(access(&memory), "access-1");
    minutes(&memory, 48);
    service.borrow_mut().way = Way::Down;
    for _ in 0..20 {
        assert_eq!(access(&memory), "access-1");
    }
    assert_eq!(requests(&memory), 2);
    minutes(&memory, 12);
    for _ in 0..20 {
        let why = token(&memory, None).unwrap_err();
        assert!((1..=11).contains(&why.after_s) && why.reason.contains("503"), "{why:?}");
    }
    assert_eq!(requests(&memory), 3);
    // Each failure doubles the wait, up to five minutes.
    for _ in 0..60 {
        minutes(&memory, 1);
        token(&memory, None).unwrap_err();
    }
    assert!((15..25).contains(&requests(&memory)), "{}", requests(&memory));
    service.borrow_mut().way = Way::Well;
    minutes(&memory, 5);
    assert_eq!(access(&memory), "access-2");
    assert_eq!(standing(&memory).failed, None);
}

#[test]
fn a_refused_token_is_renewed_once_whoever_says_so() {
    let (memory, _) = deployment(CLIENT);
    let first = token(&memory, None).unwrap();
    memory.slow_down(3);
    let callers = (0..50).map(|_| ask_token(&memory, "vault", Some(&first)));
    let tokens = run(join_all(callers)).unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap().access == "access-2"));
    assert_eq!(requests(&memory), 2);
}

#[test]
fn a_service_that_gives_the_refused_token_again_is_asked_once() {
    let (memory, service) = deployment(CLIENT);
    let first = token(&memory, None).unwrap();
    for _ in 0..3 {
        service.borrow_mut().granted = 0;
        assert_eq!(token(&memory, Some(&first)).unwrap(), first);
    }
    assert_eq!(requests(&memory), 2);
}

#[test]
fn neither_storage_nor_log_nor_admin_answer_shows_a_token_or_a_secret() {
    let (memory, service) = deployment(STAYS);
    access(&memory);
    service.borrow_mut().is_revoked = true;
    minutes(&memory, 70);
    assert!(access(&memory).contains("reconnect: "));
    let stored = Rc::clone(&memory.0.tokens.borrow()["vault"]);
    let rows = stored.sql.exec("SELECT sealed FROM kept", &[]).unwrap();
    let row = String::from_utf8_lossy(rows[0].bytes("sealed").unwrap()).into_owned();
    let admin = |path| {
        let incoming = request("GET", path, &Value::Null, &[("authorization", "Bearer token")]);
        json(&memory.serve(incoming).unwrap()).to_string()
    };
    let shown = [row, memory.lines().join("\n"), admin("/admin/v1/destinations"), admin("/health")];
    for secret in ["access-1", "refresh-0", "s3cret"] {
        assert!(shown.iter().all(|text| !text.contains(secret)), "{secret}: {shown:?}");
    }
}

#[test]
fn another_client_or_refresh_token_in_the_secrets_counts_at_once() {
    let (memory, service) = deployment(STAYS);
    service.borrow_mut().is_revoked = true;
    assert!(access(&memory).contains("cargo xtask connect vault"));
    service.borrow_mut().is_revoked = false;
    service.borrow_mut().good = Some("refresh-new".to_owned());
    memory.set_secret("VAULT_FIRST", "refresh-new");
    assert_eq!(access(&memory), "access-1");
    memory.set_secret("VAULT_ID", "client-2");
    assert_eq!(access(&memory), "access-2", "another client's token is not used");
    memory.set_secret("VAULT_SECRET", "");
    assert!(access(&memory).contains("the secret VAULT_SECRET is not set"));
    memory.set_secret("VAULT_SECRET", "s3cret");
    assert_eq!(access(&memory), "access-2");
}

/// Sets a wrong secret for a moment, and asks for tokens before, under it and after. The service sees no wrong refresh token.
fn check_a_wrong_secret(name: &str, right: &str, remedy: &str) {
    let (memory, service) = deployment(ROTATES);
    assert_eq!(access(&memory), "access-1");
    memory.set_secret(name, "a wrong secret, which is as long as a real one");
    minutes(&memory, 70);
    for _ in 0..3 {
        assert!(access(&memory).contains(remedy), "{}", access(&memory));
    }
    let standing = standing(&memory);
    assert!(standing.must_mend && !standing.is_connected);
    let incoming = request("GET", "/health", &Value::Null, &[]);
    let health = json(&memory.serve(incoming).unwrap()).to_string();
    assert!(health.contains("destination_disconnected"), "{health}");
    assert_eq!(requests(&memory), 1);
    memory.set_secret(name, right);
    assert_eq!(access(&memory), "access-2");
    minutes(&memory, 70);
    assert_eq!(access(&memory), "access-3");
    assert!(!service.borrow().is_revoked);
}

#[test]
fn a_wrong_client_for_a_moment_costs_no_grant_and_shows_no_used_refresh_token() {
    check_a_wrong_secret("VAULT_ID", "client-1", "set its earlier client or refresh token again");
}

#[test]
fn a_wrong_hilo_secret_for_a_moment_costs_no_grant_and_shows_no_used_refresh_token() {
    let right = memory().secret("HILO_SECRET").unwrap();
    check_a_wrong_secret("HILO_SECRET", &right, "set the earlier HILO_SECRET again");
}

#[test]
fn a_wrong_refresh_token_for_a_moment_costs_no_grant() {
    let (memory, service) = deployment(ROTATES);
    assert_eq!(access(&memory), "access-1");
    memory.set_secret("VAULT_FIRST", "refresh-of-nobody");
    assert!(access(&memory).contains("reconnect: "));
    // A service that does not know the token leaves the grant alone.
    service.borrow_mut().is_revoked = false;
    memory.set_secret("VAULT_FIRST", "refresh-0");
    assert_eq!(access(&memory), "access-1");
    minutes(&memory, 70);
    assert_eq!(access(&memory), "access-2");
}
