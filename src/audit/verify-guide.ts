import { isFiltered } from "./bundle.ts";
import type { BundleManifest } from "./bundle.ts";

/** The text of a bundle's `VERIFY.md`: how a sceptic checks it with and without the script. */
export function verifyGuide(manifest: BundleManifest): string {
  return `# How to check this bundle

It holds ${manifest.entries} of the ${manifest.size} entries of the audit log \`${manifest.origin}\`.
${isFiltered(manifest) ? filtered : whole}

You need Python 3.8 or newer and the \`openssl\` command; no network, no keyctl.

    python3 verify.py --fingerprint HEX

HEX is the fingerprint of the signing key (SHA-256 of its public key in DER), which you got from somebody else than whoever gave you
this bundle: \`keyctl audit-export\` prints it on the system itself. The key in this folder has

    ${manifest.fingerprint}

Without \`--fingerprint\` the script can only say that all is consistent with the key inside. It exits 0 when everything
agrees, and 1 otherwise. A script inside a bundle proves nothing if you do not trust it: it is short, so read it, or take your own copy.

## What is in it

| file | content |
|---|---|
| entries.jsonl | one entry per line, the exact bytes that were hashed |
| leaves.bin | 32 bytes for each of the ${manifest.size} entries: SHA-256 of a zero byte and the entry's bytes |
| checkpoint.txt | the signed size and root of the log (C2SP signed note) |
| public-key.pem | the key that signed it (ECDSA, P-256) |
| manifest.json | what was exported, when, by what program |
${manifest.hasPersonalData ? "| personal.jsonl | personal data that the entries only commit to; an entry still verifies when this is erased |\n" : ""}| SHA256SUMS | the checksums of all files |

## By hand

The files are as they were written:

    sha256sum --check SHA256SUMS

The signature covers the first three lines of checkpoint.txt; it follows four bytes that name the key:

    head -n 3 checkpoint.txt > body
    tail -n 1 checkpoint.txt | cut -d ' ' -f 3 | base64 -d | tail -c +5 > signature
    openssl dgst -sha256 -verify public-key.pem -signature signature body

The fingerprint of the key:

    openssl pkey -pubin -in public-key.pem -outform DER | sha256sum

The leaf of an entry, here of the first line, stands in leaves.bin at its \`seq\`, times 32:

    head -n 1 entries.jsonl | tr -d '\\n' | { printf '\\000'; cat; } | sha256sum
    xxd -s $((32 * SEQ)) -l 32 -c 32 -p leaves.bin

The root is that of the Merkle tree of RFC 9162, section 2.1, over leaves.bin: a node is SHA-256 of the byte 1, the left and the
right hash, where the left part is the largest power of two smaller than the number of leaves.

## What it does not prove

A checkpoint proves what the log was when it was signed, not that nothing happened elsewhere. To see that the log was not cut
off, compare its size with a checkpoint that you kept yourself: a log only grows.
`;
}

const whole = "Nothing was filtered out: every entry up to the checkpoint is here.";
const filtered =
  "It is filtered. That proves that what is shown is real and stands where it says, not that nothing was left out:\n" +
  "the leaves of the entries that are not shown are here, their content is not.";
