// The list of trajectories: filters, search, paging, selection.
const PAGE = 25;
const state = { page: 0, hits: DATA.trajectories, selected: null };

function counted(key, keep) {
  const counts = new Map();
  for (const t of DATA.trajectories) if (!keep || keep(t)) counts.set(t[key], (counts.get(t[key]) || 0) + 1);
  return [...counts].filter(([name]) => name).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function matches(t, wanted) {
  if (wanted.category && t.category !== wanted.category) return false;
  if (wanted.mode && t.mode !== wanted.mode) return false;
  if (wanted.verdict === "accepted" ? !t.accepted : wanted.verdict === "rejected" ? t.accepted
    : wanted.verdict && t.reason !== wanted.verdict.slice(1)) return false;
  return !wanted.text || haystack(t).includes(wanted.text);
}

function haystack(t) {
  if (t.haystack === undefined) t.haystack = JSON.stringify([t.id, t.domain, t.signature, t.detail, t.messages, t.blueprint && t.blueprint.goal]).toLowerCase();
  return t.haystack;
}

function goal(t) {
  const first = t.messages.find((m) => m.role === "user");
  return (first && plain(first.content)) || (t.blueprint && t.blueprint.goal) || t.detail || "";
}

function item(t) {
  return h("li", {}, h("button", { type: "button", "data-idx": t.idx, "aria-current": String(state.selected === t), click: () => select(t, true) },
    h("span", { class: "row-top" }, h("span", { class: "what" }, t.category + " · " + t.domain), verdictBadge(t)),
    h("span", { class: "row-sub", title: goal(t) }, goal(t) || " "),
    h("span", { class: "row-sub" }, "#" + t.idx + " · " + t.calls + " calls · " + (t.mode || "no mode"))));
}

function draw() {
  const from = state.page * PAGE;
  const shown = state.hits.slice(from, from + PAGE);
  byId("list").replaceChildren(...shown.map(item));
  if (!shown.length) byId("list").append(h("li", { class: "empty" }, "No embedded trajectory matches."));
  byId("count").textContent = shown.length ? (from + 1) + "–" + (from + shown.length) + " of " + state.hits.length : "0 of " + DATA.trajectories.length;
  byId("prev").disabled = from === 0;
  byId("next").disabled = from + PAGE >= state.hits.length;
}

function select(t, open) {
  state.selected = t;
  for (const button of byId("list").querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.idx === String(t.idx)));
  const back = h("button", { type: "button", class: "back", click: () => byId("viewer").classList.remove("open") }, "← List");
  byId("detail").replaceChildren(...[back, detail(t)].flat(Infinity).filter(Boolean));
  byId("detail").scrollTop = 0;
  if (!open) return;
  byId("viewer").classList.add("open");
  history.replaceState(null, "", "#t=" + t.idx);
  if (matchMedia("(max-width: 820px)").matches) byId("trajectories").scrollIntoView();
}

function refilter() {
  const wanted = { category: byId("f-category").value, mode: byId("f-mode").value, verdict: byId("f-verdict").value, text: byId("f-text").value.trim().toLowerCase() };
  state.hits = DATA.trajectories.filter((t) => matches(t, wanted));
  state.page = 0;
  byId("list").scrollTop = 0;
  byId("viewer").classList.remove("open");
  draw();
  if (state.hits.length) select(state.hits[0], false);
  else byId("detail").replaceChildren();
}

function turnPage(by) { state.page += by; byId("list").scrollTop = 0; draw(); }

function startViewer() {
  const named = (rows) => rows.map(([name, n]) => [name, name + " (" + n + ")"]);
  options(byId("f-category"), [["", "all"], ...named(counted("category"))]);
  options(byId("f-mode"), [["", "all"], ...named(counted("mode"))]);
  const reasons = counted("reason", (t) => !t.accepted).map(([name, n]) => ["=" + name, name + " (" + n + ")"]);
  options(byId("f-verdict"), [["", "all"], ["accepted", "accepted"], ["rejected", "rejected, any reason"], ...reasons]);
  for (const id of ["f-category", "f-mode", "f-verdict"]) byId(id).addEventListener("change", refilter);
  let wait = 0;
  byId("f-text").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(refilter, 150); });
  byId("f-clear").addEventListener("click", () => { for (const id of ["f-category", "f-mode", "f-verdict", "f-text"]) byId(id).value = ""; refilter(); });
  byId("prev").addEventListener("click", () => turnPage(-1));
  byId("next").addEventListener("click", () => turnPage(1));
  for (const cell of document.querySelectorAll(".heat td[data-mode]")) cell.addEventListener("click", () => {
    byId("f-category").value = cell.dataset.category;
    byId("f-mode").value = cell.dataset.mode;
    byId("f-verdict").value = "accepted";
    byId("f-text").value = "";
    refilter();
    byId("trajectories").scrollIntoView();
  });
  refilter();
  const linked = /^#t=(\d+)$/.exec(location.hash);
  const target = linked && DATA.trajectories.find((t) => String(t.idx) === linked[1]);
  if (target) { state.page = Math.floor(DATA.trajectories.indexOf(target) / PAGE); draw(); select(target, true); byId("trajectories").scrollIntoView(); }
}
