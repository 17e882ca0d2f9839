import assert from "node:assert/strict";
import { test } from "node:test";
import { INTERVALS } from "../../../../../../chart_app/web/page/settings/intervals.js";
import { formatInterval } from "../../../../../../chart_app/web/page/text/interval_format.js";
import { textsIn } from "../../../../../../chart_app/web/page/text/texts.js";

test("intervals are those of the API in English, and in words in Korean", () => {
  const inLanguage = (language) => INTERVALS.map((it) => formatInterval(it, textsIn(language)));
  assert.deepEqual(inLanguage("en"), INTERVALS);
  const korean = "1분 3분 5분 15분 30분 1시간 2시간 4시간 6시간 8시간 12시간 1일 3일 1주 1개월";
  assert.equal(inLanguage("ko").join(" "), korean);
});
