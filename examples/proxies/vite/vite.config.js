/** Passes the tracker's calls on to the collector. */
export default {
  server: { proxy: { "/_h": "https://collector.shop.example" } },
  preview: { proxy: { "/_h": "https://collector.shop.example" } },
};
