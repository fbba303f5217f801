import { chromium } from "./chromium.ts";
import type { Engine } from "./engine.ts";
import { firefox } from "./firefox.ts";
import { webkit } from "./webkit.ts";

/** The browser engines that tests run in, those that are not here included. */
export const ENGINES: readonly Engine[] = [chromium, firefox, webkit];
