// What a call begins with: nothing of what the module was built with, or of what was there before.

const actions = [];

/** Has something done when a call begins. */
export const atBegin = (action) => void actions.push(action);

/** Whether a call runs; before the first one, the module is being built. */
export let isCalled = false;

/** A call begins. */
export function begin() {
  isCalled = true;
  for (const action of actions) action();
}
