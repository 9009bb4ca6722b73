import { describe, expect, it } from "vitest";
import { visible, visibleText } from "./visible";

const marks = (text: string): string[] =>
  visible(text)
    .filter((segment) => segment.isMark)
    .map((segment) => segment.text);

describe("visible", () => {
  it.each([
    ["a right-to-left override", "invoice\u202Efdp.exe", ["U+202E"]],
    ["isolates", "\u2066x\u2069", ["U+2066", "U+2069"]],
    ["marks of direction", "a\u200Eb\u200Fc\u061Cd", ["U+200E", "U+200F", "U+061C"]],
    ["control characters", "a\u0000b\u001B[31m\u007F\u0085", ["U+0000", "U+001B", "U+007F", "U+0085"]],
    ["line ends", "a\nb\r\tc\u2028d\u2029", ["U+000A", "U+000D", "U+0009", "U+2028", "U+2029"]],
    ["zero widths", "a\u200Bb\u2060c\uFEFF\u00AD", ["U+200B", "U+2060", "U+FEFF", "U+00AD"]],
    ["tags beyond the first plane", "x\u{E0041}", ["U+E0041"]],
    ["letters that look like nothing", "\u3164\u115F\u2800", ["U+3164", "U+115F", "U+2800"]],
    ["half a pair", "a\uD800b", ["U+D800"]],
    ["a joiner in Latin", "pay\u200Dpal", ["U+200D"]],
    ["a joiner at the end", "\u0645\u200C", ["U+200C"]],
  ])("names %s", (_, text, expected) => {
    expect(marks(text)).toEqual(expected);
  });

  it.each([
    ["Arabic", "\u0642\u0631\u0637\u0628\u0629"],
    ["Persian with its joiner", "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645"],
    ["an emoji family", "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}"],
    ["accents", "Cafe\u0301 Ünïcode"],
    ["no-break spaces", "a\u00A0b"],
    ["markup, which stays text", "<script>alert(1)</script>"],
  ])("leaves %s alone", (_, text) => {
    expect(visible(text)).toEqual([{ text, isMark: false }]);
  });

  it("keeps the pieces in order", () => {
    expect(visibleText("a\u202Eb\u200B")).toBe("a[U+202E]b[U+200B]");
    expect(visible("")).toEqual([]);
  });
});
