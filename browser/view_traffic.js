/** The card `What left this browser`. */
import { requestsSince, whenRequestsChange } from "./traffic.js";
import { element, fill, fromTemplate, sizeInWords } from "./view.js";

/** Show the card; it goes on growing with what is sent. */
export function showTraffic(/** @type {string} */ alias) {
  const card = element("traffic");
  fill(card, "[data-alias]", alias);
  showRequests();
  if (card.hidden) whenRequestsChange(showRequests);
  card.hidden = false;
}

/** Drawn anew only where there is more, so that what somebody reads does not move. */
function showRequests() {
  const list = element("requests");
  const requests = requestsSince();
  if (list.childElementCount === requests.length) return;
  list.replaceChildren(...requests.map(lineOf));
  const bodies = list.querySelectorAll("details");
  if (bodies.length > 0) bodies[bodies.length - 1].open = true;
}

function lineOf({ method, address, size, body }) {
  const line = fromTemplate("request-template");
  fill(line, "strong", method || "Request");
  fill(line, ".mono", address);
  line.lastElementChild.textContent = size > 0 ? sizeInWords(size) : "no body";
  if (body) {
    line.className = "mine";
    const details = fromTemplate("body-template");
    fill(details, "pre", body.replaceAll("\r\n", "\n"));
    line.append(details);
  }
  return line;
}
