/**
 * The call in the form as Python, curl and JavaScript.
 */
import { curl, isLong, javascript, python } from "../lib/snippets.js";
import { Code, Copy, Download, Segments, html, useState } from "../parts/ui.js";

const LANGUAGES = { Python: python, curl, JavaScript: javascript };

export function Snippets({ procedure, text, complete }) {
  const [language, setLanguage] = useState("Python");
  const [asJob, setAsJob] = useState(procedure.mode === "async");
  const code = complete ? LANGUAGES[language](procedure, text, asJob) : "";
  return html`
    <section class="snippets" aria-labelledby="snippets">
      <h2 id="snippets">The same call in code</h2>
      <div class="tools">
        <${Segments}
          name="language"
          label="Language"
          options=${Object.keys(LANGUAGES).map((one) => [one, one])}
          value=${language}
          onChange=${setLanguage}
        />
        <label class="given">
          <input type="checkbox" checked=${asJob} onChange=${(event) => setAsJob(event.target.checked)} />as a job
        </label>
        ${complete && html`<${Copy} text=${code} />`}
        ${
          complete &&
          isLong(text) &&
          html`
          <${Download} name="arguments.json" make=${() => text} type="application/json">arguments.json<//>
        `
        }
      </div>
      ${
        complete
          ? html`<${Code} text=${code} label=${`The call in ${language}`} />`
          : html`<p class="faint">It shows here when all arguments are filled in.</p>`
      }
    </section>
  `;
}
