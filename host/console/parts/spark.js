/**
 * A line without axes beside a number that says how much it is. Decoration for the eye: the number is
 * what counts.
 */
import { html } from "./ui.js";

const WIDTH = 120;
const HEIGHT = 28;

export function Spark({ values }) {
  const known = values.map((value) => value ?? 0);
  if (known.length < 2)
    return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"></svg>`;
  const top = Math.max(...known) || 1;
  const step = WIDTH / (known.length - 1);
  const points = known.map(
    (value, i) =>
      `${(i * step).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`,
  );
  return html`
    <svg
      class="spark"
      viewBox=${`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path class="area" d=${`M0,${HEIGHT} L${points.join(" L")} L${WIDTH},${HEIGHT} Z`} />
      <path class="line" d=${`M${points.join(" L")}`} />
    </svg>
  `;
}
