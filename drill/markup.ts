/** Text as it may stand in XML and HTML, in an element or in a quoted attribute. */
export function escape(text: string): string {
  // XML 1.0 has no way to write most control characters.
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
  return clean.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Coordinates without noise behind the point. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** 40 ms, 3.08 s, 12.4 s. */
export function duration(milliseconds: number): string {
  const rounded = Math.round(milliseconds);
  if (rounded < 1000) return `${rounded} ms`;
  return `${(rounded / 1000).toFixed(rounded < 10_000 ? 2 : 1)} s`;
}
