// @ts-check
/**
 * The talk page: what a person sees of a call.
 *
 *     ParleyClient ──state──▶ words, button      person ──button, Space──▶ talk, mute
 *                  ──transcript──▶ bubbles              ──Escape────────▶ close
 *                  ──level──▶ Dial (canvas)             ──form──────────▶ sendText
 *
 * Nothing of the call is decided here; and what was said is put on the page as text, never as markup.
 */

import { ParleyClient } from "./client.js";

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`#${id} is not what this script expects`);
  return found;
}

const page = {
  talk: part("talk", HTMLButtonElement),
  verb: part("verb", HTMLElement),
  state: part("state", HTMLElement),
  clock: part("clock", HTMLElement),
  hint: part("hint", HTMLElement),
  end: part("end", HTMLButtonElement),
  levels: part("levels", HTMLCanvasElement),
  transcript: part("transcript", HTMLOListElement),
  notice: part("notice", HTMLElement),
  upstream: part("upstream", HTMLElement),
  type: part("type", HTMLFormElement),
  text: part("text", HTMLInputElement),
};

/** The call. Exported so that a script on this page, or a test, can listen to it and tap its output. */
export const client = new ParleyClient();

// ── the state, in words ──────────────────────────────────────────────────────────────────────────

/**
 * By state, and where it matters by microphone: what it is called, and what can be done.
 * @type {Record<string, [string, string]>}
 */
const WORDS = {
  idle: ["Ready when you are", "Press the button and speak, or type."],
  connecting: ["Connecting…", "This takes a moment."],
  "connecting asking": ["Connecting…", "Your browser may ask for the microphone."],
  ready: ["Connected", "The microphone is off. Type, or press to talk."],
  "ready asking": ["Waiting for the microphone", "Your browser asks whether Parley may listen."],
  "ready muted": ["Muted", "Nobody hears you. Press to go on."],
  "ready refused": ["No microphone", "You can type; or allow the microphone and press again."],
  listening: ["Listening", "Speak. When you pause, Parley answers."],
  speaking: ["Parley speaks", "Talk over it whenever you like."],
  "speaking muted": ["Parley speaks", "You are muted."],
  "speaking refused": ["Parley speaks", "You can answer by typing."],
  reconnecting: ["Reconnecting…", "The line dropped. Parley is dialling again."],
  ended: ["Call ended", "Press to call again."],
  failed: ["No connection", "Press to try again."],
};
const IN_CALL = new Set(["connecting", "ready", "listening", "speaking", "reconnecting"]);
const VERBS = { off: "Talk", refused: "Talk", asking: "Talk", on: "Mute", muted: "Unmute" };

let since = 0; // when this call began, in the page's milliseconds

const inCall = () => IN_CALL.has(client.state);

function show() {
  const { state, microphone } = client;
  const [words, hint] = WORDS[`${state} ${microphone}`] ?? WORDS[state];
  page.state.textContent = words;
  page.hint.textContent = hint;
  page.verb.textContent = VERBS[microphone];
  document.body.dataset.state = state;
  document.body.dataset.microphone = microphone;
  if (!inCall() && document.activeElement === page.end) page.talk.focus();
  page.end.hidden = page.clock.hidden = !inCall();
  if (!inCall()) since = 0;
  else since ||= performance.now();
}

function tick() {
  const seconds = since ? Math.floor((performance.now() - since) / 1000) : 0;
  page.clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {string} message */
function notice(message, { wrong = false } = {}) {
  page.notice.textContent = message;
  page.notice.classList.toggle("wrong", wrong);
}

// ── what is said ─────────────────────────────────────────────────────────────────────────────────

/** @type {Map<string, HTMLElement>} open and closed bubbles by the transcript's item */
const bubbles = new Map();

/** @param {string} itemId @param {"caller"|"model"} role */
function bubble(itemId, role) {
  const item = document.createElement("li");
  const who = document.createElement("b");
  who.textContent = role === "caller" ? "You" : "Parley";
  item.className = `said ${role} open`;
  item.ariaBusy = "true"; // a reader waits until the sentence is whole
  item.append(who, document.createElement("p"));
  bubbles.set(itemId, item);
  append(item);
  return item;
}

/** @param {HTMLElement} item */
function append(item) {
  page.transcript.querySelector(".empty")?.remove();
  page.transcript.append(item);
  follow();
}

let following = true; // the end is in sight, and is kept in sight; not while somebody reads further up

function follow() {
  if (following) page.transcript.scrollTop = page.transcript.scrollHeight;
}

page.transcript.addEventListener("scroll", () => {
  const { scrollHeight, scrollTop, clientHeight } = page.transcript;
  following = scrollHeight - scrollTop - clientHeight < 48;
});
new ResizeObserver(follow).observe(page.transcript); // a phone's keyboard comes up

client.on("transcript", ({ role, text, final, itemId }) => {
  const item = bubbles.get(itemId) ?? bubble(itemId, role);
  item.lastElementChild?.append(text);
  follow();
  if (!final) return;
  item.classList.remove("open");
  item.ariaBusy = "false";
});

client.on("interrupted", () => {
  const last = [...page.transcript.querySelectorAll(".said.model")].at(-1);
  last?.classList.add("cut");
});

/** A new call below an old one. */
function separate() {
  if (!bubbles.size) return;
  bubbles.clear();
  const item = document.createElement("li");
  item.className = "again";
  item.textContent = `New call, ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  append(item);
}

// ── the two voices' levels ───────────────────────────────────────────────────────────────────────

/**
 * Two arcs of bars around the button, the model's on the left and the caller's on the right. The newest level stands
 * at the bottom and the past travels up. Who asked for less motion gets a meter that fills instead.
 */
class Dial {
  static BARS = 32; // on each side
  static GAP = 0.56; // radians on each side of the bottom, where the names stand
  static STEP_MS = 42; // how long a bar stays in its place
  static CALM_MS = 250; // the same, for who wants less motion
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #levels = { model: new Array(Dial.BARS).fill(0), caller: new Array(Dial.BARS).fill(0) };
  #loudest = { model: 0, caller: 0 }; // since the last step
  #steppedAt = 0;
  #running = false;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** @param {"caller"|"model"} who @param {number} rms */
  hear(who, rms) {
    const decibels = 20 * Math.log10(Math.max(rms, 1e-5));
    this.#loudest[who] = Math.max(this.#loudest[who], Math.min(1, Math.max(0, (decibels + 52) / 40)));
    if (!this.#running) requestAnimationFrame((now) => this.#step(now));
    this.#running = true;
  }

  /** @param {number} now */
  #step(now) {
    if (now - this.#steppedAt >= (this.#calm.matches ? Dial.CALM_MS : Dial.STEP_MS)) {
      this.#steppedAt = now;
      for (const who of /** @type {const} */ (["model", "caller"])) {
        this.#levels[who] = [this.#loudest[who], ...this.#levels[who].slice(0, -1)];
        this.#loudest[who] = 0;
      }
      this.#draw();
    }
    this.#running = [...this.#levels.model, ...this.#levels.caller].some((level) => level > 0);
    if (this.#running) requestAnimationFrame((next) => this.#step(next));
  }

  #draw() {
    const { canvas, pen } = this;
    const size = canvas.clientWidth;
    const ratio = devicePixelRatio;
    canvas.width = canvas.height = Math.round(size * ratio);
    pen.setTransform(ratio, 0, 0, ratio, canvas.width / 2, canvas.height / 2);
    pen.lineCap = "round";
    pen.lineWidth = Math.max(2, size / 110);
    const style = getComputedStyle(canvas);
    this.#arc("model", -1, style.getPropertyValue("--model"), size);
    this.#arc("caller", 1, style.getPropertyValue("--caller"), size);
  }

  /** @param {"caller"|"model"} who @param {-1|1} side @param {string} colour @param {number} size */
  #arc(who, side, colour, size) {
    const { pen } = this;
    const inner = size * 0.305;
    const longest = size * 0.17;
    const levels = this.#calm.matches ? meter(this.#levels[who][0]) : this.#levels[who];
    pen.strokeStyle = colour;
    levels.forEach((level, i) => {
      const past = i / (Dial.BARS - 1);
      const angle = Math.PI / 2 - side * (Dial.GAP + past * (Math.PI - Dial.GAP - 0.12));
      const length = level * longest * (1 - 0.35 * past) + 0.01;
      pen.globalAlpha = level > 0.02 ? 1 - 0.65 * past : 0.26;
      pen.beginPath();
      pen.moveTo(inner * Math.cos(angle), inner * Math.sin(angle));
      pen.lineTo((inner + length) * Math.cos(angle), (inner + length) * Math.sin(angle));
      pen.stroke();
    });
  }
}

/** One level as a row that is filled so far. @param {number} level */
function meter(level) {
  return Array.from({ length: Dial.BARS }, (_, i) => (i < level * Dial.BARS ? 0.3 : 0));
}

const dial = new Dial(page.levels);
client.on("level", ({ who, rms }) => dial.hear(who, rms));

// ── what the call says ───────────────────────────────────────────────────────────────────────────

client.on("state", ({ state }) => {
  show();
  if (state === "listening" || state === "speaking") notice("");
  const name = client.session?.model;
  if (name && page.upstream.hidden) upstream(name, "the model that answers");
});

/** @param {string} name @param {string} title */
function upstream(name, title) {
  page.upstream.textContent = name;
  page.upstream.title = title;
  page.upstream.hidden = false;
}

client.on("notice", ({ code, message }) => {
  if (code === "EMULATOR") upstream("Built-in emulator", message);
  else notice(message);
});
client.on("error", ({ message }) => notice(message, { wrong: true }));
client.on("closed", ({ code, reason, final }) => {
  if (final && reason) notice(reason, { wrong: code !== 1000 });
});

// ── what the person does ─────────────────────────────────────────────────────────────────────────

/** @param {() => Promise<unknown>} wish something that begins a call, if there is none */
async function call(wish) {
  if (!inCall()) {
    notice("");
    separate();
  }
  try {
    await wish();
  } catch {
    show(); // the state says it already: ended, or failed
  }
}

function press() {
  const { microphone } = client;
  if (microphone === "on" || microphone === "muted") client.mute(microphone === "on");
  else if (microphone !== "asking") void call(() => client.talk());
}

page.talk.addEventListener("click", press);
page.end.addEventListener("click", () => client.close());
page.type.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = page.text.value.trim();
  if (!text) return;
  page.text.value = "";
  if (!inCall()) void call(() => client.connect());
  client.sendText(text);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && inCall()) client.close();
  const taken = event.target instanceof Element && event.target.closest("button, input"); // these have a use for it
  if (taken || event.repeat || (event.key !== " " && event.key !== "Enter")) return;
  event.preventDefault();
  press();
});

setInterval(tick, 500);
show();
