// Runs the tests of what needs no browser: bundles tests/unit/*.test.ts and hands them to Node's own runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), "hydra-dashboard-unit-"));
try {
  const tests = readdirSync(join(here, "unit")).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => join(here, "unit", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
  const files = tests.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
  // What pallets say is read in their sources: every event, call and error of theirs has its words.
  const env = { HYDRA_PALLETS: join(here, "../../pallets"), ...process.env };
  const ran = spawnSync(process.execPath, ["--test", ...files], { encoding: "utf8", env });
  if (ran.status !== 0) process.stderr.write(ran.stdout + ran.stderr);
  process.exitCode = ran.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
