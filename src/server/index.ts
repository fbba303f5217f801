/**
 * The service: speech to text over HTTP as the OpenAI API has it, on Node, Deno and Bun alike
 *
 * @example
 * import { createService, listen } from "wavepool/server";
 *
 * const service = await createService({ model: "base", log: (line) => console.log(line.trimEnd()) });
 * const server = await listen(service, { port: 8080 });
 * // at the end: lets what runs finish, and tells what is left
 * const { leaks } = await server.close();
 *
 * @module
 */

export type { ServiceHealth } from "./health.ts";
export type { ServiceOptions } from "./options.ts";
export { type Listening, listen, type ServeOptions } from "./serve.ts";
export { createService, type Service, type ServiceReport } from "./service.ts";
