// Builds the page into dist/, which is committed and compiled into the trainer.
//
//   node build.mjs             writes dist/
//   node build.mjs --compare   says whether dist/ is what the sources give, and ends with 1 if not
//
// Must give the same bytes on every machine: whatever has a time, a path or a random number in it has no place here.
import { build } from "esbuild";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/** Content types by extension: the server gives no file that isn't named here. */
const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};

const filesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();

async function bundle(into) {
  rmSync(into, { recursive: true, force: true });
  const result = await build({
    absWorkingDir: here,
    entryPoints: ["src/main.tsx", "src/style/main.css"],
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    outdir: into,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: ["es2022", "firefox115", "safari16.4", "chrome110"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
  });
  const outputs = Object.entries(result.metafile.outputs);
  const made = (source) => {
    const [path] = outputs.find(([, output]) => output.entryPoint === source) ?? [];
    if (!path) throw new Error(`${source} made no file`);
    return relative(into, join(here, path));
  };
  // What the first view needs is asked for at once, not when the script that imports it has come.
  const script = made("src/main.tsx");
  const imports = outputs
    .find(([, output]) => output.entryPoint === "src/main.tsx")[1]
    .imports.filter((one) => one.kind === "import-statement")
    .map((one) => relative(into, join(here, one.path)))
    .sort();
  const html = readFileSync(join(here, "src/index.html"), "utf8")
    .replace("%STYLE%", `/${made("src/style/main.css")}`)
    .replace("%SCRIPT%", `/${script}`)
    .replace("%PRELOADS%", imports.map((path) => `<link rel="modulepreload" href="/${path}">`).join("\n    "));
  writeFileSync(join(into, "index.html"), html);
  writeFileSync(join(into, "favicon.svg"), readFileSync(join(here, "src/favicon.svg")));
  writeFileSync(join(into, "licences.txt"), licences(result.metafile));
  writeFileSync(join(into, "files.rs"), table(into));
}

/** The licences of the packages that have a part in what was built, which ask to be passed on with it. */
function licences(metafile) {
  const parts = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const folders = new Set(
    parts.map(([path]) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter((folder) => folder !== undefined),
  );
  const texts = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"));
    return `${name} ${version} (${license ?? "see below"})\n\n${licenceOf(join(here, folder), name)}`;
  });
  const head = "This page of HydraAI (Apache-2.0) is made with the following packages.\n";
  return [head, ...[...new Set(texts)].sort()].join(`\n${"-".repeat(80)}\n\n`);
}

/** A package's own licence and notices; for one that comes without, what `licences/` says of it. */
function licenceOf(folder, name) {
  const own = readdirSync(folder).filter((file) => /^(licen[cs]es?|copying|notice)(\.(md|txt))?$/i.test(file)).sort();
  const kept = join(here, "licences", `${name.replace("/", "+")}.txt`);
  const files = own.length > 0 ? own.map((file) => join(folder, file)) : [kept];
  if (!files.every((file) => existsSync(file))) {
    throw new Error(`${name} comes without a licence: find out which it has, and put that into ${relative(here, kept)}`);
  }
  return files.map((file) => `${readFileSync(file, "utf8").replaceAll("\r\n", "\n").trim()}\n`).join("\n");
}

/** The files as a Rust expression, for the trainer's `include!`. */
function table(into) {
  const rows = filesBelow(into)
    .map((path) => relative(into, path))
    .filter((path) => path !== "files.rs")
    .map((path) => {
      const type = TYPES[path.split(".").pop()];
      if (!type) throw new Error(`${path} is of no known type`);
      const url = path === "index.html" ? "/" : `/${path}`;
      return `    File { path: "${url}", content_type: "${type}", bytes: include_bytes!("${path}") },\n`;
    });
  return `// Made by dashboard/build.mjs.\n&[\n${rows.join("")}]\n`;
}

function differences(made) {
  const names = (folder) => filesBelow(folder).map((path) => relative(folder, path));
  const [want, have] = [names(made), names(dist)];
  const missing = want.filter((name) => !have.includes(name));
  const left = have.filter((name) => !want.includes(name));
  const other = want.filter(
    (name) => have.includes(name) && !readFileSync(join(made, name)).equals(readFileSync(join(dist, name))),
  );
  return [
    ...missing.map((name) => `${name} is missing`),
    ...left.map((name) => `${name} is left over`),
    ...other.map((name) => `${name} differs`),
  ];
}

if (process.argv.includes("--compare")) {
  const made = mkdtempSync(join(tmpdir(), "hydra-dashboard-"));
  try {
    await bundle(made);
    mkdirSync(dist, { recursive: true });
    const found = differences(made);
    if (found.length > 0) {
      console.error(`error: dashboard/dist is not what dashboard/src gives: ${found.join(", ")}`);
      console.error("run  cd dashboard && npm run build  and commit dist");
      process.exitCode = 1;
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
} else {
  await bundle(dist);
}
