// SPDX-License-Identifier: MPL-2.0
// Bundles the browser part into src/sagsgang/site/static/bundle: hashed names for long caching, a manifest
// that the templates look names up in, and compressed twins that the server sends as they are.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.resolve(here, "../src/sagsgang/site/static/bundle");

// Every browser that can show the pages reads woff2; the older font files would only take space.
const modernFontsOnly = {
  name: "modern-fonts-only",
  setup(bundler) {
    bundler.onLoad({ filter: /dkfds[\\/]dist[\\/]css[\\/]dkfds\.css$/ }, async ({ path: file }) => {
      const css = await readFile(file, "utf8");
      const contents = css.replace(/@font-face\s*\{[^}]*\}/g, (face) => {
        const modern = face.match(/url\((["']?)[^)]*\.woff2\1\)\s*format\((["']?)woff2\2\)/);
        return modern ? face.replace(/src:[^;}]*;?/g, "").replace("{", `{ src: ${modern[0]};`) : "";
      });
      return { contents, loader: "css", resolveDir: path.dirname(file) };
    });
  },
};

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: { site: "src/site.js", diagram: "src/diagram.js", style: "src/style.css" },
  entryNames: "[name]-[hash]",
  assetNames: "media/[name]-[hash]",
  bundle: true,
  minify: true,
  sourcemap: false,
  metafile: true,
  format: "iife",
  target: ["es2022", "chrome109", "firefox115", "safari16"],
  legalComments: "linked",
  loader: { ".svg": "file", ".png": "file", ".woff2": "file", ".woff": "empty", ".eot": "empty", ".ttf": "empty" },
  outdir: target,
  plugins: [modernFontsOnly],
  logLevel: "warning",
});

const names = {};
for (const [file, output] of Object.entries(result.metafile.outputs)) {
  if (output.entryPoint) {
    const name = path.relative(target, path.resolve(here, file));
    const entry = path.basename(output.entryPoint, path.extname(output.entryPoint));
    names[`${entry}${path.extname(file)}`] = name;
    if (output.cssBundle) names[`${entry}.css`] = path.relative(target, path.resolve(here, output.cssBundle));
  }
}
for (const [plain, file] of Object.entries({
  "icons.svg": "node_modules/dkfds/dist/img/all-svg-icons.svg",
  "mark.svg": "src/mark.svg",
})) {
  const content = await readFile(path.join(here, file));
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  names[plain] = plain.replace(".", `-${digest}.`);
  await writeFile(path.join(target, names[plain]), content);
}

for (const name of Object.values(names)) {
  const content = await readFile(path.join(target, name));
  await writeFile(path.join(target, `${name}.gz`), gzipSync(content, { level: 9 }));
  await writeFile(
    path.join(target, `${name}.br`),
    brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  );
}
await writeFile(path.join(target, "manifest.json"), `${JSON.stringify(names, null, 2)}\n`);
