/**
 * The live socket to the hub: frames out, frames in, one message under way at a time. `talk.ts` decides what a frame means.
 *
 * At most one socket, opened with a ticket, and given up for a while where sockets do not work.
 */
import * as core from "../core.ts";
import { host } from "../host.ts";
import { ANSWER_MS, PING_MS, PROBE_MS, SOCKETS_MAX, SOCKETS_PAUSE_MS, SOCKET_FAILED_MS_MAX, SOCKET_LOST_MS_MAX } from "../limits.ts";
import { quietly } from "../storage/store.ts";
import type { Answer } from "./call.ts";
import type { Frame, HubAnswer, Ops } from "./wire.ts";

let socket: WebSocket | undefined;
let label = "";
/** Whether the hub has sent the cart. */
let isReady = false;
/** Whether no frame came since the last ping. */
let isSilent = false;
/** Sockets that failed in a row. */
let failures = 0;
let pings: ReturnType<typeof setInterval> | undefined;
/** The message that is under way, as the module has it. */
let message = "";
let land: (answer: Answer<HubAnswer>) => void = () => {};
let heard: (frame: Frame) => void;
let lost: (ms: number) => void;

/** Frames go to `receive`. `retry` is called when the socket is gone, with the time until the next one. */
export function connect(receive: (frame: Frame) => void, retry: (ms: number) => void) {
  heard = receive;
  lost = retry;
}

/** Opens the socket of a cart, where there is none. */
export function open(ticket: string, cart: string) {
  // A socket that is closing may take its time.
  if (socket && (label !== cart || socket.readyState > WebSocket.OPEN)) close();
  // The hub ends a socket with the token that opened it. A newer ticket prolongs it.
  if (isOpen()) socket!.send(JSON.stringify({ t: "ticket", ticket }));
  if (socket || typeof WebSocket !== "function" || failures >= SOCKETS_MAX) return;
  const url = new URL(`${host.endpoint}/v1/cart/live?cart=${cart}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  label = cart;
  const opened = (socket = quietly(() => new WebSocket(url, ["hilo", `ticket.${ticket}`])));
  if (!opened) return void (failures = SOCKETS_MAX);
  opened.onopen = () => {
    const [epoch, rev] = core.position();
    opened.send(JSON.stringify({ t: "hello", epoch: +epoch!, rev }));
  };
  // A frame that cannot be read is no frame.
  opened.onmessage = ({ data }) => quietly(() => take(data));
  opened.onclose = closed;
  pings = setInterval(ping, PING_MS);
}

/** Closes the socket. The message under way has no answer then. */
export function close() {
  if (!socket) return;
  socket.onmessage = socket.onclose = null;
  socket.close();
  socket = undefined;
  isReady = false;
  clearInterval(pings);
  answer(0);
}

/** Whether messages can go out. */
export const isOpen = () => isReady && socket?.readyState === WebSocket.OPEN;

/** Sends a message; `text` is the same message as the module has it. */
export function send(ops: Ops, text: string) {
  return new Promise<Answer<HubAnswer>>((resolve) => {
    const late = setTimeout(end, ANSWER_MS);
    message = text;
    land = (answer) => {
      clearTimeout(late);
      resolve(answer);
    };
    socket?.send(host.json({ t: "ops", ...ops })!);
  });
}

/** Finds out soon whether the socket still lives. */
export function probe() {
  const probed = socket;
  isSilent = false;
  ping();
  setTimeout(() => socket === probed && isSilent && end(), PROBE_MS);
}

function answer(status: number, json: HubAnswer | null = null) {
  message = "";
  land({ status, json });
}

function take(text: string) {
  isSilent = false;
  if (text === "pong") return;
  const frame = JSON.parse(text) as Frame;
  if (frame.t === "view") {
    isReady = true;
    failures = 0;
  }
  if (frame.t === "refused") return answer(409, frame);
  heard(frame);
  // The module no longer wants to send a message that the hub has confirmed.
  if (message && (frame.t === "ack" || core.message() !== message)) answer(200);
}

/** Two silences in a row: the connection is dead, though the browser does not know. */
function ping() {
  if (isSilent) return end();
  isSilent = true;
  if (socket?.readyState === WebSocket.OPEN) socket.send("ping");
}

function end() {
  close();
  lost(0);
}

function closed() {
  const wasReady = isReady;
  close();
  failures += wasReady ? 0 : 1;
  if (failures >= SOCKETS_MAX) setTimeout(() => (failures = 0), SOCKETS_PAUSE_MS);
  lost(Math.random() * (wasReady ? SOCKET_LOST_MS_MAX : SOCKET_FAILED_MS_MAX));
}
