/** What a person drew: lines of points, and whether there is enough of it to be asked about. */

export interface Point {
  x: number;
  y: number;
}
export type Stroke = Point[];

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function boundsOf(strokes: Stroke[]): Box | undefined {
  const points = strokes.flat();
  if (points.length === 0) return undefined;
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** A tap is no digit. */
export function isEnough(strokes: Stroke[], side: number): boolean {
  const box = boundsOf(strokes);
  return box !== undefined && Math.max(box.right - box.left, box.bottom - box.top) >= side / 6;
}

/** How far a point is from a line between two others. */
export function distanceTo(px: number, py: number, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((px - a.x) * dx + (py - a.y) * dy) / length));
  return Math.hypot(px - a.x - along * dx, py - a.y - along * dy);
}
