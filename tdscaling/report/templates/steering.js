// Steering decisions of one round, one factor at a time; then everything starts.
function drawDecisions() {
  const rows = DATA.steering.filter((d) => String(d.round) === byId("round").value && d.factor === byId("factor").value)
    .sort((a, b) => b.weight - a.weight || (a.choice < b.choice ? -1 : 1));
  const top = Math.max(...rows.map((d) => d.weight), 1e-9);
  byId("decisions").replaceChildren(...rows.map((d) => h("tr", {}, h("th", { scope: "row" }, d.choice || "(none)"),
    h("td", {}, s("svg", { "aria-hidden": "true" }, s("rect", { class: "fill k1", width: 100 * d.weight / top + "%", height: 10, rx: 2 }))),
    h("td", { class: "num" }, (100 * d.weight).toFixed(1)), h("td", {}, d.why))));
  for (const svg of byId("decisions").querySelectorAll("svg")) svg.parentNode.classList.add("weight");
}

function startSteering() {
  const distinct = (key) => [...new Set(DATA.steering.map((d) => d[key]))];
  if (!DATA.steering.length) {
    byId("no-decisions").classList.remove("hidden");
    byId("round").closest(".controls").classList.add("hidden");
    return;
  }
  const rounds = distinct("round");
  options(byId("round"), rounds.map((r) => [r, r]));
  options(byId("factor"), distinct("factor").map((f) => [f, f]));
  byId("round").value = String(rounds[rounds.length - 1]);
  byId("round").addEventListener("change", drawDecisions);
  byId("factor").addEventListener("change", drawDecisions);
  drawDecisions();
}

startClusters();
startSteering();
startViewer();
