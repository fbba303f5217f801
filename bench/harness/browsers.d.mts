import type { Engine, EngineBrowser } from "../../test/reference/engine.ts";
import type { SuiteResult } from "./measure.mjs";

export function launched(engine: Engine): Promise<EngineBrowser>;
export function closed(pageOrBrowser: { close(): Promise<void> }): Promise<void>;
export function suiteInPage(
  browser: EngineBrowser,
  url: string,
  suite: string,
  effort: "full" | "quick",
  providers?: readonly string[],
): Promise<{ version: string; core: string; result: SuiteResult }>;
