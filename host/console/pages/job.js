/**
 * One job by its handle: a page to come back to.
 */
import { job as fetchJob } from "../lib/api.js";
import { to } from "../lib/route.js";
import { JobPanel } from "../parts/job-panel.js";
import { Copy, Icon, html, useEffect, useState } from "../parts/ui.js";

export function Job({ id, live }) {
  const [name, setName] = useState(null);
  useEffect(() => {
    let gone = false;
    fetchJob(id).then(
      (job) => !gone && setName(job.procedure),
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [id]);
  const procedure = live.catalog?.procedures.find((one) => one.name === name);
  return html`
    <div class="page">
      <a class="back always" href="#/jobs"><${Icon} name="back" />All jobs</a>
      <h1 data-heading>${name ? html`<a href=${to("procedures", name)}>${name}</a>` : "Job"}</h1>
      <p class="handle"><span class="mono">${id}</span><${Copy} text=${id} /></p>
      <${JobPanel}
        key=${`${id} ${live.catalog !== null}`}
        id=${id}
        result=${procedure?.result ?? null}
        known=${procedure !== undefined}
      />
    </div>
  `;
}
