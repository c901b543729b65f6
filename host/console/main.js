/**
 * The console of a TARP host: procedures to call, jobs to watch, and how the host fares.
 *
 * No build step: these modules are served as they are. `lib/` knows the host and the values and draws
 * nothing, `form/` makes forms of types, `parts/` shows results, `pages/` puts them together. Nothing
 * from a guest or a caller is ever taken as HTML.
 */
import { start } from "./lib/live.js";
import { Shell } from "./pages/shell.js";
import { html, render } from "./parts/ui.js";

start();
render(html`<${Shell} />`, document.body);
