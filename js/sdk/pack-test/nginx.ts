/**
 * A site behind nginx, as the recipe describes it. In: an app's folder and the collector. Out: a running server.
 */
import { join } from "node:path";

import { recipe } from "./arrival.ts";
import type { App } from "./support.ts";

/** Types of files that have one. Others are text. */
const TYPES = "types { text/html html; text/javascript js; application/wasm wasm; }";

/** Serves `root` of the app at `url`, and includes the recipe. `rules` are further lines of the site's configuration. */
export async function nginx(app: App, collector: string, url: string, rules = "", root = "") {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${app.folder}/tmp-${name};`).join(" ");
  app.write("site.conf", `${recipe("nginx/site.conf", collector)}\n${rules}`);
  app.write(
    "nginx.conf",
    `daemon off; master_process off; pid ${app.folder}/nginx.pid; error_log stderr; events {}
    http { ${TYPES} access_log off; ${temporary}
      server { listen ${new URL(url).host}; root ${join(app.folder, root)}; include ${app.folder}/site.conf; } }`,
  );
  await app.start(url, process.env["NGINX"] ?? "/usr/sbin/nginx", "-p", app.folder, "-c", join(app.folder, "nginx.conf"), "-e", "stderr");
}
