// The live streams: a WebSocket that reconnects and notices when the server no longer answers.
import { retryDelayMs } from "./backoff.js";

const PING_INTERVAL_MS = 10_000;
const STALE_AFTER_MS = 5_000; // without an answer
const GIVE_UP_AFTER_MS = 15_000;

/** @import { Line } from "./connection.js" */

/**
 * @typedef {object} StreamHandlers
 * @property {(line: Line) => void} onLine
 * @property {() => void} onOpen is called when a new connection follows the streams; what happened
 *   before must be loaded
 * @property {(stream: string, data: unknown) => void} onEvent
 */

/**
 * An event of a stream, or the answer to a request.
 * @typedef {{ stream: string, data: unknown }
 *   | { stream?: undefined, id: number, error?: { msg: string } }} Message
 */

export class StreamClient {
  #handlers;
  /** @type {string[]} */
  #streams = [];
  /** @type {WebSocket | null} */
  #socket = null;
  /**
   * What to call once a request is answered, by the request's id.
   * @type {Map<number, () => void>}
   */
  #onAnswer = new Map();
  #lastId = 0;
  #attempt = 0;
  #isStale = false;
  /** @type {number | undefined} */
  #retryTimer;
  /** @type {number | undefined} */
  #pingTimer;
  /**
   * Run while an answer is awaited.
   * @type {number[]}
   */
  #answerTimers = [];

  /** @param {StreamHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    addEventListener("online", () => this.connect());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.connect();
    });
  }

  /** Connect now, if there is no connection. */
  connect() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    const url = new URL("/stream", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#expectAnswer();
    socket.onopen = () => {
      const onAnswer = () => {
        this.#attempt = 0;
        this.#handlers.onLine("open");
        this.#handlers.onOpen();
      };
      if (this.#streams.length) this.#send("SUBSCRIBE", this.#streams, onAnswer);
      else this.#send("LIST_SUBSCRIPTIONS", [], onAnswer);
      this.#pingTimer = setInterval(() => {
        if (this.#answerTimers.length) return; // for the answer to the one before
        this.#expectAnswer();
        this.#send("LIST_SUBSCRIPTIONS", []);
      }, PING_INTERVAL_MS);
    };
    socket.onmessage = (message) => this.#receive(JSON.parse(message.data));
    socket.onclose = () => {
      if (socket === this.#socket) this.#reconnect();
    };
  }

  /**
   * Follow these streams and no others.
   * @param {string[]} streams
   * @param {() => void} [onFollowing] is called once the added ones are followed; where there is no
   *   connection, at once: the next one calls onOpen
   */
  follow(streams, onFollowing) {
    const left = this.#streams.filter((name) => !streams.includes(name));
    const added = streams.filter((name) => !this.#streams.includes(name));
    this.#streams = streams;
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      onFollowing?.();
      return;
    }
    if (left.length) this.#send("UNSUBSCRIBE", left);
    if (added.length) this.#send("SUBSCRIBE", added, onFollowing);
    else onFollowing?.();
  }

  #reconnect() {
    this.#socket?.close();
    this.#socket = null; // its close event may take minutes on a dead line
    this.#onAnswer.clear();
    this.#stopAnswerTimers();
    clearInterval(this.#pingTimer);
    this.#handlers.onLine("reconnecting");
    const delayMs = retryDelayMs(this.#attempt++, Math.random());
    this.#retryTimer = setTimeout(() => this.connect(), delayMs);
  }

  /**
   * @param {string} method
   * @param {string[]} params
   * @param {() => void} [onAnswer]
   */
  #send(method, params, onAnswer) {
    const id = ++this.#lastId;
    if (onAnswer) this.#onAnswer.set(id, onAnswer);
    this.#socket?.send(JSON.stringify({ method, params, id }));
  }

  /** @param {Message} message */
  #receive(message) {
    this.#stopAnswerTimers();
    if (this.#isStale) this.#handlers.onLine("open");
    this.#isStale = false;
    if (message.stream !== undefined) {
      this.#handlers.onEvent(message.stream, message.data);
      return;
    }
    if (message.error) console.warn(`The server refused a request: ${message.error.msg}`);
    this.#onAnswer.get(message.id)?.();
    this.#onAnswer.delete(message.id);
  }

  #expectAnswer() {
    this.#stopAnswerTimers();
    this.#answerTimers = [
      setTimeout(() => {
        this.#isStale = true;
        this.#handlers.onLine("stale");
      }, STALE_AFTER_MS),
      setTimeout(() => this.#reconnect(), GIVE_UP_AFTER_MS),
    ];
  }

  #stopAnswerTimers() {
    for (const timer of this.#answerTimers) clearTimeout(timer);
    this.#answerTimers = [];
  }
}
