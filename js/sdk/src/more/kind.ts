/**
 * What a capture kind of the second file is on the page's side: it listens to the document and reads it. The kind's other
 * half decides: `hilo-tracker/src/capture/`.
 */
export interface CaptureKind {
  /** Whether the kind is on where the site says nothing. */
  usual: boolean;
  /** The elements whose early events are remembered, as a CSS selector: such an element is the event's target or around it. */
  targets?: string;
  /** Events of the document that the first file listens to. It remembers them until the second file is there; the first of them loads it. */
  early: string[];
  /** Events of the document that count only once the second file is there. */
  late: string[];
  /**
   * What the document tells about an event: plain cells, never the value of a field. An event that the site named itself needs no
   * decision and is returned as an act. Nothing for an event of no interest.
   *
   * Beside its own events each kind reads these: `navigated` and `replaced` for the address, and `pagehide` when the page is left.
   */
  read(event: Happening, target: EventTarget | undefined, page: Page): object | Act | undefined | void;
  /** Begins what listeners to the document cannot see. */
  start?(page: Page): void;
  /** Begins the same in a document: the page's own, and each frame's. */
  enter?(inside: Document, page: Page): void;
}

/** What a kind needs of an event: a kind may report a happening that the document has no event for. */
export interface Happening extends Pick<Event, "type" | "timeStamp">, Partial<Omit<More, "timeStamp">> {
  isTrusted?: boolean;
}

/** What a happening tells beside its type: when and where it was if not now and here, and the steps of a form. */
export interface More {
  /** What the page's own clock showed. */
  timeStamp: number;
  at: number;
  url: string;
  left: string;
  entered: string;
}

/** An event in the site's own words. */
export type Act = [name: string, properties: Record<string, unknown>];

/** What the site wants of the kinds: options of `capture` in `types.ts`, which the site may have written as attributes. */
export interface Wishes {
  pages?: unknown;
  domains?: unknown;
  search?: unknown;
}

/** What a kind can do in the page. */
export interface Page {
  /** What the site wants. */
  options: Wishes;
  /** Listens until the tracker stops, beside the document, such as in a shadow root. */
  listen(target: EventTarget, name: string): void;
  /** Reads what happened to `target` without an event. */
  happened(type: string, target: EventTarget, more?: Partial<More>): void;
  /** Begins to load what an opt-in needs. */
  prepareOptIn(): void;
  /** Calls `act` when the tracker stops. */
  atEnd(act: () => void): void;
  /** Learns where a GET form leads: an address without its query, and the names in that query. */
  learnLead(page: string, names: string[]): void;
}

/** An event that one kind has to read, with its innermost element, the wall clock, the address and the page's own clock. */
export type Occurrence = [kind: string, event: Happening, target: EventTarget | undefined, at: number, url: string, elapsed?: number];
