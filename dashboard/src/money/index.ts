/** Money, for the rest of the page: the one set of payments, with chain and trainer behind it. */
import type { PolkadotSigner } from "polkadot-api";
import * as chain from "../chain";
import * as trainer from "../trainer";
import { Payments } from "./payments";

/** The tab's own memory, where the browser has one. */
function tabs(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

export const payments = new Payments<PolkadotSigner>({
  sign: chain.sign,
  submit: chain.submit,
  isRefusal: (reason) => reason instanceof Error && reason.name === "NotTaken",
  follow: chain.follow,
  isOurs: chain.isOurs,
  onBlock: (told) => chain.snapshot.subscribe(told),
  answer: trainer.answer,
  kept: tabs(),
});
