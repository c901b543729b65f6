/**
 * Where a host that asks for tokens is given one. The page itself does not keep it.
 */
import { logIn } from "../lib/live.js";
import { html, useState } from "../parts/ui.js";

export function LogIn() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(await tried(token.trim()));
    setBusy(false);
  };
  return html`
    <div class="page log-in">
      <h1 data-heading>Log in</h1>
      <p>This host asks for a token, such as <code>tarp token create</code> makes.</p>
      <form onSubmit=${submit}>
        <div class="field">
          <label for="token" class="name">Token</label>
          <input
            id="token"
            type="password"
            autocomplete="current-password"
            autocapitalize="off"
            spellcheck="false"
            required
            value=${token}
            aria-invalid=${problem ? "true" : undefined}
            aria-describedby=${problem ? "token-fault" : undefined}
            onInput=${(event) => setToken(event.target.value)}
          />
          ${problem && html`<p class="fault" id="token-fault" role="alert">${problem}</p>`}
        </div>
        <div class="actions"><button class="primary" disabled=${busy}>Log in</button></div>
      </form>
    </div>
  `;
}

/** Logs in; gives why that failed. */
async function tried(token) {
  try {
    if (await logIn(token)) return null;
    return "The host takes the token, but the browser does not send it back. Use HTTPS.";
  } catch (error) {
    return error.status === 401 ? "The host does not know this token." : error.message;
  }
}
