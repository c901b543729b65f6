/**
 * The call in the form as Python, curl, JavaScript and a command line.
 */
import { extensionOf } from "../lib/media.js";
import { curl, files, isLong, javascript, python, tarp } from "../lib/snippets.js";
import { Code, Copy, Download, Segments, html, useMemo, useState } from "../parts/ui.js";

const LANGUAGES = { Python: python, curl, JavaScript: javascript, "tarp call": tarp };
/** What reads all arguments from one file. */
const WHOLE = new Set(["curl", "JavaScript"]);

/** The language that was chosen last, for the next procedure. */
let last = "Python";

export function Snippets({ procedure, text, texts, complete, outcome }) {
  const [language, setLanguage] = useState(last);
  const [asJob, setAsJob] = useState(procedure.mode === "async");
  const choose = (chosen) => {
    last = chosen;
    setLanguage(chosen);
  };
  const extension = outcome ? extensionOf(outcome) : undefined;
  const code = useMemo(
    () => (complete ? LANGUAGES[language](procedure, text, asJob, { extension, texts }) : ""),
    [procedure, text, texts, complete, language, asJob, extension],
  );
  const needed = useMemo(() => {
    if (!complete || !isLong(text)) return [];
    if (WHOLE.has(language)) return [{ file: "arguments.json", make: () => text }];
    return files(procedure, text, { texts });
  }, [procedure, text, complete, language]);
  return html`
    <section class="snippets" aria-labelledby="snippets">
      <h2 id="snippets">The same call in code</h2>
      <div class="tools">
        <${Segments}
          name="language"
          label="Language"
          options=${Object.keys(LANGUAGES).map((one) => [one, one])}
          value=${language}
          onChange=${choose}
        />
        <label class="given">
          <input type="checkbox" checked=${asJob} onChange=${(event) => setAsJob(event.target.checked)} />as a job
        </label>
        ${complete && html`<${Copy} text=${code} />`}
        ${needed.map(
          ({ file, make }) => html`
          <${Download} key=${file} name=${file} make=${make} type="application/octet-stream">${file}<//>
        `,
        )}
      </div>
      ${
        complete
          ? html`<${Code} text=${code} label=${`The call in ${language}`} />`
          : html`<p class="faint">It shows here when all arguments are filled in.</p>`
      }
      ${needed.length > 0 && html`<p class="faint">It reads the files above, from the folder it runs in.</p>`}
    </section>
  `;
}
