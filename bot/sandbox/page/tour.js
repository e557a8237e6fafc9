// The steps to try: a click prepares one, and it is ticked once the person has really taken it.

import { fillComposer } from "./composer.js";
import { byId, h } from "./dom.js";
import { store } from "./store.js";

const done = new Set(JSON.parse(sessionStorage.getItem("done") || "[]"));

export function showTour(switchTo) {
  const bar = byId("tour");
  bar.hidden = !store.script.tour.length || sessionStorage.getItem("tour") === "closed";
  const draw = () => bar.replaceChildren(
    h("ol", {}, store.script.tour.map((step, index) => h("li", {}, stepOf(step, index, switchTo)))),
    h("button", { type: "button", class: "icon-button", "aria-label": "Hide the steps", onclick: () => close(bar) }, "✕"));
  draw();
  addEventListener("acted", (event) => { if (tick(event.detail)) draw(); });
}

function stepOf(step, index, switchTo) {
  const isDone = done.has(index);
  const prepare = async () => {
    await switchTo(step.person);
    if (step.channel) location.hash = step.channel;
    if (step.command) fillComposer(step.command);
  };
  return h("button", { type: "button", class: isDone ? "done" : "", "data-step": index, onclick: prepare },
    h("span", { class: "step", "aria-hidden": "true" }, isDone ? "✓" : String(index + 1)),
    h("span", {}, h("strong", {}, step.title), h("small", {}, step.text)));
}

function close(bar) {
  sessionStorage.setItem("tour", "closed");
  bar.hidden = true;
}

function tick(act) {
  const index = store.script.tour.findIndex((step, at) => !done.has(at) && step.person === act.person && isTaken(step, act));
  if (index < 0) return false;
  done.add(index);
  sessionStorage.setItem("done", JSON.stringify([...done]));
  return true;
}

// A step without a command names the button to press in its own words: “Press Approve as Ana”.
const isTaken = (step, { command, button }) => (step.command ? command === step.command : Boolean(button) && step.text.startsWith(`Press ${button} as `));
