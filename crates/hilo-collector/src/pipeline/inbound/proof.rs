//! The proof of a call where a public key has to tell: the vendor's own, or that of a certificate that the call names.
//!
//! Evidence → genuine, a test, or a refusal. A certificate is fetched once a day and isolate, from the vendor's hosts alone.

use std::cell::RefCell;

use hilo_core::config::Webhook;
use hilo_core::identity::public_key::PublicKey;
use hilo_core::outcome::{Code, Rejection};
use jiff::{SignedDuration, Timestamp};

use crate::call::{Call, Trouble};
use crate::forward::destinations::target;
use crate::ingest::hooks::{self, Evidence, Post, Question, Signer, certificate};
use crate::platform::{Failure, Headers, Outgoing, Platform};

/// The certificates that an isolate remembers.
const CERTIFICATES_MAX: usize = 16;
/// How long it remembers one.
const CERTIFICATE_TIME: SignedDuration = SignedDuration::from_hours(24);

thread_local! {
    static CERTIFICATES: RefCell<Vec<Fetched>> = const { RefCell::new(Vec::new()) };
}

/// A certificate's key.
#[derive(Clone)]
struct Fetched {
    url: String,
    at: Timestamp,
    key: PublicKey,
}

/// A call that may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The vendor made it.
    Genuine,
    /// The vendor tries the webhook out.
    Test,
}

/// Judges the proof of a call.
///
/// # Errors
/// `bad_signature`. A failure where a certificate cannot be had: the vendor calls again.
pub(super) async fn of<P: Platform>(
    webhook: &Webhook,
    secrets: &[String],
    post: &Post<'_>,
    call: &Call<'_, P>,
) -> Result<Shown, Trouble> {
    match hooks::judge(webhook, secrets, post) {
        Evidence::Genuine => return Ok(Shown::Genuine),
        Evidence::Test => return Ok(Shown::Test),
        Evidence::Forged => {}
        Evidence::Asks(questions) => {
            for question in &questions {
                if holds(question, call.platform).await? {
                    return Ok(Shown::Genuine);
                }
            }
        }
    }
    let message =
        "the call does not show what the source's secret or its vendor's key makes of this body";
    Err(Rejection::new(Code::BadSignature, message).into())
}

async fn holds<P: Platform>(question: &Question, platform: &P) -> Result<bool, Failure> {
    let key = match &question.signer {
        Signer::Key(text) => certificate::ec_key(text),
        Signer::Certificate(url) => certified(url, platform).await?,
    };
    let Some(key) = key else { return Ok(false) };
    platform.verify(&key, &question.signature, &question.message).await
}

/// The key of the certificate at this address; `None` where there is another answer than a certificate.
async fn certified<P: Platform>(url: &str, platform: &P) -> Result<Option<PublicKey>, Failure> {
    let now = platform.now();
    let known = CERTIFICATES.with_borrow(|known| {
        let is_fresh =
            |one: &&Fetched| one.url == url && now.duration_since(one.at) < CERTIFICATE_TIME;
        known.iter().find(is_fresh).map(|one| one.key.clone())
    });
    if known.is_some() {
        return Ok(known);
    }
    if target::check(url, false).is_err() {
        return Ok(None);
    }
    let (method, body) = ("GET".to_owned(), String::new());
    let request = Outgoing { method, url: url.to_owned(), headers: Headers::default(), body };
    let response = platform.send(&request).await?;
    if response.status >= 500 {
        return Err(Failure::Retriable("the vendor's certificate cannot be had now".to_owned()));
    }
    let key = certificate::rsa_key(&response.body).filter(|_| response.status == 200);
    if let Some(key) = &key {
        CERTIFICATES.with_borrow_mut(|known| {
            known.retain(|one| one.url != url);
            if known.len() >= CERTIFICATES_MAX {
                known.remove(0);
            }
            known.push(Fetched { url: url.to_owned(), at: now, key: key.clone() });
        });
    }
    Ok(key)
}
