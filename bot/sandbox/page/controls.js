// Interactive elements. Each control knows its value (`readValue`).

import { use } from "./acting.js";
import { h } from "./dom.js";
import { textObject } from "./mrkdwn.js";
import { externalMultiSelect, externalSelect } from "./external.js";
import { store } from "./store.js";

let serial = 0;

export function control(element, block, place) {
  const make = CONTROLS[element.type] || picker(CHOOSERS[element.type]);
  const node = make(element, { ...place, block: block.block_id, inInput: block.type === "input" });
  node.classList.add("control");
  node.dataset.block = block.block_id;
  node.dataset.action = element.action_id;
  return node;
}

function button(element, place) {
  const node = h("button", {
    type: "button", class: `button ${element.style || ""}`, "aria-label": element.accessibility_label,
    onclick: () => {
      if (element.url) window.open(element.url, "_blank", "noopener,noreferrer");
      use(node, element, place, element.value ?? null);
    },
  }, textObject(element.text));
  return node;
}

function overflow(element, place) {
  const menu = h("div", { class: "menu", popover: "auto", role: "menu" });
  const opener = h("button", {
    type: "button", class: "button more", "aria-label": "More actions", "aria-haspopup": "menu",
    onclick: () => {
      menu.togglePopover();
      const corner = opener.getBoundingClientRect();
      menu.style.top = `${Math.min(corner.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
      menu.style.left = `${Math.max(8, Math.min(corner.left, innerWidth - menu.offsetWidth - 8))}px`;
      menu.querySelector("button")?.focus();
    },
  }, "⋯");
  const node = h("span", {}, opener, menu);
  menu.append(...element.options.map((option) => h("button", {
    type: "button", role: "menuitem",
    onclick: () => { menu.hidePopover(); use(node, element, place, option.value); },
  }, textObject(option.text))));
  return node;
}

// In an input the label says what it is; a name of its own would hide that from a screen reader.
const nameOf = (element, place) => (place.labelled ? null : element.placeholder?.text || "Choose");

const groupsOf = (element) => element.option_groups || [{ options: element.options || [] }];

function staticSelect(element, place) {
  const choose = (option) => h("option", { value: option.value }, option.text.text);
  const node = h("select", {
    "aria-label": nameOf(element, place), id: place.labelled,
    onchange: () => use(node, element, place, node.value || null),
  }, h("option", { value: "" }, element.placeholder?.text || "Choose …"),
  groupsOf(element).map((group) => group.label
    ? h("optgroup", { label: group.label.text }, group.options.map(choose)) : group.options.map(choose)));
  node.value = (place.known?.selected_option || element.initial_option)?.value || "";
  node.readValue = () => node.value || null;
  return node;
}

const CHOOSERS = {
  users_select: ["selected_user", "initial_user", () => store.picture.people.map((p) => [p.id, p.real_name])],
  conversations_select: ["selected_conversation", "initial_conversation", channels],
  channels_select: ["selected_channel", "initial_channel", channels],
};

function channels() {
  return store.picture.channels.map((each) => [each.id, each.is_direct ? each.name : `#${each.name}`]);
}

function picker(chooser) {
  if (!chooser) return unknown;
  const [key, initial, list] = chooser;
  return (element, place) => {
    const node = h("select", {
      "aria-label": nameOf(element, place), id: place.labelled,
      onchange: () => use(node, element, place, node.value || null),
    }, h("option", { value: "" }, element.placeholder?.text || "Choose …"),
    list().map(([value, label]) => h("option", { value }, label)));
    node.value = place.known?.[key] || element[initial] || "";
    node.readValue = () => node.value || null;
    return node;
  };
}

function boxes(type) {
  return (element, place) => {
    const many = type === "checkbox";
    const known = many ? place.known?.selected_options : [place.known?.selected_option];
    const start = known?.filter(Boolean) || element.initial_options || [element.initial_option].filter(Boolean);
    const name = `group-${++serial}`;
    const options = element.options || groupsOf(element).flatMap((group) => group.options);
    const read = () => [...node.querySelectorAll("input:checked")].map((input) => input.value);
    const value = () => (many ? read() : read()[0] || null);
    const node = h("span", { class: "boxes", role: many ? "group" : "radiogroup" }, options.map((option) => h("label", {},
      h("input", {
        type, name, value: option.value, checked: start.some((each) => each.value === option.value),
        onchange: () => use(node, element, place, value()),
      }),
      h("span", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description))))));
    node.readValue = value;
    return node;
  };
}

function field(type, key, initial) {
  return (element, place) => {
    const tag = element.multiline ? "textarea" : "input";
    const node = h(tag, {
      type: element.multiline ? null : type, id: place.labelled, rows: element.multiline ? 4 : null,
      placeholder: element.placeholder?.text, maxlength: element.max_length,
      onchange: () => use(node, element, place, node.readValue()),
    });
    const known = place.known?.[key] ?? element[initial] ?? "";
    node.value = type === "datetime-local" && known ? new Date(known * 1000).toISOString().slice(0, 16) : known;
    node.readValue = () => {
      if (!node.value) return null;
      return type === "datetime-local" ? Math.floor(new Date(`${node.value}Z`) / 1000) : node.value;
    };
    return node;
  };
}

function unknown(element) {
  return h("span", { class: "unsupported" }, `(${element.type} is not drawn by this stand-in)`);
}

const CONTROLS = {
  button,
  overflow,
  static_select: staticSelect,
  external_select: externalSelect,
  multi_external_select: externalMultiSelect,
  multi_static_select: boxes("checkbox"),
  checkboxes: boxes("checkbox"),
  radio_buttons: boxes("radio"),
  datepicker: field("date", "selected_date", "initial_date"),
  timepicker: field("time", "selected_time", "initial_time"),
  datetimepicker: field("datetime-local", "selected_date_time", "initial_date_time"),
  plain_text_input: field("text", "value", "initial_value"),
  email_text_input: field("email", "value", "initial_value"),
  url_text_input: field("url", "value", "initial_value"),
  number_input: field("number", "value", "initial_value"),
};
