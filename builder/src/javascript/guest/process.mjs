// `node:process`, as far as there is any: the variables that the component was granted.

import environment from "wasi:cli/environment@0.2.0";

import { atBegin, isCalled } from "./begin.mjs";

let known;
atBegin(() => {
  known = undefined;
});

/** While the module is built there are none: they would be those of the machine that builds it. */
const variables = () => (isCalled ? (known ??= Object.fromEntries(environment.getEnvironment())) : {});

/** They are read-only. */
export const env = new Proxy(Object.freeze({}), {
  get: (_target, name) => variables()[name],
  has: (_target, name) => name in variables(),
  ownKeys: () => Reflect.ownKeys(variables()),
  getOwnPropertyDescriptor: (_target, name) =>
    Object.hasOwn(variables(), name)
      ? { configurable: true, enumerable: true, writable: false, value: variables()[name] }
      : undefined,
});
export const argv = [];
export const platform = "wasi";
export const cwd = () => "/";
export default { env, argv, platform, cwd };
