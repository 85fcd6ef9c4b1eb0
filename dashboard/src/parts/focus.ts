/** Focus for what has just taken the place of what had it: else it would be nowhere, and a screen reader silent. */

/** As a `ref`. The same function each time: another one would take the focus at each rendering. */
export function takesFocus(element: HTMLElement | null): void {
  element?.focus();
}
