//! The world as workerd gives it.

use worker::{Context, Env, Request, Response, Result};

/// Answers one request.
pub async fn serve(request: Request, _env: Env, _context: Context) -> Result<Response> {
    let path = request.path();
    match path.strip_prefix("/_h").unwrap_or(&path) {
        "/health" => Response::ok("{\"status\":\"ok\"}"),
        "/version" => Response::ok(concat!("{\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}")),
        _ => Response::error("{\"error\":{\"code\":\"not_found\",\"message\":\"no such path\"}}", 404),
    }
}
