//! A request to a deployment in memory, and what its answer says.
//!
//! Method, path, body and header fields → [`Incoming`]; [`Reply`] → JSON. Nothing here decides.

use serde_json::Value;

use super::{Memory, run};
use crate::pipeline;
use crate::platform::{Body, Failure, Incoming, Reply, Upload};

/// The host of a deployment in memory, with its port.
const HOST: &str = "127.0.0.1:8787";
/// The origin of the example shop on this host. The built-in configuration lists it.
pub const SHOP: &str = "http://127.0.0.1:8787";

/// Makes a request with these header fields. A body of `Value::Null` is no body.
pub fn request(method: &str, path: &str, body: &Value, fields: &[(&str, &str)]) -> Incoming {
    let body =
        if body.is_null() { Upload::Absent } else { Upload::Bytes(body.to_string().into_bytes()) };
    let mut incoming = Incoming {
        method: method.to_owned(),
        scheme: "http".to_owned(),
        host: HOST.to_owned(),
        path: path.to_owned(),
        body,
        ..Incoming::default()
    };
    fields.iter().for_each(|(name, value)| incoming.headers.push(name, *value));
    incoming
}

/// The id of the event that a webhook got.
#[cfg(test)]
pub(crate) fn delivered_id(sent: &crate::platform::Outgoing) -> String {
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    body["data"]["messageId"].as_str().unwrap().to_owned()
}

/// Reads the body of an answer; null where it is not JSON.
pub fn json(reply: &Reply) -> Value {
    match &reply.body {
        Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        Body::Empty | Body::Bytes(_) | Body::Live { .. } | Body::Socket { .. } => Value::Null,
    }
}

impl Memory {
    /// Answers a request.
    ///
    /// # Errors
    /// `Fatal` if the answer waits for something outside.
    pub fn serve(&self, incoming: Incoming) -> Result<Reply, Failure> {
        run(pipeline::serve(incoming, self))
    }
}
