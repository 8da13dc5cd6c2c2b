//! The shell's part of the object that keeps a destination's tokens: calls in, one token request at a time.
//!
//! Both shells run this code. `store/tokens` keeps and decides, and `pipeline` makes the requests. What a function of `store/tokens`
//! writes is durable before anything leaves the object: workerd's output gate holds requests and answers until then.

use std::rc::Rc;

use super::turns::Turns;
use crate::calls::tokens::{
    CodeAnswer, ConnectAnswer, Failed, NoToken, Refusal, TokenAnswer, TokensCall, TokensStanding,
};
use crate::calls::{decode, encode};
use crate::pipeline::tokens::{self as vendor, Beginning, Vendor};
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::store::tokens::{self, Turn, Volatile};

/// The most token requests for one caller: a token that ends at once must not keep it here.
const ROUNDS_MAX: usize = 3;

/// An object with a destination's tokens, as its shell provides it.
pub trait TokensHost {
    /// The object's storage.
    type Sql: Sql;

    /// Runs `work` on the storage, with the value that the object keeps in memory.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile) -> T) -> T;

    /// Returns the turns of the object.
    fn turns(&self) -> Rc<Turns>;
}

/// Answers a call of the object of the destination called `name`.
///
/// # Errors
/// The error of the object or of its storage.
pub async fn answer<H: TokensHost, P: Platform>(
    host: &H,
    name: &str,
    call: &str,
    platform: &P,
) -> Result<String, Failure> {
    let call = decode(call)?;
    let vendor = vendor::vendor(name, platform).await;
    let vendor = match vendor {
        Ok(vendor) => Ok(Desk { host, vendor, platform }),
        Err(why) => Err(why),
    };
    match (call, vendor) {
        (TokensCall::Token { stale }, Ok(desk)) => encode(&desk.token(stale.as_deref()).await?),
        (TokensCall::Token { .. }, Err(why)) => {
            let reason = format!("waits: {why}");
            encode(&TokenAnswer::No(NoToken { after_s: 0, reason }))
        }
        (TokensCall::Connect { redirect_uri }, Ok(desk)) => encode(&desk.connect(redirect_uri)?),
        (TokensCall::Connect { .. }, Err(why)) => encode(&ConnectAnswer::Refused(why)),
        (TokensCall::Code { nonce, code }, Ok(desk)) => encode(&desk.code(&nonce, code).await?),
        (TokensCall::Code { .. }, Err(why)) => encode(&CodeAnswer::Refused(why)),
        (TokensCall::Standing, Ok(desk)) => encode(&desk.with(tokens::standing)?),
        (TokensCall::Standing, Err(why)) => encode(&unknown(why, platform)),
    }
}

/// The standing of a destination whose client is not known: a secret is not set, or `hilo.toml` has changed.
fn unknown<P: Platform>(why: String, platform: &P) -> TokensStanding {
    let at_ms = platform.now().as_millisecond();
    let failed = Some(Failed { at_ms, reason: why });
    TokensStanding { failed, must_mend: true, ..TokensStanding::default() }
}

/// An object at one call.
struct Desk<'d, H, P> {
    host: &'d H,
    vendor: Vendor,
    platform: &'d P,
}

impl<H: TokensHost, P: Platform> Desk<'_, H, P> {
    /// Runs `work` in a turn of the storage.
    fn with<T>(&self, work: impl FnOnce(&H::Sql, &mut Volatile, &Turn<'_>) -> T) -> T {
        let turn =
            Turn { terms: &self.vendor.terms, key: &self.vendor.key, now: self.platform.now() };
        self.host.with(|sql, volatile| work(sql, volatile, &turn))
    }

    /// Answers the token in use, or gets one first. Callers who come meanwhile wait for it.
    async fn token(&self, stale: Option<&str>) -> Result<TokenAnswer, Failure> {
        let turns = self.host.turns();
        let mut rounds = 0;
        loop {
            if let Some(answer) =
                self.with(|sql, room, turn| tokens::answer(sql, room, turn, stale))?
            {
                return Ok(answer);
            }
            let Some(_turn) = turns.take().await else { continue };
            if rounds == ROUNDS_MAX {
                let reason = "waits: the service's tokens end at once".to_owned();
                return Ok(TokenAnswer::No(NoToken { after_s: 1, reason }));
            }
            rounds += 1;
            let Some(shown) = self.with(tokens::begin)? else { continue };
            let result = self.vendor.ask(&shown, self.platform).await;
            if let Err(refusal) = &result {
                self.log(refusal);
            }
            self.with(|sql, room, turn| tokens::end(sql, room, turn, stale, (&shown, result)))?;
        }
    }

    /// Begins to connect.
    fn connect(&self, redirect_uri: String) -> Result<ConnectAnswer, Failure> {
        let Beginning { nonce, verifier, authorize_url } =
            match vendor::begin(&self.vendor, &redirect_uri, self.platform) {
                Ok(beginning) => beginning,
                Err(why) => return Ok(ConnectAnswer::Refused(why)),
            };
        let secrets = (nonce, verifier);
        let until_ms =
            self.with(|sql, room, turn| tokens::connect(sql, room, turn, secrets, redirect_uri))?;
        Ok(ConnectAnswer::Open { authorize_url, until_ms })
    }

    /// Exchanges a code. A refresh that is under way ends first, so that its result cannot replace the new grant.
    async fn code(&self, nonce: &str, code: String) -> Result<CodeAnswer, Failure> {
        let turns = self.host.turns();
        let _turn = loop {
            if let Some(turn) = turns.take().await {
                break turn;
            }
        };
        let taken = self.with(|sql, room, turn| tokens::take_code(sql, room, turn, nonce, code))?;
        let Some(shown) = taken else { return Ok(CodeAnswer::Over) };
        let granted = match self.vendor.ask(&shown, self.platform).await {
            Ok(granted) => granted,
            Err(refusal) => {
                self.log(&refusal);
                return Ok(CodeAnswer::Refused(reason_of(&refusal).to_owned()));
            }
        };
        let ended =
            self.with(|sql, room, turn| tokens::end_connect(sql, room, turn, (&shown, granted)))?;
        Ok(ended.map_or_else(CodeAnswer::Refused, |()| CodeAnswer::Connected))
    }

    fn log(&self, refusal: &Refusal) {
        let details =
            [("destination", self.vendor.terms.name.as_str()), ("why", reason_of(refusal))];
        self.platform.log(&log_line("warn", "no token", &details));
    }
}

fn reason_of(refusal: &Refusal) -> &str {
    match refusal {
        Refusal::Later { reason, .. }
        | Refusal::Unclear(reason)
        | Refusal::Lost(reason)
        | Refusal::Wrong(reason) => reason,
    }
}
