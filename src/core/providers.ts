/** Where each provider lets its keys be revoked; a revoke here does not reach there. Vendors' own pages. */
const revokePages: Readonly<Record<string, string>> = {
  openai: "https://platform.openai.com/api-keys",
  anthropic: "https://console.anthropic.com/settings/keys",
  groq: "https://console.groq.com/keys",
  google: "https://aistudio.google.com/apikey",
  azure: "https://portal.azure.com",
  aws: "https://console.aws.amazon.com/iam/home#/security_credentials",
  github: "https://github.com/settings/tokens",
  gitlab: "https://gitlab.com/-/user_settings/personal_access_tokens",
  slack: "https://api.slack.com/apps",
  stripe: "https://dashboard.stripe.com/apikeys",
  twilio: "https://console.twilio.com/us1/account/keys-credentials/api-keys",
  sendgrid: "https://app.sendgrid.com/settings/api_keys",
  huggingface: "https://huggingface.co/settings/tokens",
  cohere: "https://dashboard.cohere.com/api-keys",
  mistral: "https://console.mistral.ai/api-keys",
  replicate: "https://replicate.com/account/api-tokens",
  perplexity: "https://www.perplexity.ai/account/api/keys",
  xai: "https://console.x.ai",
  deepseek: "https://platform.deepseek.com/api_keys",
  npm: "https://www.npmjs.com/settings/~/tokens",
  pypi: "https://pypi.org/manage/account/token/",
  openrouter: "https://openrouter.ai/settings/keys",
  databricks: "https://accounts.cloud.databricks.com",
  doppler: "https://dashboard.doppler.com",
  digitalocean: "https://cloud.digitalocean.com/account/api/tokens",
  docker: "https://app.docker.com/settings/personal-access-tokens",
  notion: "https://www.notion.so/profile/integrations",
  postman: "https://go.postman.co/settings/me/api-keys",
  pulumi: "https://app.pulumi.com/account/tokens",
};

/** The page where the provider revokes its keys; null for a provider that keyctl does not know. */
export function revokePage(provider: string | null): string | null {
  return provider !== null && Object.hasOwn(revokePages, provider) ? (revokePages[provider] ?? null) : null;
}
