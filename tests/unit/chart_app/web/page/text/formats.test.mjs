import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLocale, Formats } from "../../../../../../chart_app/web/page/text/formats.js";

const LOCALES =
  "en-US de-DE de-CH es-ES pl-PL fr-FR sv-SE ko-KR ja-JP hi-IN bn-BD ar-EG fa-IR".split(" ");
const DECIMALS = ["0", "7", "999", "1234", "12345", "-1234567.5", "9999999999999.99", "0.00000152"];
const LONGEST = "999999999999999999.123456789012345678";

test("a decimal has the separators, groups and digits of its place", () => {
  const places = {
    "en-US": ["1,234,567.50", "9,999,999,999,999.00", "-1,234.5"],
    "de-DE": ["1.234.567,50", "9.999.999.999.999,00", "-1.234,5"],
    "ko-KR": ["1,234,567.50", "9,999,999,999,999.00", "-1,234.5"],
    "hi-IN": ["12,34,567.50", "99,99,99,99,99,999.00", "-1,234.5"],
    "ar-EG": ["١٬٢٣٤٬٥٦٧٫٥٠", "٩٬٩٩٩٬٩٩٩٬٩٩٩٬٩٩٩٫٠٠", "\u061c-١٬٢٣٤٫٥"],
  };
  for (const [locale, expected] of Object.entries(places)) {
    const formats = new Formats(locale);
    const shown = [
      formats.decimal("1234567.5", 2),
      formats.decimal("9999999999999", 2),
      formats.decimal("-1234.5", 0),
    ];
    assert.deepEqual(shown, expected, locale);
  }
});

test("no digit is rounded away, and Intl, where it is exact, says the same", () => {
  for (const locale of LOCALES) {
    const formats = new Formats(locale);
    for (const scale of [0, 2, 8]) {
      const exact = new Intl.NumberFormat(locale, {
        minimumFractionDigits: scale,
        maximumFractionDigits: 18,
      });
      for (const decimal of [...DECIMALS, LONGEST]) {
        assert.equal(
          formats.decimal(decimal, scale),
          exact.format(decimal),
          `${locale} ${decimal}`,
        );
      }
    }
  }
  assert.equal(
    new Formats("en-US").decimal(LONGEST, 2),
    "999,999,999,999,999,999.123456789012345678",
  );
  assert.equal(new Formats("en-US").decimal("91234.50000000", 2), "91,234.50");
});

test("a number of an axis has the scale of its coin, however large it is", () => {
  const formats = new Formats("de-DE");
  assert.equal(formats.number(91234.5, 2), "91.234,50");
  assert.equal(formats.number(1.52e-6, 8), "0,00000152");
  assert.equal(formats.number(-0.5, 2), "-0,50");
  assert.equal(formats.number(1.5e21, 2), "1,5E21");
});

test("sums are short, by the units of the place", () => {
  const [english, korean, german] = ["en-US", "ko-KR", "de-DE"].map((it) => new Formats(it));
  assert.equal(english.compact("12345678.9"), "12.35M");
  assert.equal(korean.compact("12345678.9"), "1235만");
  assert.equal(korean.compact("123456789012"), "1235억");
  assert.equal(german.compact("12345678.9"), "12,35\u00a0Mio.");
  assert.equal(english.compact("3262.4"), "3,262");
  assert.equal(korean.compact("3262.4"), "3,262");
  assert.equal(english.compact("12345.67"), "12.35K");
  assert.equal(english.compact("0"), "0");
  assert.equal(english.compact("0.000000123456"), "1.23E-7");
  assert.equal(english.compact("7500000000000000000000"), "7.5E21");
});

test("a change has a sign, an arrow and two digits", () => {
  const [english, german, arabic] = ["en-US", "de-DE", "ar-EG"].map((it) => new Formats(it));
  assert.deepEqual(english.change("100", "101.5"), { direction: "up", text: "▲ +1.50%" });
  assert.deepEqual(english.change("100", "98"), { direction: "down", text: "▼ -2.00%" });
  assert.deepEqual(english.change("100", "99.999"), { direction: "flat", text: "0.00%" });
  assert.equal(german.change("100", "98").text, "▼ -2,00\u00a0%");
  assert.equal(arabic.change("100", "101.5").text, "▲ \u061c+١٫٥٠٪\u061c");
});

test("a locale that Intl does not know gives way to the next, at last to English", () => {
  assert.equal(chooseLocale(["de-CH", "en"]), "de-CH");
  assert.equal(chooseLocale(["en-US@posix", "tlh", "ko-KR"]), "ko-KR");
  assert.equal(chooseLocale(["C"]), "en");
  assert.equal(chooseLocale([]), "en");
});
