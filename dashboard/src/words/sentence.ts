/** Sentences in parts, so that accounts, blocks, rounds, versions, polls and referenda in them can be links. */
export type Part =
  | string
  | { who: string }
  | { round: number; model: number }
  | { version: number; model: number }
  | { poll: string; text: string }
  | { block: number }
  | { referendum: number };

/** How much it matters to a person: news, or the round's ordinary course. */
export type Weight = "news" | "course" | "plumbing";

export interface Said {
  parts: Part[];
  weight: Weight;
  /** Good, bad or neither: shown by a sign that repeats what the words say. */
  mood: "good" | "bad" | "plain";
}

export const said = (weight: Weight, mood: Said["mood"], ...parts: Part[]): Said => ({ parts, weight, mood });

export const roundPart = (of: { model: number; round: number }): Part => ({ round: of.round, model: of.model });
export const versionPart = (of: { model: number; version: number }): Part => ({ version: of.version, model: of.model });

/** More names than this are counted. */
const NAMED = 4;

/** `Alice (2), Bob and Charlie`; who is named more often has the number beside it, and of many the rest is counted. */
export function list(who: string[]): Part[] {
  const times = new Map<string, number>();
  for (const one of who) times.set(one, (times.get(one) ?? 0) + 1);
  const all = [...times];
  // One that is left over takes no more room than its name.
  const shown = all.length > NAMED + 1 ? all.slice(0, NAMED) : all;
  const rest = all.length - shown.length;
  const parts = shown.flatMap(([one, often], index): Part[] => {
    const last = index === all.length - 1;
    const before = index === 0 ? [] : [last ? " and " : ", "];
    return [...before, { who: one }, ...(often > 1 ? [` (${often})`] : [])];
  });
  return rest > 0 ? [...parts, ` and ${rest} others`] : parts;
}
