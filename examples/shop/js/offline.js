/**
 * A switch for the network: the page around this frame can take the frame's network away, and give it back.
 *
 * A classic script before the snippet, so that the tracker has no network either. Only for the demonstration.
 */
(function () {
  const { fetch, WebSocket } = window;
  const sockets = new Set();
  let isOffline = false;

  window.fetch = (...args) => (isOffline ? Promise.reject(new TypeError("offline")) : fetch.apply(window, args));
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      if (isOffline) throw new DOMException("offline", "NetworkError");
      super(...args);
      sockets.add(this);
      this.addEventListener("close", () => sockets.delete(this));
    }
  };

  addEventListener("message", (event) => {
    if (event.source !== parent || typeof event.data?.offline !== "boolean") return;
    isOffline = event.data.offline;
    Object.defineProperty(navigator, "onLine", { value: !isOffline, configurable: true });
    if (isOffline) for (const socket of sockets) socket.close();
    dispatchEvent(new Event(isOffline ? "offline" : "online"));
  });
})();
