// The choice of a time zone.
import { CITY_ZONES, FIXED_ZONES, OWN_ZONE } from "./settings/zones.js";
import { zoneOf } from "./text/zone.js";

/** @import { Say, TextName } from "./text/texts.js" */

/**
 * What a zone is called.
 * @param {string} name
 * @param {Say} say
 */
export function zoneTitle(name, say) {
  if (name === OWN_ZONE) return say("ownZone");
  const city = CITY_ZONES.find((zone) => zone === name);
  return city ? say(city) : zoneOf(name).offsetName(0);
}

/**
 * Fill it with the zones, and how far they are ahead of UTC now.
 * @param {HTMLSelectElement} select
 * @param {Say} say
 * @param {number} nowMs
 */
export function fillZones(select, say, nowMs) {
  /** @param {string} name */
  const option = (name) => {
    const [title, offset] = [zoneTitle(name, say), zoneOf(name).offsetName(nowMs)];
    return new Option(title === offset ? title : `${title} (${offset})`, name);
  };
  /**
   * @param {TextName} title
   * @param {readonly string[]} names
   */
  const group = (title, names) => {
    const element = document.createElement("optgroup");
    element.label = say(title);
    element.append(...names.map(option));
    return element;
  };
  select.replaceChildren(
    option(OWN_ZONE),
    option("UTC"),
    group("zoneCities", CITY_ZONES),
    group("zoneOffsets", FIXED_ZONES),
  );
}
