/** A sentence about something that happened, with links in it. The sign before it only repeats what it says. */
import type { Happening } from "../chain";
import { count } from "../format/number";
import { say } from "../words/happening";
import type { Part } from "../words/sentence";
import { BlockLink, To, Who } from "./links";

const SIGNS = { good: "✓", bad: "✕", plain: "·" };

export function piece(part: Part, index: number, parts: Part[]) {
  if (typeof part === "string") return part;
  if ("poll" in part) {
    return (
      <To key={index} to={{ view: "poll", id: part.poll }}>
        {part.text}
      </To>
    );
  }
  if ("who" in part) return <Who key={index} address={part.who} />;
  if ("block" in part) return <BlockLink key={index} number={part.block} />;
  // The first word of a sentence is written large.
  const name = (small: string, large: string) => (parts.slice(0, index).every((one) => one === "") ? large : small);
  if ("referendum" in part) {
    return (
      <To key={index} to={{ view: "referendum", index: part.referendum }}>
        {name("referendum", "Referendum")} {count(part.referendum)}
      </To>
    );
  }
  if ("version" in part) {
    return (
      <To key={index} to={{ view: "model", model: part.model }}>
        {name("version", "Version")} {count(part.version)}
      </To>
    );
  }
  return (
    <To key={index} to={{ view: "round", model: part.model, round: part.round }}>
      {name("round", "Round")} {count(part.round)}
    </To>
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
