/**
 * The server's clock. A device's own may be wrong by months, and would delete a fresh copy or keep an old one.
 *
 * The page says when the server made it (`data-now`); what has passed since then is measured, not read from a clock.
 */

/** Now, in whole milliseconds since 1970. */
export function serverNow() {
  const { now } = document.querySelector("[data-now]").dataset;
  const [page] = performance.getEntriesByType("navigation");
  return Math.floor(Number(now) + performance.now() - page.responseStart);
}
