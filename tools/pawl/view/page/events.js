// The list of events, and the form that finds them.
import { ask, dateOf, find, grouped, make, setTypes, streamText, timeOf, typeClass } from "./tools.js";
import { showEvent, shownSequence } from "./event.js";

const rows = find("rows");
const pageRows = 50;
let page = null;       // the answer that is shown
let filter = { stream: "", tag: "", type: "" };
let asked = 0;

function read() {
  filter = { stream: find("find-stream").value.trim(), tag: find("find-tag").value.trim(), type: find("find-type").value };
}

// Shows a page: `place` is { from }, { before }, { at }, or {} for the newest events.
export async function listEvents(place = {}, select = false) {
  const turn = ++asked;
  const answer = await ask("events", { ...filter, ...place, limit: pageRows });
  if (turn !== asked) return;
  page = answer;
  draw(place.from === undefined && place.at === undefined);
  if (select && answer.events.length > 0) choose(answer.events[0].sequence);
}

function draw(atEnd) {
  const shown = [];
  let day = "";
  for (const each of page.events) {
    const ns = BigInt(each.ns);
    if (dateOf(ns) !== day) {
      day = dateOf(ns);
      shown.push(make("div", { class: "day" }, `${day} UTC`));
    }
    shown.push(makeRow(each, ns));
  }
  if (shown.length === 0)
    shown.push(make("div", { class: "none" }, page.filled ? "No event here." : "No such event in this part of the log."));
  if (page.problem) shown.push(make("div", { class: "none problem" }, page.problem.message));
  rows.replaceChildren(...shown);
  rows.scrollTop = atEnd ? rows.scrollHeight : 0;
  const looked = page.filled ? "" : `; looked at ${grouped(page.from)} to ${grouped(page.before)}, go on with Earlier or Later`;
  const words = Object.entries(filter).filter(([, value]) => value !== "").map(([name, value]) => `${name} ${value}`);
  find("events-note").textContent = `${words.length > 0 ? words.join(", ") : `${grouped(BigInt(page.next) - BigInt(page.first))} in all`}${looked}`;
  find("page-first").disabled = find("page-back").disabled = page.from === page.first;
  find("page-next").disabled = page.before === page.next;
}

function makeRow(each, ns) {
  const selected = each.sequence === shownSequence();
  return make("div", {
    class: "row", role: "option", tabindex: selected ? "0" : "-1", "aria-selected": String(selected), "data-sequence": each.sequence,
    onclick: () => choose(each.sequence),
  },
  make("span", { class: "sequence" }, grouped(each.sequence)),
  make("span", { class: "time" }, timeOf(ns, 6)),
  make("span", { title: `${each.type}, schema version ${each.schema_version}` }, make("span", { class: `swatch ${typeClass(each.type_number)}` }), each.type),
  make("span", { title: `stream ${streamText(each.stream)}, version ${each.version}` }, each.stream.number === "0" ? "–" : `${streamText(each.stream)}@${each.version}`),
  make("span", { class: "text" }, each.text));
}

export function choose(sequence) {
  for (const row of rows.querySelectorAll(".row")) {
    const selected = row.dataset.sequence === sequence;
    row.setAttribute("aria-selected", String(selected));
    row.tabIndex = selected ? 0 : -1;
    if (selected) row.scrollIntoView({ block: "nearest" });
  }
  showEvent(sequence);
}

// The neighbour in the list; at its end the next page.
export async function step(down) {
  const all = [...rows.querySelectorAll(".row")];
  const at = all.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const next = all[at < 0 ? (down ? 0 : all.length - 1) : at + (down ? 1 : -1)];
  if (next === undefined) {
    if (page === null || (down ? page.before === page.next : page.from === page.first)) return;
    await listEvents(down ? { from: page.before } : { before: page.from });
    const fresh = [...rows.querySelectorAll(".row")];
    const edge = down ? fresh[0] : fresh.at(-1);
    if (edge) { choose(edge.dataset.sequence); edge.focus(); }
    return;
  }
  const focused = rows.contains(document.activeElement);
  choose(next.dataset.sequence);
  if (focused) next.focus();
}

export async function findBy(words) {
  find("find-stream").value = words.stream ?? "";
  find("find-tag").value = words.tag ?? "";
  find("find-type").value = words.type ?? "";
  find("find-at").value = words.at ?? "";
  find("follow").checked = false;
  await submit();
}

async function submit() {
  read();
  const at = find("find-at").value.trim().replace(/^#/, "").replaceAll(",", "");
  const whole = /^\d+$/.test(at);
  await listEvents(at === "" ? {} : whole ? { from: at } : { at }, at !== "");
}

export function isFollowing() { return find("follow").checked; }

export function setTypeNames(types) {
  setTypes(types);
  const select = find("find-type");
  if (select.options.length === types.length + 1) return;
  const before = select.value;
  select.replaceChildren(make("option", { value: "" }, "any"), ...types.map((each) => make("option", { value: each.name }, each.name)));
  select.value = before;
}

export function startEvents(report) {
  const go = (action) => () => { action().catch(report); };
  find("find").addEventListener("submit", (event) => { event.preventDefault(); find("follow").checked = false; submit().catch(report); });
  find("find-clear").addEventListener("click", go(() => findBy({})));
  find("page-first").addEventListener("click", go(() => { find("follow").checked = false; return listEvents({ from: page.first }); }));
  find("page-back").addEventListener("click", go(() => { find("follow").checked = false; return listEvents({ before: page.from }); }));
  find("page-next").addEventListener("click", go(() => listEvents({ from: page.before })));
  find("page-last").addEventListener("click", go(() => listEvents()));
  find("follow").addEventListener("change", go(async () => { if (isFollowing()) await listEvents(); }));
  rows.addEventListener("keydown", (key) => {
    if (key.key !== "ArrowDown" && key.key !== "ArrowUp") return;
    key.preventDefault();
    step(key.key === "ArrowDown").catch(report);
  });
}
