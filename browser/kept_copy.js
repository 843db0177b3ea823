/**
 * The panel of a credential whose keystore was not confirmed: says whether this browser still has the encrypted key.
 *
 * The panel names the submission and the person (`data-submission`, `data-user`); what stands in `data-has-copy` is
 * shown where the copy is here, and what stands in `data-no-copy` where it is not.
 */
import { copies, forgetCopy, purgeCopies } from "./copies.js";

async function showWhatIsKept(panel) {
  const { submission, user } = panel.dataset;
  await purgeCopies({ user, now: Date.now() });
  const kept = (await copies()).some((copy) => copy.id === submission);
  for (const part of panel.querySelectorAll("[data-has-copy]")) part.hidden = !kept;
  for (const part of panel.querySelectorAll("[data-no-copy]")) part.hidden = kept;
  if (kept) forgetWhenSaved(panel, submission);
}

/** Who says here that the keystore is saved needs the copy no more. */
function forgetWhenSaved(panel, submission) {
  for (const form of panel.querySelectorAll('form[method="post"]')) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await forgetCopy(submission).catch(() => undefined); // It is purged after 7 days, too.
      form.submit();
    });
  }
}

const panel = document.querySelector("[data-submission]");
// A browser that keeps nothing has no copy: the panel then stays as the server wrote it.
if (panel) showWhatIsKept(panel).catch(() => undefined);
