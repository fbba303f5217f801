import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findModel } from "../../src/models/model-files.ts";
import { bundlePackage, type Site as ServedSite, serveSite } from "../reference/site.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A site with a page that has the package on its global object as `wavepool`. */
export interface Site extends ServedSite {
  /** Refuses the model's files from now on, as a network that is cut off. */
  cutOff(): void;
}

/** What a page may do at /strict: no text as script, no blobs, but Wasm. */
const STRICT =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; object-src 'none'";

/** Serves the page (isolated at / and /strict, not at /plain), tiny, the sample, the package's programs and onnxruntime-web's own files. */
export async function openSite(): Promise<Site> {
  let cut = false;
  const site = await serveSite({
    scripts: { "/page.js": await bundlePackage() },
    folders: {
      model: (await findModel("tiny")).directory,
      samples: join(ROOT, "samples"),
      vad: join(ROOT, "node_modules/@ricky0123/vad-web/dist"),
      dist: join(ROOT, "dist"),
      ort: join(ROOT, "node_modules/onnxruntime-web/dist"),
    },
    first(path, response) {
      if (path === "/strict" || path.endsWith(".js")) response.setHeader("Content-Security-Policy", STRICT);
      const refused = cut && path.startsWith("/model/");
      if (refused) response.destroy();
      return refused;
    },
  });
  return {
    ...site,
    cutOff() {
      cut = true;
    },
  };
}
