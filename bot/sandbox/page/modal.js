// Modals: the top of the person's stack of views, in a native dialog (which keeps the focus inside).

import { choicesIn } from "./acting.js";
import { renderBlocks } from "./blocks.js";
import { byId, explain, h, post } from "./dom.js";
import { textObject } from "./mrkdwn.js";
import { store } from "./store.js";

let shown = "";
let closing = "";

export function renderModal() {
  const dialog = byId("view");
  const view = store.picture.views.at(-1);
  if (!view) {
    shown = "";
    if (dialog.open) dialog.close();
    return;
  }
  const mark = `${store.me}/${view.id}/${view.hash}`;
  if (mark === shown) return;
  const typed = shown.startsWith(`${store.me}/${view.id}/`) ? choicesIn(dialog) : {};
  const focused = dialog.contains(document.activeElement) ? document.activeElement.closest(".control")?.dataset.action : null;
  draw(dialog, view, {});
  restore(dialog, typed);
  shown = mark;
  if (!dialog.open) dialog.showModal();
  focusOn(dialog, focused);
}

function draw(dialog, view, errors) {
  const { payload } = view;
  const status = h("p", { class: "sheet-status", role: "alert" });
  const submit = payload.submit && h("button", { type: "submit", class: "button primary" }, textObject(payload.submit));
  const form = h("form", { class: "sheet-form", novalidate: true, "data-target": view.id },
    h("div", { class: "sheet-body" }, renderBlocks(payload.blocks, { target: view.id, values: view.values, errors })), status,
    h("div", { class: "sheet-foot" },
      h("button", { type: "button", class: "button", onclick: () => cancel(view) }, payload.close ? textObject(payload.close) : "Cancel"), submit));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (submit) send(dialog, view, form, status);
  });
  dialog.oncancel = (event) => {
    event.preventDefault();
    cancel(view);
  };
  dialog.replaceChildren(
    h("div", { class: "sheet-head" }, h("h2", { id: "view-title" }, textObject(payload.title)),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => cancel(view) }, "✕")), form);
}

async function cancel(view) {
  if (closing === view.id) return; // pressed again before the answer came
  closing = view.id;
  const answer = await post("close", { as: store.me, target: view.id });
  if (answer.error) closing = "";
}

async function send(dialog, view, form, status) {
  const choices = choicesIn(form);
  form.classList.add("busy");
  form.querySelector("[type=submit]").disabled = true;
  const answer = await post("submit", { as: store.me, target: view.id, choices });
  form.classList.remove("busy");
  form.querySelector("[type=submit]").disabled = false;
  status.textContent = answer.error ? `${explain(answer.error)} Try again?` : "";
  const errors = answer.errors || {};
  const top = store.picture.views.at(-1); // the app may have drawn it anew meanwhile
  if (!Object.keys(errors).length || top?.id !== view.id) return;
  draw(dialog, top, errors);
  restore(dialog, choices);
  dialog.querySelector("[aria-invalid]")?.focus();
}

function restore(dialog, choices) {
  for (const node of dialog.querySelectorAll(".control")) {
    const choice = choices[node.dataset.block]?.[node.dataset.action];
    if (choice === undefined || choice === null) continue;
    if (node.matches("input, textarea, select") && node.type !== "datetime-local") node.value = choice;
    for (const box of node.querySelectorAll("input[type=checkbox], input[type=radio]")) box.checked = [choice].flat().includes(box.value);
    node.restore?.(choice);
  }
}

function focusOn(dialog, action) {
  const again = action && dialog.querySelector(`[data-action="${CSS.escape(action)}"]`);
  const first = again || dialog.querySelector(".sheet-body input, .sheet-body select, .sheet-body textarea, .sheet-foot .primary");
  first?.focus();
}
