/** Passes the tracker's calls on to the collector. @type {import("next").NextConfig} */
export default {
  async rewrites() {
    return [{ source: "/_h/:path*", destination: "https://collector.shop.example/_h/:path*" }];
  },
};
