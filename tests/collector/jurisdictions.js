/**
 * The collector's entry for a spec about jurisdictions: the built script, on a runtime that has them. workerd on a machine of one's own
 * refuses `jurisdiction()`, so this file lends the method to every namespace, and notes which objects are called inside and which outside.
 */
import collector, * as objects from "./index.js";

const called = { inside: {}, outside: [] };

/** A namespace whose objects are inside `jurisdiction`. The same storage stands for all of them. */
function inside(namespace, binding, jurisdiction) {
  return {
    getByName(name) {
      if (jurisdiction === "eu") called.inside[binding] = (called.inside[binding] ?? 0) + 1;
      else called.outside.push(`${binding} ${name} in ${jurisdiction}`);
      return namespace.getByName(name);
    },
  };
}

function lend(env) {
  const lent = { ...env };
  for (const [binding, value] of Object.entries(env)) {
    if (typeof value?.idFromName !== "function") continue;
    lent[binding] = { ...inside(value, binding, "none"), jurisdiction: (name) => inside(value, binding, name) };
  }
  return lent;
}

function lending(Class) {
  return class {
    constructor(state, env) {
      this.object = new Class(state, lend(env));
    }
    fetch(request) {
      return this.object.fetch(request);
    }
    alarm() {
      return this.object.alarm();
    }
    webSocketMessage(...args) {
      return this.object.webSocketMessage(...args);
    }
    webSocketClose(...args) {
      return this.object.webSocketClose(...args);
    }
  };
}

export const CartObject = lending(objects.CartObject);
export const FeedObject = lending(objects.FeedObject);
export const ImportObject = lending(objects.ImportObject);
export const InboxObject = lending(objects.InboxObject);
export const IndexObject = lending(objects.IndexObject);
export const JournalObject = lending(objects.JournalObject);
export const ProfileObject = lending(objects.ProfileObject);
export const TokensObject = lending(objects.TokensObject);

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/called") return Response.json(called);
    return new collector(context, lend(env)).fetch(request);
  },
  queue: (batch, env, context) => new collector(context, lend(env)).queue(batch),
  scheduled: (event, env, context) => new collector(context, lend(env)).scheduled(event),
};
