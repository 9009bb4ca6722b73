/** A piece of a stranger's text: either as written, or one character that would hide or reorder things, named instead. */
export interface Segment {
  readonly text: string;
  /** True where `text` is the name of a character (`U+202E`) and not the character itself. */
  readonly isMark: boolean;
}

// C0 and C1 controls, format characters (bidi marks, zero-width ones, tags), line and paragraph separators, private use,
// unpaired surrogates, and the letters that look like nothing (Hangul fillers, the blank Braille pattern).
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\u115F\u1160\u2800\u3164\uFFA0]/u;

// A joiner between two letters is spelling in Persian, the scripts of India and emoji; anywhere else it is hiding.
const JOINER = /[\u200C\u200D]/u;
const JOINED = /[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]/u;

/** Splits a text so that nothing in it is invisible and nothing can reorder what stands around it. */
export function visible(text: string): readonly Segment[] {
  const characters = Array.from(text);
  const segments: { text: string; isMark: boolean }[] = [];
  characters.forEach((character, index) => {
    const isMark = isHidden(character, characters[index - 1], characters[index + 1]);
    const last = segments.at(-1);
    if (isMark) segments.push({ text: codePoint(character), isMark });
    else if (last && !last.isMark) last.text += character;
    else segments.push({ text: character, isMark });
  });
  return segments;
}

/** The same as one plain string, for titles of elements and for sorting out what a reader hears. */
export function visibleText(text: string): string {
  return visible(text)
    .map((segment) => (segment.isMark ? `[${segment.text}]` : segment.text))
    .join("");
}

function isHidden(character: string, before: string | undefined, after: string | undefined): boolean {
  if (JOINER.test(character)) return !(isJoined(before) && isJoined(after));
  return HIDDEN.test(character);
}

// ASCII letters are never joined: a joiner in `pay(U+200D)pal` only serves to deceive.
function isJoined(character: string | undefined): boolean {
  return character !== undefined && character > "\u007F" && JOINED.test(character);
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
