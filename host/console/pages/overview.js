/**
 * How the host fares: how much is called, how fast, what fails, over the last minutes.
 */
import { ask } from "../lib/api.js";
import { bytes, count, micros, seconds } from "../lib/format.js";
import { to } from "../lib/route.js";
import { Plot } from "../parts/plot.js";
import { Spark } from "../parts/spark.js";
import { html, useEffect, useMemo, useState } from "../parts/ui.js";

export function Overview() {
  const [told, setTold] = useState({ data: null, error: null });
  useEffect(() => {
    let timer = null;
    let gone = false;
    const look = async () => {
      try {
        const data = await ask("/-/overview");
        if (!gone) setTold({ data, error: null });
      } catch (error) {
        if (!gone) setTold((old) => ({ ...old, error }));
      }
      if (!gone) timer = setTimeout(look, 2000);
    };
    look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  const { data, error } = told;
  return html`
    <div class="page">
      <h1 data-heading>Overview</h1>
      ${
        error &&
        html`
        <p class="note ${error.status === 404 ? "" : "bad"}" role="status">
          ${error.status === 404 ? "Not available: this host does not tell how it fares." : error.message}
        </p>
      `
      }
      ${!data && !error && html`<p class="note" role="status">Asking the host…</p>`}
      ${data && html`<${Tiles} data=${data} /><${Plots} data=${data} /><${PerProcedure} data=${data} />`}
    </div>
  `;
}

const latency = (value) => (value === null || value === undefined ? "–" : micros(value));
const sum = (values) => values.reduce((a, b) => a + b, 0);

function Tiles({ data }) {
  const { samples, interval } = data;
  const last = samples.at(-1) ?? { calls: 0, failures: 0, p50_us: null, p95_us: null };
  const minutes = (samples.length * interval) / 60;
  const calls = sum(samples.map((one) => one.calls));
  const failures = sum(samples.map((one) => one.failures));
  const known = samples.findLast((one) => one.p50_us !== null);
  const tiles = [
    [
      "Calls per second",
      count(Number((last.calls / interval).toPrecision(3))),
      `${count(calls)} in ${seconds(minutes * 60)}`,
      (one) => one.calls,
    ],
    [
      "Failures",
      count(last.failures),
      `${count(failures)} in ${seconds(minutes * 60)}`,
      (one) => one.failures,
    ],
    [
      "Latency",
      latency(known?.p50_us),
      `95 % within ${latency(known?.p95_us)}`,
      (one) => one.p50_us,
    ],
    [
      "Running",
      count(data.running),
      `${count(data.queued)} queued, ${count(data.jobs_running)} of them jobs`,
      (one) => one.running,
    ],
    ["Memory", bytes(data.memory), `up for ${seconds(data.uptime)}`, (one) => one.memory],
  ];
  tiles[3][2] = `${count(data.jobs_running)} jobs, ${count(data.queued)} queued`;
  return html`
    <dl class="tiles">
      ${tiles.map(
        ([name, value, more, of]) => html`
        <div>
          <dt>${name}</dt>
          <dd class="tile-value">${value}</dd>
          <dd class="faint">${more}</dd>
          <dd aria-hidden="true"><${Spark} values=${samples.map(of)} /></dd>
        </div>
      `,
      )}
    </dl>
  `;
}

function Plots({ data }) {
  const { samples, interval } = data;
  const end = Date.parse(data.now) / 1000;
  const x = useMemo(() => samples.map((_, i) => end - (samples.length - 1 - i) * interval), [data]);
  const of = (name, pick, rest) => ({ name, values: samples.map(pick), ...rest });
  const plots = useMemo(
    () => [
      [
        "Calls per second",
        [
          of("calls", (one) => one.calls / interval),
          of("failures", (one) => one.failures / interval),
        ],
        undefined,
      ],
      [
        "Latency",
        [of("median", (one) => one.p50_us), of("95 %", (one) => one.p95_us, { dashed: true })],
        (value) => micros(value),
      ],
      [
        "Running and queued",
        [of("running", (one) => one.running), of("queued", (one) => one.queued)],
        undefined,
      ],
      ["Memory", [of("memory", (one) => one.memory)], (value) => bytes(value)],
    ],
    [data],
  );
  if (samples.length < 2) return html`<p class="note">The first minutes are still to come.</p>`;
  return html`
    <div class="plots">
      ${plots.map(
        ([title, series, unit]) => html`
          <section key=${title} aria-label=${title}>
            <h2>${title}</h2>
            <${Plot}
              x=${x}
              series=${series}
              time
              unit=${unit}
              height=${170}
              label=${`${title} over the last ${seconds(samples.length * interval)}`}
              legend=${series.length > 1}
            />
          </section>
        `,
      )}
    </div>
  `;
}

function PerProcedure({ data }) {
  const rows = Object.entries(data.procedures)
    .filter(([, one]) => one.calls > 0)
    .sort(([, a], [, b]) => b.calls - a.calls);
  if (!rows.length) return html`<p class="note">Nothing was called yet.</p>`;
  return html`
    <h2>Procedures</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Calls by procedure">
      <table class="data per-procedure">
        <thead>
          <tr>
            <th scope="col">Procedure</th>
            <th scope="col" class="number">Calls</th>
            <th scope="col" class="number">Failures</th>
            <th scope="col" class="number">Median</th>
            <th scope="col" class="number">95 %</th>
            <th scope="col">Last minutes</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([name, one]) => html`
              <tr key=${name}>
                <th scope="row"><a href=${to("procedures", name)}>${name}</a></th>
                <td class="number">${count(one.calls)}</td>
                <td class=${`number ${one.failures ? "failing" : ""}`}>${count(one.failures)}</td>
                <td class="number">${latency(one.p50_us)}</td>
                <td class="number">${latency(one.p95_us)}</td>
                <td><${Spark} values=${one.samples} /></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
