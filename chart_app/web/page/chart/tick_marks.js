// The marks of the time axis, by the clocks of a zone.
import { defaultHorzScaleBehavior, TickMarkType } from "../lightweight-charts.mjs";

import { chartTime } from "./chart_time.js";

/** @import { Mutable, Time, TimeScalePoint } from "lightweight-charts" */
/** @import { Zone } from "../text/zone.js" */

/** The library reads times by UTC; here the weight of a mark, such as that of a new day, is a zone's. */
export class ZonedTimes extends defaultHorzScaleBehavior() {
  /** @type {Zone | null} */
  zone = null;

  /**
   * @override
   * @param {readonly Mutable<TimeScalePoint>[]} points
   * @param {number} from
   */
  fillWeightsForPoints(points, from) {
    const { zone } = this;
    if (!zone) return;
    const before = Math.max(0, from - 1);
    const local = points.slice(before).map((point) => ({
      ...point,
      time: this.convertHorzItemToInternal(localTime(zone, point)),
    }));
    super.fillWeightsForPoints(local, from - before);
    for (const [index, point] of points.slice(before).entries()) {
      point.timeWeight = local[index]?.timeWeight ?? point.timeWeight;
    }
  }
}

/**
 * What its clocks show, as a time of UTC.
 * @param {Zone} zone
 * @param {TimeScalePoint} point
 */
function localTime(zone, { originalTime }) {
  return chartTime(zone.clock(Number(originalTime) * 1000).getTime());
}

/** @type {Readonly<Record<TickMarkType, Intl.DateTimeFormatOptions>>} */
const FIELDS = {
  [TickMarkType.Year]: { year: "numeric" },
  [TickMarkType.Month]: { month: "short" },
  [TickMarkType.DayOfMonth]: { day: "numeric" },
  [TickMarkType.Time]: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  [TickMarkType.TimeWithSeconds]: { timeStyle: "medium", hourCycle: "h23" },
};

/**
 * A function that writes a mark as the clocks of a zone have it.
 * @param {string} locale
 * @param {Zone} zone
 * @returns {(time: Time, type: TickMarkType) => string}
 */
export function tickMarkFormatter(locale, zone) {
  const formats = new Map(
    Object.entries(FIELDS).map(([type, fields]) => [
      Number(type),
      new Intl.DateTimeFormat(locale, { ...fields, timeZone: "UTC" }), // of what the clocks show
    ]),
  );
  return (time, type) => formats.get(type)?.format(zone.clock(Number(time) * 1000)) ?? "";
}
