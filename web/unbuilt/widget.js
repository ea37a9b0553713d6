/* ScaiGrid: the widget is not built into this binary. Run "make build" and start bin/scaigrid. */
console.error('scaibot[not-built]: the server at ' + new URL(document.currentScript.src).origin + ' was built without the widget; run "make build" and start bin/scaigrid.');
