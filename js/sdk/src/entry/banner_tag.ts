/** The file `hilo-banner.js` of the collector: starts from the attributes of its tag. */
import { begin } from "../banner/tag.ts";
begin(document.currentScript as HTMLScriptElement | null);
