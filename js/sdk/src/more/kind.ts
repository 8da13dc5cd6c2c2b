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
  read(event: Event): object | undefined;
}

/** An event that one kind has to read, with the page's clock and address. */
export type Occurrence = [kind: string, event: Event, at: number, url: string];
