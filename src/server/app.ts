import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import type { KeyCheck } from "./api-key.ts";
import { documentPage } from "./document-page.ts";
import { ApiError, errorBody, toApiError } from "./errors.ts";
import type { LogValues } from "./log.ts";
import { openApiDocument } from "./openapi.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { House } from "./service.ts";
import { speechRoute } from "./speech-route.ts";

/** What a request carries through the handlers. */
export interface RequestEnv {
  Bindings: { client?: string; gone?: AbortSignal };
  Variables: {
    id: string;
    /** Adds to the request's line in the log. */
    note: (values: LogValues) => void;
    /** Has the line written when the answer has been streamed, not before. */
    streams: () => (status: number) => void;
  };
}

/** Who may come, and how often. */
export interface AppGuards {
  mayEnter: KeyCheck;
  rateLimit: RateLimit | undefined;
}

/** Paths that need no key: whether it lives, and how to call it. */
const OPEN = new Set(["/health", "/openapi.json", "/docs"]);

/** Makes the routes over a service. */
export function createApp(house: House, { mayEnter, rateLimit }: AppGuards): Hono<RequestEnv> {
  const { settings, log, metrics } = house;
  const app = new Hono<RequestEnv>();

  // One line a request, without its headers and bodies.
  app.use(async (c, next) => {
    const began = performance.now();
    const id = `req_${crypto.randomUUID().replaceAll("-", "")}`;
    const values: Record<string, unknown> = {};
    let streaming = false;
    const finish = (status: number) => {
      const milliseconds = performance.now() - began;
      metrics.request(routeOf(c), status, milliseconds / 1000);
      log[status >= 500 ? "error" : "info"]("request", {
        id,
        method: c.req.method,
        route: routeOf(c),
        status,
        ms: Math.round(milliseconds),
        ...values,
      });
    };
    c.set("id", id);
    c.set("note", (more) => void Object.assign(values, more));
    c.set("streams", () => {
      streaming = true;
      return finish;
    });
    c.header("x-request-id", id);
    c.header("x-content-type-options", "nosniff");
    if (house.draining) c.header("connection", "close");
    await next();
    if (!streaming) finish(c.res.status);
  });
  if (settings.cors.length > 0) {
    app.use(cors({ origin: [...settings.cors], exposeHeaders: ["x-request-id", "retry-after"] }));
  }
  app.use(async (c, next) => {
    if (!OPEN.has(c.req.path)) {
      const address = c.env.client ?? "unknown";
      const key = await mayEnter(c.req.header("authorization") ?? null);
      const enters = key !== undefined;
      // By key where there are keys, for many may share an address; who guesses keys is counted too.
      const wait = rateLimit?.take(enters && key >= 0 ? `key ${key}` : address) ?? 0;
      if (wait > 0) {
        throw new ApiError(429, `more than ${settings.rateLimit} requests a minute; try again in ${wait} s`, {
          type: "rate_limit_error",
          code: "rate_limit_exceeded",
          retryAfter: wait,
        });
      }
      if (!enters) {
        throw new ApiError(401, "the API key is missing or wrong; send authorization: Bearer KEY", {
          code: "invalid_api_key",
        });
      }
    }
    await next();
  });

  app.post("/v1/audio/transcriptions", (c) => speechRoute(c, house, "transcribe"));
  app.post("/v1/audio/translations", (c) => speechRoute(c, house, "translate"));
  const modelOf = (id: string) => ({ id, object: "model", created: house.since, owned_by: "wavepool" });
  app.get("/v1/models", (c) => c.json({ object: "list", data: house.modelNames().map(modelOf) }));
  app.get("/v1/models/:model{.+}", (c) => c.json(modelOf(knownModel(house, c.req.param("model")))));
  app.get("/health", (c) => {
    const health = house.health();
    const well = health.status !== "draining" && house.engine.stats().ready;
    return c.json(health, well ? 200 : 503);
  });
  app.get("/stats", (c) => c.json(house.stats()));
  app.get("/metrics", (c) =>
    c.text(house.metricsText(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  const document = openApiDocument(settings.apiKeys.length > 0);
  const page = documentPage(document);
  app.get("/openapi.json", (c) => c.json(document));
  app.get("/docs", (c) => c.html(page));

  app.notFound((c) =>
    sendError(
      c,
      new ApiError(404, `there is no ${c.req.method} ${c.req.path}; see /docs`, { code: "unknown_url" }),
    ),
  );
  app.onError((error, c) => {
    const known = toApiError(error);
    noteError(c, known);
    return sendError(c, known);
  });
  return app;
}

/** The model of a request. */
export function knownModel(house: House, name: string): string {
  const names = house.modelNames();
  if (names.includes(name)) return name;
  throw new ApiError(404, `there is no model ${JSON.stringify(name)}; give ${names.join(" or ")}`, {
    param: "model",
    code: "model_not_found",
  });
}

/** Notes why a request failed, for the log; what a client sent is not among it. */
export function noteError(c: Context<RequestEnv>, error: ApiError): void {
  const { cause } = error;
  const internal = error.status >= 500 && cause instanceof Error;
  c.get("note")({ code: error.code, ...(internal && { error: cause.message, stack: cause.stack }) });
}

function sendError(c: Context<RequestEnv>, error: ApiError): Response {
  if (error.retryAfter !== undefined) c.header("retry-after", String(error.retryAfter));
  return c.json(errorBody(error), error.status as 400);
}

/** The pattern of the route, so that no client makes names. */
function routeOf(c: Context<RequestEnv>): string {
  const route = routePath(c, -1);
  return route === "/*" || route === "*" ? "other" : route;
}
