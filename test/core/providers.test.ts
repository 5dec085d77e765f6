import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { revokePage } from "../../src/core/providers.ts";

describe("the page where a provider revokes its keys", () => {
  it("is known for the providers that people hold most keys of", () => {
    const known = ["openai", "anthropic", "groq", "google", "azure", "aws", "github", "gitlab", "stripe"];
    for (const provider of known) {
      const page = new URL(revokePage(provider) ?? "");
      expect(page.protocol, provider).toBe("https:");
      expect([page.username, page.password, page.search], provider).toEqual(["", "", ""]);
    }
    expect(revokePage("openai")).toBe("https://platform.openai.com/api-keys");
  });

  it("is null without a provider, and for one that nobody knows", () => {
    expect(revokePage(null)).toBeNull();
    expect(revokePage("acme-internal")).toBeNull();
  });

  it("is a page or null for any text, also for JavaScript's own names", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(revokePage(name)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const page = revokePage(text);
        expect(page === null || page.startsWith("https://")).toBe(true);
      }),
    );
  });
});
