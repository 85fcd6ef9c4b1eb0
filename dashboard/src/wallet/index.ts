/**
 * Unlocking a key and signing with it, for the rest of the page. The cryptography (20 kB) comes when it is first needed.
 */
import type { PolkadotSigner } from "polkadot-api";
import { createStore } from "../app/store";

export interface Unlocked {
  address: string;
  name: string | undefined;
  signer: PolkadotSigner;
}

/** Whose key is unlocked. */
export const unlocked = createStore<Unlocked | undefined>(undefined);

const session = () => import("./session");

export async function lock(): Promise<void> {
  (await session()).lock();
}

/** Opens a keystore file; returns what is wrong if it can't. */
export async function unlockFile(file: File, password: string): Promise<string | undefined> {
  const { MAX_FILE, readKeystore, unlock } = await session();
  if (file.size > MAX_FILE) return "This file is too large for a keystore. Choose the file that your wallet exported.";
  const keystore = readKeystore(await file.text());
  if (typeof keystore === "string") return keystore;
  return unlock(keystore, password);
}
