/**
 * Where this browser sees the host: a proxy may have put it below a path, which the host need not know.
 */

/** The host's address, without a slash at its end. */
export const hostAddress = new URL("../../..", import.meta.url).href.replace(/\/$/, "");

/** The path of a page of the host, such as `/-/jobs`, for this browser. */
export const pathOf = (page) => new URL(hostAddress).pathname.replace(/\/$/, "") + page;
