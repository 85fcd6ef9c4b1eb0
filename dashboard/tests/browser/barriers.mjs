// What a machine can find of barriers: WCAG 2.2 A and AA, as far as axe can tell.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function hasNoBarrier(page, where) {
  // Trusted types let no script tag in.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const found = await globalThis.axe.run(document, { runOnly: tags });
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  });
  assert.deepEqual(violations, [], where);
}

/** For what can't be had twice: the same page in light and in dark. It must follow the system's theme, as it does at first. */
export async function hasNoBarrierInEitherTheme(page, where) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await hasNoBarrier(page, `${where}, ${colorScheme}`);
  }
}

/** Nothing is wider than the window. */
export async function scrollsOneWayOnly(page, where) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert(wide <= seen, `${where}: ${wide} > ${seen}`);
}
