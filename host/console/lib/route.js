/**
 * Where in the console one is: the part of the address after `#`. `#/procedures/a%2Fb?x=1` is
 * `{path: ["procedures", "a/b"], query}`.
 */
import { useEffect, useState } from "../vendor/htm-3.1.1/standalone.module.js";

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const decode = (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

export function useRoute() {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const follow = () => setRoute(read());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/** The address of a page. */
export const to = (...path) => `#/${path.map(encodeURIComponent).join("/")}`;
