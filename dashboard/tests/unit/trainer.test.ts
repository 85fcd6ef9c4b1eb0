import assert from "node:assert/strict";
import { test } from "node:test";
import { answer } from "../../src/trainer";

/** What comes of a paid question where the trainer answers with these statuses, one after another. */
async function asked(...statuses: number[]): Promise<string> {
  const { fetch, setTimeout } = globalThis;
  const left = [...statuses];
  globalThis.fetch = async () => Response.json({ error: `it said ${left[0]}` }, { status: left.shift() ?? 200 });
  // Nobody waits between two attempts.
  globalThis.setTimeout = ((then: () => void) => setTimeout(then, 0)) as typeof globalThis.setTimeout;
  const heard: string[] = [];
  try {
    await answer("the question", () => "0xa", (problem) => heard.push(problem));
    return [...heard, "answered"].join(", ");
  } catch (reason) {
    return [...heard, `refused: ${(reason as Error).message}`].join(", ");
  } finally {
    Object.assign(globalThis, { fetch, setTimeout });
  }
}

test("a paid question is put again while what is in its way may pass", async () => {
  assert.equal(await asked(503, 408, 404, 500), "it said 503, it said 408, it said 404, it said 500, answered");
  assert.equal(await asked(503, 402), "it said 503, refused: it said 402");
  assert.equal(await asked(400), "refused: it said 400");
});
