/** A model's answer: the digit, how sure it is, and what it holds possible besides. */
import type { Answer as Given } from "../trainer";
import { percent } from "../format/number";
import { Progress } from "../parts/progress";

/** An answer that is less sure than this isn't to be relied on (docs/benchmarks.md). */
const UNSURE = 0.6;
/** Other classes that are shown. */
const OTHERS = 4;

export function Answer({ answer }: { answer: Given }) {
  const ranked = answer.probabilities.map((share, label) => ({ share, label })).sort((a, b) => b.share - a.share);
  const sure = answer.probabilities[answer.label] ?? 0;
  const [, second] = ranked;
  return (
    <div class="answer" role="status" data-answer={answer.label}>
      <p class="headline">{answer.label}</p>
      <p>
        Version {answer.version} is {percent(sure)} sure
        {answer.truth !== null && (answer.truth === answer.label ? ", and it is" : `, but it is a ${answer.truth}`)}.
        {sure < UNSURE && second && ` That isn’t sure: it may be a ${second.label}. A clearer drawing may help.`}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Digit</th>
            <th scope="col" class="right">
              How probable
            </th>
            <th scope="col">
              <span class="hidden">As a bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {ranked.slice(0, OTHERS).map(({ share, label }) => (
            <tr key={label}>
              <th scope="row" class="num">
                {label}
              </th>
              <td class="right num">{percent(share)}</td>
              <td class="bar">
                <Progress share={share} label={`Probability of ${label}`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
