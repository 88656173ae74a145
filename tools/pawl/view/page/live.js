// The header and the writer's own report, which change every second.
import { bytesText, durationText, find, grouped, make } from "./tools.js";

let before = null;  // { published, bytes, at }

function rates(live) {
  const now = { published: BigInt(live.published), bytes: BigInt(live.appended_bytes), opened: live.opened_ns, at: performance.now() };
  const last = before;
  before = now;
  if (last === null || last.opened !== now.opened || now.at - last.at < 200) return null;
  const seconds = (now.at - last.at) / 1000;
  return { events: Math.round(Number(now.published - last.published) / seconds), bytes: Number(now.bytes - last.bytes) / seconds };
}

function stateOf(live) {
  if (live.status_problem) return ["unknown", "warn"];
  if (live.state === "poisoned" || live.state === "disk_full") return [live.state === "poisoned" ? "writer failed" : "disk full", "bad"];
  if (live.locked) return ["being written", "good"];
  return live.state === "closed" ? ["closed", ""] : ["not closed by its writer", "warn"];
}

function facts(pairs) {
  return pairs.filter(([, value]) => value !== null).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
}

export function drawLive(live) {
  const name = live.directory.replace(/\/+$/, "").split("/").at(-1) || live.directory;
  document.title = `${name}: pawl view`;
  find("title").textContent = name;
  find("title").title = live.directory;
  const [word, kind] = stateOf(live);
  find("state").textContent = word;
  find("state").className = `pill ${kind}`;
  const marks = [["events", grouped(BigInt(live.next) - BigInt(live.first))]];
  const rate = live.status_problem ? null : rates(live);
  if (!live.status_problem) {
    const behind = BigInt(live.published) - BigInt(live.durable);
    marks.push(["published", grouped(live.published)], ["durable", `${grouped(live.durable)}${behind > 0n ? ` (${grouped(behind)} fewer)` : ""}`]);
    if (live.locked) marks.push(["rate", rate === null ? "…" : `${grouped(rate.events)}/s`]);
  }
  marks.push(["size", bytesText(live.size)]);
  find("marks").replaceChildren(...marks.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value))));
  const banner = find("banner");
  const problem = live.problem ?? live.status_problem;
  banner.hidden = problem === null;
  banner.textContent = problem === null ? "" : problem.message;
  find("live-body").replaceChildren(...makeWriter(live, rate), ...makeConsumers(live), ...makeCounters(live));
}

function makeWriter(live, rate) {
  if (live.status_problem) return [make("p", { class: "quiet" }, "The control file cannot be read, so nothing is known about a writer.")];
  const errors = [live.os_error ? `errno ${live.os_error}` : "", live.shortage ? `no new segment: errno ${live.shortage}` : ""].filter((each) => each !== "");
  return [make("dl", { class: "live-facts" }, ...facts([
    ["writer", live.owner === "" ? "none yet" : live.owner],
    ["heartbeat", `${durationText(live.heartbeat_age_ns)} ago`],
    ["rate", live.locked && rate !== null ? `${grouped(rate.events)} events/s, ${bytesText(rate.bytes)}/s` : null],
    ["syncs", `${grouped(live.syncs)}${live.syncs === "0" ? "" : `; half below ${durationText(live.sync_p50_us * 1000)}, 99 % below ${durationText(live.sync_p99_us * 1000)}`}`],
    ["segments ready", `${live.segments_ready}${live.back_pressure === "0" ? "" : `; ${grouped(live.back_pressure)} appends had to wait`}`],
    ["errors", errors.length === 0 ? "none" : errors.join(", ")],
    ["journal", `${live.directory}, id ${live.id}, format ${live.format}, created ${live.created.slice(0, 19)}Z`],
  ]))];
}

function makeConsumers(live) {
  if (live.status_problem) return [];
  if (live.consumers.length === 0) return [make("h3", {}, "Consumers"), make("p", { class: "quiet" }, "No consumer has a position in this journal.")];
  const most = Math.max(1, ...live.consumers.map((each) => Number(each.lag_events ?? 0)));
  const rows = live.consumers.map((each) => {
    if (each.problem) return make("tr", {}, make("td", {}, each.name), make("td", { class: "problem", colspan: "4" }, each.problem.message));
    const bar = make("span");
    bar.style.width = `${(100 * Number(each.lag_events)) / most}%`;
    return make("tr", {},
      make("td", {}, make("b", {}, each.name), make("div", { class: "quiet" }, each.selection)),
      make("td", { class: "number" }, grouped(each.next)),
      make("td", { class: "number" }, grouped(each.lag_events), make("div", { class: "quiet" }, each.lag_ns === null ? "" : durationText(each.lag_ns))),
      make("td", {}, make("div", { class: "meter", title: `${grouped(each.lag_events)} events behind` }, bar)),
      make("td", { title: each.owner }, each.held ? "running" : "not running"));
  });
  return [make("h3", {}, "Consumers"), make("div", { class: "table-frame" }, make("table", { id: "consumers" },
    make("thead", {}, make("tr", {}, make("th", {}, "Name"), make("th", { class: "number" }, "Position"), make("th", { class: "number" }, "Lag"), make("th", {}, ""), make("th", {}, ""))),
    make("tbody", {}, ...rows)))];
}

function makeCounters(live) {
  if (live.status_problem || live.counters.length === 0) return [];
  return [make("h3", {}, "Counters of the program"), make("div", { class: "table-frame" }, make("table", {},
    make("tbody", {}, ...live.counters.map((each) => make("tr", {}, make("td", {}, each.name), make("td", { class: "number" }, grouped(each.value)))))))];
}
