/**
 * Accuracy over versions, as a line with labelled axes. Each point can be reached with the arrow keys, and what it says
 * stands as text beside the chart: nothing is told by colour alone. A click, or Enter, leads to the round that made the version.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "../app/router";
import { count, percent } from "../format/number";
import { RoundLink } from "./links";

export interface Point {
  /** The version. */
  x: number;
  /** From 0 to 1. */
  y: number;
  /** The round that made it. */
  round: number;
  correct: number;
  total: number;
}

const HEIGHT = 220;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 10, 36];

/** Round steps for an axis: about `wanted` of them. */
export function ticks(low: number, high: number, wanted: number): number[] {
  const span = Math.max(high - low, 1e-9);
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9) * step;
  const found: number[] = [];
  for (let at = first; at <= high + step * 1e-6; at += step) found.push(Number(at.toPrecision(10)));
  return found;
}

/** From where the vertical axis begins: as low as needed, in tenths. */
export const floorOf = (points: Point[]): number =>
  Math.max(0, Math.floor(Math.min(1, ...points.map((point) => point.y)) * 10 - 0.2) / 10);

export function Chart({ points, model }: { points: Point[]; model: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, measure] = useState(640);
  const [chosen, choose] = useState<number>();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => measure(Math.max(240, Math.floor(entry?.contentRect.width ?? 640))));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const last = points.length - 1;
  const at = Math.min(chosen ?? last, last);
  const point = points[at];
  const [lowX, highX] = [points[0]?.x ?? 0, Math.max(points[last]?.x ?? 1, (points[0]?.x ?? 0) + 1)];
  const lowY = floorOf(points);
  const x = (value: number) => LEFT + ((value - lowX) / (highX - lowX)) * (width - LEFT - RIGHT);
  const y = (value: number) => TOP + ((1 - value) / (1 - lowY)) * (HEIGHT - TOP - BOTTOM);
  const path = points.map((one, index) => `${index === 0 ? "M" : "L"}${x(one.x).toFixed(1)} ${y(one.y).toFixed(1)}`).join("");

  const nearest = (event: PointerEvent) => {
    const bounds = (event.currentTarget as SVGElement).getBoundingClientRect();
    const wanted = event.clientX - bounds.left;
    let best = 0;
    points.forEach((one, index) => {
      if (Math.abs(x(one.x) - wanted) < Math.abs(x(points[best]?.x ?? 0) - wanted)) best = index;
    });
    choose(best);
  };
  const open = () => {
    if (point) go({ view: "round", model, round: point.round });
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter") return open();
    const moves: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.min(last, Math.max(0, to)));
  };
  const reading = point
    ? `Version ${count(point.x)}: ${percent(point.y)}, ${point.correct} of ${point.total} right`
    : "No version is confirmed yet";

  return (
    <div ref={box} class="chart">
      {points.length > 0 && (
        <svg
          width={width}
          height={HEIGHT}
          role="slider"
          tabIndex={0}
          aria-label="Accuracy over versions"
          aria-valuemin={lowX}
          aria-valuemax={points[last]?.x ?? 0}
          aria-valuenow={point?.x ?? 0}
          aria-valuetext={reading}
          onKeyDown={key}
          onClick={(event) => {
            // A finger on a point asks for what it says.
            if ((event as unknown as PointerEvent).pointerType === "mouse") open();
          }}
          onPointerMove={nearest}
          onPointerLeave={() => choose(undefined)}
          onBlur={() => choose(undefined)}
        >
          {ticks(lowY, 1, 4).map((value) => (
            <g key={`y${value}`}>
              <line class="grid" x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
              <text class="tick" x={LEFT - 8} y={y(value) + 4} text-anchor="end">
                {`${Math.round(value * 100)} %`}
              </text>
            </g>
          ))}
          {ticks(lowX, highX, Math.max(2, Math.floor(width / 110)))
            .filter(Number.isInteger)
            .map((value) => (
              <text key={`x${value}`} class="tick" x={x(value)} y={HEIGHT - BOTTOM + 18} text-anchor="middle">
                {count(value)}
              </text>
            ))}
          <text class="axis" x={width - RIGHT} y={HEIGHT - 2} text-anchor="end">
            version
          </text>
          <text class="axis" x={LEFT} y={HEIGHT - 2}>
            answered right
          </text>
          <path class="line" d={path} />
          {points.length < 40 && points.map((one) => <circle key={one.x} class="dot" cx={x(one.x)} cy={y(one.y)} r="2.5" />)}
          {point && <circle class="chosen" cx={x(point.x)} cy={y(point.y)} r="5" />}
        </svg>
      )}
      <p class="reading num">
        {reading}
        {point && (
          <>
            {", made in "}
            <RoundLink model={model} round={point.round} />
          </>
        )}
      </p>
    </div>
  );
}
