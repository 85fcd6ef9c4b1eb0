/** What a person may mean by what they type into the search box: a block, an account, a round, a referendum, a name. */
import type { Route } from "./router";
import { isAddress } from "../format/address";
import { byName } from "../format/names";

/** Where to go; a sentence if it can be nothing that there is. */
export function meant(typed: string, model: number): Route | string {
  const text = typed.trim();
  if (text === "") return "Type a block's number or hash, an address, a name, “round 12”, or “referendum 3”.";
  const digits = text.replace(/[,\s#]/g, "");
  if (/^\d{1,10}$/.test(digits)) return { view: "block", id: digits };
  if (/^(0x)?[0-9a-f]{64}$/i.test(text)) {
    return { view: "block", id: `0x${text.replace(/^0x/i, "").toLowerCase()}` };
  }
  const extrinsic = /^(\d{1,10})-(\d{1,5})$/.exec(text);
  if (extrinsic) return { view: "extrinsic", block: extrinsic[1] ?? "", index: Number(extrinsic[2]) };
  const round = /^r(?:ound)?\s*(\d{1,10})$/i.exec(text);
  if (round) return { view: "round", model, round: Number(round[1]) };
  const referendum = /^ref(?:erendum)?\s*#?(\d{1,10})$/i.exec(text);
  if (referendum) return { view: "referendum", index: Number(referendum[1]) };
  if (/^(governance|rules|referenda)$/i.test(text)) return { view: "governance" };
  const card = /^model\s*(\d{1,10})?$/i.exec(text);
  if (card) return { view: "model", model: Number(card[1] ?? model) };
  if (isAddress(text)) return { view: "account", address: text };
  const named = byName(text);
  if (named) return { view: "account", address: named };
  if (/^5[1-9A-HJ-NP-Za-km-z]{30,}$/.test(text)) {
    return "This address has a wrong letter or is cut off: its check does not fit.";
  }
  return `Nothing here is called “${text}”: type a block's number or hash, an address, “round 12”, or “referendum 3”.`;
}
