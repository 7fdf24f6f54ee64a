// @ts-check
/**
 * A browser's end of a call: one module, no build step, nothing to install.
 *
 *     microphone ──▶ Ear ──▶ Sound ──▶ ParleyClient ──▶ Line ──▶ gateway
 *     loudspeaker ◀─ Mouth ◀─ Sound ◀─────┘    ▲          └─ one socket's life, from dial to loss
 *                                              └─ your page: connect talk mute sendText … and events
 *
 *     const client = new ParleyClient({ voice: "Kore" });
 *     client.on("transcript", ({ role, text, final }) => …);
 *     await client.talk();          // from a click: browsers give sound and microphone only to a gesture
 *
 * Sound travels as 16-bit little-endian mono PCM: 16 kHz up, 24 kHz down. Ear and Mouth run on the browser's audio
 * thread, in an AudioWorklet that is loaded from this same file: a blob URL would be refused by the page's
 * Content-Security-Policy. So this file runs in two places, and `scope` knows in which one it is.
 *
 * The page owns what is shown, this module owns the call: it comes back by itself when the network drops it, and
 * it never shows, stores or logs a word.
 */

/**
 * Where the call stands. `ready`: the model is there, the microphone is not (yet, or muted).
 * @typedef {"idle"|"connecting"|"ready"|"listening"|"speaking"|"reconnecting"|"ended"|"failed"} State
 */
/** @typedef {"idle"|"connecting"|"live"|"reconnecting"|"ended"|"failed"} Phase */
/** @typedef {"off"|"asking"|"on"|"muted"|"refused"} Microphone */
/** @typedef {"caller"|"model"} Role */
/**
 * @typedef {object} Options
 * @property {string|URL} [url]       the gateway; by default `/ws` of where this module came from
 * @property {string} [language]      BCP-47, such as `en-US`
 * @property {string} [voice]         such as `Puck`
 * @property {string} [sessionId]     to go on with an earlier session
 * @property {string} [name]          what the model may call the caller
 * @property {"binary"|"base64"} [audio]  how the model's sound is sent; binary is a third smaller
 */
/** @typedef {{sessionId: string, model: string, voiceName: string, languageCode: string}} Session */
/** @typedef {{code: string, message: string, retryable: boolean}} Problem */
/**
 * What a call says, by event name; each event's `detail` has the shape given here.
 * @typedef {object} Events
 * @property {{state: State, microphone: Microphone}} state
 * @property {{role: Role, text: string, final: boolean, itemId: string, typed: boolean}} transcript  text is a delta
 * @property {{who: Role, rms: number}} level    0…1, about fifty a second while there is sound
 * @property {{turn?: number}} interrupted       the caller spoke over the model; what was unplayed is gone
 * @property {{turn?: number, phase: "started"|"generated"|"complete"}} turn
 * @property {{code: string, message: string}} notice
 * @property {Problem} error
 * @property {{code: number, reason: string, final: boolean}} closed  final: it does not dial again by itself
 */
/** @typedef {{type: string, payload?: any, data?: any, error?: any, timestamp?: number}} Frame */

const UPLINK_RATE = 16_000; // samples per second, what the gateway takes
const DOWNLINK_RATE = 24_000; // samples per second, what the gateway sends
const FRAME_SAMPLES = 320; // 20 ms of the caller's voice
const HELD_FRAMES = 250; // 5 s: the voice kept while the socket cannot take it; then the oldest goes
const JOINED_FRAMES = 50; // 1 s: kept voice goes out in larger pieces, for the sake of the gateway's rate limit
const HELD_MESSAGES = 32; // texts and contexts kept while there is no session
const SOCKET_BUFFER = 64_000; // bytes: 2 s of voice in the socket's own buffer is already too late
const PREROLL_SECONDS = 0.08; // how much sound is gathered before it is played: the jitter buffer
const SILENT_SECONDS = 0.5; // dry for so long, without a word of the gateway: the model has stopped speaking

const GREETING_MS = 10_000; // from dialling to `connected`
const ACK_MS = 1_500; // from `start` to `start_ack`
const START_TRIES = 3;
const SESSION_MS = 30_000; // from `start_ack` to `session_started`
const PING_MS = 30_000;
const PATIENCE_MS = 45_000; // without a word of the gateway the line is dead
const FAREWELL_MS = 1_000; // from `session_closed` to the socket's close

const ALWAYS = new Set(["error", "notice"]); // what counts without a session; the rest is of one that was left

const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000];
const DIAL_TRIES = 8;
const STABLE_MS = 10_000; // a session that lived so long forgives the failures before it
const DONE = 1000; // close code: said goodbye
const LOST = 1006; // close code of a socket that went without one
const RESTARTING = 1012; // close code: come back at once
/** Close codes after which dialling again is pointless, and what the call has come to. Others are worth a retry. */
const FINAL = new Map(
  /** @type {[number, "ended"|"failed"][]} */ ([
    [DONE, "ended"],
    [4400, "failed"], // it could not use what we sent
    [4401, "failed"], // token missing, wrong or expired
    [4409, "ended"], // another tab took this call over
    [4429, "failed"], // over the quota
  ]),
);

/** What the browser says when there is no microphone, in our words. */
const MICROPHONE_ERRORS = new Map([
  ["NotAllowedError", { code: "MICROPHONE_DENIED", message: "The browser was not allowed to use the microphone" }],
  ["NotFoundError", { code: "MICROPHONE_MISSING", message: "There is no microphone on this device" }],
  ["NotReadableError", { code: "MICROPHONE_BUSY", message: "The microphone is used by another program" }],
  ["SecurityError", { code: "MICROPHONE_UNAVAILABLE", message: "The microphone needs https, or localhost" }],
]);
const SOUND_UNAVAILABLE = { code: "SOUND_UNAVAILABLE", message: "This browser cannot play the call", retryable: true };
const UNNAMED = { code: "UNKNOWN", message: "Something went wrong", retryable: true };
const MICROPHONE_FAILED = { code: "MICROPHONE_FAILED", message: "The microphone could not be opened" };

// ── on the audio thread ──────────────────────────────────────────────────────────────────────────

/**
 * The globals of an AudioWorklet; a page has none of them.
 * @typedef {{
 *   AudioWorkletProcessor?: new () => {readonly port: MessagePort},
 *   registerProcessor?: (name: string, processor: new () => object) => void,
 *   sampleRate: number,
 *   EventTarget?: typeof EventTarget,
 * }} Scope
 */
const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
// Neither base exists for certain where the other is used, and a class statement runs in both places.
const Processor = scope.AudioWorkletProcessor ?? /** @type {new () => {readonly port: MessagePort}} */ (absent());
const Evented = scope.EventTarget ?? /** @type {typeof EventTarget} */ (absent());

const LOBES = 16; // of the sinc on each side: the steepness of the filter
const STEPS = 512; // of the kernel's table between two samples
const PASSBAND = 0.94; // of the lower of the two Nyquist frequencies

/** A base for the classes of the other place. @returns {any} */
function absent() {
  return class {};
}

/**
 * Changes the rate of an endless stream by windowed-sinc interpolation. One context at the device's own rate and
 * two of these work everywhere, where contexts at 16 and 24 kHz do not: Firefox refuses to connect a microphone to
 * a context of another rate (bugzilla.mozilla.org 1674892).
 */
class Resampler {
  #samples = new Float32Array(4096);
  #length = 0;
  #at = 0; // where in #samples the next output sample lies

  /** @param {number} from samples per second @param {number} to samples per second */
  constructor(from, to) {
    const cutoff = PASSBAND * Math.min(1, to / from);
    this.step = from / to;
    this.reach = Math.ceil(LOBES / cutoff); // input samples that count, on each side
    this.kernel = Float32Array.from({ length: this.reach * STEPS + 1 }, (_, i) =>
      kernel(i / STEPS, cutoff, this.reach),
    );
    this.reset();
  }

  /** Begin again from silence. */
  reset() {
    this.#samples.fill(0, 0, this.reach);
    this.#length = this.#at = this.reach;
  }

  /** @param {Float32Array|Int16Array} samples @param {number} scale what a sample is multiplied with */
  push(samples, scale = 1) {
    this.#forget(samples.length);
    for (let i = 0; i < samples.length; i++) this.#samples[this.#length + i] = samples[i] * scale;
    this.#length += samples.length;
  }

  /** Fill `out` from `made` on, as far as the input reaches; returns how far that was. @param {Float32Array} out */
  pull(out, made = 0) {
    for (; made < out.length && Math.floor(this.#at) + this.reach < this.#length; made++) {
      out[made] = this.#value(this.#at);
      this.#at += this.step;
    }
    return made;
  }

  /** @param {number} at */
  #value(at) {
    let sum = 0;
    const last = Math.floor(at + this.reach);
    for (let i = Math.ceil(at - this.reach); i <= last; i++) {
      sum += this.#samples[i] * this.kernel[Math.round(Math.abs(i - at) * STEPS)];
    }
    return sum;
  }

  /** Drop what no output sample needs any more, and make room. @param {number} coming */
  #forget(coming) {
    const past = Math.floor(this.#at) - this.reach;
    this.#samples.copyWithin(0, past, this.#length);
    this.#length -= past;
    this.#at -= past;
    if (this.#length + coming > this.#samples.length) {
      const larger = new Float32Array(2 * (this.#length + coming));
      larger.set(this.#samples.subarray(0, this.#length));
      this.#samples = larger;
    }
  }
}

/**
 * A sinc under a Blackman window.
 * @param {number} distance in input samples @param {number} cutoff of the input's Nyquist frequency
 * @param {number} reach where the window ends
 */
function kernel(distance, cutoff, reach) {
  const x = Math.PI * cutoff * distance;
  const phase = (Math.PI * distance) / reach;
  const window = 0.42 + 0.5 * Math.cos(phase) + 0.08 * Math.cos(2 * phase);
  return cutoff * (x === 0 ? 1 : Math.sin(x) / x) * window;
}

/** @param {Float32Array} samples */
function energy(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum;
}

/** The microphone's end: in comes the device's rate, out go frames of 20 ms at 16 kHz as `{pcm, rms}`. */
class Ear extends Processor {
  #resampler = new Resampler(scope.sampleRate, UPLINK_RATE);
  #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const [mono] = inputs[0];
    if (mono) this.#resampler.push(mono); // no channel: the track has ended or not begun
    while ((this.#filled = this.#resampler.pull(this.#frame, this.#filled)) === FRAME_SAMPLES) {
      const pcm = Int16Array.from(this.#frame, (x) => Math.round(32_767 * Math.max(-1, Math.min(1, x))));
      this.port.postMessage({ pcm: pcm.buffer, rms: Math.sqrt(energy(this.#frame) / FRAME_SAMPLES) }, [pcm.buffer]);
      this.#filled = 0;
    }
    return true;
  }
}

/**
 * The loudspeaker's end: a queue of 24 kHz PCM in front of the device. It waits for a little sound before it
 * begins (jitter), goes on without a seam from piece to piece, and lets the last sample fade when it stops, so that
 * a flush does not click. It is told ArrayBuffers (sound), `"end"` (no more of this turn) and `"flush"`; it says
 * `{rms}` and `{speaking}`.
 */
class Mouth extends Processor {
  #resampler = new Resampler(DOWNLINK_RATE, scope.sampleRate);
  /** @type {Int16Array[]} */
  #queue = [];
  #flowing = false;
  #speaking = false;
  #ended = false; // the gateway said that the turn has no more sound
  #dry = 0; // seconds since the last sample
  #last = 0; // the last sample, fading
  #meter = { energy: 0, samples: 0 };

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#told(data);
  }

  /** @param {ArrayBuffer|"end"|"flush"} what */
  #told(what) {
    this.#ended = what === "end";
    if (what === "flush") this.#flush();
    else if (what !== "end") this.#queue.push(new Int16Array(what));
  }

  #flush() {
    this.#queue = [];
    this.#resampler.reset();
    this.#flowing = false;
    this.#speak(false);
  }

  /** @param {boolean} speaking */
  #speak(speaking) {
    if (speaking !== this.#speaking) this.port.postMessage(speaking ? { speaking } : { speaking, rms: 0 });
    this.#speaking = speaking;
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    const [out] = outputs[0];
    this.#flowing ||= this.#enough();
    const made = this.#flowing ? this.#draw(out) : 0;
    if (made) this.#last = out[made - 1];
    for (let i = made; i < out.length; i++) out[i] = this.#last = Math.abs(this.#last) < 1e-6 ? 0 : this.#last * 0.97;
    if (made) this.#measure(out);
    this.#rest(made, out.length);
    return true;
  }

  /** @param {Float32Array} out */
  #measure(out) {
    const meter = this.#meter;
    meter.energy += energy(out);
    meter.samples += out.length;
    if (meter.samples < scope.sampleRate / 50) return;
    this.port.postMessage({ rms: Math.sqrt(meter.energy / meter.samples) });
    meter.energy = meter.samples = 0;
  }

  #enough() {
    const waiting = this.#queue.reduce((sum, piece) => sum + piece.length, 0);
    return waiting >= PREROLL_SECONDS * DOWNLINK_RATE || (this.#ended && waiting > 0);
  }

  /** @param {Float32Array} out */
  #draw(out) {
    let made = this.#resampler.pull(out);
    for (let piece; made < out.length && (piece = this.#queue.shift());) {
      this.#resampler.push(piece, 1 / 32_768);
      made = this.#resampler.pull(out, made);
    }
    return made;
  }

  /**
   * Know whether we speak: dry for a moment is a slow network, dry at the end of a turn is silence.
   * @param {number} made samples @param {number} wanted samples
   */
  #rest(made, wanted) {
    if (made) this.#speak(true);
    if (made === wanted) this.#dry = 0;
    else this.#dry += (wanted - made) / scope.sampleRate;
    if (made < wanted && this.#flowing) {
      this.#flowing = false;
      this.#resampler.reset();
    }
    if (this.#dry > (this.#ended ? 0 : SILENT_SECONDS)) this.#speak(false);
  }
}

if (scope.registerProcessor) {
  scope.registerProcessor("parley-ear", Ear);
  scope.registerProcessor("parley-mouth", Mouth);
}

// ── on the page: sound ───────────────────────────────────────────────────────────────────────────

/**
 * What Sound tells its owner.
 * @typedef {object} Listener
 * @property {(pcm: ArrayBuffer, rms: number) => void} heard   20 ms of the caller's voice
 * @property {(rms: number) => void} level                     of the model's voice
 * @property {(speaking: boolean) => void} speaking            the model's voice begins or ends, as heard here
 * @property {() => void} lost                                 the microphone was taken away
 */

/** The device's sound: one AudioContext, at its own rate, for both directions. */
class Sound {
  /** @type {Promise<AudioContext>|null} */
  #opened = null;
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {AudioWorkletNode|null} */
  #mouth = null;
  /** @type {MediaStream|null} */
  #stream = null;
  /** @type {AudioNode[]} */
  #ear = [];
  #asked = 0; // how often the microphone was asked for or let go: an answer that comes too late is recognised by it
  /** @type {GainNode|null} where the model's voice comes out; goes to the loudspeaker */
  output = null;

  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
  }

  /** To be called from a gesture. Rejects where the browser has no AudioWorklet. */
  open() {
    this.#opened ??= this.#open().catch((failure) => {
      void this.#context?.close();
      this.#opened = this.#context = null;
      throw failure;
    });
    void this.#context?.resume();
    return this.#opened;
  }

  async #open() {
    const context = (this.#context = new AudioContext({ latencyHint: "interactive" }));
    await context.audioWorklet.addModule(import.meta.url);
    const mouth = (this.#mouth = new AudioWorkletNode(context, "parley-mouth", { outputChannelCount: [1] }));
    mouth.port.onmessage = ({ data }) => {
      if (data.rms !== undefined) this.listener.level(data.rms);
      if (data.speaking !== undefined) this.listener.speaking(data.speaking);
    };
    this.output = context.createGain();
    mouth.connect(this.output).connect(context.destination);
    return context;
  }

  /** Open the microphone; true when it is open and still wanted. Rejects with the browser's DOMException. */
  async listen() {
    const asked = ++this.#asked;
    if (!navigator.mediaDevices) throw new DOMException("no media devices", "SecurityError");
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const context = await this.open();
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    if (asked !== this.#asked) {
      release(stream);
      return false;
    }
    this.#attach(stream, context);
    return true;
  }

  /** @param {MediaStream} stream @param {AudioContext} context */
  #attach(stream, context) {
    const source = context.createMediaStreamSource(stream);
    const ear = new AudioWorkletNode(context, "parley-ear", { channelCount: 1, channelCountMode: "explicit" });
    ear.port.onmessage = ({ data }) => this.listener.heard(data.pcm, data.rms);
    source.connect(ear).connect(context.destination); // it is silent, but what leads nowhere need not be run
    stream.getAudioTracks()[0].onended = () => this.listener.lost();
    this.#stream = stream;
    this.#ear = [source, ear];
  }

  /** @param {boolean} muted the browser then shows that it does not listen */
  mute(muted) {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /** Let the microphone go. */
  deafen() {
    this.#asked++;
    if (this.#stream) release(this.#stream);
    for (const node of this.#ear) node.disconnect();
    this.#stream = null;
    this.#ear = [];
  }

  /** @param {ArrayBuffer} pcm whole samples at 24 kHz */
  play(pcm) {
    // Before a gesture the context does not run: what cannot be heard now must not be heard much later.
    if (this.#context?.state === "running") this.#mouth?.port.postMessage(pcm, [pcm]);
  }

  /** The turn has no more sound: do not wait for it. */
  end() {
    this.#mouth?.port.postMessage("end");
  }

  /** Be silent now. */
  flush() {
    this.#mouth?.port.postMessage("flush");
  }

  /** No call: leave the microphone and the loudspeaker to others, until `open` or `listen`. */
  rest() {
    this.deafen();
    this.flush();
    void this.#context?.suspend();
  }
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}

// ── on the page: one socket ──────────────────────────────────────────────────────────────────────

/**
 * What Line tells its owner.
 * @typedef {object} Correspondent
 * @property {() => object} start                               the payload of `start`, whenever it is needed
 * @property {(frame: Frame) => void} said                      all that is not about the line itself
 * @property {(pcm: ArrayBuffer) => void} sounded
 * @property {(code: number, reason: string) => void} lost      the last word of a line; it comes once
 */

/**
 * One socket, from dialling to its loss: greeting, start, liveness. It never dials twice; whoever wants to come
 * back makes another one.
 */
class Line {
  live = false; // between `session_started` and the end of the session
  #over = false;
  #heardAt = performance.now();
  /** @type {ReturnType<typeof setTimeout>|undefined} the one thing we wait for now */
  #waiting;
  /** @type {ReturnType<typeof setInterval>[]} */
  #beats;

  /** @param {string} url @param {Correspondent} owner */
  constructor(url, owner) {
    this.owner = owner;
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.#hear(data);
    this.socket.onclose = ({ code, reason }) => this.#lose(code, reason);
    this.#beats = [setInterval(() => this.#ping(), PING_MS), setInterval(() => this.#check(), PATIENCE_MS / 9)];
    this.#within(GREETING_MS, "the gateway did not answer");
  }

  /** May sound be sent now, or would it only grow old in the socket's buffer? */
  get roomy() {
    return this.live && this.socket.bufferedAmount < SOCKET_BUFFER;
  }

  /** @param {object} message */
  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  /** @param {ArrayBuffer|Uint8Array<ArrayBuffer>} pcm */
  sound(pcm) {
    this.socket.send(pcm);
  }

  /** Ask for a session; again where no answer comes. */
  start(tries = START_TRIES) {
    this.say({ type: "start", payload: this.owner.start() });
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      if (tries > 1) this.start(tries - 1);
      else this.drop(LOST, "the gateway did not answer the start");
    }, ACK_MS);
  }

  /** End the session and keep the socket. */
  stop() {
    this.live = false;
    this.say({ type: "stop" });
  }

  /** Be gone, known as `code`: the socket's own goodbye may take long, or never come. @param {number} code */
  drop(code, reason = "") {
    if (this.socket.readyState <= WebSocket.OPEN) this.socket.close(code === DONE ? DONE : 4000);
    this.#lose(code, reason);
  }

  /** @param {number} code @param {string} reason */
  #lose(code, reason) {
    if (this.#over) return;
    this.#over = true;
    this.live = false;
    this.socket.onmessage = this.socket.onclose = null;
    clearTimeout(this.#waiting);
    this.#beats.forEach(clearInterval);
    this.owner.lost(code, reason);
  }

  /** What we wait for now must come within so many milliseconds, or the line is lost. @param {number} ms */
  #within(ms, reason = "", code = LOST) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.drop(code, reason), ms);
  }

  #ping() {
    if (this.socket.readyState === WebSocket.OPEN) this.say({ type: "ping", timestamp: Date.now() });
  }

  #check() {
    if (performance.now() - this.#heardAt > PATIENCE_MS) this.drop(LOST, "the gateway has gone silent");
  }

  /** @param {ArrayBuffer|string} data */
  #hear(data) {
    this.#heardAt = performance.now();
    if (data instanceof ArrayBuffer) return this.live ? this.owner.sounded(data) : undefined;
    const frame = parsed(data);
    switch (frame.type) {
      case "connected":
        return this.start();
      case "start_ack":
        if (!this.live) this.#within(SESSION_MS, "the gateway did not begin the session");
        return;
      case "session_started":
        this.live = true;
        clearTimeout(this.#waiting);
        break;
      case "session_closed":
        if (!this.live) return; // the echo of our own `stop`, perhaps after the next `start`
        this.live = false;
        return this.#within(FAREWELL_MS, "the gateway ended the session", DONE);
      case "heartbeat":
        return this.say({ type: "heartbeat_ack", timestamp: frame.timestamp });
    }
    if (this.live || ALWAYS.has(frame.type)) this.owner.said(frame);
  }
}

/** What is no object with a type is nothing: both sides ignore what they do not know. @param {string} text */
function parsed(text) {
  try {
    return /** @type {Frame} */ (Object(JSON.parse(text)));
  } catch {
    return /** @type {Frame} */ ({ type: "" });
  }
}

// ── on the page: the call ────────────────────────────────────────────────────────────────────────

/** A voice call with the gateway. See the top of this file; its events are the properties of `Events`. */
export class ParleyClient extends Evented {
  /** @type {Options} */
  #options;
  #url;
  #sound;
  /** @type {Phase} */
  #phase = "idle";
  /** @type {Microphone} */
  #microphone = "off";
  #speaking = false;
  #announced = "";
  /** @type {Line|null} */
  #line = null;
  /** @type {ReturnType<typeof promised>|null} while the call is wanted: settled when it first lives, or cannot */
  #call = null;
  /** @type {Session|null} */
  #session = null;
  /** @type {Problem|null} an error before the session that makes another try pointless */
  #refusal = null;
  #failures = 0; // in a row
  #liveSince = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #redial;
  /** @type {Uint8Array<ArrayBuffer>[]} the caller's voice that the socket cannot take yet */
  #frames = [];
  /** @type {object[]} texts and contexts that wait for a session */
  #messages = [];
  /** @type {{caller: string|null, model: string|null}} */
  #open = { caller: null, model: null };
  #items = 0;
  /** Frames of the caller's voice (20 ms each) that were dropped because the network could not take them. */
  dropped = 0;

  /** @param {Options} [options] */
  constructor(options = {}) {
    super();
    this.#options = options;
    this.#url = new URL(options.url ?? "/ws", import.meta.url);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#sound = new Sound({
      heard: (pcm, rms) => this.#heard(pcm, rms),
      level: (rms) => this.#emit("level", { who: "model", rms }),
      speaking: (speaking) => this.#now({ speaking }),
      lost: () => this.#deafened({ code: "MICROPHONE_LOST", message: "The microphone was disconnected" }),
    });
  }

  /** @returns {State} */
  get state() {
    if (this.#phase !== "live") return this.#phase;
    if (this.#speaking) return "speaking";
    return this.#microphone === "on" ? "listening" : "ready";
  }

  get microphone() {
    return this.#microphone;
  }

  /** What the gateway said of the session; null before the first one. */
  get session() {
    return this.#session;
  }

  /** Where the model's voice comes out, for a page that wants to record or draw it. Null before `connect`. */
  get output() {
    return this.#sound.output;
  }

  /**
   * Listen to an event with its detail at hand; returns what ends it.
   * @template {keyof Events} Name
   * @param {Name} name @param {(detail: Events[Name]) => void} listener
   */
  on(name, listener) {
    /** @param {Event} event */
    const heard = (event) => listener(/** @type {CustomEvent<Events[Name]>} */ (event).detail);
    this.addEventListener(name, heard);
    return () => this.removeEventListener(name, heard);
  }

  /** Begin the call without a microphone. Resolves when the model is there, rejects when it will not be. */
  async connect() {
    const opened = this.#sound.open().catch(() => this.#emit("error", SOUND_UNAVAILABLE));
    const call = this.#call ?? promised();
    if (call !== this.#call) {
      this.#call = call;
      this.#failures = 0;
      this.#dial("connecting");
    }
    await Promise.all([call.promise, opened]);
  }

  /**
   * Begin the call if need be, and open the microphone. False when there is no microphone: an `error` event has said
   * why, and the call goes on with typed input. Rejects like `connect`.
   */
  async talk() {
    const connected = this.connect();
    const [listening] = await Promise.all([this.#listen(), connected]);
    return listening;
  }

  /** The caller's voice stays here. @param {boolean} muted */
  mute(muted) {
    if (this.#microphone !== "on" && this.#microphone !== "muted") return;
    this.#sound.mute(muted);
    if (muted) this.#emit("level", { who: "caller", rms: 0 });
    this.#now({ microphone: muted ? "muted" : "on" });
  }

  /** Say it in writing. Kept while there is no session. @param {string} text */
  sendText(text) {
    this.#post({ type: "text", payload: { content: text } });
    this.#emit("transcript", { role: "caller", text, final: true, itemId: `caller-${++this.#items}`, typed: true });
  }

  /**
   * Tell the model what the page sees.
   * @param {{modality: "screen"|"webcam"|"intelligence", analysis: string, imageData?: string}} context
   *   imageData: base64 or a data URL
   */
  sendContext({ modality, analysis, imageData }) {
    const payload = { modality, analysis, imageData, capturedAt: new Date().toISOString() };
    this.#post({ type: "CONTEXT_UPDATE", payload });
  }

  /** End the session and keep the socket: the next `connect` or `talk` begins sooner. */
  stop() {
    if (!this.#line?.live) return this.close();
    this.#line.stop();
    this.#end("ended");
  }

  /** Hang up. */
  close() {
    if (this.#line) this.#line.drop(DONE);
    else if (this.#call) this.#end("ended");
  }

  // ── the line

  /** @param {"connecting"|"reconnecting"} phase */
  #dial(phase) {
    this.#refusal = null;
    this.#now({ phase });
    if (this.#line) return this.#line.start();
    try {
      this.#line = new Line(this.#url.href, {
        start: () => this.#start(),
        said: (frame) => this.#said(frame),
        sounded: (pcm) => this.#sound.play(pcm),
        lost: (code, reason) => this.#lost(code, reason),
      });
    } catch (failure) {
      this.#end("failed", String(failure)); // an address that no socket may be opened to, as ws: from an https page
    }
  }

  #start() {
    const { language, voice, name, sessionId, audio = "binary" } = this.#options;
    return {
      languageCode: language,
      voiceName: voice,
      sessionId: this.#session?.sessionId ?? sessionId,
      userContext: name ? { name } : undefined,
      audio,
    };
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    const lived = this.#liveSince > 0 && performance.now() - this.#liveSince > STABLE_MS;
    this.#failures = lived ? 0 : this.#failures + 1;
    this.#line = null;
    this.#liveSince = 0;
    const outcome = this.#outcome(code);
    this.#emit("closed", { code, reason, final: outcome !== null });
    if (outcome) return this.#end(outcome, reason);
    this.#finish("caller");
    this.#finish("model");
    this.#now({ phase: "reconnecting" });
    const pause = code === RESTARTING && this.#failures <= 1 ? 0 : this.#pause();
    this.#redial = setTimeout(() => this.#dial("reconnecting"), pause);
  }

  /** What the call has come to, or null if another try is worth it. @param {number} code */
  #outcome(code) {
    if (!this.#call) return "ended";
    if (this.#refusal || this.#failures >= DIAL_TRIES) return "failed";
    return FINAL.get(code) ?? null;
  }

  /** The pause before the next try, in milliseconds: doubled each time, and no two clients in step. */
  #pause() {
    const longest = BACKOFF_MS[Math.min(Math.max(this.#failures - 1, 0), BACKOFF_MS.length - 1)];
    return longest * (0.5 + Math.random() / 2);
  }

  /** The call is no longer wanted, or cannot be had. @param {"ended"|"failed"} phase */
  #end(phase, reason = "") {
    clearTimeout(this.#redial);
    this.#sound.rest();
    this.#frames = [];
    this.#messages = [];
    this.#session = null;
    this.#finish("caller");
    this.#finish("model");
    const call = this.#call;
    this.#call = null;
    this.#now({ phase, microphone: "off", speaking: false });
    call?.reject(new Error(reason || "the call has ended"));
  }

  // ── what the gateway says

  /** @param {Frame} frame */
  #said({ type, payload: said, error }) {
    const payload = said ?? {};
    switch (type) {
      case "session_started":
        return this.#begin(payload);
      case "input_transcript":
        return this.#transcript("caller", payload.text, payload.isFinal);
      case "output_transcript":
        return this.#transcript("model", payload.text, payload.isFinal);
      case "text":
        return this.#transcript("model", payload.content, false);
      case "audio":
        return this.#sound.play(decoded(payload.audioData));
      case "turn_started":
        return this.#emit("turn", { turn: payload.turn, phase: "started" });
      case "generation_complete":
        this.#sound.end();
        return this.#emit("turn", { turn: payload.turn, phase: "generated" });
      case "turn_complete":
        return this.#complete(payload);
      case "interrupted":
        this.#sound.flush();
        return this.#emit("interrupted", { turn: payload.turn });
      case "notice":
        return this.#emit("notice", payload);
      case "error":
        return this.#erred({ ...UNNAMED, ...(payload.message ? payload : error) });
    }
  }

  /** @param {Session} session */
  #begin(session) {
    this.#session = session;
    this.#liveSince = performance.now();
    this.#now({ phase: "live" });
    this.#call?.resolve();
    for (const message of this.#messages.splice(0)) this.#line?.say(message);
    this.#pump();
  }

  /** @param {{turn?: number, reason?: string}} payload */
  #complete({ turn, reason }) {
    if (reason === "quiet") return; // for old clients: three seconds without audio of theirs, and no turn's end
    this.#sound.end();
    this.#finish("model");
    this.#emit("turn", { turn, phase: "complete" });
  }

  /** @param {Problem} problem */
  #erred(problem) {
    this.#emit("error", problem);
    if (problem.retryable || !this.#line || this.#line.live) return;
    this.#refusal = problem;
    this.#line.drop(LOST, problem.message);
  }

  /** A delta: it belongs to the open item of its role, or opens one. @param {Role} role */
  #transcript(role, text = "", final = false) {
    if (!this.#open[role] && !text) return;
    const itemId = (this.#open[role] ??= `${role}-${++this.#items}`);
    if (final) this.#open[role] = null;
    this.#emit("transcript", { role, text, final, itemId, typed: false });
  }

  /** Close what is open: nothing more will come for it. @param {Role} role */
  #finish(role) {
    this.#transcript(role, "", true);
  }

  // ── what the caller says

  async #listen() {
    if (this.#microphone === "on" || this.#microphone === "muted") return true;
    this.#now({ microphone: "asking" });
    try {
      const listening = await this.#sound.listen();
      if (listening) this.#now({ microphone: "on" });
      return listening;
    } catch (failure) {
      const name = failure instanceof DOMException ? failure.name : "";
      this.#deafened(MICROPHONE_ERRORS.get(name) ?? MICROPHONE_FAILED);
      return false;
    }
  }

  /** @param {{code: string, message: string}} why */
  #deafened(why) {
    if (!this.#call) return; // the call ended while the browser was asking
    this.#sound.deafen();
    this.#frames = [];
    this.#now({ microphone: "refused" });
    this.#emit("error", { ...why, retryable: true });
  }

  /** @param {ArrayBuffer} pcm @param {number} rms */
  #heard(pcm, rms) {
    if (this.#microphone !== "on") return;
    this.#emit("level", { who: "caller", rms });
    this.#frames.push(new Uint8Array(pcm));
    if (this.#frames.length > HELD_FRAMES) {
      this.#frames.shift();
      this.dropped++;
    }
    this.#pump();
  }

  #pump() {
    while (this.#frames.length && this.#line?.roomy) this.#line.sound(joined(this.#frames.splice(0, JOINED_FRAMES)));
  }

  /** @param {object} message */
  #post(message) {
    if (this.#line?.live) return this.#line.say(message);
    this.#messages.push(message);
    if (this.#messages.length > HELD_MESSAGES) this.#messages.shift();
  }

  // ── telling the page

  /**
   * Something about the call has changed; the page hears of it if that shows.
   * @param {{phase?: Phase, microphone?: Microphone, speaking?: boolean}} change
   */
  #now({ phase = this.#phase, microphone = this.#microphone, speaking = this.#speaking }) {
    this.#phase = phase;
    this.#microphone = microphone;
    this.#speaking = speaking;
    const announcement = `${this.state} ${microphone}`;
    if (announcement === this.#announced) return;
    this.#announced = announcement;
    this.#emit("state", { state: this.state, microphone });
  }

  /** @template {keyof Events} Name @param {Name} name @param {Events[Name]} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** A promise, and what settles it. */
function promised() {
  let resolve = () => {};
  /** @type {(reason: Error) => void} */
  let reject = () => {};
  const promise = /** @type {Promise<void>} */ (new Promise((...settle) => ([resolve, reject] = settle)));
  return { promise, resolve, reject };
}

/** @param {Uint8Array<ArrayBuffer>[]} pieces */
function joined(pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** @param {string} base64 */
function decoded(base64) {
  return Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)).buffer;
}
