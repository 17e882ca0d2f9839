import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { AlertBook } from "../../../../../../chart_app/web/page/alerts/alert_book.js";
import { MAX_ALERTS } from "../../../../../../chart_app/web/page/alerts/kept_alerts.js";
import { Kept } from "../../../../../../chart_app/web/page/settings/kept.js";

const alert = (coin, price, move = "rise") => ({ coin, price, move });

let kept;
let book;

beforeEach(() => {
  const items = new Map();
  kept = new Kept(() => ({
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, text) => items.set(name, text),
  }));
  book = new AlertBook(kept);
});

test("what a price reaches is taken once, of its coin only", () => {
  for (const each of [alert("BTC", "10"), alert("BTC", "20"), alert("ETH", "10")]) book.add(each);
  book.add(alert("BTC", "5", "fall"));
  assert.deepEqual(book.takeReached("BTC", "9"), []);
  assert.deepEqual(book.takeReached("BTC", "12"), [alert("BTC", "10")]);
  assert.deepEqual(book.takeReached("BTC", "12"), []);
  assert.deepEqual(book.takeReached("BTC", "1"), [alert("BTC", "5", "fall")]);
  assert.deepEqual(book.list, [alert("BTC", "20"), alert("ETH", "10")]);
  assert.deepEqual(new AlertBook(kept).list, book.list);
});

test("of two tabs one takes it", () => {
  book.add(alert("BTC", "10"));
  const other = new AlertBook(kept);
  assert.equal(other.takeReached("BTC", "11").length, 1);
  assert.deepEqual(book.takeReached("BTC", "11"), []);
  assert.deepEqual(book.list, []);
});

test("what another tab has added stays", () => {
  const other = new AlertBook(kept);
  other.add(alert("ETH", "10"));
  book.add(alert("BTC", "10"));
  assert.equal(book.list.length, 2);
  book.remove(alert("BTC", "10.0"));
  other.reload();
  assert.deepEqual(other.list, [alert("ETH", "10")]);
});

test("the same price is there once; there is room for no more than are kept", () => {
  for (let price = 1; price <= MAX_ALERTS; price++) assert.ok(book.add(alert("BTC", `${price}`)));
  assert.ok(book.add(alert("BTC", "7.0", "fall")));
  assert.equal(book.add(alert("BTC", "0.5")), false);
  assert.equal(book.list.length, MAX_ALERTS);
  assert.deepEqual(book.list.at(-1), alert("BTC", "7.0", "fall"));
});

test("without a storage they last for the visit", () => {
  const blocked = new AlertBook(
    new Kept(() => {
      throw new Error("blocked");
    }),
  );
  blocked.add(alert("BTC", "10"));
  assert.equal(blocked.takeReached("BTC", "10").length, 1);
  assert.deepEqual(blocked.list, []);
});
