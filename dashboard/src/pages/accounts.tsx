/** The accounts of the network's PCs. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { exactHydra, hydra, short } from "../format/amount";
import { who } from "../format/names";
import { count, percent, several } from "../format/number";
import { To, Who } from "../parts/links";
import { roomOf } from "../words/room";
import { standingOf } from "../words/state";
import { Page } from "./page";

interface Tally {
  accepted: number;
  rejected: number;
  earned: bigint;
}

/** A share of the weight, as a part of 1. */
const shareOf = (weight: bigint, all: bigint): number => (all === 0n ? 0 : Number((weight * 10_000n) / all) / 10_000);

/** What each account did in the rounds that are on record. */
export function tallies(rounds: chain.Round[]): Map<string, Tally> {
  const all = new Map<string, Tally>();
  for (const { places } of rounds) {
    for (const { holder, outcome, reward } of places) {
      const tally = all.get(holder) ?? { accepted: 0, rejected: 0, earned: 0n };
      if (outcome === "Accepted") tally.accepted += 1;
      if (outcome === "Rejected") tally.rejected += 1;
      tally.earned += reward;
      all.set(holder, tally);
    }
  }
  return all;
}

/** What there is to say of a PC in figures, in the order of the table's columns. */
const figures = (member: chain.Member, tally: Tally | undefined, weight: bigint): { text: string; title?: string }[] => [
  { text: short(member.stake), title: exactHydra(member.stake) },
  { text: member.score.toFixed(3) },
  { text: percent(shareOf(member.weight, weight), 1) },
  { text: `${count(member.busy)} of ${count(member.room)}`, title: roomOf(member) },
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
  const committee = new Set(snapshot?.committee);
  return (
    <Page title="Accounts">
      {!snapshot && <p role="status">Waiting for the node…</p>}
      {snapshot && <Electorate snapshot={snapshot} />}
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
                Score
              </th>
              <th scope="col" class="right">
                Weight
              </th>
              <th scope="col" class="right">
                Tasks
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
                  <td>
                    {standingOf(member)}
                    {committee.has(member.address) && ", makes blocks"}
                  </td>
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
      {snapshot && snapshot.electorate.registered > members.length && (
        <p class="note">
          These are the first {count(members.length)} of {count(snapshot.electorate.registered)} registered PCs. Any other is found by its address,
          in the search box.
        </p>
      )}
      <p class="note">
        Weight: of those listed here, as a share. Accepted, rejected and earned: by own results, in the rounds that the chain still keeps, the last
        256 at the most.
      </p>
    </Page>
  );
}

/** A weight in HYDRA: what it would be of stake whose score is 1. */
const inHydra = (weight: bigint): string => hydra(weight * 1_000_000n);

/** Whom draws are made from, now and in the next session, and who makes blocks. */
function Electorate({ snapshot }: { snapshot: chain.Snapshot }) {
  const { electorate, committee, bucket } = snapshot;
  return (
    <dl class="lines">
      <dt>Session</dt>
      <dd class="num" data-field="session">
        {count(electorate.session)}
      </dd>
      <dt>Drawn from now</dt>
      <dd class="num" data-field="electorate">
        {several(electorate.accounts, "PC")} with a weight of {inHydra(electorate.weight)}
      </dd>
      <dt>In the next session</dt>
      <dd class="num" data-field="next">
        {several(electorate.nextAccounts, "PC")} so far
      </dd>
      <dt>Largest weight of the last day</dt>
      <dd class="num">{inHydra(electorate.largest)}; nothing is asked while no more than a third of it takes part</dd>
      <dt>Make blocks</dt>
      <dd class="num" data-field="committee">
        {several(committee.length, "PC")}, drawn into the committee
      </dd>
      <dt>In the bucket</dt>
      <dd class="num" data-field="bucket">
        {bucket === undefined ? "–" : `${hydra(bucket)}, of which a result is paid a thousandth at most`}
      </dd>
    </dl>
  );
}
