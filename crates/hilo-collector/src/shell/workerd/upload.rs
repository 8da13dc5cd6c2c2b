//! Reads bodies up to a size limit, of requests and of destinations' answers. A stream → bytes, and the way the stream
//! ended.

use futures_util::StreamExt;
use worker::js_sys::Uint8Array;
use worker::js_sys::futures::JsFuture;
use worker::{Request, Result, web_sys};

use crate::platform::Upload;

/// Reads a body of at most so many bytes.
///
/// If the request has a length, the runtime enforces the length, and one read returns the whole body. A body without a
/// length is counted piece by piece, which costs a fifth of the whole request.
pub(super) async fn upload(
    request: web_sys::Request,
    content_length: Option<&str>,
    bytes_max: usize,
) -> Upload {
    let length = content_length.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > bytes_max) {
        return Upload::TooLarge;
    }
    if let Some(length) = length {
        return match whole(&request).await {
            Ok(body) if body.len() == length => Upload::Bytes(body),
            Ok(_) | Err(_) => Upload::Broken,
        };
    }
    let Ok(stream) = Request::from(request).stream() else { return Upload::Absent };
    match read_stream(stream, bytes_max).await {
        (body, End::Whole) => Upload::Bytes(body),
        (_, End::Capped) => Upload::TooLarge,
        (_, End::Broken) => Upload::Broken,
    }
}

/// Reads the whole body at once.
async fn whole(request: &web_sys::Request) -> Result<Vec<u8>> {
    let body = JsFuture::from(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&body).to_vec())
}

/// The way a stream ended.
pub(super) enum End {
    /// The stream ended by itself.
    Whole,
    /// Reading stopped at the size limit.
    Capped,
    /// The connection ended in the middle.
    Broken,
}

/// Reads at most `cap` bytes. Also returns the way the stream ended.
pub(super) async fn read_stream(mut stream: worker::ByteStream, cap: usize) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return (body, End::Broken) };
        if body.len() + chunk.len() > cap {
            body.extend(chunk.into_iter().take(cap - body.len()));
            return (body, End::Capped);
        }
        body.extend_from_slice(&chunk);
    }
    (body, End::Whole)
}
