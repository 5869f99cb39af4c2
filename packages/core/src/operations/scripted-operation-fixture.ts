import type { ObjectReference } from '../model/kubernetes.ts';
import type {
  ItemOperation,
  ItemOperationCall,
  ItemOperationProgress,
} from '../ports/item-operation.ts';

/** One answer of a {@link ScriptedOperation}; an error is thrown, and `hang` never comes. */
export type ScriptedAnswer = ItemOperationProgress | Error | 'hang';

/** An operation that answers as a test says: one answer after another, the last again and again. */
export class ScriptedOperation implements ItemOperation {
  readonly id: string;
  readonly itemsToUpdate: readonly ObjectReference[] | undefined;
  asked = 0;
  cancelled = 0;
  /** The signals that its calls were given. */
  readonly signals: AbortSignal[] = [];
  /** Plays the cancellation. */
  onCancel: () => Promise<void> = async () => undefined;
  readonly #answers: readonly ScriptedAnswer[];

  constructor(
    answers: readonly ScriptedAnswer[],
    {
      id = 'copy-1',
      itemsToUpdate,
    }: {
      readonly id?: string;
      readonly itemsToUpdate?: readonly ObjectReference[];
    } = {},
  ) {
    this.#answers = answers;
    this.id = id;
    this.itemsToUpdate = itemsToUpdate;
  }

  async progress({ signal }: ItemOperationCall): Promise<ItemOperationProgress> {
    this.signals.push(signal);
    const answer = this.#answers[Math.min(this.asked, this.#answers.length - 1)];
    this.asked += 1;
    if (answer === undefined || answer === 'hang') {
      return Promise.withResolvers<never>().promise;
    }
    if (answer instanceof Error) {
      throw answer;
    }
    return answer;
  }

  async cancel({ signal }: ItemOperationCall): Promise<void> {
    this.signals.push(signal);
    this.cancelled += 1;
    await this.onCancel();
  }
}
