// Block Kit as DOM. `place` says where the blocks stand: {target, values, errors}.

import { h } from "./dom.js";
import { control } from "./controls.js";
import { emoji } from "./emoji.js";
import { markdown } from "./markdown.js";
import { channel, date, group, link, mrkdwn, person, textObject } from "./mrkdwn.js";
import { store } from "./store.js";

let serial = 0;

export function renderBlocks(blocks, place) {
  return blocks.map((block) => {
    const render = BLOCKS[block.type];
    return render ? render(block, place) : h("p", { class: "unsupported" }, `(${block.type} is not drawn here)`);
  });
}

function at(place, block, element) {
  const known = place.values?.[block.block_id]?.[element.action_id];
  return { ...place, known };
}

const drawn = (element, block, place) =>
  element.type === "image" ? picture(element, "thumb") : control(element, block, at(place, block, element));

function section(block, place) {
  return h("div", { class: "block section" },
    h("div", { class: "section-main" },
      block.text && h("div", { class: "text" }, textObject(block.text)),
      block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", {}, textObject(field))))),
    block.accessory && h("div", { class: "accessory" }, drawn(block.accessory, block, place)));
}

function input(block, place) {
  const ident = `input-${++serial}`;
  const element = block.element;
  const error = place.errors?.[block.block_id];
  const spot = { ...at(place, block, element), labelled: ident, dispatches: block.dispatch_action };
  const node = control(element, block, spot);
  const field = node.matches("input, select, textarea") ? node : node.querySelector("input") || node;
  if (error) field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${ident}-error ${ident}-hint`);
  if (!block.optional) field.setAttribute("aria-required", "true");
  return h("div", { class: `block input ${error ? "wrong" : ""}`, "data-block-id": block.block_id },
    h("label", { for: ident }, textObject(block.label), block.optional && h("small", {}, " (optional)")),
    node,
    h("p", { class: "error", id: `${ident}-error`, role: error ? "alert" : null }, error || ""),
    h("p", { class: "hint", id: `${ident}-hint` }, textObject(block.hint)));
}

// An uploaded file, unless it was deleted, or an address of our own: nothing is fetched from elsewhere.
function sourceOf(element) {
  const file = (element.slack_file?.id || element.slack_file?.url || "").split("/").at(-1);
  if (file) return store.picture.files[file] && `/files/${file}`;
  const isOurs = element.image_url && new URL(element.image_url, location.href).origin === location.origin;
  return isOurs && element.image_url;
}

function picture(element, kind = "") {
  const source = sourceOf(element);
  if (source) return h("img", { class: `picture ${kind}`, src: source, alt: element.alt_text });
  return h("span", { class: `picture missing ${kind}`, role: "img", "aria-label": element.alt_text },
    h("span", { "aria-hidden": "true" }, "🖼"), kind === "thumb" ? "" : element.alt_text);
}

const LEAVES = {
  text: (leaf) => styled(leaf),
  link: (leaf) => link(leaf.url, leaf.text || leaf.url),
  emoji: (leaf) => emoji(leaf.name) || `:${leaf.name}:`,
  user: (leaf) => person(leaf.user_id),
  usergroup: (leaf) => group(leaf.usergroup_id),
  channel: (leaf) => channel(leaf.channel_id),
  date: (leaf) => date(leaf.timestamp, leaf.format, leaf.url, leaf.fallback),
  broadcast: (leaf) => h("span", { class: "mention" }, `@${leaf.range}`),
};

function styled(leaf) {
  const style = leaf.style || {};
  const tags = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]];
  return tags.reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), leaf.text);
}

const leaves = (elements) => elements.map((leaf) => (LEAVES[leaf.type] || (() => ""))(leaf));

function richPart(part) {
  if (part.type === "rich_text_preformatted") return h("pre", {}, leaves(part.elements));
  if (part.type === "rich_text_quote") return h("blockquote", {}, leaves(part.elements));
  if (part.type === "rich_text_list") {
    const tag = part.style === "ordered" ? "ol" : "ul";
    return h(tag, { class: `indent-${part.indent || 0}` }, part.elements.map((item) => h("li", {}, leaves(item.elements))));
  }
  return h("div", { class: "text preline" }, leaves(part.elements));
}

function cellOf(tag, cell, settings, extra = {}) {
  const align = settings?.align || (cell.type === "raw_number" ? "right" : "left");
  const content = cell.type === "rich_text" ? cell.elements.map(richPart) : String(cell.text ?? cell.value);
  return h(tag, { class: `align-${align}`, ...extra }, content);
}

function tableBlock(block) {
  const [heading, ...rows] = block.rows;
  const line = (tag) => (row) => h("tr", {}, row.map((cell, n) => cellOf(tag, cell, block.column_settings?.[n])));
  return h("div", { class: "block table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, line("th")(heading)), h("tbody", {}, rows.map(line("td")))));
}

function dataTable(block) {
  const [heading, ...rows] = block.rows;
  const size = block.page_size || 5;
  const key = block.row_header_column_index || 0;
  const body = h("tbody");
  const note = h("span", { class: "quiet" });
  let start = 0;
  const show = () => {
    const shown = rows.slice(start, start + size);
    body.replaceChildren(...shown.map((row) => h("tr", {}, row.map((cell, n) =>
      n === key ? cellOf("th", cell, null, { scope: "row" }) : cellOf("td", cell)))));
    note.textContent = `${start + 1}–${Math.min(start + size, rows.length)} of ${rows.length}`;
  };
  const turn = (step) => () => {
    if (start + step >= 0 && start + step < rows.length) start += step;
    show();
  };
  show();
  return h("div", { class: "block data-table" },
    h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": block.caption },
      h("table", {}, h("caption", {}, block.caption),
        h("thead", {}, h("tr", {}, heading.map((cell) => cellOf("th", cell, null, { scope: "col" })))), body)),
    rows.length > size && h("div", { class: "pager" },
      h("button", { type: "button", class: "button", "aria-label": "Earlier rows", onclick: turn(-size) }, "‹"), note,
      h("button", { type: "button", class: "button", "aria-label": "Later rows", onclick: turn(size) }, "›")));
}

const LEVELS = { info: "ℹ️", warning: "⚠️", error: "⛔", success: "✅" };

const BLOCKS = {
  section,
  input,
  divider: () => h("hr", { class: "block" }),
  header: (block) => h("h3", { class: "block header" }, textObject(block.text)),
  context: (block) => h("div", { class: "block context" }, block.elements.map((each) =>
    each.type === "image" ? picture(each, "tiny") : h("span", {}, textObject(each)))),
  actions: (block, place) => h("div", { class: "block actions" },
    block.elements.map((element) => drawn(element, block, place))),
  image: (block) => h("figure", { class: "block" },
    block.title && h("figcaption", {}, textObject(block.title)), picture(block)),
  markdown: (block) => h("div", { class: "block markdown" }, markdown(block.text)),
  rich_text: (block) => h("div", { class: "block rich" }, block.elements.map(richPart)),
  table: tableBlock,
  data_table: dataTable,
  alert: (block) => h("div", { class: `block alert ${block.level || "default"}` },
    h("span", { "aria-hidden": "true" }, LEVELS[block.level] || "•"), h("div", {}, textObject(block.text))),
};

export const renderText = (text) => h("div", { class: "text" }, mrkdwn(text));
