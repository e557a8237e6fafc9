// A select whose options the app answers while the person types: a combobox with a list below it.

import { use } from "./acting.js";
import { explain, h, post } from "./dom.js";
import { store } from "./store.js";

let serial = 0;
const wordsOf = new Map(); // of every option that was offered, by its value

export function externalSelect(element, place) {
  const listId = `suggestions-${++serial}`;
  const list = h("ul", { class: "suggestions", role: "listbox", id: listId, hidden: true });
  const input = h("input", {
    type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
    placeholder: element.placeholder?.text || "Type to search …", id: place.labelled, autocomplete: "off",
  });
  const node = h("span", { class: "external" }, input, list);
  let chosen = place.known?.selected_option || element.initial_option || null;
  input.value = chosen?.text?.text || "";
  if (chosen) wordsOf.set(chosen.value, input.value);
  let asked = 0;
  let active = -1;

  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); active = -1; };
  const choose = (option) => {
    if (place.onChoose) {
      place.onChoose(option);
      input.value = "";
      close();
      return;
    }
    chosen = { value: option.value };
    input.value = option.text;
    close();
    use(node, element, place, option.value);
  };
  const mark = (index) => {
    const items = [...list.querySelectorAll("[role=option]")];
    if (!items.length) return;
    active = (index + items.length) % items.length;
    items.forEach((item, n) => item.setAttribute("aria-selected", String(n === active)));
    input.setAttribute("aria-activedescendant", items[active].id);
    items[active].scrollIntoView({ block: "nearest" });
  };
  const search = async () => {
    if (input.value.length < (element.min_query_length ?? 3)) return close();
    const turn = ++asked;
    // What an earlier search found never stands under other words: it would be picked for them.
    list.replaceChildren(h("li", { class: "nothing" }, "Searching …"));
    list.found = [];
    active = -1;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    const body = { as: store.me, target: place.target, action_id: element.action_id, query: input.value };
    const answer = await post("suggest", body);
    if (turn !== asked || list.hidden) return undefined;
    const words = answer.error ? explain(answer.error) : "Nothing found";
    list.replaceChildren(...(answer.options?.length
      ? answer.options.map((option, n) => h("li", {
        role: "option", id: `${listId}-${n}`, "aria-selected": "false",
        onmousedown: (event) => { event.preventDefault(); choose(option); },
      }, option.text, option.description && h("small", {}, option.description)))
      : [h("li", { class: "nothing" }, words)]));
    list.found = answer.options || [];
    for (const option of list.found) wordsOf.set(option.value, option.text);
    return undefined;
  };
  input.addEventListener("focus", () => { input.select(); search(); });
  input.addEventListener("input", () => { chosen = null; search(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      choose(list.found[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      event.preventDefault();
      close();
    }
  });
  node.readValue = () => chosen?.value || null;
  node.restore = (value) => {
    chosen = { value };
    input.value = wordsOf.get(value) ?? value;
  };
  return node;
}

// The same for several: what is picked stands below the field, and a click takes it away again.
export function externalMultiSelect(element, place) {
  const known = place.known?.selected_options || element.initial_options || [];
  const picked = new Map(known.map((option) => [option.value, option.text.text]));
  for (const [value, words] of picked) wordsOf.set(value, words);
  const list = h("ul", { class: "picked" });
  const single = externalSelect({ ...element, initial_option: null }, {
    ...place, known: null, onChoose: (option) => { picked.set(option.value, option.text); draw(); },
  });
  const draw = () => list.replaceChildren(...[...picked].map(([value, text]) => h("li", {}, text,
    h("button", {
      type: "button", class: "icon-button", "aria-label": `Take away ${text}`,
      onclick: () => { picked.delete(value); draw(); },
    }, "✕"))));
  const node = h("span", { class: "external-many" }, single, list);
  draw();
  node.readValue = () => [...picked.keys()];
  node.restore = (values) => {
    picked.clear();
    for (const value of values) picked.set(value, wordsOf.get(value) ?? value);
    draw();
  };
  return node;
}
