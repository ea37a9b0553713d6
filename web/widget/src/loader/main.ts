import { install } from './global.ts';

install(document.currentScript as HTMLScriptElement | null);
