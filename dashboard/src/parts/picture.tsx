/**
 * The network as this PC sees it: itself in the middle, the PCs it is connected to around it, the nearer the quicker they
 * answer, the others outside. The table below says the same in words.
 */
import { href } from "../app/router";

export interface Dot {
  key: string;
  name: string;
  address: string | undefined;
  connected: boolean;
  /** Through a third PC. */
  relayed: boolean;
  latency: number | undefined;
  away: boolean;
}

const SIZE = { width: 360, height: 200 };
const [CX, CY] = [SIZE.width / 2, SIZE.height / 2];
/** More would only be a cloud. */
const SHOWN = 32;

/** From the middle, as a share of the picture: quick ones inside, unknown ones outside. */
const distance = (dot: Dot): number => {
  if (!dot.connected) return 0.94;
  const latency = dot.latency ?? 200;
  return 0.6 + 0.24 * Math.min(1, Math.log10(1 + latency) / 2.7);
};

export function Picture({ me, dots }: { me: string; dots: Dot[] }) {
  const shown = dots.slice(0, SHOWN);
  const placed = shown.map((dot, index) => {
    const angle = -Math.PI / 2 + ((index + 0.5) / shown.length) * 2 * Math.PI;
    const far = distance(dot);
    return { dot, x: CX + Math.cos(angle) * far * (CX - 34), y: CY + Math.sin(angle) * far * (CY - 22) };
  });
  const connected = dots.filter((dot) => dot.connected).length;
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
      role="group"
      aria-label={`This PC in the middle, connected to ${connected} of ${dots.length} other PCs`}
    >
      {placed
        .filter(({ dot }) => dot.connected)
        .map(({ dot, x, y }) => (
          <line key={dot.key} class={dot.relayed ? "edge relayed" : "edge"} x1={CX} y1={CY} x2={x} y2={y} />
        ))}
      {placed.map(({ dot, x, y }) => {
        const state = dot.connected ? (dot.relayed ? "connected by relay" : "connected") : dot.away ? "out" : "not connected to this PC";
        const face = (
          <>
            <circle class={dot.connected ? "peer" : "peer hollow"} cx={x} cy={y} r="6" />
            <text class="label" x={x} y={y + (y > CY ? 20 : -12)} text-anchor="middle">
              {dot.name}
            </text>
          </>
        );
        const label = `${dot.name}: ${state}${dot.latency === undefined ? "" : `, ${dot.latency} ms`}`;
        return dot.address ? (
          <a key={dot.key} href={href({ view: "account", address: dot.address })} aria-label={label}>
            {face}
          </a>
        ) : (
          <g key={dot.key} aria-label={label} role="img">
            {face}
          </g>
        );
      })}
      <circle class="me" cx={CX} cy={CY} r="8" />
      <text class="label me" x={CX} y={CY + 24} text-anchor="middle">
        {me}
      </text>
    </svg>
  );
}
