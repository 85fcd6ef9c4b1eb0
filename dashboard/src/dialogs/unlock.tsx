/** Whose money it is: a keystore file and its password, opened in this page and nowhere else. */
import { useState } from "preact/hooks";
import { useStore } from "../app/store";
import { nameOf } from "../format/names";
import { shortAddress } from "../format/address";
import { lock, unlockFile, unlocked } from "../wallet";

export function Payer() {
  const key = useStore(unlocked);
  if (!key) return <Unlock />;
  const name = nameOf(key.address) ?? key.name;
  return (
    <p class="payer">
      Paying from <strong>{name ?? shortAddress(key.address)}</strong>{" "}
      <code class="hash" title={key.address}>
        {shortAddress(key.address)}
      </code>{" "}
      <button type="button" class="quiet" onClick={() => void lock()}>
        Lock
      </button>
    </p>
  );
}

function Unlock() {
  const [file, choose] = useState<File>();
  const [password, type] = useState("");
  const [working, work] = useState(false);
  const [problem, say] = useState<string>();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!file) {
      say("Choose your keystore file first.");
      return;
    }
    work(true);
    say(undefined);
    try {
      say(await unlockFile(file, password));
    } catch {
      say("The file could not be read. Choose it again.");
    } finally {
      work(false);
      type("");
    }
  };
  return (
    <form class="unlock" onSubmit={(event) => void submit(event)}>
      <p>
        Choose the keystore file of the account that pays: one that <code>hydra wallet backup</code> writes, or that the
        polkadot-js extension exports. It is opened in this page, and goes nowhere. For this PC’s own account
        make it with <code>hydra wallet backup --this-pc --out this-pc.json</code>.
      </p>
      <label>
        Keystore file
        <input type="file" accept=".json,application/json" onChange={(event) => choose(event.currentTarget.files?.[0])} />
      </label>
      <label>
        Its password
        <input
          type="password"
          autocomplete="off"
          value={password}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </label>
      <p class="actions">
        <button type="submit" class="primary" disabled={working || !file}>
          {working ? "Unlocking…" : "Unlock"}
        </button>
      </p>
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}
