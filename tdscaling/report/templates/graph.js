// Business clusters as graphs. Positions come with the data; this part draws and highlights.

// A curve through the given points, level at each of them.
function curve(points) {
  let path = "M" + points[0][0] + "," + points[0][1];
  for (let i = 1; i < points.length; i += 1) {
    const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
    const middle = (x1 + x2) / 2;
    path += " C" + middle + "," + y1 + " " + middle + "," + y2 + " " + x2 + "," + y2;
  }
  return path;
}

function drawArrow(arrow, nodes) {
  const [a, b] = [nodes[arrow.from], nodes[arrow.to]];
  const end = [b.x - 2, b.y + b.h / 2];
  const points = [[a.x + a.w, a.y + a.h / 2], ...arrow.via, end];
  const [x, y] = points[points.length - 2];
  return s("g", { class: "edge" }, s("path", { d: curve(points), "marker-end": "url(#arrow)" }),
    arrow.slots.length ? s("text", { x: (x + end[0]) / 2, y: (y + end[1]) / 2 - 4, "text-anchor": "middle" }, arrow.slots.join(", ")) : null,
    s("title", {}, a.name + " → " + b.name + (arrow.slots.length ? ": " + arrow.slots.join(", ") : "")));
}

function drawNode(node, pick) {
  const middle = node.x + node.w / 2;
  if (node.kind === "value") {
    return s("g", { class: "node value" }, s("rect", { x: node.x, y: node.y, width: node.w, height: node.h, rx: 11 }),
      s("text", { x: middle, y: node.y + 15, "text-anchor": "middle" }, node.label, s("title", {}, node.name)));
  }
  const effect = node.kind === "write" ? "writes" : "reads";
  return s("g", {
    class: "node " + node.kind, tabindex: "0", role: "button", "aria-label": node.name + ", " + effect,
    click: pick, keydown: (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pick(); } },
  }, s("rect", { x: node.x, y: node.y, width: node.w, height: node.h, rx: 6 }),
  s("text", { x: middle, y: node.y + 18, "text-anchor": "middle" }, node.label, s("title", {}, node.name)),
  s("text", { class: "effect", x: middle, y: node.y + 33, "text-anchor": "middle" }, effect));
}

// One row per field or parameter: what it is, and the tools at the other end.
function flows(edges, word) {
  const rows = new Map();
  for (const [what, other, kind] of edges) {
    const key = what + (kind === "key" ? "" : " (same meaning)");
    rows.set(key, (rows.get(key) || new Set()).add(other));
  }
  return [...rows].map(([what, others]) => h("li", {}, h("code", {}, what), word, [...others].join(", ")));
}

function describe(cluster, node) {
  if (!node) {
    const tools = cluster.nodes.filter((n) => n.kind !== "value").length;
    return [h("h3", {}, cluster.domain), h("p", {}, tools + " tools, " + cluster.edges.length + " data-flow edges, category " + cluster.category + ". Select a tool to see everything that it needs and feeds."),
      h("p", {}, cluster.accepted + " accepted out of " + cluster.attempted + " attempted.")];
  }
  const needs = flows(cluster.edges.filter((e) => e[2] === node.name).map(([p, column, , slot, kind]) => [slot === column ? slot : slot + " ← " + column, p, kind]), " from ");
  const feeds = flows(cluster.edges.filter((e) => e[0] === node.name).map(([, column, c, slot, kind]) => [slot === column ? column : column + " → " + slot, c, kind]), " to ");
  const part = (title, rows) => h("div", {}, h("p", {}, h("strong", {}, title)), rows.length ? h("ul", {}, rows) : h("p", {}, "nothing"));
  return [h("h3", { class: "mono" }, node.name), h("p", {}, node.description),
    h("div", { class: "pair" }, part("Needs", needs), part("Feeds", feeds))];
}

// Positions of the nodes and arrows on the drawn ways into and out of a node.
function neighbours(cluster, i) {
  const [nodes, arrows] = [new Set([i]), new Set()];
  cluster.arrows.forEach((into, j) => {
    if (into.to === i || into.from === i) { nodes.add(into.from).add(into.to); arrows.add(j); }
  });
  for (const value of [...nodes].filter((n) => cluster.nodes[n].kind === "value")) {
    const fed = cluster.arrows.some((a) => a.from === value && a.to === i);
    cluster.arrows.forEach((a, j) => {
      if (fed ? a.to === value : a.from === value) { nodes.add(a.from).add(a.to); arrows.add(j); }
    });
  }
  return [nodes, arrows];
}

function drawCluster(cluster) {
  let chosen = null;
  const arrows = cluster.arrows.map((a) => drawArrow(a, cluster.nodes));
  const boxes = cluster.nodes.map((n) => drawNode(n, () => pick(n)));
  function pick(node) {
    chosen = chosen === node ? null : node;
    const i = cluster.nodes.indexOf(chosen);
    const [near, lit] = chosen ? neighbours(cluster, i) : [new Set(), new Set()];
    arrows.forEach((arrow, j) => {
      arrow.classList.toggle("on", lit.has(j));
      arrow.classList.toggle("dim", chosen !== null && !lit.has(j));
      arrow.querySelector("path").setAttribute("marker-end", lit.has(j) ? "url(#arrow-on)" : "url(#arrow)");
    });
    boxes.forEach((b, j) => { b.classList.toggle("on", j === i); b.classList.toggle("dim", chosen !== null && !near.has(j)); });
    byId("tool").replaceChildren(...describe(cluster, chosen));
  }
  const head = (id, kind) => s("marker", { id, class: kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse" }, s("path", { d: "M0,0 L8,4 L0,8 z" }));
  const svg = s("svg", { viewBox: "0 0 " + cluster.width + " " + cluster.height, role: "group", "aria-label": "Data-flow of " + cluster.domain },
    s("defs", {}, head("arrow", ""), head("arrow-on", "arrow-on")), arrows, boxes);
  // Shrinks to fit, but not until it cannot be read: then it scrolls.
  svg.style.maxWidth = cluster.width + "px";
  svg.style.minWidth = 0.8 * cluster.width + "px";
  byId("graph").replaceChildren(svg);
  byId("tool").replaceChildren(...describe(cluster, null));
}

function startClusters() {
  if (!DATA.clusters.length) { byId("graph").append(h("p", { class: "empty" }, "This run recorded no clusters.")); return; }
  options(byId("cluster"), DATA.clusters.map((c, i) => [i, c.category + " · " + c.domain + " (" + c.accepted + " accepted)"]));
  byId("cluster").addEventListener("change", () => drawCluster(DATA.clusters[Number(byId("cluster").value)]));
  drawCluster(DATA.clusters[0]);
}
