/** One account: what it has, what it is in the network, and what became of its results. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { isAddress } from "../format/address";
import { exact, hydra, short } from "../format/amount";
import { nameOf, named } from "../format/names";
import { count, percent } from "../format/number";
import { Copy } from "../parts/copy";
import { BlockLink, RoundLink, To } from "../parts/links";
import { Sentence } from "../parts/sentence";
import { OUTCOMES, because } from "../words/reasons";
import { roomOf } from "../words/room";
import { standingInFull } from "../words/state";
import { Page, Wait, useFetched } from "./page";

/** Results that are listed. */
const SHOWN = 50;

/** How many seats answered, if that was seen: the record of a round has the draw only. */
export function seatsIn(recent: chain.BlockNews[], model: number, round: number, place: number): chain.Seats | undefined {
  for (const { happening } of recent.flatMap((block) => block.events)) {
    if (!("seats" in happening) || typeof happening.seats !== "object" || !("place" in happening)) continue;
    if (happening.model === model && happening.round === round && happening.place === place) return happening.seats;
  }
  return undefined;
}

/** What an account did all the time is not told one by one. */
const USUAL = ["digest", "proposed", "heartbeat", "verifier-earned", "score"];

const concerns = (happening: chain.Happening, address: string): boolean =>
  Object.values(happening).includes(address) && !USUAL.includes(happening.kind);

export function AccountPage({ address }: { address: string }) {
  useStore(named);
  const snapshot = useStore(chain.snapshot);
  const rounds = useStore(chain.rounds);
  const recent = useStore(chain.recent);
  const right = isAddress(address);
  // Again with every block, but what is there stays until then.
  const fetched = useFetched(right && snapshot ? address : undefined, () => chain.accountOf(address), snapshot?.best.hash);
  if (!right) {
    return (
      <Page title="Account">
        <p>“{address}” is no address of this network: it has a wrong letter, or is cut off.</p>
      </Page>
    );
  }
  const mine = [...rounds].flatMap(([model, all]) =>
    all.flatMap((round) =>
      round.places.filter((place) => place.holder === address).map((place) => ({ model, round, place })),
    ),
  );
  const lately = recent.flatMap((block) =>
    block.events.filter((event) => concerns(event.happening, address)).map((event, index) => ({ block, event, index })),
  );
  return (
    <Page title={nameOf(address) ?? "Account"}>
      <p>
        <code class="hash whole">{address}</code> <Copy text={address} />
      </p>
      <Wait of={fetched} what="this account">
        {({ funds, member, part }) => (
          <dl class="lines">
            <dt>Balance</dt>
            <dd class="num">{exact(funds.free)} HYDRA</dd>
            <dt>Can be sent</dt>
            <dd class="num">{exact(funds.spendable)} HYDRA</dd>
            <dt>Stake</dt>
            <dd class="num">
              {exact(member?.stake ?? 0n)} HYDRA
              {member && member.unbonding > 0n && `, and ${exact(member.unbonding)} that it is taking back`}
            </dd>
            <dt>In the network</dt>
            <dd data-field="standing">
              {member ? standingInFull(member) : "not registered as a PC"}
              {snapshot?.committee.includes(address) && "; in the committee that makes blocks"}
            </dd>
            {member && (
              <>
                <dt>Score</dt>
                <dd class="num">{member.score.toFixed(3)}</dd>
                <dt>Weight in draws</dt>
                <dd class="num">{hydra(member.weight * 1_000_000n)}: stake × score</dd>
                <dt>Last heartbeat</dt>
                <dd class="num">in session {count(member.heartbeat)}</dd>
                <dt>Room</dt>
                <dd class="num" data-field="room">
                  {roomOf(member)}; it has {count(member.busy)} now
                </dd>
                <dt>PeerId</dt>
                <dd>
                  <code class="hash whole">{member.peerId}</code>
                </dd>
              </>
            )}
            <dt>Share of the model</dt>
            <dd class="num">
              {part.of === 0n ? (
                "–"
              ) : (
                <To to={{ view: "model", model: 0 }}>{percent(Number((part.shares * 1_000_000n) / part.of) / 1_000_000, 1)}</To>
              )}
            </dd>
            <dt>Can claim of questions</dt>
            <dd class="num">{exact(part.owed)} HYDRA</dd>
          </dl>
        )}
      </Wait>
      {snapshot && <DrawnFor address={address} at={snapshot.best.hash} />}
      {lately.length > 0 && (
        <>
          <h2>Lately</h2>
          <ol class="happened">
            {lately.slice(0, 20).map(({ block, event, index }) => (
              <li key={`${block.hash}${index}`}>
                <span class="when">
                  <BlockLink number={block.number} hash={block.hash} />
                </span>
                <span class="what">
                  <Sentence of={event.happening} />
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      <h2>Results</h2>
      {mine.length === 0 ? (
        <p>None in the rounds that the chain still keeps.</p>
      ) : (
        <div class="scroll">
          <table data-table="results">
            <thead>
              <tr>
                <th scope="col" class="right">
                  Round
                </th>
                <th scope="col" class="right">
                  Place
                </th>
                <th scope="col">Outcome</th>
                <th scope="col">Why</th>
                <th scope="col" class="right">
                  Earned (HYDRA)
                </th>
                <th scope="col" class="right">
                  Block
                </th>
              </tr>
            </thead>
            <tbody>
              {mine
                .reverse()
                .slice(0, SHOWN)
                .map(({ model, round, place }) => (
                  <tr key={`${model}/${round.round}/${place.place}`}>
                    <th scope="row" class="right num">
                      <RoundLink model={model} round={round.round}>
                        {count(round.round)}
                      </RoundLink>
                    </th>
                    <td class="right num">{count(place.place)}</td>
                    <td>{place.outcome ? OUTCOMES[place.outcome] : "nothing"}</td>
                    <td>{because(place, seatsIn(recent, model, round.round, place.place))}</td>
                    <td class="right num">
                      <To to={{ view: "round", model, round: round.round }} again>
                        {short(place.reward)}
                      </To>
                    </td>
                    <td class="right num">
                      <BlockLink number={round.settledAt} />
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      )}
    </Page>
  );
}

/** The places that it holds now, and its seats in polls that are not over. */
function DrawnFor({ address, at }: { address: string; at: string }) {
  const fetched = useFetched(address, () => chain.dutiesOf(address), at);
  if (fetched.is !== "there" || fetched.value.places.length + fetched.value.seats.length === 0) return null;
  const { places, seats } = fetched.value;
  return (
    <>
      <h2>Drawn for now</h2>
      <div class="scroll">
        <table data-table="duties">
          <thead>
            <tr>
              <th scope="col">To do</th>
              <th scope="col" class="right">
                Seats
              </th>
              <th scope="col">Stands</th>
            </tr>
          </thead>
          <tbody>
            {places.map(({ model, round, place, proposed }) => (
              <tr key={`${model}/${place}`}>
                <th scope="row">
                  train place {count(place)} of <RoundLink model={model} round={round} />
                </th>
                <td class="right num">–</td>
                <td>{proposed ? "proposed" : "nothing proposed yet"}</td>
              </tr>
            ))}
            {seats.map(({ poll, model, round, place, version, seats: number, given }) => (
              <tr key={poll}>
                <th scope="row">
                  {place === undefined ? (
                    <>
                      make version {count(version)} of <To to={{ view: "model", model }}>model {model}</To>
                    </>
                  ) : (
                    <>
                      check place {count(place)} of <RoundLink model={model} round={round} />
                    </>
                  )}
                </th>
                <td class="right num">{count(number)}</td>
                <td>
                  <To to={{ view: "poll", id: poll }}>{given ? "digest given" : "digest not given yet"}</To>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
