import { parseDuration } from '../../model/duration.ts';
import type { StringMap } from '../../model/kubernetes.ts';

/** Reads the annotations of one prefix and collects what is not understood; an empty value counts as none. */
export class AnnotationReader {
  readonly #annotations: StringMap;
  readonly #prefix: string;
  readonly problems: string[] = [];

  constructor(annotations: StringMap, prefix: string) {
    this.#annotations = annotations;
    this.#prefix = prefix;
  }

  /** The value of a field; empty when there is none. */
  text(field: string): string {
    const key = `${this.#prefix}${field}`;
    return Object.hasOwn(this.#annotations, key) ? (this.#annotations[key] ?? '') : '';
  }

  /** A duration in milliseconds, or `undefined`: none is set, or `instead` counts. */
  milliseconds(field: string, instead: string): number | undefined {
    const text = this.text(field);
    if (text === '') {
      return undefined;
    }
    const ms = parseDuration(text);
    if (ms === undefined || ms < 0) {
      this.complain(field, instead);
      return undefined;
    }
    return ms;
  }

  complain(field: string, instead: string): void {
    this.problems.push(
      `annotation ${this.#prefix}${field} is ${JSON.stringify(this.text(field))}, which means nothing; ${instead}`,
    );
  }
}
