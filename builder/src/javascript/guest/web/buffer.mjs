// `Buffer`, as in Node, for those components alone that use it.

export { Buffer } from "node:buffer";
