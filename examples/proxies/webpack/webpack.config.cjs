/** Passes the tracker's calls on to the collector. */
module.exports = {
  devServer: {
    proxy: [{ context: ["/_h"], target: "https://collector.shop.example", changeOrigin: true }],
  },
};
