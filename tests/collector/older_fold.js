/**
 * The collector's entry for `refold.bench.ts`: the built script, on storage whose profiles an older version of the fold has stored. With
 * OLDER_FOLD set, each profile's object lowers the version of its stored profile once.
 */
import * as objects from "./index.js";

export { default } from "./index.js";
// The class below stands in the place of the one with its name.
export * from "./index.js";

export class ProfileObject {
  constructor(state, env) {
    const { sql } = state.storage;
    const has = (query) => [...sql.exec(query)].length > 0;
    if (env.OLDER_FOLD && has("SELECT 1 FROM sqlite_master WHERE name = 'meta'") && !has("SELECT 1 FROM meta WHERE key = 'lowered'")) {
      sql.exec("UPDATE meta SET value = json_set(value, '$.version', 2) WHERE key = 'profile'");
      sql.exec("INSERT INTO meta (key, value) VALUES ('lowered', '')");
    }
    this.object = new objects.ProfileObject(state, env);
  }
  fetch(request) {
    return this.object.fetch(request);
  }
  alarm() {
    return this.object.alarm();
  }
}
