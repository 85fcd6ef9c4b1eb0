/** How fast a node catches up, and how long it still takes: said only where the speed is steady enough to go by. */

/** What is looked at: the last half minute. */
const WINDOW = 30_000;
/** Less than this says nothing. */
const ENOUGH = 8_000;
/** The two halves of the time looked at may differ by this factor. */
const STEADY = 1.5;

interface Sample {
  block: number;
  at: number;
}

const speed = (from: Sample, to: Sample): number => (to.at > from.at ? (to.block - from.block) / (to.at - from.at) : 0);

export class Pace {
  private samples: Sample[] = [];

  /** The node is at this block at this time. */
  note(block: number, at: number): void {
    const last = this.samples.at(-1);
    // Another chain, or a clock that was set: what was seen before says nothing.
    if (last && (block < last.block || at < last.at)) this.samples = [];
    this.samples = [...this.samples.filter((sample) => at - sample.at <= WINDOW), { block, at }];
  }

  forget(): void {
    this.samples = [];
  }

  /** Milliseconds until it is at `highest`; `undefined` where nobody can say. */
  left(highest: number | undefined): number | undefined {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (!first || !last || highest === undefined || highest <= last.block || last.at - first.at < ENOUGH) return undefined;
    const half = (first.at + last.at) / 2;
    const middle = this.samples.reduce((best, sample) => (Math.abs(sample.at - half) < Math.abs(best.at - half) ? sample : best));
    const [before, after] = [speed(first, middle), speed(middle, last)];
    if (before <= 0 || after <= 0 || Math.max(before, after) > STEADY * Math.min(before, after)) return undefined;
    return Math.round((highest - last.block) / speed(first, last));
  }
}
