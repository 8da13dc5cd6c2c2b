/**
 * Promise: what visitors do with the page's own videos and sounds is told in the words of Segment's video spec, wherever the player
 * stands, and moving pictures of the page's own are no videos.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { actsOf, openBound, startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

/** Samples a second, and seconds of a film and of the jingle: nothing that a test does before its jump takes that long. */
const RATE = 8_000;
const SECONDS = 4;
const JINGLE_SECONDS = 120;
const JUMP_TO = 90;

/** Silence as a WAV file, which each browser plays (RIFF, PCM, one channel of 8 bits). */
function silence(seconds: number): Buffer {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + RATE * seconds, 4);
  head.write("WAVEfmt ", 8);
  for (const [at, value] of [[16, 16], [24, RATE], [28, RATE], [40, RATE * seconds]] as const) head.writeUInt32LE(value, at);
  for (const [at, value] of [[20, 1], [22, 1], [32, 1], [34, 8]] as const) head.writeUInt16LE(value, at);
  head.write("data", 36);
  return Buffer.concat([head, Buffer.alloc(RATE * seconds, 128)]);
}

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const PLAYERS = `<video id="film" controls title="The mug" src="/films/mug.wav"></video>
<audio id="sound" data-hilo-media="jingle" src="/jingle.wav"></audio>
<video id="background" muted loop autoplay src="/background.wav"></video>
<div data-hilo-private><video id="private" src="/private.wav"></video></div>
<x-player></x-player><iframe id="frame" src="/frame"></iframe>
<script>customElements.define("x-player", class extends HTMLElement {
  connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = '<video id="inner" src="/inner.wav"></video>'; }
});</script>`;
const PAGES: Record<string, [body: string, attributes?: string]> = {
  "/": [PLAYERS + GRANT],
  "/unanswered": [PLAYERS],
  "/off": [PLAYERS + GRANT, 'data-media="off"'],
};

const browser = await startBrowser();
const site = await startSite((path) => (path === "/frame" ? '<!doctype html><video id="framed" src="/framed.wav"></video>' : withSnippet(...(PAGES[path] ?? [GRANT]))));
after(async () => {
  await browser.close();
  await site.close();
});

async function open(path: string) {
  site.sent.length = 0;
  const sound = (url: string) => ({ contentType: "audio/wav", body: silence(url.includes("jingle") ? JINGLE_SECONDS : SECONDS), headers: { "accept-ranges": "bytes" } });
  const page = await openBound(browser, site.url + path, (page) => page.route(/\.wav$/, (route) => route.fulfill(sound(route.request().url()))));
  // Browsers play a sound only after the visitor did something.
  await page.mouse.click(1, 1);
  return page;
}

const told = () => actsOf(site);
const names = (path?: string) =>
  told()
    .filter(({ properties }) => !path || [properties.asset_id, properties.content_asset_id, properties.content_asset_ids?.[0]].includes(path))
    .map((event) => event["event"].replace("Video ", ""));

/** Finds a player in the page, in its shadow roots and frames. */
const FIND = `(id) => [document, document.querySelector("x-player").shadowRoot, document.querySelector("iframe").contentDocument]
  .map((root) => root.getElementById(id)).find(Boolean)`;
const act = (page: Page, id: string, code: string) => page.evaluate(`(async (player) => { ${code} })((${FIND})("${id}"))`);
const PLAY = "await player.play();";
const TO_THE_END = "const isOver = new Promise((ended) => player.addEventListener('ended', ended)); await player.play(); await isOver;";

test("a film that is watched to its end is told from start to end, with its quarters", async () => {
  const page = await open("/");
  await act(page, "film", TO_THE_END);
  await site.quiet();
  assert.deepEqual(names(), ["Playback Started", "Content Started", "Content Playing", "Content Playing", "Content Playing", "Content Completed", "Playback Completed"]);
  const [started, content] = told().map((event) => event["properties"] as Json) as [Json, Json];
  assert.deepEqual([started["content_asset_ids"], started["position"], started["total_length"], started["sound"]], [["/films/mug.wav"], 0, SECONDS, 100]);
  assert.deepEqual([content["asset_id"], content["title"]], ["/films/mug.wav", "The mug"]);
  assert.deepEqual(told().map((event) => event["properties"].quartile).filter(Boolean), [25, 50, 75]);
  assert.equal(new Set(told().map((event) => event["properties"].session_id)).size, 1);
  await page.context().close();
});

test("a pause, a resumption and a jump are told, and a page that is left ends the playback", async () => {
  const page = await open("/");
  const before = await act(page, "sound", `${PLAY} await new Promise((soon) => setTimeout(soon, 300)); player.pause(); await new Promise((soon) => setTimeout(soon, 300)); ${PLAY}
    const before = Math.floor(player.currentTime);
    player.currentTime = ${JUMP_TO};
    await new Promise((sought) => player.addEventListener("seeked", sought));
    return before;`);
  await page.goto(`${site.url}/next`);
  await site.quiet();
  assert.deepEqual(names("jingle"), [
    "Playback Started", "Content Started", "Playback Paused", "Playback Resumed", "Playback Seek Started", "Playback Seek Completed", "Playback Exited",
  ]);
  assert.ok(told().every((event) => event["properties"].video_player === "html5 audio"));
  const sought = told().find((event) => event["event"].endsWith("Seek Started"))!["properties"];
  // The position that the player told last: it tells one a second.
  assert.ok(sought.position <= (before as number), `${sought.position}, not ${before}`);
  assert.equal(sought.seek_position, JUMP_TO);
  await page.context().close();
});

test("players in open shadow roots and frames are seen, private ones and moving backgrounds are not", async () => {
  const page = await open("/");
  for (const id of ["inner", "framed", "private"]) await act(page, id, PLAY);
  await site.quiet();
  for (const path of ["/inner.wav", "/framed.wav"]) assert.equal(names(path)[0], "Playback Started", path);
  const wire = JSON.stringify(site.sent.map((one) => one.body));
  for (const path of ["private.wav", "background.wav"]) assert.ok(!wire.includes(path), path);
  const frames = told().filter((event) => event["properties"].frame);
  assert.ok(frames.length > 0 && frames.every((event) => JSON.stringify(event["properties"]).includes("framed.wav")));
  await page.context().close();
});

test("a player that a single-page app takes away ends its playback", async () => {
  const page = await open("/");
  await act(page, "film", PLAY);
  await page.evaluate(() => {
    history.pushState(null, "", "/elsewhere");
    document.getElementById("film")!.remove();
  });
  await site.quiet();
  // On a slow machine a quarter of the film may pass before the player is missed.
  assert.deepEqual(names("/films/mug.wav").filter((name) => name !== "Content Playing"), ["Playback Started", "Content Started", "Playback Exited"]);
  await page.context().close();
});

test("before a grant nothing is sent or stored, and a denial drops what waits", async () => {
  const page = await open("/unanswered");
  await act(page, "film", PLAY);
  await site.quiet();
  assert.equal(site.sent.length, 0);
  assert.deepEqual(await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })), []);
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});

test("a page that switches media off tells none", async () => {
  const page = await open("/off");
  await act(page, "film", TO_THE_END);
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});
