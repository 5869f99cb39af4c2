/** An access key. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Finds the access key of a profile in the text of a shared credentials file of AWS; `undefined` when there is none.
 *
 * The format is https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html, as far as it concerns access keys.
 */
export function accessKeyOf(text: string, profile: string): AccessKey | undefined {
  const settings = settingsOf(text, profile);
  const accessKeyId = settings.get('aws_access_key_id');
  const secretAccessKey = settings.get('aws_secret_access_key');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    return undefined;
  }
  const sessionToken = settings.get('aws_session_token');
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

function settingsOf(text: string, profile: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let section: string | undefined;
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    const [, header] = /^\[\s*(?:profile\s+)?(.+?)\s*\]/.exec(line) ?? [];
    const [, name, value] = /^([^#;=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (header !== undefined) {
      section = header;
    } else if (section === profile && name !== undefined && value !== undefined && value !== '') {
      settings.set(name.toLowerCase(), value);
    }
  }
  return settings;
}
