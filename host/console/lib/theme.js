/**
 * Light or dark: the system's preference, or what was chosen here, which the browser remembers.
 */
import { useEffect, useState } from "../vendor/htm-3.1.1/standalone.module.js";

const KEY = "tarp-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const watchers = new Set();

export const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

const tell = () => watchers.forEach((watcher) => watcher(isDark()));
system.addEventListener("change", tell);

export function toggle() {
  const theme = isDark() ? "light" : "dark";
  const isSystems = (theme === "dark") === system.matches;
  if (isSystems) delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (isSystems) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Then it holds for this page.
  }
  tell();
}

export function useDark() {
  const [dark, setDark] = useState(isDark);
  useEffect(() => {
    watchers.add(setDark);
    return () => watchers.delete(setDark);
  }, []);
  return dark;
}

/** A colour of the style sheet as a canvas takes it: variables that depend on the theme are resolved. */
export function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
