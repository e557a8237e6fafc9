// What a control does when it is used: its value goes to the app, with all that stands beside it.

import { byId, explain, h, post, tellActed, toast } from "./dom.js";
import { textObject } from "./mrkdwn.js";
import { store } from "./store.js";

export function choicesIn(container) {
  const choices = {};
  for (const node of container.querySelectorAll(".control")) {
    if (!node.readValue) continue;
    (choices[node.dataset.block] ||= {})[node.dataset.action] = node.readValue();
  }
  return choices;
}

export async function use(node, element, place, value = null) {
  if (place.inInput && !place.dispatches) return;
  if (element.confirm && !(await confirmed(element.confirm))) return;
  const container = node.closest("[data-target]");
  const person = store.me;
  node.classList.add("busy");
  node.setAttribute("aria-busy", "true");
  const answer = await post("click", {
    as: person, target: place.target, action_id: element.action_id, block_id: place.block, value,
    choices: container ? choicesIn(container) : {},
  });
  node.classList.remove("busy");
  node.removeAttribute("aria-busy");
  if (answer.error) toast(explain(answer.error));
  else tellActed({ person, button: element.text?.text?.replace("…", "") });
}

function confirmed(words) {
  const dialog = byId("confirm");
  const tone = words.style === "danger" ? "danger" : "primary";
  return new Promise((resolve) => {
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, textObject(words.title)),
      h("div", { class: "sheet-body" }, h("div", { class: "text" }, textObject(words.text))),
      h("form", { method: "dialog", class: "sheet-foot" },
        h("button", { value: "no", class: "button" }, textObject(words.deny)),
        h("button", { value: "yes", class: `button ${tone}` }, textObject(words.confirm))));
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}
