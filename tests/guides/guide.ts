/**
 * The code of a guide, taken from the guide itself. In: a page of `examples/guides/`. Out: the files that it tells a reader to write, what
 * it puts into every page, and what it promises of the console.
 *
 * A block of code stands below the line that names its place. A block without such a line is refused, so nothing in a guide is untried.
 */
import { readFileSync } from "node:fs";

import { STUB } from "../../js/sdk/pack-test/arrival.ts";

/** Where the guides are. */
export const GUIDES = new URL("../../examples/guides/", import.meta.url);
/** The languages of blocks that no test runs: commands of a reader's terminal, and PHP. */
const UNTRIED = ["sh", "php"];
const LABEL = /^(?:(Add to )?`([^`]+)`|Into the `<(head|body)>` of every page):$|^(The console shows):$/;
/** What stands in a guide for the stub, which is too long to read. */
const STUB_STANDS_FOR = "/* the stub from js/sdk/snippet.html */";

/** A guide's code. */
export interface Guide {
  name: string;
  /** By path in the site. */
  files: Map<string, string>;
  /** What every page has before the end of its `<head>` and `<body>`. */
  head: string;
  body: string;
  /** Lines that the console shows once the visitor has accepted, signed up and put an article into the cart. */
  console: string[];
}

/** Reads a guide, with `collector` in place of the hosts that it names. */
export const readGuide = (name: string, collector: string) => parse(name, readFileSync(new URL(`${name}.md`, GUIDES), "utf8"), collector);

/** Reads the text of a guide. */
export function parse(name: string, text: string, collector: string): Guide {
  const guide: Guide = { name, files: new Map(), head: "", body: "", console: [] };
  for (const { label, language, code } of blocks(text)) {
    const told = LABEL.exec(label);
    if (!told) {
      if (UNTRIED.includes(language)) continue;
      throw new Error(`${name}.md: a block of ${language} has no line above it that names its place:\n${code}`);
    }
    const [, isMore, path, part] = told;
    const real = code.replace(STUB_STANDS_FOR, () => STUB).replaceAll(/https:\/\/(collector|t)\.shop\.example/g, collector);
    if (path) {
      const before = guide.files.get(path);
      if ((before === undefined) === !!isMore) throw new Error(`${name}.md: "${label}" ${isMore ? "has nothing to add to" : "stands twice"}`);
      guide.files.set(path, (before ?? "") + real);
    } else if (part) guide[part as "head" | "body"] += real;
    else guide.console.push(...real.trim().split("\n"));
  }
  if (!guide.console.length) throw new Error(`${name}.md: it does not tell what the console shows`);
  return guide;
}

/** The blocks between fences, each with the last line of text above it. */
function* blocks(text: string) {
  let label = "";
  for (const { groups } of text.matchAll(/^```(?<language>\w*)\n(?<code>[^]*?)^```$|^(?<line>.+)$/gm)) {
    const { language = "", code, line = "" } = groups!;
    if (code === undefined) label = line;
    else yield { label, language, code };
  }
}

/** The page `html` with what the guide puts into every page. */
export const withGuide = (html: string, { head, body }: Guide) => html.replace("</head>", () => `${head}</head>`).replace("</body>", () => `${body}</body>`);
