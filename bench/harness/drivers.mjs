/** The drivers of browsers that the tests have; it is bundled before it is imported, see bundled.mjs. */
export { CHROMIUM, DEVICE_FLAGS } from "../../test/reference/chromium.ts";
export { engineBrowser } from "../../test/reference/engine.ts";
export { ENGINES } from "../../test/reference/engines.ts";
export { webNnChromium } from "../../test/reference/webnn-chromium.ts";
