/**
 * Where a part of the SDK comes from. The entries know it: beside a file, inside a file, or on the collector.
 */

/** Where a module comes from: its bytes, or the answer that brings them. */
export type Source = () => BufferSource | Promise<Response>;

/** The name of the error of a bundle without a module: a sentence with its remedy. */
export const LEFT_BEHIND = "FileLeftBehind";

/** A file that loads when it is used, and its module. */
export interface Part<File> {
  file(): Promise<File>;
  module: Source;
}
