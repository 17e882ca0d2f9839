// The live feed: one WebSocket that comes back by itself and notices when the other end is silent.

const PING_INTERVAL_MS = 10_000;
const STALE_AFTER_MS = 5_000; // without an answer
const GIVE_UP_AFTER_MS = 15_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;

/** How long to wait before an attempt: doubling, and spread so that not all come at once. */
export function delay(attempt, random) {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + random / 2);
}

/**
 * `onOpen` is called when a new connection stands and follows the streams: what happened until
 * then must be asked for. `onEvent` gets stream name and data, `onState` one of "live",
 * "stale" and "reconnecting".
 */
export class Feed {
  #handlers;
  #streams;
  #socket = null;
  #onAnswer = new Map(); // by the id of what was sent
  #lastId = 0;
  #attempt = 0;
  #isStale = false;
  #retry;
  #ping;
  #waits = [];

  constructor(streams, handlers) {
    this.#streams = streams;
    this.#handlers = handlers;
    addEventListener("online", () => this.#connectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#connectNow());
    this.#connect();
  }

  /** Follow these streams and no others; `onFollowing` is called once it does. */
  follow(streams, onFollowing) {
    const left = this.#streams.filter((name) => !streams.includes(name));
    const added = streams.filter((name) => !this.#streams.includes(name));
    this.#streams = streams;
    if (this.#socket?.readyState !== WebSocket.OPEN) return; // onOpen will be called
    if (left.length) this.#send("UNSUBSCRIBE", left);
    if (added.length) this.#send("SUBSCRIBE", added, onFollowing);
  }

  #connect() {
    const url = new URL("/stream", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#expectAnswer();
    socket.onopen = () => {
      this.#send("SUBSCRIBE", this.#streams, () => {
        this.#attempt = 0;
        this.#handlers.onState("live");
        this.#handlers.onOpen();
      });
      this.#ping = setInterval(() => {
        if (this.#waits.length) return; // for the answer to the one before
        this.#expectAnswer();
        this.#send("LIST_SUBSCRIPTIONS", []);
      }, PING_INTERVAL_MS);
    };
    socket.onmessage = (message) => this.#take(JSON.parse(message.data));
    socket.onclose = () => {
      if (socket === this.#socket) this.#lose();
    };
  }

  #connectNow() {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  #lose() {
    this.#socket.close();
    this.#socket = null; // its close event may take minutes on a dead line
    this.#onAnswer.clear();
    this.#stopWaiting();
    clearInterval(this.#ping);
    this.#handlers.onState("reconnecting");
    this.#retry = setTimeout(() => this.#connect(), delay(this.#attempt++, Math.random()));
  }

  #send(method, params, onAnswer) {
    const id = ++this.#lastId;
    if (onAnswer) this.#onAnswer.set(id, onAnswer);
    this.#socket.send(JSON.stringify({ method, params, id }));
  }

  #take(message) {
    this.#stopWaiting();
    if (this.#isStale) this.#handlers.onState("live");
    this.#isStale = false;
    if (message.stream !== undefined) {
      this.#handlers.onEvent(message.stream, message.data);
      return;
    }
    if (message.error) console.warn(`The feed refused: ${message.error.msg}`);
    this.#onAnswer.get(message.id)?.();
    this.#onAnswer.delete(message.id);
  }

  #expectAnswer() {
    this.#stopWaiting();
    this.#waits = [
      setTimeout(() => {
        this.#isStale = true;
        this.#handlers.onState("stale");
      }, STALE_AFTER_MS),
      setTimeout(() => this.#lose(), GIVE_UP_AFTER_MS),
    ];
  }

  #stopWaiting() {
    this.#waits.forEach(clearTimeout);
    this.#waits = [];
  }
}
