/** RFC 3339 in UTC with seconds, `2026-01-02T03:04:05Z`: how Kubernetes writes a time. */
export function formatTimestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
