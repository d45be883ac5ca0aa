// Shared by the other parts. Everything in the data is untrusted, so nodes are built with
// createElement and text nodes only; no string is ever parsed as HTML.
const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => h("option", { value }, text)));
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// Short values on one line, others indented; text that is not JSON is shown as it is.
function pretty(value) {
  const indented = JSON.stringify(value, null, 2);
  const line = indented.replace(/\n */g, " ");
  return line.length <= 68 ? line : indented;
}

// JSON with its tokens marked.
function json(value) {
  let text = value;
  if (typeof value !== "string") text = pretty(value);
  else try { text = pretty(JSON.parse(value)); } catch { /* plain text */ }
  const pre = h("pre", { class: "json", tabindex: "0" });
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const kind = match[1] ? (match[2] ? "key" : "str") : "lit";
    pre.append(text.slice(end, match.index), h("span", { class: kind }, match[1] || match[0]), match[2] || "");
    end = match.index + match[0].length;
  }
  pre.append(text.slice(end));
  return pre;
}
