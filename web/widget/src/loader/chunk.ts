/** Loads a module of ours by its absolute address. */
export const load = <T>(url: string): Promise<T> => import(/* @vite-ignore */ url) as Promise<T>;
