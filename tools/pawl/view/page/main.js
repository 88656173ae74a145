// Puts the parts of the page together, keeps them current, and knows the keys.
import { drawDensity, onChoice, showsAll, startDensity } from "./density.js";
import { onEvent, showEvent, shownEvent } from "./event.js";
import { choose, findBy, isFollowing, listEvents, setTypeNames, startEvents, step } from "./events.js";
import { drawLive } from "./live.js";
import { drawSegments, onSegment, startSegments } from "./segments.js";
import { onSequence, startSql } from "./sql.js";
import { ask, find } from "./tools.js";

function report(problem) {
  find("banner").hidden = false;
  find("banner").textContent = problem.message;
}

// The address after # holds what is shown, so that a reload shows it again.
function remember(name, value) {
  const words = new URLSearchParams(location.hash.slice(1));
  if (value) words.set(name, value);
  else words.delete(name);
  history.replaceState(null, "", words.size > 0 ? `#${words}` : location.pathname);
}

async function begin() {
  startDensity(report);
  startSegments(report);
  startEvents(report);
  const from = (sequence) => findBy({ at: sequence }).catch(report);
  onChoice(from);
  onSegment(from);
  onSequence((sequence) => { showEvent(sequence); find("event").scrollIntoView({ block: "nearest" }); });
  onEvent({
    find: (words) => { findBy(words).catch(report); find("events").scrollIntoView({ block: "nearest" }); },
    show: (sequence) => remember("event", sequence),
  });
  find("event-next").addEventListener("click", () => step(true).catch(report));
  find("event-back").addEventListener("click", () => step(false).catch(report));
  startTheme();
  startKeys();

  const live = await ask("live");
  setTypeNames(live.types);
  drawLive(live);
  startSql(live.types, live.next);
  const words = new URLSearchParams(location.hash.slice(1));
  const wanted = words.get("event");
  const filter = { stream: words.get("stream") ?? "", tag: words.get("tag") ?? "", type: words.get("type") ?? "", at: words.get("at") ?? "" };
  const listed = Object.values(filter).some((each) => each !== "") ? findBy(filter) : listEvents(wanted ? { from: wanted } : {});
  const parts = await Promise.allSettled([drawDensity(), drawSegments(), listed]);
  for (const part of parts) if (part.status === "rejected") report(part.reason);
  if (wanted) choose(wanted);
  document.body.dataset.ready = "yes";
  setTimeout(() => refresh(live.next, live.segments), 1000);
}

// Once per second; only what has changed.
async function refresh(next, segments) {
  try {
    const live = await ask("live");
    setTypeNames(live.types);
    drawLive(live);
    if (live.next !== next) {
      if (isFollowing()) await listEvents();
      if (showsAll()) await drawDensity();
    }
    if (live.segments !== segments) await drawSegments();
    next = live.next;
    segments = live.segments;
  } catch (problem) {
    report(problem);
  }
  setTimeout(() => refresh(next, segments), 1000);
}

function startTheme() {
  find("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
}

function startKeys() {
  const dialog = find("keys");
  const open = () => dialog.showModal();
  find("keys-button").addEventListener("click", open);
  const actions = {
    "/": () => { find("find-at").focus(); find("find-at").select(); },
    "?": open,
    j: () => step(true).catch(report),
    k: () => step(false).catch(report),
    h: () => { const event = shownEvent(); if (event && event.stream.number !== "0") findBy({ stream: event.stream.number }).catch(report); },
    n: () => listEvents().catch(report),
    d: () => find("chart").focus(),
    q: () => find("query").focus(),
  };
  document.addEventListener("keydown", (key) => {
    const typing = key.target.closest("input, textarea, select, dialog");
    if (typing && key.key === "Escape") key.target.blur();
    if (typing || key.ctrlKey || key.metaKey || key.altKey || !(key.key in actions)) return;
    key.preventDefault();
    actions[key.key]();
  });
}

begin().catch(report);
