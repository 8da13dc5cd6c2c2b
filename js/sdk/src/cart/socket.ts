/**
 * The live socket to the hub: frames out, frames in, one message under way at a time. What a frame means is not decided here.
 */
import type { Answer } from "./call.ts";
import * as core from "./core.ts";

type Json = any;

const TIMEOUT_MS = 10_000;
const PING_MS = 25_000;
/** How long a page that is looked at again waits for a sign of life: an app may have slept while its socket died. */
const PROBE_MS = 4_000;
/** Sockets that failed in a row before polling has to do for a while. */
const SOCKETS_MAX = 3;
const PAUSE_MS = 600_000;

/** The live socket: at most one, opened with a ticket, given up for a while where it does not work. */
export function socketOf(endpoint: string, heard: (frame: Json) => void, lost: (ms: number) => void) {
  let socket: WebSocket | undefined;
  let label = "";
  let isReady = false;
  let failures = 0;
  let ping: ReturnType<typeof setInterval> | undefined;
  let flight: { text: string; land: (answer: Answer) => void } | undefined;
  let isSilent = false;

  function land(answer: Answer) {
    flight?.land(answer);
    flight = undefined;
  }

  function close() {
    socket?.close();
    gone();
  }

  function gone() {
    if (!socket) return;
    socket.onmessage = socket.onclose = socket.onopen = null;
    socket = undefined;
    isReady = false;
    clearInterval(ping);
    land({ status: 0, json: null });
  }

  function open(ticket: string, cart: string) {
    // One that is closing may take its time over it.
    if (socket && (label !== cart || socket.readyState > WebSocket.OPEN)) close();
    if (socket || typeof WebSocket !== "function" || failures >= SOCKETS_MAX) return;
    const url = new URL(`${endpoint}/v1/cart/live?cart=${cart}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    label = cart;
    try {
      socket = new WebSocket(url);
    } catch {
      failures = SOCKETS_MAX;
      return;
    }
    const one = socket;
    one.onopen = () => {
      const [epoch, rev] = core.asks();
      one.send(JSON.stringify({ t: "hello", ticket, epoch: +epoch!, rev }));
    };
    one.onmessage = ({ data }) => {
      isSilent = false;
      if (data === "pong") return;
      let frame: Json;
      try {
        frame = JSON.parse(data);
      } catch {
        return;
      }
      if (frame.t === "view") {
        isReady = true;
        failures = 0;
      }
      if (frame.t === "refused") return land({ status: 409, json: frame });
      heard(frame);
      if (flight && (frame.t === "ack" || core.message() !== flight.text)) land({ status: 200, json: null });
    };
    one.onclose = () => {
      const wasReady = isReady;
      gone();
      failures += wasReady ? 0 : 1;
      if (failures >= SOCKETS_MAX) setTimeout(() => (failures = 0), PAUSE_MS);
      lost(Math.random() * (wasReady ? 2_000 : 10_000));
    };
    ping = setInterval(probe, PING_MS);
  }

  /** Two silences in a row: the connection is dead, though nobody said so. */
  function probe() {
    if (isSilent) return end();
    isSilent = true;
    if (socket?.readyState === WebSocket.OPEN) socket.send("ping");
  }

  function end() {
    close();
    lost(0);
  }

  return {
    open,
    close,
    /** Finds out soon whether the socket still lives. */
    probe() {
      const one = socket;
      isSilent = false;
      probe();
      setTimeout(() => socket === one && isSilent && end(), PROBE_MS);
    },
    isReady: () => isReady && socket?.readyState === WebSocket.OPEN,
    send: (ops: Json, text: string) =>
      new Promise<Answer>((resolve) => {
        const late = setTimeout(end, TIMEOUT_MS);
        flight = {
          text,
          land(answer) {
            clearTimeout(late);
            resolve(answer);
          },
        };
        socket?.send(JSON.stringify({ t: "ops", ...ops }));
      }),
  };
}
