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

// Path and place of the label.
function route(edge, nodes) {
  const [a, b] = [nodes[edge.from], nodes[edge.to]];
  const [y1, y2] = [a.y + a.h / 2, b.y + b.h / 2];
  if (a === b) return ["M" + (a.x + a.w - 18) + "," + a.y + " c 0,-34 -44,-34 -44,-2", a.x + a.w - 40, a.y - 28];
  if (b.x > a.x) {
    const points = [[a.x + a.w, y1], ...edge.via, [b.x - 2, y2]];
    // Where the arrow passes a column it has a lane to itself, and so does its label.
    const [from, to] = edge.via.length ? edge.via : points;
    return [curve(points), (from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  }
  // Within a column or backwards: leave and arrive on the left side.
  const out = Math.min(a.x, b.x) - 34;
  return ["M" + a.x + "," + y1 + " C" + out + "," + y1 + " " + out + "," + y2 + " " + (b.x - 2) + "," + y2, out + 10, (y1 + y2) / 2];
}

function drawEdge(edge, nodes) {
  const [path, x, y] = route(edge, nodes);
  return s("g", { class: "edge " + edge.kind }, s("path", { d: path, "marker-end": "url(#arrow)" }),
    s("text", { x, y: y - 5, "text-anchor": "middle" }, edge.slots.join(", ")),
    s("title", {}, nodes[edge.from].name + " → " + nodes[edge.to].name + ": " + edge.flows.join("; ")));
}

function drawNode(node, pick) {
  const effect = node.writes ? "writes" : "reads";
  return s("g", {
    class: "node " + (node.writes ? "write" : "read"), tabindex: "0", role: "button", "aria-label": node.name + ", " + effect,
    click: pick, keydown: (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pick(); } },
  }, s("rect", { x: node.x, y: node.y, width: node.w, height: node.h, rx: 6 }),
  s("text", { x: node.x + node.w / 2, y: node.y + 18, "text-anchor": "middle" }, node.label, s("title", {}, node.name)),
  s("text", { class: "effect", x: node.x + node.w / 2, y: node.y + 33, "text-anchor": "middle" }, effect));
}

function describe(cluster, node) {
  const facts = (title, rows) => rows.length ? [h("p", {}, h("strong", {}, title)), h("ul", {}, rows.map((r) => h("li", {}, r)))] : [];
  if (!node) {
    return [h("h3", {}, cluster.domain), h("p", {}, cluster.nodes.length + " tools, " + cluster.flows + " data-flow edges, category " + cluster.category + ". Select a tool to see what it needs and feeds."),
      h("p", {}, cluster.accepted + " accepted out of " + cluster.attempted + " attempted.")];
  }
  const i = cluster.nodes.indexOf(node);
  const list = (side, other, arrow) => cluster.edges.filter((e) => e[side] === i).flatMap((e) => e.flows.map((f) => arrow + cluster.nodes[e[other]].name + ": " + f));
  return [h("h3", { class: "mono" }, node.name), h("p", {}, node.description),
    facts("Needs", list("to", "from", "from ")), facts("Feeds", list("from", "to", "to "))];
}

function drawCluster(cluster) {
  const nodes = cluster.nodes;
  let chosen = null;
  const edges = cluster.edges.map((e) => drawEdge(e, nodes));
  const boxes = nodes.map((n) => drawNode(n, () => pick(n)));
  function pick(node) {
    chosen = chosen === node ? null : node;
    const i = nodes.indexOf(chosen);
    const near = new Set([i]);
    cluster.edges.forEach((e, j) => {
      const on = chosen !== null && (e.from === i || e.to === i);
      if (on) { near.add(e.from); near.add(e.to); }
      edges[j].classList.toggle("on", on);
      edges[j].classList.toggle("dim", chosen !== null && !on);
      edges[j].querySelector("path").setAttribute("marker-end", on ? "url(#arrow-on)" : "url(#arrow)");
    });
    boxes.forEach((b, j) => { b.classList.toggle("on", j === i); b.classList.toggle("dim", chosen !== null && !near.has(j)); });
    byId("tool").replaceChildren(...describe(cluster, chosen).flat());
  }
  const head = (id, kind) => s("marker", { id, class: kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse" }, s("path", { d: "M0,0 L8,4 L0,8 z" }));
  const svg = s("svg", { viewBox: "0 0 " + cluster.width + " " + cluster.height, role: "group", "aria-label": "Data-flow of " + cluster.domain },
    s("defs", {}, head("arrow", ""), head("arrow-on", "arrow-on")), edges, boxes);
  // Shrinks to fit, but not until it cannot be read: then it scrolls.
  svg.style.maxWidth = cluster.width + "px";
  svg.style.minWidth = 0.85 * cluster.width + "px";
  byId("graph").replaceChildren(svg);
  byId("tool").replaceChildren(...describe(cluster, null).flat());
}

function startClusters() {
  if (!DATA.clusters.length) { byId("graph").append(h("p", { class: "empty" }, "This run recorded no clusters.")); return; }
  options(byId("cluster"), DATA.clusters.map((c, i) => [i, c.category + " · " + c.domain + " (" + c.nodes.length + " tools, " + c.accepted + " accepted)"]));
  byId("cluster").addEventListener("change", () => drawCluster(DATA.clusters[Number(byId("cluster").value)]));
  drawCluster(DATA.clusters[0]);
}
