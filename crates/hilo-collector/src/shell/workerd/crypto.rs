//! Verifies signatures of public keys and signs with private ones by the runtime's own WebCrypto, which is constant in time and adds
//! nothing to the script. Key and signature → yes or no; key and message → signature. An isolate imports each public key once.

use std::cell::RefCell;

use hilo_core::identity::public_key::{PublicKey, Scheme};
use wasm_bindgen::JsValue;
use worker::js_sys::{Object, Reflect};

use super::bindings;
use crate::platform::Failure;

/// The most imported keys that an isolate keeps: more than any configuration uses at a time.
const IMPORTED_MAX: usize = 32;

thread_local! {
    static IMPORTED: RefCell<Vec<(PublicKey, JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// Whether the holder of `key` made `signature` over `message`.
pub(super) async fn verify(
    key: &PublicKey,
    signature: &[u8],
    message: &[u8],
) -> Result<bool, Failure> {
    let unusable = |error: JsValue| {
        let text = String::from(worker::js_sys::Error::from(error).message());
        Failure::Fatal(format!("a public key cannot be used: {text}"))
    };
    let algorithm = algorithm(key.scheme).map_err(unusable)?;
    let imported = import(key, &algorithm).await.map_err(unusable)?;
    // workerd throws for an Ed25519 signature of a wrong length. Such a signature counts as false.
    Ok(bindings::verify(&imported, &algorithm, signature, message).await.unwrap_or(false))
}

/// Signs `message` with a private key of RSA. It is imported each time, because a token lasts for an hour.
pub(super) async fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, Failure> {
    let signed = async { bindings::sign(pkcs8, &algorithm(Scheme::Rs256)?, message).await };
    let signed: Result<_, JsValue> = signed.await;
    // The runtime's own words may quote the key.
    signed.map_err(|_| {
        Failure::Fatal("the private key cannot sign: it must be RSA, PKCS#8".to_owned())
    })
}

async fn import(key: &PublicKey, algorithm: &Object) -> Result<JsValue, JsValue> {
    let known = IMPORTED.with_borrow(|keys| {
        keys.iter().find(|(known, _)| known == key).map(|(_, imported)| imported.clone())
    });
    if let Some(imported) = known {
        return Ok(imported);
    }
    let imported = bindings::import_public_key(&key.spki, algorithm).await?;
    IMPORTED.with_borrow_mut(|keys| {
        // Some of the keys belong to configurations that are gone. The few in use are imported again.
        if keys.len() >= IMPORTED_MAX {
            keys.clear();
        }
        keys.push((key.clone(), imported.clone()));
    });
    Ok(imported)
}

/// Makes one description for both importing and verifying. WebCrypto ignores the fields that it does not need.
fn algorithm(scheme: Scheme) -> Result<Object, JsValue> {
    let (name, curve) = match scheme {
        Scheme::EdDsa => ("Ed25519", None),
        Scheme::Es256 => ("ECDSA", Some("P-256")),
        Scheme::Rs256 => ("RSASSA-PKCS1-v1_5", None),
    };
    let algorithm = Object::new();
    for (field, value) in [("name", Some(name)), ("hash", Some("SHA-256")), ("namedCurve", curve)] {
        if let Some(value) = value {
            Reflect::set(&algorithm, &JsValue::from_str(field), &JsValue::from_str(value))?;
        }
    }
    Ok(algorithm)
}
