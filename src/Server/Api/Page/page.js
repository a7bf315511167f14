"use strict";
// The status page of one member. Asks the member once a second; loads nothing from anywhere else.

const PERIOD_MS = 1000;
const PATIENCE_MS = 2500;
const POINTS_MAX = 300; // five minutes
const WINDOW_MIN_SECONDS = 60; // a chart is at least this wide, and grows to five minutes
const FEED_MAX = 200;

const $ = (id) => document.getElementById(id);
const times = []; // seconds, shared by all charts
let before = null; // the last answer, for differences
let members = null;
let goneSince = null;
let isPaused = false;

// ---- words and figures

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function count(value) {
  return value === null || value === undefined ? "–" : whole.format(value);
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit++; }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  return value > 0 && value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(0)} ms`;
}

function ago(seconds) {
  if (seconds === null) return "–";
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

function duration(seconds) {
  const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}

// Value in milliseconds below which a share of the values between two answers lies; null without values.
function quantile(now, earlier, share) {
  const counts = now.counts.map((value, i) => value - earlier.counts[i]);
  const all = counts.reduce((sum, value) => sum + value, 0);
  if (all <= 0) return null;
  let rank = share * all;
  for (let i = 0; i < counts.length; i++) {
    if (rank <= counts[i]) {
      const low = i === 0 ? 0 : now.bounds[i - 1];
      const high = i < now.bounds.length ? now.bounds[i] : low;
      return 1000 * (low + (high - low) * (rank / counts[i]));
    }
    rank -= counts[i];
  }
  return null;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Changes the page only where the text differs, so that readers of the page are not disturbed.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// ---- charts

const INTEGERS = Array.from({ length: 11 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

class Chart {
  // keys: [name, class] of each line
  constructor(title, keys, format, emptyText) {
    this.title = title;
    this.keys = keys;
    this.format = format;
    this.lines = keys.map(() => []);
    this.figures = keys.map(([name, style]) => element("span", { className: `key ${style}`, textContent: `${name} –` }));
    this.plot = element("div", { className: "plot" });
    this.plot.setAttribute("role", "img");
    this.figure = element("figure", {},
      element("figcaption", {}, element("b", { textContent: title }), ...this.figures), this.plot);
    this.emptyText = emptyText;
    this.chart = null;
    $("charts").append(this.figure);
  }

  add(values) {
    this.lines.forEach((line, i) => {
      line.push(values[i] ?? null);
      if (line.length > POINTS_MAX) line.shift();
      setText(this.figures[i], `${this.keys[i][0]} ${this.format(values[i] ?? null)}`);
    });
    this.plot.setAttribute("aria-label",
      `${this.title}, moving chart. Now: ${this.figures.map((figure) => figure.textContent).join(", ")}`);
    this.draw();
  }

  addKey(name, style) {
    this.keys.push([name, style]);
    this.lines.push(times.slice(0, -1).map(() => null));
    const figure = element("span", { className: `key ${style}` });
    this.figures.push(figure);
    this.figure.firstChild.append(figure);
    this.destroy();
  }

  destroy() {
    if (this.chart) this.chart.destroy();
    this.chart = null;
  }

  get isEmpty() {
    return !this.lines.some((line) => line.some((value) => value !== null));
  }

  draw() {
    const width = this.plot.clientWidth;
    if (this.isEmpty || width === 0) {
      this.destroy();
      this.plot.classList.add("empty");
      setText(this.plot, this.emptyText());
      return;
    }
    if (!this.chart) {
      this.plot.classList.remove("empty");
      this.plot.textContent = "";
      this.chart = new uPlot(this.options(width), [times, ...this.lines], this.plot);
    }
    this.chart.setData([times, ...this.lines]);
  }

  options(width) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const colors = { a: "--accent", b: "--second", c: "--third", d: "--soft" };
    const axis = {
      stroke: color("--soft"), grid: { stroke: color("--grid"), width: 1 }, ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    return {
      width, height: 160, legend: { show: false }, cursor: { y: false, drag: { x: false } },
      scales: {
        x: { range: () => [Math.min(times[0], times.at(-1) - WINDOW_MIN_SECONDS), times.at(-1)] },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.15 : 1] },
      },
      axes: [
        { ...axis, size: 26, space: 90, values: (_, ticks) => ticks.map((tick) => clock(tick)) },
        {
          ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => this.format(tick)),
          // Counts have no fractions.
          ...(this.format === count ? { incrs: INTEGERS } : {}),
        },
      ],
      series: [{}, ...this.keys.map(([label, key]) => ({
        label, stroke: color(colors[key]), width: 2, points: { show: false }, spanGaps: false,
      }))],
    };
  }
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

const atLeader = (what) => () => members && members.leader !== null && members.leader !== members.id
  ? `${what} is known to the leader alone: open the page of member ${members.leader}.`
  : "Nothing yet.";

const charts = {
  load: new Chart("Requests a second", [["writes", "a"], ["reads", "b"], ["refused", "d"]], count, () => "Nothing yet."),
  commit: new Chart("Commit latency", [["median", "a"], ["99 %", "b"]], milliseconds, atLeader("Commit latency")),
  sync: new Chart("Log write to the disk", [["median", "a"], ["99 %", "b"]], milliseconds, () => "No writes yet."),
  lag: new Chart("Lag of followers, entries", [], count, atLeader("Lag")),
};
const lagPlaces = new Map(); // member id → line of the chart

function addPoint(now) {
  const rate = (name) => Math.max(0, now.totals[name] - before.totals[name]) / now.elapsed;
  times.push(Date.now() / 1000);
  if (times.length > POINTS_MAX) times.shift();
  charts.load.add([rate("writes"), rate("reads"), rate("refused")]);
  charts.commit.add([0.5, 0.99].map((share) => quantile(now.commitSeconds, before.commitSeconds, share)));
  charts.sync.add([0.5, 0.99].map((share) => quantile(now.syncSeconds, before.syncSeconds, share)));
  const isLeader = members.leader === members.id;
  const values = [];
  for (const member of members.members) {
    if (member.isSelf) continue;
    if (!lagPlaces.has(member.id) && isLeader) {
      lagPlaces.set(member.id, lagPlaces.size);
      charts.lag.addKey(`member ${member.id}`, "abcd"[(lagPlaces.size - 1) % 4]);
    }
    if (lagPlaces.has(member.id)) values[lagPlaces.get(member.id)] = isLeader ? member.lagEntries : null;
  }
  charts.lag.add(values);
}

// ---- the members

function showMembers() {
  const rows = $("rows");
  const wanted = members.members.map((member) => `row-${member.id}`);
  for (const row of [...rows.children]) if (!wanted.includes(row.id)) row.remove();
  members.members.forEach((member, place) => {
    let row = $(`row-${member.id}`);
    if (!row) row = makeRow(member.id);
    if (rows.children[place] !== row) rows.insertBefore(row, rows.children[place] ?? null);
    fillRow(row, member);
  });
  const hint = $("view");
  const isView = members.leader !== null && members.leader !== members.id;
  hint.hidden = !isView;
  if (isView) setText(hint, `Member ${members.leader} leads, and knows the lag and contact of all members.`);
}

function makeRow(id) {
  const cell = (label, className) => {
    const made = element("td", { className });
    made.dataset.label = label;
    return made;
  };
  const head = element("th", { scope: "row" }, element("span", { className: "name" }),
    element("span", { className: "address" }));
  return element("tr", { id: `row-${id}` }, head, cell("Role", "role-cell"), cell("Lag", "number"),
    cell("Last contact", "number"), cell("For clients", "client"), cell("What ails it", "ails-cell"));
}

function fillRow(row, member) {
  const [head, role, lag, contact, client, ails] = row.children;
  const name = head.firstChild;
  const label = `Member ${member.id}${member.isSelf ? " (this)" : ""}`;
  // The other members' pages. On loopback the link works on this machine alone.
  const url = member.isSelf ? null : member.apiUrl;
  if (name.dataset.key !== `${label} ${url}`) {
    name.dataset.key = `${label} ${url}`;
    name.replaceChildren(url ? element("a", { href: `${url}/`, textContent: label }) : label);
  }
  setText(head.lastChild, member.peerUrl);
  if (role.textContent !== member.role) {
    role.replaceChildren(element("span", { className: `role ${member.role}`, textContent: member.role }));
  }
  setText(lag, member.lagEntries === null ? "–" : `${count(member.lagEntries)} entries`);
  setText(contact, member.isSelf ? "–" : ago(member.lastContactSeconds));
  setText(client, member.clientUrl ?? "–");
  row.classList.toggle("ails", member.ails.length > 0);
  const text = member.ails.join(" ");
  if (ails.dataset.text !== text) {
    ails.dataset.text = text;
    ails.replaceChildren(...(member.ails.length > 0
      ? member.ails.map((ail) => element("p", { className: "ail", textContent: ail }))
      : [element("span", { className: "well", textContent: "nothing" })]));
  }
}

function showFigures(now) {
  const taking = now.snapshot.takingIndex > 0 ? `, ${bytes(now.snapshot.takingBytes)} of the next` : "";
  const figures = {
    "Role": now.role.replace("_", " "), "Term": count(now.term), "Keys": count(now.keys),
    "Keys and values": bytes(now.stateBytes), "Committed entry": count(now.log.committed),
    "Applied entry": count(now.log.applied), "Durable entry": count(now.log.durable),
    "Snapshot": now.snapshot.index > 0 ? `up to ${count(now.snapshot.index)}${taking}` : `none${taking}`,
    "Running for": duration(now.uptimeSeconds), "Version": now.version,
  };
  const list = $("figures");
  if (list.children.length === 0) {
    for (const name of Object.keys(figures)) {
      list.append(element("div", {}, element("dt", { textContent: name }), element("dd", {})));
    }
  }
  Object.values(figures).forEach((text, i) => setText(list.children[i].lastChild, text));
}

// ---- the feed

function tell(text, isBad = false) {
  const now = new Date();
  const time = element("time", { dateTime: now.toISOString(), textContent: now.toLocaleTimeString("en-GB") });
  const feed = $("feed");
  feed.prepend(element("li", {}, time, element("span", { className: isBad ? "bad" : "", textContent: text })));
  while (feed.children.length > FEED_MAX) feed.lastChild.remove();
}

function tellChanges(now, membersBefore) {
  const change = (name) => now.totals[name] - before.totals[name];
  if (now.leader !== before.leader || now.term !== before.term) {
    if (now.leader === null) tell(`No leader is known; term ${now.term}`, true);
    else tell(`Member ${now.leader} leads term ${now.term}`);
  }
  if (now.term - before.term > 1) tell(`${now.term - before.term} terms began: several elections`, true);
  if (change("snapshotsTaken") > 0) tell(`Snapshot up to entry ${count(now.snapshot.index)} taken`);
  if (change("snapshotsInstalled") > 0) tell(`A snapshot up to entry ${count(now.snapshot.index)} replaced the state`);
  if (change("snapshotsFailed") > 0) tell("A snapshot was given up: the disk has no room", true);
  if (change("refused") > 0) tell(`${count(change("refused"))} requests refused (503 or 507)`, true);
  if (change("unknown") > 0) tell(`${count(change("unknown"))} requests with an unknown outcome (504)`, true);
  const ids = (list) => new Map(list.map((member) => [member.id, member]));
  const [old, current] = [ids(membersBefore.members), ids(members.members)];
  for (const [id, member] of current) {
    if (!old.has(id)) tell(`Member ${id} was added, at ${member.peerUrl}`);
    else if (old.get(id).isVoter !== member.isVoter) tell(`Member ${id} is a ${member.isVoter ? "voter" : "learner"} now`);
    else if (old.get(id).isConnected === true && member.isConnected === false) tell(`Member ${id} is not connected`, true);
    else if (old.get(id).isConnected === false && member.isConnected === true) tell(`Member ${id} is connected`);
  }
  for (const id of old.keys()) if (!current.has(id)) tell(`Member ${id} was removed`);
}

// ---- asking

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw Object.assign(new Error((await answer.json()).detail), { isAnswer: true });
  return answer.json();
}

async function update() {
  let now, membersNow;
  try {
    [now, membersNow] = await Promise.all([ask("/v1/status"), ask("/v1/members")]);
  } catch (failure) {
    showGone(failure);
    return;
  }
  const at = performance.now() / 1000;
  now.at = at;
  if (goneSince !== null) {
    if (before !== null) tell("This member answers again");
    goneSince = null;
    document.body.classList.remove("gone");
  }
  // A member that was started again counts from zero.
  const isContinued = before !== null && now.uptimeSeconds >= before.uptimeSeconds;
  const membersBefore = members;
  members = membersNow;
  showMembers();
  showFigures(now);
  if (isContinued) {
    now.elapsed = at - before.at;
    tellChanges(now, membersBefore);
    addPoint(now);
  } else {
    tell(before === null ? `This page watches member ${now.id}` : "This member was started again");
  }
  before = now;
  showState(now);
}

function showState(now) {
  setText($("self"), `member ${now.id}`);
  setText($("backup"), `${now.apiUrl}/v1/backup`);
  document.title = `RaftFast member ${now.id}: ${now.role.replace("_", " ")}`;
  const isWell = now.leader !== null && now.ails.length === 0;
  const state = $("state");
  state.className = isWell ? "good" : "bad";
  setText(state, now.leader === null ? "No leader: nothing can be served here now."
    : now.leader === now.id ? `This member leads term ${now.term}.`
      : `Follows member ${now.leader} in term ${now.term}.`);
}

// A member that starts answers too, and says how far it is.
function showGone(failure) {
  const state = $("state");
  const isNew = goneSince === null;
  if (isNew) goneSince = new Date();
  document.body.classList.add("gone");
  state.className = "bad";
  if (failure.isAnswer) {
    setText(state, failure.message);
    return;
  }
  if (isNew) tell("This member does not answer", true);
  setText(state, `This member does not answer since ${goneSince.toLocaleTimeString("en-GB")}. Trying again.`);
}

async function run() {
  for (;;) {
    const began = performance.now();
    if (!isPaused && !document.hidden) await update();
    await new Promise((done) => setTimeout(done, Math.max(50, PERIOD_MS - (performance.now() - began))));
  }
}

$("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  $("pause").setAttribute("aria-pressed", String(isPaused));
  $("pause").textContent = isPaused ? "Continue" : "Pause";
});

function redraw() {
  for (const chart of Object.values(charts)) {
    chart.destroy();
    if (times.length > 0) chart.draw();
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  redraw();
});

run();
