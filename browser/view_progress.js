/** What the page shows while it works: the step, its time, and the question before it is left. */
import { element, fill, painted, showPart } from "./view.js";

/** How often the running seconds are written, in milliseconds. */
const TICK = 200;

let startedAt = 0;
let stepStartedAt = 0;
let timer = 0;

/**
 * Show the steps from the first. `done`: names of those that were done before, on an earlier visit.
 * @param {{alias: string, done: string[]}} what
 */
export async function startProgress({ alias, done }) {
  startedAt = stepStartedAt = performance.now();
  fill(element("progress"), "[data-alias]", alias);
  element("step").textContent = "";
  for (const step of steps()) {
    step.className = done.includes(step.dataset.step) ? "ok" : "";
    step.removeAttribute("aria-current");
    timeOf(step).textContent = done.includes(step.dataset.step) ? "before" : "";
  }
  addEventListener("beforeunload", askFirst);
  timer = setInterval(showElapsed, TICK);
  showElapsed();
  showPart("progress");
  element("progress-title").focus();
  // A live region speaks of what changes after it has been shown.
  await painted();
}

/** Show that the step of this name begins and those before it are done; resolves when that can be seen. */
export async function showStep(/** @type {string} */ name) {
  endRunningStep();
  const step = steps().find((one) => one.dataset.step === name);
  step.className = "mine";
  step.setAttribute("aria-current", "step");
  timeOf(step).textContent = "now";
  element("step").textContent = name;
  await painted();
  stepStartedAt = performance.now();
}

/** Nothing runs any more: the page may be left. */
export function endProgress() {
  endRunningStep();
  clearInterval(timer);
  removeEventListener("beforeunload", askFirst);
}

function endRunningStep() {
  for (const step of steps().filter((one) => one.hasAttribute("aria-current"))) {
    step.className = "ok";
    step.removeAttribute("aria-current");
    const seconds = (performance.now() - stepStartedAt) / 1000;
    timeOf(step).textContent = seconds < 0.1 ? "under 0.1 s" : `${seconds.toFixed(1)} s`;
  }
}

function showElapsed() {
  element("elapsed").textContent = `${Math.floor((performance.now() - startedAt) / 1000)} s`;
}

function askFirst(event) {
  event.preventDefault();
}

const steps = () => [...element("steps").children];
const timeOf = (step) => step.lastElementChild;
