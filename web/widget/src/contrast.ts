/**
 * CSS for black or white, whichever reads better on a colour. The lightness of Lab follows the luminance of WCAG: below 49.6
 * white reaches 4.5 to 1, above it black does. Browsers without relative colours show white.
 */
export const onColour = (colour: string): string => `lab(from ${colour} calc((49.6 - l)*1000) 0 0)`;
