/**
 * What a capture kind of the second file is on the page's side: it listens to the document and reads it. The kind's other
 * half decides: `hilo-tracker/src/capture/`.
 */
export interface CaptureKind {
  /** Events of the document that the first file remembers until the second file is there; the first of them loads it. */
  early: string[];
  /** Events of the document that count only once the second file is there. */
  late: string[];
  /** What the document tells about an event: plain cells, never the value of a field. Nothing for an event of no interest. */
  read(event: Happening, target: EventTarget | undefined, page: Page): object | undefined;
  /** Begins what listeners to the document cannot see. */
  start?(page: Page): void;
}

/** What a kind needs of an event: a kind may report a happening that the document has no event for. */
export type Happening = Pick<Event, "type" | "timeStamp">;

/** What a kind can do in the page. */
export interface Page {
  /** Listens until the tracker stops, beside the document, such as in a shadow root. */
  listen(target: EventTarget, name: string): void;
  /** Reads what happened to `target` without an event. */
  happened(type: string, target: EventTarget): void;
  /** Calls `act` when the tracker stops. */
  atEnd(act: () => void): void;
  /** Learns where a GET form leads: an address without its query, and the names in that query. */
  learnLead(page: string, names: string[]): void;
}

/** An event that one kind has to read, with its innermost element and the page's clock and address. */
export type Occurrence = [kind: string, event: Happening, target: EventTarget | undefined, at: number, url: string];
