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
  newPage(): Promise<EnginePage>;
  close(): Promise<void>;
}

/** A browser engine that tests can run in. */
export interface Engine {
  readonly name: "Chromium" | "Firefox" | "WebKit";
  /** Whether its program is here; where not, loading the module has said so. */
  readonly there: boolean;
  launch(): Promise<EngineBrowser>;
}
