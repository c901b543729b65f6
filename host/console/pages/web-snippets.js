/**
 * A request to a web procedure in code.
 */
import { curl, javascript, python, tarp } from "../lib/web-snippets.js";
import { Code, Copy, Segments, html, useState } from "../parts/ui.js";

const LANGUAGES = { curl, Python: python, JavaScript: javascript, "tarp call": tarp };
/** The language that was chosen last, for the next procedure. */
let last = "curl";

export function InCode({ request }) {
  const [wanted, setWanted] = useState(last);
  const codes = Object.entries(LANGUAGES).map(([name, write]) => [name, write(request)]);
  const known = codes.filter(([, code]) => code !== null);
  const [language, code] = known.find(([name]) => name === wanted) ?? known[0];
  const choose = (chosen) => {
    last = chosen;
    setWanted(chosen);
  };
  return html`
    <section class="snippets" aria-labelledby="snippets">
      <h2 id="snippets">The same request in code</h2>
      <div class="tools">
        <${Segments}
          name="language"
          label="Language"
          options=${known.map(([one]) => [one, one])}
          value=${language}
          onChange=${choose}
        />
        <${Copy} text=${code} />
      </div>
      <${Code} text=${code} label=${`The request in ${language}`} />
    </section>
  `;
}
