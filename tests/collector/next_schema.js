/**
 * The collector's entry for `rollback.bench.ts`: the built script, with one more migration than it has. Each table gets a column
 * and an index, there is one more table, and `meta` has one more value.
 *
 * With NEXT_SCHEMA_NEEDS = "newer" only a version that knows this migration may run on the storage.
 */
import * as objects from "./index.js";

export { default } from "./index.js";

/** Updates the storage of an object once it has one. */
function update({ storage }, needs) {
  const one = (query, ...values) => [...storage.sql.exec(query, ...values)];
  const tables = one("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'");
  if (!tables.some(({ name }) => name === "meta")) return;
  const [schema] = one("SELECT value FROM meta WHERE key = 'schema'");
  if (!schema) return;
  const [count, oldest] = schema.value.split(" ").map(Number);
  storage.transactionSync(() => {
    const isUpdated = tables.some(({ name }) => name === "later");
    const known = isUpdated ? count - 1 : count;
    if (!isUpdated) {
      for (const { name } of tables) {
        one(`ALTER TABLE ${name} ADD COLUMN later INTEGER NOT NULL DEFAULT 7`);
        one(`CREATE INDEX later_${name} ON ${name} (later)`);
      }
      one("CREATE TABLE later (name TEXT PRIMARY KEY)");
      one("INSERT INTO meta (key, value) VALUES ('later', 'kept')");
    }
    const needed = needs === "newer" ? known + 1 : Math.min(oldest, known);
    if (!isUpdated || needed !== oldest) one("UPDATE meta SET value = ? WHERE key = 'schema'", `${known + 1} ${needed}`);
  });
}

function updated(Class) {
  return class {
    constructor(state, env) {
      this.object = new Class(state, env);
      this.state = state;
      this.needs = env.NEXT_SCHEMA_NEEDS;
    }
    /** Does a piece of work. The built script does not know that it has this migration, so it needs no newer version meanwhile. */
    async around(work) {
      update(this.state, "any");
      const answer = await work();
      update(this.state, this.needs);
      return answer;
    }
    fetch(request) {
      return this.around(() => this.object.fetch(request));
    }
    alarm() {
      return this.around(() => this.object.alarm());
    }
    webSocketMessage(...args) {
      return this.object.webSocketMessage(...args);
    }
    webSocketClose(...args) {
      return this.object.webSocketClose(...args);
    }
    webSocketError(...args) {
      return this.object.webSocketError(...args);
    }
  };
}
export const ProfileObject = updated(objects.ProfileObject);
export const JournalObject = updated(objects.JournalObject);
export const CartObject = updated(objects.CartObject);
export const TokensObject = updated(objects.TokensObject);
export const FeedObject = updated(objects.FeedObject);
export const ImportObject = updated(objects.ImportObject);
export const InboxObject = updated(objects.InboxObject);
export const IndexObject = updated(objects.IndexObject);
