// Unpacks the Chromium of @sparticuz/chromium, its libraries and fonts, into TMPDIR.
import chromium from "@sparticuz/chromium";

await chromium.executablePath();
