//! Hostile input: 10,000 seeded requests that are wrong in every way we know, against the whole collector in memory.
//!
//! Expected of each: an answer below 500 within bounds, a stable code with every refusal, an outcome per item, and
//! nothing kept beyond what answers admitted. `HILO_SEED=n` replays a run; failures print seed and request.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the helpers of a test may assert the short way, as the test itself does"
)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hilo_collector::pipeline::serve;
use hilo_collector::platform::{Body, Incoming, Reply, Upload};
use hilo_collector::shell::memory::{Memory, run};
use serde_json::{Value, json};

const REQUESTS: u64 = 10_000;
const SEED: u64 = 20_261_125;
const PATHS: [&str; 22] = [
    "/v1/batch",
    "/v1/batch",
    "/v1/batch",
    "/_h/v1/batch",
    "/_h/v1/batch",
    "/_h/v1/batch",
    "/v1/b",
    "/v1/track",
    "/v1/p",
    "/v1/identify",
    "/v1/alias",
    "/v1/hello",
    "/v1/handoff",
    "/v1/adopt",
    "/v1/consent",
    "/v1/optin",
    "/_h/v1/optin",
    "/v1/optin/confirm",
    "/_h/v1/optin/unsubscribe",
    "/v1/in/orders",
    "/admin/v1/rejects",
    "/hilo.js",
];
/// `{"alg":"none","kid":"development"}`, `{"sub":"u1"}`: to be damaged further.
const TOKEN: &str = "eyJhbGciOiJub25lIiwia2lkIjoiZGV2ZWxvcG1lbnQifQ.eyJzdWIiOiJ1MSJ9.AAAA";
/// The last one is what most requests use.
const METHODS: [&str; 4] = ["GET", "PUT", "OPTIONS", "POST"];
/// Pieces that break parsers, stores and pages.
const PIECES: [&str; 28] = [
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "\\ud800",
    "\\u0000",
    "1e999",
    "-1e999",
    "18446744073709551616",
    "123456789012345678901234567890",
    "NaN",
    "{\"__proto__\":{\"polluted\":true}}",
    "{\"constructor\":{\"prototype\":1}}",
    "{\"a\":1,\"a\":2}",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "'); DROP TABLE events;--",
    "\r\nSet-Cookie: hilo=1",
    "${jndi:ldap://x}",
    "https://user:pw@127.0.0.1:22/",
    "file:///etc/passwd",
    "null",
    "[]",
    "{}",
    "\"",
    "]",
    "}",
    "true",
    "9999-99-99T99:99:99Z",
];

/// SplitMix64 (Steele, Lea, Flood 2014): seeded, so that a failure can be replayed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

fn honest(chance: &mut Chance, id: u64) -> Vec<u8> {
    let item = |n: usize| {
        json!({
            "type": (["track", "page", "identify", "screen", "group"])[n % 5],
            "event": "Product Added", "userId": null, "groupId": "g1", "messageId": format!("m{id}-{n}"),
            "anonymousId": format!("a{}", id % 7), "timestamp": "2026-11-24T09:59:59Z",
            "properties": {"product_id": "p1", "price": 12.5, "tags": ["a", {"b": null}]}, "traits": {"plan": "x"},
            "context": {
                "consent": {"categoryPreferences": {"analytics": true}, "revision": 1},
                "page": {"url": "https://shop.example/?utm_source=mail&email=a%40b.example"},
            },
        })
    };
    let items: Vec<Value> = (0..1 + chance.below(4)).map(item).collect();
    let envelope = json!({"writeKey": "wk_shop", "sentAt": "2026-11-24T10:00:00Z", "batch": items});
    envelope.to_string().into_bytes()
}

/// Damages a body in one of the ways that bodies are damaged.
fn damage(chance: &mut Chance, mut body: Vec<u8>) -> Vec<u8> {
    match chance.below(9) {
        0 => {
            body.truncate(chance.below(body.len()));
        }
        1 => {
            for _ in 0..1 + chance.below(8) {
                let at = chance.below(body.len());
                body[at] ^= 1 << chance.below(8);
            }
        }
        2 => {
            let at = chance.below(body.len());
            let piece = chance.pick(&PIECES).bytes();
            body.splice(at..at, piece);
        }
        // A value becomes something else: the text between a colon and the next comma.
        3 | 4 => {
            let colons: Vec<usize> =
                (0..body.len()).filter(|at| body[*at] == b':').map(|at| at + 1).collect();
            // A token has none.
            let from = if colons.is_empty() { 0 } else { chance.pick(&colons) };
            let to = (from..body.len()).find(|at| b",}]".contains(&body[*at])).unwrap_or(from);
            let piece = chance.pick(&PIECES).bytes();
            body.splice(from..to, piece);
        }
        5 => {
            let depth = 1 << chance.below(17);
            body = vec![b'['; depth];
        }
        6 => {
            let keys: Vec<String> =
                (0..1 << chance.below(13)).map(|n| format!("\"k{n}\":{n}")).collect();
            body = format!("{{\"writeKey\":\"wk_shop\",{}}}", keys.join(",")).into_bytes();
        }
        7 => {
            let units = String::from_utf8_lossy(&body).encode_utf16().collect::<Vec<u16>>();
            body = units.into_iter().flat_map(u16::to_le_bytes).collect();
        }
        _ => {}
    }
    body
}

fn request(chance: &mut Chance, id: u64) -> Incoming {
    let plain = honest(chance, id);
    let plain = damage(chance, plain);
    let mut incoming = Incoming {
        method: METHODS[chance.below(24).min(METHODS.len() - 1)].to_owned(),
        scheme: "http".to_owned(),
        host: "127.0.0.1:8787".to_owned(),
        path: (chance.pick(&PATHS)).to_owned(),
        ..Incoming::default()
    };
    let origins = [
        "http://127.0.0.1:8787",
        "null",
        "https://evil.example",
        "http://127.0.0.1:8787.evil.example",
        "",
    ];
    incoming
        .headers
        .push("origin", if chance.below(3) > 0 { origins[0] } else { chance.pick(&origins) });
    incoming.headers.push("x-hilo", "1");
    if chance.below(6) == 0 {
        let cookies =
            ["hilo=v1.x.1.AAAA", "hilo=v1...", "hilo=", "__Host-hilo=v1.a.99999999999999999999.x"];
        incoming.headers.push("cookie", chance.pick(&cookies));
    }
    if chance.below(6) == 0 {
        let keys =
            ["Basic !!!", "Bearer ", "Bearer sk_dev_backend", "Basic d2tfc2hvcDo=", "Digest x"];
        incoming.headers.push("authorization", chance.pick(&keys));
    }
    if chance.below(6) == 0 {
        let token = damage(chance, TOKEN.as_bytes().to_vec());
        incoming.headers.push("x-hilo-user-token", String::from_utf8_lossy(&token));
    }
    incoming.body = Upload::Bytes(plain);
    if chance.below(8) == 0 {
        incoming.headers.push("content-encoding", chance.pick(&["gzip", "br", "gzip, gzip"]));
        if let (Upload::Bytes(body), true) = (&incoming.body, chance.below(2) == 0) {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(body).unwrap();
            let mut packed = packed.finish().unwrap();
            packed.truncate(packed.len() - chance.below(packed.len()).min(chance.below(3) * 9));
            incoming.body = Upload::Bytes(packed);
        }
    }
    incoming
}

fn text(reply: &Reply) -> &str {
    match &reply.body {
        Body::Text(text) => text,
        Body::Empty | Body::Bytes(_) | Body::Live { .. } | Body::Socket { .. } => "",
    }
}

/// What must hold of any answer; gives the events it admits to have kept.
fn judge(incoming: &Incoming, reply: &Reply, told: &str) -> u64 {
    assert!(reply.status < 500, "{told}: {}", reply.status);
    for (_, value) in &reply.headers.0 {
        assert!(!value.contains(['\r', '\n']), "{told}: a header field was split");
    }
    // People read the page of a link, and it has no code.
    let is_page =
        reply.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if is_page {
        assert!(!text(reply).contains("<script"), "{told}: a page with a script");
    } else if reply.status >= 400 && incoming.method != "OPTIONS" {
        let body: Value = serde_json::from_str(text(reply)).unwrap_or_default();
        assert!(body["error"]["code"].is_string(), "{told}: {} without a code", reply.status);
    }
    let body: Value = serde_json::from_str(text(reply)).unwrap_or_default();
    body["accepted"].as_u64().unwrap_or(0)
}

#[test]
fn ten_thousand_hostile_requests_break_nothing_and_keep_only_what_was_admitted() {
    let seed = std::env::var("HILO_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED);
    let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
    let mut admitted = 0;
    let mut refused = 0;
    for id in 0..REQUESTS {
        let mut chance = Chance(seed.wrapping_add(id << 32));
        let incoming = request(&mut chance, id);
        let told = format!("HILO_SEED={seed}, request {id}: {} {}", incoming.method, incoming.path);
        let reply =
            run(serve(incoming.clone(), &memory)).expect("the pipeline never waits for ever");
        admitted += judge(&incoming, &reply, &told);
        refused += u64::from(reply.status >= 400);
    }
    let kept: u64 = (0..7).map(|n| events_of(&memory, &format!("a{n}"))).sum();
    assert!(
        admitted > REQUESTS / 10 && refused > REQUESTS / 10,
        "{admitted} kept, {refused} refused: too one-sided to say much"
    );
    assert!(kept <= admitted, "{kept} events stand in profiles, {admitted} were admitted");
}

/// How many events the admin door finds in a profile.
fn events_of(memory: &Memory, anonymous_id: &str) -> u64 {
    let mut incoming = Incoming {
        method: "GET".to_owned(),
        scheme: "http".to_owned(),
        host: "127.0.0.1:8787".to_owned(),
        path: format!("/admin/v1/profiles/a:{anonymous_id}"),
        ..Incoming::default()
    };
    memory.set_secret("HILO_ADMIN_TOKEN", "t");
    incoming.headers.push("authorization", "Bearer t");
    let reply = run(serve(incoming, memory)).unwrap();
    let body: Value = serde_json::from_str(text(&reply)).unwrap_or_default();
    body["events"].as_u64().expect("the door tells how many events there are")
}
