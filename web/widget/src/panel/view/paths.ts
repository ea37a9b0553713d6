/** Icons of the panel. */
export const paths = {
  bubble: 'M21 11.5a8.4 8.4 0 0 1-12.2 7.5L3 21l2-5.8A8.4 8.4 0 1 1 21 11.5z',
  chevron: 'M6 9l6 6 6-6',
  send: 'M12 19V5M5 12l7-7 7 7',
  stop: 'M7 7h10v10H7z',
  close: 'M18 6L6 18M6 6l12 12',
  fresh: 'M12 20h9M16.5 3.5a2.1 2.1 0 0 1 3 3L7 19l-4 1 1-4z',
  thumb: 'M7 10v10H3V10zM7 10l4-7c2 0 3 1 3 3v3h6l-2 11H7',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  latest: 'M12 5v14M5 12l7 7 7-7',
};
