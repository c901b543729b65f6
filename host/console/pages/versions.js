/**
 * The versions of a component, for those who may deploy: what is served, what was served before, and the way
 * back.
 */
import { HostError, component, rollBack, session } from "../lib/api.js";
import { ago, clock } from "../lib/format.js";
import { Icon, html, useEffect, useState, useNow } from "../parts/ui.js";

const SHOWN_DIGITS = 12;

/** Whether somebody with these rights may see and change versions; on a host without tokens everybody sees them. */
const mayDeploy = ({ rights }) => rights === null || rights.includes("deploy") || rights.includes("admin");

/** `file` is the component's, and `digest` that of the version which is served. */
export function Versions({ file, digest }) {
  const name = file.replace(/\.wasm$/, "");
  const [allowed, setAllowed] = useState(false);
  const [open, setOpen] = useState(false);
  const [entry, setEntry] = useState(null);
  const [failure, setFailure] = useState(null);
  const [asked, setAsked] = useState(null);
  const now = useNow();
  const attempt = async (work) => {
    try {
      setFailure(null);
      await work();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      setFailure(error.message);
    }
  };
  const look = () => attempt(async () => setEntry(await component(name)));
  useEffect(() => {
    attempt(async () => setAllowed(mayDeploy(await session())));
  }, []);
  useEffect(() => {
    if (open) look();
  }, [open, digest]);
  if (!allowed) return null;
  const returnTo = (version) =>
    attempt(async () => {
      setAsked(null);
      await rollBack(name, entry.version, version);
      await look();
    });
  return html`
    <details class="versions" onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary>Versions of ${file}</summary>
      ${failure && html`<p class="failure" role="alert"><${Icon} name="warning" />${failure}</p>`}
      ${entry && entry.versions.length === 0 && html`<p class="faint">This host keeps no versions.</p>`}
      ${
        entry?.versions.length > 0 &&
        html`
      <ul>
        ${entry.versions.map(
          (version) => html`
          <li key=${version.version}>
            <code title=${version.version}>${shorten(version.version)}</code>
            <time datetime=${version.since} title=${clock(version.since)}>${ago(version.since, now)}</time>
            <span class="faint">${version.by ? `${version.origin} by ${version.by}` : version.origin}</span>
            ${
              version.current
                ? html`<strong>served</strong>`
                : html`<${Return} version=${version} isAsked=${asked === version.version} onAsk=${setAsked} onReturn=${returnTo} />`
            }
          </li>
        `,
        )}
      </ul>
      `
      }
    </details>
  `;
}

/** It changes what everybody calls, so it is asked once more. */
function Return({ version: { version }, isAsked, onAsk, onReturn }) {
  const short = shorten(version);
  if (!isAsked) {
    return html`
      <button type="button" class="quiet small" aria-label=${`Return to it: ${short}`} onClick=${() => onAsk(version)}>Return to it</button>
    `;
  }
  return html`
    <span class="question">
      <span role="status">Serve this version to everybody?</span>
      <button type="button" class="small primary" onClick=${() => onReturn(version)}>Return</button>
      <button type="button" class="quiet small" onClick=${() => onAsk(null)}>Leave it</button>
    </span>
  `;
}

/** The beginnings of the digests of a component and of its sidecar. */
const shorten = (version) =>
  version
    .split(".")
    .map((digest) => digest.slice(0, SHOWN_DIGITS))
    .join(".");
