/**
 * The collector's entry for `cost.bench.ts`: the built script, with everything counted that Cloudflare charges.
 *
 * It wraps the bindings and the storage of the objects, so the collector itself has no counters. Rows are `rowsWritten` of each
 * cursor. A moved clock brings the work of later days near.
 */
import collector, * as objects from "./index.js";

/** The bytes of one operation of a queue. */
const QUEUE_BYTES = 64 * 1024;

let counts;
/** Statements with their cursors, whose number of rows is read when the counts are. */
let cursors;
const reset = () => {
  counts = { requests: 0, objectRequests: 0, rowsWritten: 0, queueOperations: 0, journalRows: 0 };
  cursors = [];
};
reset();

let shift = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...values) {
    super(...(values.length === 0 ? [RealDate.now() + shift] : values));
  }
  static now() {
    return RealDate.now() + shift;
  }
};

/** An object like `target` that has `own` in place of the target's own members. */
function wrap(target, own) {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(own, name)) return own[name];
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const operations = (body) => Math.ceil((body.byteLength ?? JSON.stringify(body).length) / QUEUE_BYTES);

/** The names of the profiles that were called. */
const profiles = new Set();
let wrappedEnv;
function countedEnv(env) {
  const { DELIVERIES: queue, PROFILES: namespace } = env;
  const sendBatch = (messages) => {
    const written = [...messages].reduce((sum, { body }) => sum + operations(body), 0);
    counts.queueOperations += written;
    return queue.sendBatch(messages);
  };
  const getByName = (name) => (profiles.add(name), namespace.getByName(name));
  return (wrappedEnv ??= { ...env, DELIVERIES: wrap(queue, { sendBatch }), PROFILES: wrap(namespace, { getByName }) });
}

function countedState(state, isJournal) {
  const { storage } = state;
  const exec = (query, ...values) => {
    const cursor = storage.sql.exec(query, ...values);
    cursors.push([query, cursor, isJournal]);
    return cursor;
  };
  const setAlarm = (at) => {
    // Cloudflare charges it as one written row.
    counts.rowsWritten += 1;
    return storage.setAlarm(at - shift);
  };
  return wrap(state, { storage: wrap(storage, { sql: wrap(storage.sql, { exec }), setAlarm }) });
}

function counted(Class, isJournal = false) {
  return class {
    constructor(state, env) {
      this.object = new Class(countedState(state, isJournal), countedEnv(env));
    }
    async fetch(request) {
      if (new URL(request.url).pathname === "/counted/alarm") {
        await this.alarm();
        return new Response(null, { status: 204 });
      }
      counts.objectRequests += 1;
      return this.object.fetch(request);
    }
    alarm() {
      counts.objectRequests += 1;
      return this.object.alarm();
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
export const ProfileObject = counted(objects.ProfileObject);
export const JournalObject = counted(objects.JournalObject, true);
export const CartObject = counted(objects.CartObject);
export const TokensObject = counted(objects.TokensObject);
export const FeedObject = counted(objects.FeedObject);
export const ImportObject = counted(objects.ImportObject);
export const InboxObject = counted(objects.InboxObject);
export const IndexObject = counted(objects.IndexObject);

function read() {
  const statements = {};
  let { rowsWritten, journalRows } = counts;
  if (rowsWritten > 0) statements["setAlarm"] = rowsWritten;
  for (const [query, cursor, isJournal] of cursors) {
    rowsWritten += cursor.rowsWritten;
    if (isJournal) journalRows += cursor.rowsWritten;
    const head = query.trim().split(/\s+/).slice(0, 4).join(" ");
    if (cursor.rowsWritten > 0) statements[head] = (statements[head] ?? 0) + cursor.rowsWritten;
  }
  return { ...counts, rowsWritten, journalRows, statements };
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/counted/read":
        return Response.json(read());
      case "/counted/reset":
        return reset(), new Response(null, { status: 204 });
      case "/counted/later":
        shift += Number(searchParams.get("ms"));
        for (const name of profiles) await env.PROFILES.getByName(name).fetch("https://object/counted/alarm");
        return new Response(null, { status: 204 });
      default:
        counts.requests += 1;
        return new collector(context, countedEnv(env)).fetch(request);
    }
  },
  async queue(batch, env, context) {
    // A message is read once and deleted once.
    for (const { body } of batch.messages) counts.queueOperations += 2 * operations(body);
    return new collector(context, countedEnv(env)).queue(batch);
  },
};
