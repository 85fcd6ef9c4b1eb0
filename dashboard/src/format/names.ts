/**
 * Accounts by name, where the key is one of the well-known development keys; else by address.
 *
 * The names carry no authority: their secrets are public. So they are used on local networks only.
 */
import { createStore } from "../app/store";
import { shortAddress } from "./address";

const DEVELOPMENT: Record<string, string> = {
  "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY": "Alice",
  "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty": "Bob",
  "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y": "Charlie",
  "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy": "Dave",
  "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw": "Eve",
  "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL": "Ferdie",
};

/** Whether this network's accounts may have names: set once its kind is known. */
export const named = createStore(false);

/** The account's name, if it has one here. */
export const nameOf = (address: string): string | undefined => (named.get() ? DEVELOPMENT[address] : undefined);

/** Name, or the beginning and end of the address. */
export const who = (address: string): string => nameOf(address) ?? shortAddress(address);

/** The address behind a name. */
export function byName(name: string): string | undefined {
  if (!named.get()) return undefined;
  const wanted = name.toLowerCase();
  return Object.entries(DEVELOPMENT).find(([, known]) => known.toLowerCase() === wanted)?.[0];
}
