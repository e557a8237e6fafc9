// The `markdown` block: the part of CommonMark that messages use.

import { h } from "./dom.js";
import { link, plainText } from "./mrkdwn.js";

const SPAN = /`([^`\n]+)`|\[([^\]\n]+)\]\(([^)\s]+)\)|\*\*(?=\S)(.+?\S?)\*\*|__(?=\S)(.+?\S?)__|~~(?=\S)(.+?\S?)~~|(?<![\w*])\*(?=\S)([^*\n]*\S)\*(?![\w*])|(?<!\w)_(?=\S)([^_\n]*\S)_(?!\w)/;

function spans(text) {
  const found = SPAN.exec(text);
  if (!found) return plainText(text);
  const [whole, code, label, url, bold, bold2, strike, italic, italic2] = found;
  let node;
  if (code) node = h("code", {}, code);
  else if (label) node = link(url, label);
  else if (bold || bold2) node = h("strong", {}, spans(bold || bold2));
  else if (strike) node = h("s", {}, spans(strike));
  else node = h("em", {}, spans(italic || italic2));
  return [...plainText(text.slice(0, found.index)), node, ...spans(text.slice(found.index + whole.length))];
}

const KINDS = [
  ["rule", /^(?:-{3,}|\*{3,})\s*$/],
  ["heading", /^(#{1,4}) +(.*)$/],
  ["bullet", /^\s*[-*+] +(.*)$/],
  ["number", /^\s*\d+[.)] +(.*)$/],
  ["quote", /^> ?(.*)$/],
  ["row", /^\|(.+)\|\s*$/],
  ["blank", /^\s*$/],
];

function classify(line) {
  for (const [kind, pattern] of KINDS) {
    const found = pattern.exec(line);
    if (found) return [kind, found];
  }
  return ["text", [line, line]];
}

function lines(text) {
  const groups = [];
  for (const line of text.split("\n")) {
    const [kind, found] = classify(line);
    const last = groups.at(-1);
    if (last && last.kind === kind && kind !== "heading") last.items.push(found);
    else groups.push({ kind, items: [found] });
  }
  return groups;
}

function render({ kind, items }) {
  const all = items.map((found) => found[1]);
  if (kind === "heading") return h("p", { class: `md-heading level-${items[0][1].length}` }, spans(items[0][2]));
  if (kind === "bullet") return h("ul", {}, all.map((item) => h("li", {}, spans(item))));
  if (kind === "number") return h("ol", {}, all.map((item) => h("li", {}, spans(item))));
  if (kind === "quote") return h("blockquote", {}, broken(all));
  if (kind === "rule") return h("hr");
  if (kind === "row") return tableOf(all);
  return kind === "text" ? h("p", {}, broken(all)) : null;
}

const broken = (texts) => texts.flatMap((text, index) => (index ? [h("br"), ...spans(text)] : spans(text)));

function tableOf(rows) {
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const body = cells.slice(1).filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
  return h("div", { class: "table-scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, cells[0].map((cell) => h("th", { scope: "col" }, spans(cell))))),
    h("tbody", {}, body.map((row) => h("tr", {}, row.map((cell) => h("td", {}, spans(cell))))))));
}

export function markdown(text) {
  return text.split("```").flatMap((part, index) =>
    index % 2
      ? [h("pre", {}, part.replace(/^[\w-]*\n/, "").replace(/\n$/, ""))]
      : lines(part.replace(/^\n|\n$/g, "")).map(render));
}
