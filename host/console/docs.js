/**
 * `/-/docs`: the OpenAPI document of the host in a viewer, Swagger UI. Of what components say in it
 * nothing is taken as HTML: the viewer's own renderer of Markdown is replaced by the console's.
 */
import { hostAddress, pathOf } from "./lib/base.js";
import { elements } from "./lib/markdown.js";
import { isDark } from "./lib/theme.js";

const TextOnly = () => ({
  wrapComponents: {
    Markdown:
      (_, { React }) =>
      ({ source }) =>
        typeof source === "string" && source
          ? React.createElement(
              "div",
              { className: "renderedMarkdown" },
              ...elements(source, React.createElement, 4),
            )
          : null,
  },
});

document.documentElement.classList.toggle("dark-mode", isDark());

// Who is not logged in can do so there.
const reply = await fetch(pathOf("/-/openapi.json"));
if (reply.status === 401) location.replace(pathOf("/"));
const spec = { ...(await reply.json()), servers: [{ url: hostAddress }] };

/** The viewer is a script of its own, which comes before modules. */
globalThis.SwaggerUIBundle({
  spec,
  domNode: document.getElementById("docs"),
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  // Otherwise the document would be sent to a service that checks it.
  validatorUrl: null,
  plugins: [TextOnly],
});
