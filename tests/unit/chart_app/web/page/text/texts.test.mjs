import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { EN } from "../../../../../../chart_app/web/page/text/en.js";
import { KO } from "../../../../../../chart_app/web/page/text/ko.js";
import { chooseLanguage, textsIn } from "../../../../../../chart_app/web/page/text/texts.js";

const PAGE = new URL("../../../../../../chart_app/web/page/", import.meta.url).pathname;
const SOURCES = new Map(
  readdirSync(PAGE, { recursive: true })
    .filter((file) => /\.(js|html)$/.test(file) && !/node_modules|text\/(en|ko)\./.test(file))
    .map((file) => [file, readFileSync(PAGE + file, "utf8")]),
);
const HTML = SOURCES.get("index.html") + SOURCES.get("login.html");

test("both languages have the same texts, with the same values in them", () => {
  assert.deepEqual(Object.keys(KO), Object.keys(EN));
  const valuesIn = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [name, text] of Object.entries(EN)) {
    assert.ok(text && KO[name], name);
    assert.deepEqual(valuesIn(KO[name]), valuesIn(text), name);
  }
});

test("every text is used, and every name in the page is a text", () => {
  const all = [...SOURCES.values()].join("\n");
  const unused = Object.keys(EN).filter((name) => !all.includes(`"${name}"`));
  assert.deepEqual(unused, []);
  const named = [...HTML.matchAll(/data-text(?:-[a-z-]+)?="(.*?)"/g)].map(([, name]) => name);
  assert.deepEqual(
    named.filter((name) => !Object.hasOwn(EN, name)),
    [],
  );
});

test("the page says in English, before any script runs, what the English texts say", () => {
  const plain = (text) => text.replace(/\s+/g, " ").replaceAll("&amp;", "&").trim();
  let count = 0;
  for (const [tag, attributes, content] of HTML.matchAll(/<[a-z]\w*(\s[^>]*)>([^<]*)/g)) {
    for (const [, attribute, name] of attributes.matchAll(/data-text(-[a-z-]+)?="(\w+)"/g)) {
      const said = attribute
        ? new RegExp(`\\s${attribute.slice(1)}="(.*?)"`).exec(attributes)?.[1]
        : content;
      assert.equal(plain(said ?? ""), EN[name], tag);
      count++;
    }
  }
  assert.equal(count, HTML.match(/data-text/g).length);
});

test("the language is the first that both the reader and the page have", () => {
  assert.equal(chooseLanguage(["ko-KR", "en"]), "ko");
  assert.equal(chooseLanguage(["de-DE", "KO", "en"]), "ko");
  assert.equal(chooseLanguage(["constructor", "de"]), "en");
  assert.equal(chooseLanguage([]), "en");
});

test("a text gets its values", () => {
  const say = textsIn("ko");
  assert.equal(say("noTradesOf", { coin: "$& {coin}" }).startsWith("$& {coin}"), true);
});
