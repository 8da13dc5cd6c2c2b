//! The page as browsers have it, through web-sys. The twin of `shell/memory.rs`.
//!
//! Every function here returns at once; `js/sdk/src/page.ts` holds what calls back. Nothing here throws into the page: where a
//! browser refuses storage or chance, memory and a weaker chance stand in.

use std::cell::Cell;

use hilo_core::text::cut;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Storage, Window};

use crate::platform::{Place, Platform, Request, codes};

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since the epoch.
    #[wasm_bindgen(js_namespace = Date)]
    fn now() -> f64;
    /// Milliseconds since the page began.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn elapsed() -> f64;
    /// 0 ≤ random < 1
    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;
}

#[wasm_bindgen(raw_module = "hilo-page")]
extern "C" {
    fn iso(ms: f64) -> String;
    fn moved() -> bool;
    fn place() -> String;
    fn post(ticket: u32, path: &str, body: &str);
    #[wasm_bindgen(js_name = wakeIn)]
    fn wake_in(ms: f64);
    fn say(code: &str);
    #[wasm_bindgen(js_name = noticeTaskEnd)]
    fn notice_task_end();
    fn surroundings() -> String;
}

/// Random bytes that are fetched together: one call of the browser costs as much as many ids.
const POOL_BYTES: usize = 512;

/// Keys and values where the browser has no storage.
type MemoryStore = Vec<(String, String)>;

/// The page of this window.
pub(super) struct Browser {
    pub(super) window: Window,
    /// The first address of the tab's history, which `page.ts` read at the start.
    pub(super) first_in_history: Option<String>,
    pub(super) gpc: bool,
    /// What the browser gives: the storage of all tabs, and of this tab.
    stores: Vec<Storage>,
    /// The `PERSISTENCE_` code of the first of them.
    first: u8,
    /// One of the `PERSISTENCE_` codes.
    persistence: Cell<u8>,
    memory: Cell<MemoryStore>,
    /// Random bytes that are not used yet.
    pool: Cell<Vec<u8>>,
}

impl Browser {
    /// The page of `window`.
    pub(super) fn new(window: Window, first_in_history: Option<String>, gpc: bool) -> Browser {
        // Looking stores nothing.
        let mut stores = Vec::new();
        for found in [window.local_storage(), window.session_storage()] {
            stores.extend(found.ok().flatten());
        }
        let first = codes::PERSISTENCE_MEMORY - stores.len() as u8;
        Browser {
            window,
            first_in_history,
            gpc,
            stores,
            first,
            persistence: Cell::new(first),
            memory: Cell::default(),
            pool: Cell::default(),
        }
    }

    /// Works on the keys in memory.
    fn in_memory<T>(&self, work: impl FnOnce(&mut MemoryStore) -> T) -> T {
        let mut kept = self.memory.take();
        let result = work(&mut kept);
        self.memory.set(kept);
        result
    }
}

impl Platform for Browser {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of a date fit by definition; NaN becomes 0"
    )]
    fn now_ms(&self) -> i64 {
        now() as i64
    }

    #[expect(clippy::cast_precision_loss, reason = "bounded to what a Date can hold")]
    fn iso(&self, ms: i64) -> String {
        /// The last moment a Date can hold (ECMA-262, time values).
        const DATE_MS_MAX: i64 = 8_640_000_000_000_000;
        iso(ms.clamp(-DATE_MS_MAX, DATE_MS_MAX) as f64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a page does not live for centuries")]
    fn monotonic_ms(&self) -> i64 {
        elapsed() as i64
    }

    fn random16(&self) -> [u8; 16] {
        let mut pool = self.pool.take();
        if pool.len() < 16 {
            pool.resize(POOL_BYTES, 0);
            let crypto = self.window.crypto();
            if !crypto.is_ok_and(|c| c.get_random_values_with_u8_array(&mut pool).is_ok()) {
                pool.fill_with(weak_byte);
            }
        }
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = pool.pop().unwrap_or_default();
        }
        self.pool.set(pool);
        bytes
    }

    fn gpc(&self) -> bool {
        self.gpc
    }

    fn moved(&self) -> bool {
        moved()
    }

    fn place(&self) -> Place {
        let lines = place();
        let (url, rest) = cut(&lines, b'\n');
        let (referrer, title) = cut(rest.unwrap_or_default(), b'\n');
        let title = title.unwrap_or_default();
        Place { url: url.to_owned(), referrer: referrer.to_owned(), title: title.to_owned() }
    }

    fn first_in_history(&self) -> Option<String> {
        self.first_in_history.clone()
    }

    fn surroundings(&self) -> String {
        surroundings()
    }

    fn load(&self, key: &str) -> Option<String> {
        let kept = self.in_memory(|kept| {
            kept.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
        });
        kept.or_else(|| self.stores.iter().find_map(|store| store.get_item(key).ok().flatten()))
    }

    fn save(&self, key: &str, value: &str) -> bool {
        let (mut persistence, mut is_stored) = (self.first, false);
        for store in &self.stores {
            if !is_stored && store.set_item(key, value).is_ok() {
                is_stored = true;
            } else {
                // An older value must not come back, above all no older choice.
                let _ = store.remove_item(key);
            }
            persistence += u8::from(!is_stored);
        }
        self.persistence.set(persistence);
        self.in_memory(|kept| {
            kept.retain(|(known, _)| known != key);
            if !is_stored {
                kept.push((key.to_owned(), value.to_owned()));
            }
        });
        is_stored
    }

    fn persistence(&self) -> u8 {
        self.persistence.get()
    }

    fn remove(&self, key: &str) {
        self.in_memory(|kept| kept.retain(|(known, _)| known != key));
        for store in &self.stores {
            let _ = store.remove_item(key);
        }
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys: Vec<String> =
            self.in_memory(|kept| kept.iter().map(|(key, _)| key.clone()).collect());
        for store in &self.stores {
            for i in 0..store.length().unwrap_or(0) {
                keys.extend(store.key(i).ok().flatten());
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys
    }

    fn post(&self, request: Request) {
        post(request.ticket, request.call.path(), &request.body);
    }

    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    fn wake_in(&self, ms: i64) {
        wake_in(ms as f64);
    }

    fn notice_task_end(&self) {
        notice_task_end();
    }

    fn say(&self, code: &str) {
        say(code);
    }
}

/// A byte where the browser has no cryptography (a page without https). An id must be unlikely to repeat there too.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ random < 1")]
fn weak_byte() -> u8 {
    (random() * 256.0) as u8
}
