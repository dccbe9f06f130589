/** As much as this code needs of modules whose types are not installed here. */

declare module "react" {
  export function useCallback<Callback extends (...args: any[]) => any>(callback: Callback, deps: readonly unknown[]): Callback;
  export function useEffect(effect: () => void | (() => void), deps?: readonly unknown[]): void;
  export function useMemo<Value>(make: () => Value, deps: readonly unknown[]): Value;
  export function useRef<Value>(initial: Value): { current: Value };
  export function useSyncExternalStore<Value>(
    subscribe: (listener: () => void) => () => void,
    read: () => Value,
    readOnServer: () => Value,
  ): Value;
}

declare module "node:fs" {
  export function mkdirSync(path: string, options: { recursive: boolean; mode: number }): void;
  export function readFileSync(path: string, encoding: "utf8"): string;
  export function renameSync(from: string, to: string): void;
  export function rmSync(path: string, options: { force: boolean }): void;
  export function writeFileSync(path: string, text: string, options: { mode: number }): void;
}
