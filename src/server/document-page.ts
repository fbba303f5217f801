import type { OpenApiDocument, OpenApiOperation, OpenApiSchema } from "./openapi.ts";

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: unknown) => String(text).replace(/[&<>"]/g, (sign) => ESCAPES[sign]!);

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{border-top:1px solid #8886;padding-top:1rem;font-size:1.1rem}code{font-size:.95em}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
:root{color-scheme:light dark}`;

/** The document as one page without scripts, and without anything from elsewhere. */
export function documentPage(document: OpenApiDocument): string {
  const { info, paths } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(document, path, method, operation)),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(info.title)}</h1>
<p>${escaped(info.description ?? "")} The same for machines: <a href="openapi.json">openapi.json</a>.</p>
${operations.join("\n")}
</body></html>
`;
}

function section(
  document: OpenApiDocument,
  path: string,
  method: string,
  { summary, requestBody, responses }: OpenApiOperation,
): string {
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Body: <code>${escaped(type)}</code></p>${fields(document, schema)}`,
  );
  const rows = Object.entries(responses).map(([status, { description, content }]) => {
    const types = Object.keys(content ?? {}).map((type) => `<code>${escaped(type)}</code>`);
    return `<tr><th>${escaped(status)}</th><td>${escaped(description)}</td><td>${types.join(", ")}</td></tr>`;
  });
  return `<h2><code>${escaped(method.toUpperCase())} ${escaped(path)}</code></h2>
<p>${escaped(summary ?? "")}</p>
${bodies.join("\n")}
<table>${rows.join("\n")}</table>`;
}

function fields(document: OpenApiDocument, schema: OpenApiSchema | undefined): string {
  const { properties = {}, required = [] } = resolved(document, schema);
  const rows = Object.entries(properties).map(([name, field]) => {
    const { type, description = "", default: preset } = field;
    const values = field.enum ?? field.items?.enum;
    const range = field.maximum === undefined ? "" : `${field.minimum ?? ""} to ${field.maximum}`;
    const kind = values ? values.join(" | ") : [type, range].filter(Boolean).join(", ");
    const note = preset === undefined ? (required.includes(name) ? "required" : "") : `default ${preset}`;
    const label = type === "array" ? `${name}[]` : name;
    return `<tr><th><code>${escaped(label)}</code></th><td>${escaped(kind)}</td><td>${escaped(note)}</td><td>${escaped(description)}</td></tr>`;
  });
  return `<table>${rows.join("\n")}</table>`;
}

function resolved(document: OpenApiDocument, schema: OpenApiSchema | undefined): OpenApiSchema {
  const name = schema?.$ref?.split("/").at(-1);
  return (name === undefined ? schema : document.components?.schemas?.[name]) ?? {};
}
