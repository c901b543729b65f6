/**
 * A plot of series, drawn by uPlot on a canvas in the colours of the theme. The library is fetched
 * when the first plot is drawn.
 */
import { color, useDark } from "../lib/theme.js";
import { html, useEffect, useRef, useState } from "./ui.js";

const FOLDER = "../vendor/uplot-1.6.32";
let library = null;

function load() {
  library ??= import(`${FOLDER}/uPlot.esm.js`).then((module) => module.default);
  return library;
}

/**
 * `x` numbers in ascending order; `series` `[{name, values, dashed}]`, where null is a gap. `time` makes
 * seconds since 1970 of x, `points` leaves the lines out, `unit` writes the values of the y axis.
 */
export function Plot({
  x,
  xName = "",
  series,
  label,
  height = 260,
  time = false,
  points = false,
  unit,
  legend = true,
}) {
  const place = useRef(null);
  const plot = useRef(null);
  const dark = useDark();
  const [failed, setFailed] = useState(false);
  const data = [x, ...series.map((one) => one.values)];
  const shape = JSON.stringify([
    series.map((one) => one.name),
    xName,
    dark,
    height,
    time,
    points,
    legend,
  ]);

  useEffect(() => {
    let gone = false;
    let observer;
    load().then(
      (uPlot) => {
        if (gone) return;
        const width = () => Math.max(place.current.clientWidth, 120);
        const axis = {
          stroke: color("faint"),
          font: "12px system-ui, sans-serif",
          ticks: { show: false },
        };
        plot.current = new uPlot(
          {
            width: width(),
            height,
            padding: [12, 18, 0, 4],
            cursor: { points: { size: 7 }, drag: { x: true, y: false } },
            legend: { show: legend },
            scales: { x: { time } },
            axes: [
              {
                ...axis,
                grid: { show: false },
                size: 30,
                space: 70,
                values: time ? times : undefined,
              },
              {
                ...axis,
                grid: { stroke: color("line"), width: 1 },
                size: fitting,
                values: unit && ((_, ticks) => ticks.map(unit)),
              },
            ],
            series: [
              {
                label: xName || (time ? "time" : "#"),
                value: (_, at) => (at === null ? "" : time ? clock(at) : at),
              },
              ...series.map((one, i) => ({
                label: one.name,
                stroke: color(`plot-${(i % 6) + 1}`),
                fill: series.length === 1 && !points ? color("plot-fill") : undefined,
                width: points ? 0 : 1.75,
                dash: one.dashed ? [5, 4] : undefined,
                points: points
                  ? { show: true, size: 5, fill: color(`plot-${(i % 6) + 1}`) }
                  : { size: 5 },
                value: (_, value) => (value === null ? "" : unit ? unit(value) : value),
              })),
            ],
          },
          data,
          place.current,
        );
        observer = new ResizeObserver(() => plot.current?.setSize({ width: width(), height }));
        observer.observe(place.current);
      },
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
      observer?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(data), [x, series]);

  if (failed)
    return html`<p class="note bad">The plot cannot be drawn: its library did not arrive.</p>`;
  return html`<div class="plot" ref=${place} role="img" aria-label=${label}></div>`;
}

const clock = (at) => new Date(at * 1000).toLocaleTimeString(undefined, { hour12: false });
/** With seconds only where marks are closer than a minute. */
function times(_, ticks) {
  const second = ticks.length > 1 && ticks[1] - ticks[0] < 60 ? "2-digit" : undefined;
  const style = { hour12: false, hour: "2-digit", minute: "2-digit", second };
  return ticks.map((at) => new Date(at * 1000).toLocaleTimeString(undefined, style));
}

/** As wide as the longest label of the y axis. */
function fitting(_, labels) {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label.length));
  return 16 + longest * 7;
}
