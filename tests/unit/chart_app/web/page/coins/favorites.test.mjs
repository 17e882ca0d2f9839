import assert from "node:assert/strict";
import { test } from "node:test";
import { Favorites, MAX_FAVORITES } from "../../../../../../chart_app/web/page/coins/favorites.js";

class MemoryKept {
  values = new Map();
  read(name) {
    return this.values.get(name);
  }
  write(name, value) {
    this.values.set(name, value);
  }
}

test("a star is kept until it is taken", () => {
  const kept = new MemoryKept();
  const favorites = new Favorites(kept);
  favorites.toggle("BTC");
  favorites.toggle("ETH");
  favorites.toggle("BTC");
  assert.equal(favorites.has("BTC"), false);
  assert.equal(new Favorites(kept).has("ETH"), true);
});

test("two tabs keep each other's stars", () => {
  const kept = new MemoryKept();
  const tabs = [new Favorites(kept), new Favorites(kept)];
  tabs[0].toggle("BTC");
  tabs[1].toggle("ETH");
  assert.deepEqual(kept.read("favorites"), ["BTC", "ETH"]);
});

test("what is kept may be anything, and the oldest star goes where there are too many", () => {
  const kept = new MemoryKept();
  for (const none of [null, 7, "BTC", { 0: "BTC" }, [7, null, ["BTC"]]]) {
    kept.write("favorites", none);
    assert.equal(new Favorites(kept).has("BTC"), false);
  }
  const names = Array.from({ length: 100_000 }, (_, index) => `C${index}`);
  kept.write("favorites", names);
  const favorites = new Favorites(kept);
  favorites.toggle("BTC");
  assert.equal(kept.read("favorites").length, MAX_FAVORITES);
  assert.deepEqual(kept.read("favorites").slice(-2), ["C99999", "BTC"]);
  assert.equal(favorites.has("C0"), false);
});
