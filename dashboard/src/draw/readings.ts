/**
 * A drawing as the model's input, in several ways.
 *
 * The training images are scans of handwriting, each fitted into a square. How thick, slanted and wide a stranger's digit
 * should be there is unknown, so it is put there in each way that is plausible, as `hydra-picture` does with pictures
 * (decision 008): a model whose answers to them differ isn't sure.
 */
import { type Point, type Stroke, boundsOf, distanceTo } from "./strokes";

/** Points to each side of a pixel in which ink is looked for. */
const FINE = 4;
/** Thickness of strokes, as a share of the digit's longer side. */
const THICKNESSES = [0.13, 0.18];
/** To the side, per height. */
const SLANTS = [-0.2, 0, 0.2];
/** Width, of what it is. */
const STRETCHES = [0.9, 1.15];
/** Rows that the ink fills, and columns that it may fill, of eight. */
const ROWS = [7.4 / 8, 1];
const COLUMNS = 7 / 8;

export interface Grid {
  height: number;
  width: number;
  maxValue: number;
}

const slanted = (strokes: Stroke[], slant: number, middle: number): Stroke[] =>
  strokes.map((stroke) => stroke.map(({ x, y }): Point => ({ x: x - slant * (y - middle), y })));

/** The share of each pixel that has ink, in levels. */
function fit(strokes: Stroke[], thickness: number, rows: number, stretch: number, grid: Grid): number[] {
  const box = boundsOf(strokes);
  if (!box) return [];
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  const pen = thickness * Math.max(width, height, 1);
  const cellHeight = Math.max((height + pen) / (rows * grid.height), ((width + pen) * stretch) / (COLUMNS * grid.width));
  const cellWidth = cellHeight / stretch;
  const [startX, startY] = [
    (box.left + box.right) / 2 - (grid.width / 2) * cellWidth,
    (box.top + box.bottom) / 2 - (grid.height / 2) * cellHeight,
  ];
  const lines = strokes.flatMap((stroke) =>
    stroke.length === 1 ? [[stroke[0], stroke[0]] as const] : stroke.slice(1).map((to, index) => [stroke[index], to] as const),
  );
  const inked = (x: number, y: number) => lines.some(([a, b]) => a && b && distanceTo(x, y, a, b) <= pen / 2);
  const pixels: number[] = [];
  for (let row = 0; row < grid.height; row++) {
    for (let column = 0; column < grid.width; column++) {
      let covered = 0;
      for (let fine = 0; fine < FINE * FINE; fine++) {
        const x = startX + (column + ((fine % FINE) + 0.5) / FINE) * cellWidth;
        const y = startY + (row + (Math.floor(fine / FINE) + 0.5) / FINE) * cellHeight;
        if (inked(x, y)) covered += 1;
      }
      pixels.push(Math.round((covered / (FINE * FINE)) * grid.maxValue));
    }
  }
  return pixels;
}

/** The drawing in each plausible way; none if nothing is drawn. */
export function readings(strokes: Stroke[], grid: Grid): number[][] {
  const box = boundsOf(strokes);
  if (!box) return [];
  const middle = (box.top + box.bottom) / 2;
  return THICKNESSES.flatMap((thickness) =>
    SLANTS.flatMap((slant) => {
      const ink = slanted(strokes, slant, middle);
      return STRETCHES.flatMap((stretch) => ROWS.map((rows) => fit(ink, thickness, rows, stretch, grid)));
    }),
  );
}

/** The one that is shown: upright, of middle thickness. */
export const reading = (strokes: Stroke[], grid: Grid): number[] => fit(strokes, 0.15, 1, 1, grid);
