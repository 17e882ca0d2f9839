import assert from "node:assert/strict";
import { test } from "node:test";
import { findPalette, findReader } from "../../../../../../chart_app/web/page/settings/reader.js";

test("without a choice, or with one that is none, all is as the browser has it", () => {
  for (const chosen of [undefined, "auto", "constructor", 7, { language: "ko" }]) {
    assert.deepEqual(findReader(["de-DE", "ko-KR"], chosen), { language: "ko", locale: "de-DE" });
    assert.equal(findPalette(["de-DE", "ko-KR"], "en", chosen), "green-red");
  }
  assert.deepEqual(findReader(["en-US@posix"], undefined), { language: "en", locale: "en" });
});

test("a chosen language brings its numbers along, as the reader's own region has them", () => {
  assert.deepEqual(findReader(["ko-KR", "en-IN"], "en"), { language: "en", locale: "en-IN" });
  assert.deepEqual(findReader(["de-DE"], "ko"), { language: "ko", locale: "ko" });
});

test("red is up where it is at the exchanges of the place, unless the reader chooses", () => {
  for (const locale of ["ko", "en-KR", "ja", "zh-CN", "zh-Hant-TW"]) {
    assert.equal(findPalette([locale], "en", undefined), "red-blue", locale);
  }
  for (const locale of ["en-US", "zh-HK", "de", "C"]) {
    assert.equal(findPalette([locale], "en", undefined), "green-red", locale);
  }
  assert.equal(findPalette(["en-US"], "ko", undefined), "red-blue");
  assert.equal(findPalette(["ko-KR"], "ko", "blue-orange"), "blue-orange");
});
