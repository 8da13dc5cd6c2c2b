/** The cart's own numbers, its bounds above all. A file of its own without imports, so that the build puts the numbers in place of the names. */

/** Acts within this time go out together. */
export const DEBOUNCE_MS = 250;
/** How long the first poll waits after the network is gone. */
export const OFFLINE_MS = 500;
/** How often the hub is asked where there is no socket. */
export const POLL_MS = 15_000;

/** A request that failed is made again after at most so long, doubled with each failure (protocol.md). */
export const BACKOFF_MS = 500;
export const BACKOFF_MS_MAX = 60_000;
export const RETRY_AFTER_S_MAX = 300;
/** A key or origin that was refused is not tried again before this. */
export const REFUSED_MS = 600_000;
/** Questions in a row that may each lead to another question. */
export const QUESTIONS_MAX = 3;

/** How long the collector may take. */
export const ANSWER_MS = 10_000;
/** How long the site's own backend may take for a token. */
export const TOKEN_MS = 10_000;
/** How long a leader may take for another tab's task. */
export const TASK_MS = 15_000;
/** How long acts and calls of closed pages are kept, as long as events (protocol.md). */
export const LOT_MS_MAX = 7 * 24 * 60 * 60 * 1_000;
/** Tabs whose acts are remembered. */
export const TABS_MAX = 32;

export const PING_MS = 25_000;
/** How long a page that is shown again waits for a frame: an app may have slept while its socket died. */
export const PROBE_MS = 4_000;
/** Sockets that may fail in a row. Then polling has to do for a while. */
export const SOCKETS_MAX = 3;
export const SOCKETS_PAUSE_MS = 600_000;
/** How long a page waits for its next socket, at most: after a socket that worked, and after one that did not. */
export const SOCKET_LOST_MS_MAX = 2_000;
export const SOCKET_FAILED_MS_MAX = 10_000;

/** The kind of the act that needs no line. Tabs exchange this number beside the `CART_ACT_` codes. */
export const CLEAR = 3;
/** ISO 4217's code for no currency: the article is in the cart, and its price is unknown. */
export const NO_CURRENCY = "XXX";
