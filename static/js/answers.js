// What htmx brings is announced to screen readers: the text of data-announce in the part that was replaced.
// When htmx gets no usable answer, that is said among the messages of the page instead of leaving the old state standing.
const announce = (event) => {
  const region = document.getElementById("announcer");
  const news = event.detail.elt?.querySelector?.("[data-announce]");
  if (region && news) region.textContent = news.textContent.replace(/\s+/g, " ").trim();
};

const tell = (event) => {
  const template = document.getElementById("request-failed");
  const place = document.getElementById("messages");
  if (!template || !place) return;
  const note = template.content.cloneNode(true);
  const answer = event.detail.xhr;
  // A service that is away is named in a sentence, which says what became of what was sent.
  const isSentence = answer?.status === 503 && answer.getResponseHeader("Content-Type")?.startsWith("text/plain");
  const said = isSentence ? answer.responseText : `The server answered ${answer?.status}. Nothing was stored.`;
  if (answer?.status) note.querySelector("[data-status]").textContent = said;
  place.replaceChildren(note);
};

// A request that no hand has caused, such as one for news every few seconds, does not keep the session open.
const markPassive = (event) => {
  if (!event.detail.triggeringEvent?.isTrusted) event.detail.headers["X-By-Itself"] = "1";
};

document.addEventListener("htmx:configRequest", markPassive);
document.addEventListener("htmx:load", announce);
for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(kind, tell);
