/** The accounts of the network's PCs. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { exactHydra, short } from "../format/amount";
import { who } from "../format/names";
import { count, percent } from "../format/number";
import { To, Who } from "../parts/links";
import { Page } from "./page";

interface Tally {
  accepted: number;
  rejected: number;
  earned: bigint;
}

/** What each account did in the rounds that are on record. */
export function tallies(rounds: chain.Round[]): Map<string, Tally> {
  const all = new Map<string, Tally>();
  for (const { proposals } of rounds) {
    for (const { proposer, outcome, reward } of proposals) {
      const tally = all.get(proposer) ?? { accepted: 0, rejected: 0, earned: 0n };
      if (outcome === "Accepted") tally.accepted += 1;
      if (outcome === "Rejected") tally.rejected += 1;
      tally.earned += reward;
      all.set(proposer, tally);
    }
  }
  return all;
}

/** What there is to say of a PC in figures, in the order of the table's columns. */
const figures = (member: chain.Member, tally: Tally | undefined, weight: bigint): { text: string; title?: string }[] => [
  { text: short(member.stake), title: exactHydra(member.stake) },
  { text: member.reputation.toFixed(3) },
  { text: percent(weight === 0n ? 0 : Number((member.weight * 10_000n) / weight) / 10_000, 1) },
  { text: count(tally?.accepted ?? 0) },
  { text: count(tally?.rejected ?? 0) },
  { text: short(tally?.earned ?? 0n) },
];

export function Accounts() {
  const snapshot = useStore(chain.snapshot);
  const rounds = useStore(chain.rounds);
  const done = tallies([...rounds.values()].flat());
  const members = [...(snapshot?.members ?? [])].sort((a, b) => who(a.address).localeCompare(who(b.address)));
  const weight = members.reduce((sum, member) => sum + member.weight, 0n);
  return (
    <Page title="Accounts">
      {!snapshot && <p role="status">Waiting for the node…</p>}
      {snapshot && members.length === 0 && <p>No PC is registered yet.</p>}
      <div class="scroll">
        <table data-table="accounts">
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">State</th>
              <th scope="col" class="right">
                Stake (HYDRA)
              </th>
              <th scope="col" class="right">
                Reputation
              </th>
              <th scope="col" class="right">
                Voting weight
              </th>
              <th scope="col" class="right">
                Accepted
              </th>
              <th scope="col" class="right">
                Rejected
              </th>
              <th scope="col" class="right">
                Earned (HYDRA)
              </th>
            </tr>
          </thead>
          <tbody>
            {members.map((member) => (
                <tr key={member.address}>
                  <th scope="row">
                    <Who address={member.address} />
                  </th>
                  <td>{member.active ? "taking part" : "away"}</td>
                  {figures(member, done.get(member.address), weight).map(({ text, title }, index) => (
                    <td key={index} class="right num">
                      <To to={{ view: "account", address: member.address }} title={title} again>
                        {text}
                      </To>
                    </td>
                  ))}
                </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">Accepted, rejected and earned: in the rounds that the chain still keeps, the last 256 at the most.</p>
    </Page>
  );
}
