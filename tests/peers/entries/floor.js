/** The floor: batches events and sends them with `fetch(keepalive)`. No smaller code sends events. Nothing survives a crash. */
(function () {
  var home = document.currentScript.src.replace(/\/[^/]*$/, ""), queue = [], timer = 0, sent = 0;
  function flush() {
    clearTimeout(timer); timer = 0;
    if (!queue.length) return;
    sent = Date.now();
    fetch(home + "/v1/batch", { method: "POST", keepalive: true, body: JSON.stringify({ writeKey: "wk_t", sentAt: new Date(), batch: queue }) }).catch(function () {});
    queue = [];
  }
  function add(type, event, properties) {
    queue.push({ type: type, event: event, messageId: crypto.randomUUID(), anonymousId: "a", timestamp: new Date(), properties: properties });
    if (!timer) timer = setTimeout(flush, Date.now() - sent > 2000 ? 50 : 2000);
  }
  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") flush(); });
  add("page", undefined, { url: location.href, referrer: document.referrer, title: document.title });
  window.act = function (event, properties) { add("track", event, properties); };
})();
