/** A sentence about something that happened, with links in it. The sign before it only repeats what it says. */
import type { Happening } from "../chain";
import { type Part, say } from "../words/happening";
import { RoundLink, Who } from "./links";

const SIGNS = { good: "✓", bad: "✕", plain: "·" };

function piece(part: Part, index: number) {
  if (typeof part === "string") return part;
  if ("who" in part) return <Who key={index} address={part.who} />;
  return (
    <RoundLink key={index} model={part.model} round={part.round}>
      {index <= 1 ? `Round ${part.round}` : `round ${part.round}`}
    </RoundLink>
  );
}

export function Sentence({ of }: { of: Happening }) {
  const { parts, mood } = say(of);
  return (
    <span class={`said ${mood}`} data-kind={of.kind}>
      <span class="sign" aria-hidden="true">
        {SIGNS[mood]}
      </span>
      <span>{parts.map(piece)}</span>
    </span>
  );
}
