/**
 * A worker that all tabs of a browser share: it keeps one stream of the host's events for those that
 * are looked at. Over HTTP/1.1 a browser has six connections for one host, whatever the number of tabs.
 *
 * A tab says `join` and goes on saying it, and `leave`, which may get lost where it ends; it is told
 * `open`, `catalog`, `jobs`, `lost` and `refused`.
 */
/** When each tab that is looked at was last heard of. */
const tabs = new Map();
/** How long a tab may be silent, in milliseconds; tabs say `join` every five seconds. */
const TAB_TIMEOUT = 15_000;
let source = null;
let isOpen = false;

function tell(word) {
  for (const tab of tabs.keys()) tab.postMessage(word);
}

function open() {
  const events = new EventSource(new URL("../../events", location.href));
  source = events;
  events.addEventListener("open", () => {
    isOpen = true;
    tell("open");
  });
  events.addEventListener("catalog", () => tell("catalog"));
  events.addEventListener("jobs", () => tell("jobs"));
  events.addEventListener("error", () => {
    if (events !== source) return;
    isOpen = false;
    if (events.readyState !== EventSource.CLOSED) return tell("lost");
    source = null;
    tell("refused");
  });
}

function join(tab) {
  const isNew = !tabs.has(tab);
  tabs.set(tab, Date.now());
  if (!source) open();
  else if (isOpen && isNew) tab.postMessage("open");
}

function leave(tab) {
  tabs.delete(tab);
  if (tabs.size) return;
  source?.close();
  source = null;
  isOpen = false;
}

setInterval(() => {
  const now = Date.now();
  for (const [tab, heard] of tabs) if (now - heard > TAB_TIMEOUT) leave(tab);
}, TAB_TIMEOUT / 3);

globalThis.onconnect = ({ ports: [tab] }) => {
  tab.onmessage = ({ data }) => (data === "join" ? join(tab) : leave(tab));
};
