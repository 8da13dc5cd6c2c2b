// The extension's entry: `shopify app generate extension --template web_pixel` makes the rest of it around this file.
import { register } from "@shopify/web-pixels-extension";

import { start } from "./pixel.js";

register((api) => start(api, api.settings));
