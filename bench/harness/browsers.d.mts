import type { EngineBrowser } from "../../test/reference/engine.ts";
import type { SuiteResult } from "./measure.mjs";

export function suiteInPage(
  browser: EngineBrowser,
  url: string,
  suite: string,
  effort: "full" | "quick",
  providers?: readonly string[],
): Promise<{ version: string; core: string; result: SuiteResult }>;
