/**
 * What a collector's isolate holds in memory, asked over V8's inspector.
 *
 * In: a collector that is `inspected`, under load: an idle isolate answers nothing. Out: megabytes of V8's heap and of the module's
 * memory. The process holds more: workerd itself, SQLite, and miniflare's own Workers with an isolate each.
 */
import type { Json } from "./envelopes.ts";
import type { Collector } from "./mf.ts";

/** Megabytes that an isolate holds. */
export interface Held {
  /** V8's objects, with garbage that is not collected yet. */
  heap: number;
  /** V8's objects that are alive. */
  alive: number;
  /** The module's memory. It never shrinks. */
  module: number;
}

const COLLECTOR = "core:user:collector";
/** How long the collector's isolate may take for an answer. It answers between two requests. */
const ANSWER_MS_MAX = 15_000;
const megabytes = (bytes: number) => bytes / 2 ** 20;

/** A connection to the inspector of one isolate. */
class Inspector {
  private readonly socket: WebSocket;
  private readonly answers = new Map<number, (answer: Json) => void>();
  private asked = 0;
  context = "";

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.addEventListener("message", ({ data }) => {
      const { id, method, params, ...answer } = JSON.parse(data as string) as Json;
      if (method === "Runtime.executionContextCreated") this.context = params["context"]["uniqueId"];
      this.answers.get(id)?.(answer);
      this.answers.delete(id);
    });
  }

  async open(): Promise<void> {
    await within(new Promise((resolve) => this.socket.addEventListener("open", resolve)), "connection");
    await this.ask("Runtime.enable");
  }

  async ask(method: string, params: Json = {}): Promise<Json> {
    const id = ++this.asked;
    const answered = new Promise<Json>((resolve) => this.answers.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params }));
    const answer = await within(answered, method);
    if (answer["error"]) throw new Error(`${method}: ${JSON.stringify(answer["error"])}`);
    return answer["result"];
  }

  close(): void {
    this.socket.close();
  }
}

async function within<T>(answered: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer to ${what} within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX);
  });
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}

/** The isolates of a collector's process: its own, and those of miniflare's Workers that are in use. */
export class Isolates {
  private readonly own: Inspector;
  private readonly others: Inspector[];

  private constructor(own: Inspector, others: Inspector[]) {
    this.own = own;
    this.others = others;
  }

  static async connect(collector: Collector): Promise<Isolates> {
    const url = await collector.inspector();
    const list = (await (await fetch(new URL("/json", url.replace(/^ws/, "http")))).json()) as { id: string }[];
    const inspectors = new Map(list.map(({ id }) => [id, new Inspector(new URL(`/${id}`, url).href)]));
    const opened = await Promise.allSettled([...inspectors.values()].map((one) => one.open()));
    const own = inspectors.get(COLLECTOR)!;
    const others = [...inspectors.values()].filter((one, at) => one !== own && opened[at]!.status === "fulfilled");
    return new Isolates(own, others);
  }

  /** Collects the garbage of all isolates, and returns what the collector's own holds. */
  async collect(): Promise<Held> {
    const heap = async () => megabytes((await this.own.ask("Runtime.getHeapUsage"))["usedSize"]);
    const before = await heap();
    // Nobody waits for the others: an idle isolate gives no answer, and has no garbage.
    for (const one of this.others) void one.ask("HeapProfiler.collectGarbage").catch(() => undefined);
    // The question collects garbage itself.
    const module = await this.module();
    return { heap: before, alive: await heap(), module };
  }

  close(): void {
    [this.own, ...this.others].forEach((one) => one.close());
  }

  private async module(): Promise<number> {
    const { own } = this;
    const memory = await own.ask("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype", uniqueContextId: own.context });
    const { objects } = await own.ask("Runtime.queryObjects", { prototypeObjectId: memory["result"]["objectId"], objectGroup: "found" });
    const functionDeclaration = "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }";
    const sum = await own.ask("Runtime.callFunctionOn", { objectId: objects["objectId"], functionDeclaration });
    await own.ask("Runtime.releaseObjectGroup", { objectGroup: "found" });
    return megabytes(sum["result"]["value"]);
  }
}
