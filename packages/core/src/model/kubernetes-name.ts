const labelGrammar: RegExp = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomainGrammar: RegExp =
  /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const longestSubdomain = 253;

/** Whether a text is a DNS-1123 label, as the names of namespaces are: up to 63 of `a-z`, `0-9` and inner `-`. */
export function isDnsLabel(text: string): boolean {
  return labelGrammar.test(text);
}

/** Whether a text is a DNS-1123 subdomain, as most names are: up to 253 characters, parts of `a-z`, `0-9` and inner `-` joined by `.`. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= longestSubdomain && subdomainGrammar.test(text);
}
