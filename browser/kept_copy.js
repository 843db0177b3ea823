/**
 * The panel of a credential whose keystore was not confirmed: says whether this browser still has the encrypted key.
 *
 * The panel names the submission, the person and the server's time (`data-submission`, `data-user`, `data-now`); what stands in `data-has-copy` is
 * shown where the copy is here, and what stands in `data-no-copy` where it is not.
 */
import { serverNow } from "./clock.js";
import { forgetCopy, hasCopy, purgeCopies } from "./copies.js";

async function showWhatIsKept(panel) {
  const { submission, user } = panel.dataset;
  await purgeCopies({ user, now: serverNow() });
  const kept = await hasCopy(submission);
  for (const part of panel.querySelectorAll("[data-has-copy]")) part.hidden = !kept;
  for (const part of panel.querySelectorAll("[data-no-copy]")) part.hidden = kept;
  if (kept) forgetWhenSaved(panel, submission);
}

/** Who says here that the keystore is saved needs the copy no more, once the portal has noted it. */
function forgetWhenSaved(panel, submission) {
  for (const form of panel.querySelectorAll('form[method="post"]')) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!(await isNoted(form))) {
        form.submit(); // The portal's page then says what is in the way.
        return;
      }
      await forgetCopy(submission).catch(() => undefined); // It is purged after 7 days, too.
      location.reload();
    });
  }
}

/** Send the form as a script, and tell whether the portal has noted it. */
async function isNoted(form) {
  const options = { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "manual" };
  const response = await fetch(form.action, options).catch(() => null);
  return response?.status === 204;
}

const panel = document.querySelector("[data-submission]");
// A browser that keeps nothing has no copy: the panel then stays as the server wrote it.
if (panel) showWhatIsKept(panel).catch(() => undefined);
