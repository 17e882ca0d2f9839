import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "../../../../../../chart_app/web/page/settings/kept.js";

class MemoryStorage {
  texts = new Map();
  getItem(name) {
    return this.texts.get(name) ?? null;
  }
  setItem(name, text) {
    this.texts.set(name, text);
  }
}

test("what is written is read again, also by the next visit", () => {
  const storage = new MemoryStorage();
  new Kept(() => storage).write("favorites", ["BTC"]);
  assert.deepEqual(new Kept(() => storage).read("favorites"), ["BTC"]);
  assert.equal(new Kept(() => storage).read("theme"), undefined);
});

test("where the storage is blocked or full, a value is kept for this visit", () => {
  const blocked = new Kept(() => {
    throw new Error("SecurityError");
  });
  assert.equal(blocked.read("theme"), undefined);
  blocked.write("theme", "dark");
  assert.equal(blocked.read("theme"), "dark");

  const full = new MemoryStorage();
  full.setItem("theme", '"light"');
  full.setItem = () => {
    throw new Error("QuotaExceededError");
  };
  const kept = new Kept(() => full);
  kept.write("theme", "dark");
  assert.equal(kept.read("theme"), "dark");
});

test("what is no JSON is as if it were not there", () => {
  const storage = new MemoryStorage();
  storage.setItem("theme", "dark");
  assert.equal(new Kept(() => storage).read("theme"), undefined);
});
