/** A page of a browser, as far as tests use it that run in several engines. */
export interface EnginePage {
  /** Resolves when the page and its module scripts have loaded. */
  goto(url: string): Promise<void>;
  /** Runs a function in the page. It sees nothing of its surroundings; argument and result go as JSON. */
  evaluate<R, A = undefined>(script: (argument: A) => R | Promise<R>, argument?: A): Promise<Awaited<R>>;
  close(): Promise<void>;
}

/** A browser that was started. */
export interface EngineBrowser {
  /** Name and version, where its pages do not know them. */
  readonly version?: string;
  newPage(): Promise<EnginePage>;
  close(): Promise<void>;
}

/** Most ms that a script of a page takes in a test. */
export const SCRIPT_MS = 240_000;

/** A browser engine that tests can run in. */
export interface Engine {
  readonly name: "Chromium" | "Firefox" | "WebKit";
  /** Whether its program is here; where not, loading the module has said so. */
  readonly there: boolean;
  /** @param scriptMs most that a script of a page may take, where the driver has a limit; SCRIPT_MS by default */
  launch(scriptMs?: number): Promise<EngineBrowser>;
}

/** What a browser of playwright or puppeteer has of what is used here; the two are alike in it. */
interface DrivenBrowser {
  newPage(): Promise<{
    goto(url: string): Promise<unknown>;
    evaluate(script: never, argument: never): Promise<unknown>;
    close(): Promise<void>;
  }>;
  close(): Promise<void>;
}

/** A browser that such a driver has started. */
export function engineBrowser(browser: DrivenBrowser): EngineBrowser {
  return {
    async newPage() {
      const page = await browser.newPage();
      return {
        goto: async (url) => void (await page.goto(url)),
        evaluate: (script, argument) => page.evaluate(script as never, argument as never) as never,
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}
