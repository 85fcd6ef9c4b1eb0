/**
 * Keeps what is being read where it is, when lines come in above it. Most browsers do that by themselves (`overflow-anchor`), not all
 * (Safari), and not in every table; where one has done it, nothing is left to do here.
 */
import { useLayoutEffect, useRef } from "preact/hooks";

/** A line, and where its upper edge was in the window. */
export interface Held<Line> {
  line: Line;
  top: number;
}

interface Box {
  top: number;
  bottom: number;
}

/**
 * The lines that are in the window, if the list's beginning is not: then somebody reads further down. Who sees the beginning is to
 * see the new lines come.
 */
export function heldOf<Line>(listTop: number, lines: Line[], height: number, boxOf: (line: Line) => Box): Held<Line>[] {
  if (listTop >= 0) return [];
  const held: Held<Line>[] = [];
  for (const line of lines) {
    const { top, bottom } = boxOf(line);
    if (top >= height) break;
    if (bottom > 0) held.push({ line, top });
  }
  return held;
}

/** How far the first of them that is still there has moved. */
export function movedBy<Line>(held: Held<Line>[], topOf: (line: Line) => number | undefined): number {
  for (const { line, top } of held) {
    const now = topOf(line);
    if (now !== undefined) return now - top;
  }
  return 0;
}

/** For the element whose children are the lines: the newest first. */
export function useSteady<T extends HTMLElement>() {
  const list = useRef<T>(null);
  const element = list.current;
  // Before the new lines are there: this is run while they are being made.
  const held = element
    ? heldOf(element.getBoundingClientRect().top, [...element.children], innerHeight, (line) => line.getBoundingClientRect())
    : [];
  useLayoutEffect(() => {
    const moved = movedBy(held, (line) => (line.isConnected ? line.getBoundingClientRect().top : undefined));
    if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
  });
  return list;
}
