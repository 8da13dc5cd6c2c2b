/** `<script async src="/_h/hilo.js" data-key="wk_…">`: starts from the tag's attributes and replays the stub's calls. */
import { snippet } from "../snippet.ts";
snippet(document.currentScript as HTMLScriptElement | null);
