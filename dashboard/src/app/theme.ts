/** Light or dark: as the system says, until the person says otherwise. */
import { createStore } from "./store";

export type Theme = "system" | "light" | "dark";

const KEY = "hydra.theme";

function remembered(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    // Storage may be switched off; then nothing is remembered.
    return "system";
  }
}

export const theme = createStore<Theme>("system");

export function startTheme(): void {
  theme.subscribe(() => {
    const now = theme.get();
    if (now === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = now;
    try {
      if (now === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, now);
    } catch {
      // As above.
    }
  });
  theme.set(remembered());
}

/** The other one of what is seen now. */
export function toggleTheme(): void {
  const now = theme.get();
  const dark = now === "dark" || (now === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  theme.set(dark ? "light" : "dark");
}
