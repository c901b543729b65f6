// `node:fs/promises`.

import { promises } from "./fs.mjs";

export const { readFile, writeFile, appendFile, stat, lstat, readdir, mkdir, unlink, rmdir, rm, rename } = promises;
export default promises;
