/** The panel's sheet. It reads public variables and declares none; `--sbv-x` is the resolved value of variable x. */
import { strokes } from '../../icons.ts';
import { onColour } from '../../contrast.ts';
import { declarations } from '../../table/variables.ts';

export const css = `
.root{all:initial;display:block;width:100%;height:100%;box-sizing:border-box;${declarations('light')};color-scheme:light;
font:400 var(--sbv-font-size)/1.5 var(--sbv-font);color:var(--sbv-text);text-align:start;-webkit-text-size-adjust:100%;
--r:min(var(--sbv-border-radius),18px)}
.root[data-theme=dark]{${declarations('dark')};color-scheme:dark}
@supports(color:lab(from red l a b)){.root{--sbv-primary-text:var(--scaibot-primary-text,var(--sb-bot-primary-text,${onColour('var(--sbv-primary)')}))}}
.root[data-pale]{--sbv-link:var(--scaibot-link,var(--sb-bot-link,color-mix(in oklab,var(--sbv-primary) 38%,var(--sbv-text))))}
.root *,.root ::before{box-sizing:border-box}
[hidden]{display:none!important}
${strokes}svg{width:18px;height:18px}.thumb svg{width:16px;height:16px}.composer svg{width:20px;height:20px}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.probe{position:absolute;width:0;height:0;color:var(--sbv-primary);background:var(--sbv-bg)}
button{font:inherit;color:inherit;background:none;border:0;margin:0;padding:0;cursor:pointer;touch-action:manipulation;-webkit-tap-highlight-color:transparent}
:focus{outline:0}
:focus-visible{outline:2px solid var(--sbv-link);outline-offset:2px}
.panel{display:flex;flex-direction:column;position:relative;width:100%;height:100%;overflow:hidden;background:var(--sbv-bg);border-radius:var(--sbv-border-radius)}
[data-mode=floating] .panel{box-shadow:var(--sbv-shadow);border:1px solid var(--sbv-border);transform-origin:bottom;animation:rise .18s cubic-bezier(.2,.8,.3,1)}
[data-mode=inline] .panel{border:1px solid var(--sbv-border)}
[data-sheet] .panel{border:0;border-radius:0;padding-top:env(safe-area-inset-top,0)}
@keyframes rise{from{opacity:0;transform:translateY(10px) scale(.985)}}
.head{display:flex;align-items:center;gap:10px;min-height:60px;padding:8px 8px 8px 16px;background:var(--sbv-header-bg);color:var(--sbv-header-text);border-bottom:1px solid var(--sbv-border)}
[dir=rtl] .head{padding:8px 16px 8px 8px}
.face{flex:none;display:grid;place-items:center;width:34px;height:34px;border-radius:50%;background:var(--sbv-primary);color:var(--sbv-primary-text)}
.names{flex:1;min-width:0}
.title{margin:0;font-size:1em;font-weight:650;line-height:1.3;letter-spacing:-.01em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.status{margin:0;font-size:.8em;line-height:1.3;opacity:.75}
.status:empty{display:none}
.tool{flex:none;display:grid;place-items:center;width:44px;height:44px;border-radius:12px;color:inherit;opacity:.7}
.tool:hover{opacity:1;background:color-mix(in srgb,currentColor 8%,transparent)}
.log{flex:1;min-height:0;overflow-y:auto;overscroll-behavior:contain;scrollbar-width:thin;scrollbar-color:var(--sbv-border) transparent;padding:18px 16px 8px;position:relative}
.log:focus-visible{outline-offset:-3px}
.list{display:flex;flex-direction:column;min-height:100%}
.msg{display:flex;flex-direction:column;align-items:flex-start;max-width:100%;margin-bottom:14px;contain:layout style}
.bubble{max-width:100%;min-width:0;padding:9px 14px;border-radius:var(--r);overflow-wrap:anywhere}
.bot .bubble{background:var(--sbv-surface);border-start-start-radius:5px}
.user{align-items:flex-end;padding-inline-start:15%}
.user .bubble{background:var(--sbv-user-bg);color:var(--sbv-user-text);white-space:pre-wrap;border-end-end-radius:5px}
.system{align-items:center}
.system .bubble,.note{font-size:.87em;color:var(--sbv-muted);text-align:center}
.note{margin:6px 0 0;padding-inline:4px;text-align:start}
.bot>.bubble>[dir]:not(.md){white-space:pre-wrap}
.foot{display:flex;flex-wrap:wrap;align-items:center;gap:2px 8px;padding-inline:4px;font-size:.8em;color:var(--sbv-muted)}
.foot:empty{display:none}
.user .foot{justify-content:flex-end;text-align:end}
.foot .bad{color:var(--sbv-danger)}
.foot button{min-height:32px;border-radius:8px;color:var(--sbv-muted)}
.thumb{display:grid;place-items:center;width:32px}
.thumb[data-rate=down] svg{transform:scale(-1)}
.thumb+.thumb{margin-inline-start:-6px}
.thumb:hover,.retry:hover{background:var(--sbv-surface)}
.thumb[aria-pressed=true]{color:var(--sbv-link)}
.thumb[aria-pressed=true] svg{fill:color-mix(in srgb,currentColor 25%,transparent)}
.foot .retry{padding:0 10px;font-weight:600;color:var(--sbv-link)}
.wait{display:flex;align-items:center;gap:5px;min-height:1.5em;color:var(--sbv-muted)}
.wait span{margin-inline-start:5px;font-size:.9em}
.wait i{width:6px;height:6px;border-radius:50%;background:currentColor;animation:breathe 1.2s infinite}
.wait i:nth-child(2){animation-delay:.15s}.wait i:nth-child(3){animation-delay:.3s}
@keyframes breathe{0%,60%,100%{opacity:.25}30%{opacity:.9}}
.suggestions{display:flex;flex-direction:column;align-items:flex-start;gap:8px;margin-top:auto;padding-top:8px}
.suggestions button{min-height:44px;padding:8px 16px;border:1px solid var(--sbv-border);border-radius:22px;text-align:start;color:var(--sbv-link);background:var(--sbv-bg)}
.suggestions button:hover{border-color:currentColor}
.latest{position:sticky;bottom:4px;display:grid;place-items:center;width:44px;height:44px;margin:-48px auto 0;border-radius:50%;background:var(--sbv-bg);border:1px solid var(--sbv-border);box-shadow:0 2px 10px rgb(15 17 26/.14)}
.notice{display:flex;align-items:center;gap:8px;margin:0 16px 8px;padding:8px 12px;border-radius:10px;font-size:.87em;background:var(--sbv-surface);color:var(--sbv-muted)}
.notice::before{content:"";flex:none;width:8px;height:8px;border-radius:50%;background:#d99a00}
.notice[data-state=refused]::before,.notice[data-state=ended]::before{background:var(--sbv-danger)}
.notice[data-state=human]::before{background:#1a9d5b}
.composer{display:flex;align-items:flex-end;gap:4px;margin:0 12px max(12px,env(safe-area-inset-bottom,0px));padding:3px 3px 3px 14px;border:1px solid var(--sbv-border);border-radius:26px;background:var(--sbv-surface)}
[dir=rtl] .composer{padding:3px 14px 3px 3px}
.composer:focus-within{border-color:var(--sbv-link);box-shadow:0 0 0 1px var(--sbv-link)}
textarea{flex:1;min-width:0;height:44px;max-height:140px;padding:11px 0;border:0;margin:0;background:none;color:inherit;font:inherit;font-size:max(16px,1em);line-height:22px;resize:none;scrollbar-width:thin}
textarea:focus-visible{outline:0}
textarea::placeholder{color:var(--sbv-muted);opacity:1}
.over{align-self:center;font-size:.75em;color:var(--sbv-danger);white-space:nowrap}
.composer button{flex:none;display:grid;place-items:center;width:44px;height:44px;border-radius:50%;background:var(--sbv-primary);color:var(--sbv-primary-text);transition:opacity .15s}
.composer button[aria-disabled]{opacity:.35;cursor:default}
${markdown()}
@media(pointer:coarse){.foot button{min-height:44px}.thumb{width:44px}}
@media(prefers-reduced-motion:reduce){.root *,.root .panel{animation:none!important;transition:none!important;scroll-behavior:auto!important}.wait i{opacity:.6}}
@media(forced-colors:active){.bubble,.composer,.notice{border:1px solid CanvasText}.user .bubble{border-style:dashed}.face,.composer button{border:1px solid ButtonText}}
`;

function markdown(): string {
  return `.md>*{margin:0 0 .65em}.md>:last-child,.md blockquote>:last-child{margin-bottom:0}
.md h3,.md h4,.md h5,.md h6{font-size:1.06em;font-weight:650;line-height:1.35;margin-top:.9em}.md>:first-child{margin-top:0}
.md ul,.md ol{padding-inline-start:1.4em}.md li>*{margin:.15em 0}.md .loose>li>*{margin:.45em 0}
.md a,.sources a{color:var(--sbv-link);text-underline-offset:2px}
.md code{font:.88em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:color-mix(in srgb,var(--sbv-text) 8%,transparent);border-radius:5px;padding:.1em .3em}
.md blockquote{padding-inline-start:.9em;border-inline-start:3px solid var(--sbv-border);color:var(--sbv-muted)}
.md hr{border:0;border-top:1px solid var(--sbv-border)}
.code{border:1px solid var(--sbv-border);border-radius:10px;overflow:hidden;background:var(--sbv-bg)}
.code-head{display:flex;justify-content:space-between;align-items:center;min-height:28px;padding:0 4px 0 12px;font-size:.75em;color:var(--sbv-muted);border-bottom:1px solid var(--sbv-border)}
.copy{min-height:28px;padding:0 8px;border-radius:6px}.copy:hover{color:var(--sbv-text)}
.md pre{margin:0;padding:10px 12px;overflow-x:auto;white-space:pre;overflow-wrap:normal;direction:ltr;text-align:left;scrollbar-width:thin}.md pre code{background:none;padding:0}
.table{overflow-x:auto;border:1px solid var(--sbv-border);border-radius:10px;background:var(--sbv-bg);scrollbar-width:thin}
table{width:100%;border-collapse:collapse;font-size:.93em}th,td{padding:6px 12px;text-align:start;border-bottom:1px solid var(--sbv-border);overflow-wrap:normal}
th{font-weight:600;background:var(--sbv-surface)}tbody tr:last-child td{border-bottom:0}.center{text-align:center}.end{text-align:end}
.cite{min-width:18px;height:18px;margin-inline-start:3px;padding:0 5px;border-radius:9px;font-size:11px;font-weight:600;line-height:18px;vertical-align:2px;background:color-mix(in srgb,var(--sbv-link) 14%,var(--sbv-bg));color:var(--sbv-link);position:relative}
.cite::after{content:"";position:absolute;inset:-6px -3px}
.cite[aria-label]:hover{background:var(--sbv-link);color:var(--sbv-bg)}
.cite:not([aria-label]){opacity:.5;cursor:default}
.sources{margin-top:4px;font-size:.87em;color:var(--sbv-muted)}
.sources summary{display:inline-flex;align-items:center;min-height:32px;padding:0 4px;border-radius:8px;cursor:pointer;list-style:none}
.sources summary::before{content:"";width:6px;height:6px;margin-inline-end:8px;border:solid currentColor;border-width:0 2px 2px 0;transform:rotate(-45deg)}
.sources[open] summary::before{transform:rotate(45deg)}
.sources ol{margin:2px 0 6px;padding-inline-start:1.7em}
.sources li{margin:6px 0;border-radius:6px}
.sources li span{display:block;font-size:.93em}
.sources q{display:block;margin-top:2px;padding-inline-start:.8em;border-inline-start:2px solid var(--sbv-border);quotes:none;color:var(--sbv-text);opacity:.85}`;
}
