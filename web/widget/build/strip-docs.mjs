/** Takes the `doc` texts out of the tables: they are for the reference and no page needs to load them. */
export function stripDocs() {
  return {
    name: 'strip-docs',
    enforce: 'post',
    transform(code, id) {
      if (!/\/src\/table\/[\w-]+\.ts$/.test(id)) return null;
      const cuts = [];
      walk(this.parse(code), (node) => {
        if (node.type !== 'ObjectExpression') return;
        node.properties.forEach((property, i) => {
          if (property.type !== 'Property' || property.key.name !== 'doc') return;
          const next = node.properties[i + 1];
          const previous = node.properties[i - 1];
          if (next) cuts.push([property.start, next.start]);
          else cuts.push([previous ? previous.end : property.start, property.end]);
        });
      });
      let out = code;
      for (const [start, end] of cuts.sort((a, b) => b[0] - a[0])) out = out.slice(0, start) + out.slice(end);
      return { code: out, map: null };
    },
  };
}

function walk(node, visit) {
  if (!node || typeof node !== 'object') return;
  if (typeof node.type === 'string') visit(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const child of value) walk(child, visit);
    else if (value && typeof value === 'object') walk(value, visit);
  }
}
