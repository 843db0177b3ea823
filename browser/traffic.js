/**
 * What this page sent since it was opened: the browser's own list of requests, and for those of our script the body.
 *
 * The browser's list (Performance API) holds every request of the page, whoever made it, but neither method nor body;
 * those are known of the requests that `recordedFetch` made.
 *
 * @typedef {object} Sent
 * @property {string} method "GET" for everything that the page loads; "" where the browser does not tell
 * @property {string} address path and query
 * @property {number} size bytes of the body
 * @property {number} at milliseconds since the page was opened
 * @property {string} [body] the body in full, as text
 */

/** @type {Sent[]} */
const own = [];
const SCRIPTED = new Set(["fetch", "xmlhttprequest", "beacon"]);
const encoder = new TextEncoder();

// Browsers list 250 requests unless asked for more.
performance.setResourceTimingBufferSize(5000);

/**
 * Like `fetch`, with a body that is text or none, and noted.
 * @param {string} address path and query on this site
 * @param {{method?: string, headers?: Record<string, string>, body?: string} & RequestInit} options
 */
export function recordedFetch(address, options = {}) {
  const { method = "GET", body } = options;
  const size = body === undefined ? 0 : encoder.encode(body).length;
  own.push({ method, address: pathOf(address), size, at: performance.now(), body });
  return fetch(address, options);
}

/** @returns {Sent[]} every request since the page was opened, the page itself first. */
export function requestsSince() {
  const unseen = [...own];
  const [page] = performance.getEntriesByType("navigation");
  const sent = [{ method: "GET", address: pathOf(page.name), size: 0, at: 0 }];
  for (const entry of performance.getEntriesByType("resource")) {
    const address = pathOf(entry.name);
    const index = SCRIPTED.has(entry.initiatorType) ? unseen.findIndex((known) => known.address === address) : -1;
    if (index >= 0) sent.push(...unseen.splice(index, 1));
    else sent.push({ method: SCRIPTED.has(entry.initiatorType) ? "" : "GET", address, size: 0, at: entry.startTime });
  }
  // The browser lists a request when it has ended.
  return [...sent, ...unseen].sort((one, other) => one.at - other.at);
}

/** Call `act` whenever the browser's list has grown. */
export function whenRequestsChange(act) {
  new PerformanceObserver(act).observe({ type: "resource" });
}

function pathOf(address) {
  const url = new URL(address, location.href);
  return url.origin === location.origin ? url.pathname + url.search : url.href;
}
