/** A request that a FakeCluster was sent. */
export interface ClusterRequest {
  readonly operation:
    | 'version'
    | 'discover'
    | 'get'
    | 'list'
    | 'watch'
    | 'create'
    | 'patch'
    | 'delete'
    | 'exec';
  /** `<resource>` or `<resource>.<group>`. */
  readonly resource?: string | undefined;
  readonly namespace?: string | undefined;
  /** Absent for a list, a watch, and a create with generateName. */
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  readonly fieldManager?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

const keptRequests = 10_000;

/** The latest requests, oldest first. */
export class RequestLog {
  readonly #requests: ClusterRequest[] = [];

  /** What has been asked so far; the oldest are forgotten after 10,000. */
  get requests(): readonly ClusterRequest[] {
    return [...this.#requests];
  }

  /** Adds a request. */
  add(request: ClusterRequest): void {
    this.#requests.push(Object.freeze(request));
    if (this.#requests.length > keptRequests) {
      this.#requests.shift();
    }
  }

  /** Forgets every request. */
  clear(): void {
    this.#requests.length = 0;
  }
}
