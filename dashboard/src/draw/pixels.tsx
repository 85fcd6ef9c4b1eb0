/** The model's input as it will see it. */
import type { Grid } from "./readings";

export function Pixels({ values, grid }: { values: number[]; grid: Grid }) {
  return (
    <svg class="pixels" viewBox={`0 0 ${grid.width} ${grid.height}`} role="img" aria-label={`As the model sees it: ${grid.width} by ${grid.height} pixels`} shapeRendering="crispEdges">
      <rect class="pixels-paper" width={grid.width} height={grid.height} />
      {values.map((value, index) => (
        <rect
          key={index}
          class="pixels-ink"
          x={index % grid.width}
          y={Math.floor(index / grid.width)}
          width="1"
          height="1"
          fill-opacity={value / grid.maxValue}
        />
      ))}
    </svg>
  );
}
