// One trajectory: its conversation, its blueprint and its data.
const PROVENANCE = { executed: "good", replayed: "good", simulated: "warn", injected: "bad" };

function badge(text, kind) { return h("span", { class: "badge " + (kind || "") }, text); }

function verdictBadge(t) { return t.accepted ? badge("accepted", "good") : badge(t.reason || "rejected", "bad"); }

function callCard(name, args, result, provenance) {
  const injected = provenance === "injected";
  return h("div", { class: "call" + (injected ? " injected" : "") },
    h("div", { class: "name" }, name,
      provenance ? badge(injected ? "injected error" : provenance, PROVENANCE[provenance]) : null),
    args === null ? null : json(args),
    result === null ? null : h("div", { class: "result" }, json(result)));
}

function speaker(role, ...children) {
  return h("div", { class: "turn " + role }, h("div", { class: "who" }, role), h("div", {}, children));
}

function plain(content) {
  return typeof content === "string" ? content : content ? JSON.stringify(content) : "";
}

function conversation(t) {
  const results = new Map();
  let nth = 0;
  for (const m of t.messages) {
    if (m.role !== "tool") continue;
    results.set(m.tool_call_id, { content: plain(m.content), provenance: t.provenance[nth] });
    nth += 1;
  }
  const shown = new Set();
  const box = h("div", {});
  for (const m of t.messages) {
    if (m.role === "tool") {
      if (shown.has(m.tool_call_id)) continue;
      const result = results.get(m.tool_call_id);
      box.append(speaker("tool", callCard(m.name || "result without a call", null, result.content, result.provenance)));
      continue;
    }
    const calls = (m.tool_calls || []).map((c) => {
      const result = results.get(c.id);
      shown.add(c.id);
      const f = c.function || {};
      return callCard(String(f.name), f.arguments === undefined ? "" : f.arguments,
        result ? result.content : null, result ? result.provenance : null);
    });
    const said = plain(m.content);
    box.append(speaker(String(m.role), said ? h("p", { class: "said" }, said) : null, calls));
  }
  if (!t.messages.length) box.append(h("p", { class: "empty" }, "There was no conversation."));
  return box;
}

function table(head, rows) {
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((c) => h("th", { scope: "col" }, c)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((c) => h("td", {}, c)))))));
}

function binding(b) {
  if (b && typeof b === "object" && "fact" in b) return "fact " + b.fact;
  if (b && typeof b === "object" && "step" in b) return "step " + (b.step + 1) + " → " + b.column;
  return JSON.stringify(b);
}

function planRow(step, i) {
  const args = Object.entries(step.arguments || {}).map(([name, b]) => {
    const gold = (step.gold || {})[name];
    return h("li", {}, h("code", {}, name), " = ", gold === undefined ? "" : h("code", {}, JSON.stringify(gold)), " (" + binding(b) + ")");
  });
  return [i + 1, h("code", {}, step.tool), h("ul", {}, args), step.turn + 1, step.purpose, step.expect];
}

function blueprint(t) {
  const b = t.blueprint;
  if (!b) return h("p", { class: "empty" }, "No blueprint was made for this draw.");
  const part = (title, body) => [h("h4", {}, title), body];
  const turn = (u) => h("li", {}, u.request,
    (u.revises || []).length ? " — revises " + u.revises.join(", ") : "",
    (u.withheld || []).length ? " — told only when asked: " + u.withheld.map((w) => w[0]).join(", ") : "");
  const answer = (a) => h("li", {}, "turn " + (a.turn + 1) + ": ", a.refusal ? "explain the refusal “" + a.refusal + "”" : a.values.join(", "));
  return h("div", { class: "blue" },
    part("Goal", h("p", {}, b.goal)),
    part("What the user brings up", h("ol", {}, (b.turns || []).map(turn))),
    part("Facts the user knows", json(b.facts || {})),
    part("Plan", table(["#", "Tool", "Arguments", "Turn", "Purpose", "Expect"], (b.plan || []).map(planRow))),
    (b.injections || []).length ? part("Injected errors", h("ul", {}, b.injections.map((i) =>
      h("li", {}, h("code", {}, i.tool), " call " + (i.nth + 1) + ": ", i.error)))) : null,
    part("Expected final state", json(b.final_state || {})),
    part("Answers that must be told", (b.answers || []).length ? h("ul", {}, b.answers.map(answer)) : h("p", {}, "none")));
}

function offered(t) {
  return table(["Tool", "Description", "Parameters"], t.tools.map((i) => DATA.tools[i]).map((f) =>
    [h("code", {}, String(f.name)), String(f.description || ""), h("code", {}, Object.keys((f.parameters || {}).properties || {}).join(", "))]));
}

function tabs(panes) {
  const body = h("div", { role: "tabpanel", id: "pane" });
  const buttons = panes.map(([name, make], i) => h("button", {
    type: "button", role: "tab", "aria-controls": "pane", "aria-selected": "false",
    click: () => pick(i),
    keydown: (e) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1 }[e.key];
      if (to !== undefined && buttons[to]) { pick(to); buttons[to].focus(); }
    },
  }, name));
  function pick(i) {
    buttons.forEach((b, j) => { b.setAttribute("aria-selected", String(i === j)); b.tabIndex = i === j ? 0 : -1; });
    body.replaceChildren(panes[i][1]());
  }
  pick(0);
  return [h("div", { role: "tablist", "aria-label": "Views" }, buttons), body];
}

function detail(t) {
  const roles = Object.entries(t.roles).map(([role, who]) => role + " " + plain(who)).join(", ");
  return [
    h("div", { class: "head" }, h("h3", {}, t.category + " · " + t.domain), verdictBadge(t)),
    h("p", { class: "meta mono" }, "#" + t.idx + " · " + t.id),
    h("p", { class: "meta" }, "mode " + (t.mode || "none") + " · " + t.calls + " calls · " + t.turns + " user turns · complexity " +
      t.complexity + " · round " + t.round + " · operators " + (t.operators.join("+") || "none")),
    t.signature ? h("p", { class: "meta" }, t.signature) : null,
    roles ? h("p", { class: "meta" }, "played by: " + roles) : null,
    t.accepted ? null : h("p", { class: "verdict" }, h("strong", {}, t.reason), t.detail ? " — " + t.detail : ""),
    tabs([["Conversation", () => conversation(t)], ["Blueprint", () => blueprint(t)], ["Tools", () => offered(t)]]),
  ];
}
