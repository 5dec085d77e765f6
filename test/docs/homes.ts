/** A made-up key of a provider's form; token-shaped text is made when it runs. */
const providerKey = `"sk-proj-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')"`;

/** What the runbooks begin with: a key of each kind, in use, and logs into which some of them were printed. */
export const fourKeys = `
set -e
keyctl create payments --scopes orders:read --out-file payments.key
keyctl verify < payments.key
printf %s ${providerKey} > openai.key
printf %s ${providerKey} > new-openai.key
keyctl create openai-main --kind provider --provider openai --from-file openai.key
keyctl create orders-db --kind secret --type db-credential --generate
keyctl create patients --kind encryption --type PHI_DATA
keyctl create shop --out-file shop.key
printf '10:02 curl -H "Authorization: Bearer %s"\\n10:03 OPENAI_API_KEY=%s\\n' "$(cat payments.key)" "$(cat openai.key)" > job.log
printf '10:04 token=%s\\n' "$(cat shop.key)" > other.log
echo done > clean.log
echo 'test -n "$NEW" && echo password set' > set-password.sh
set +e`;

/** What the cookbook begins with: a few keys, logs, a passphrase, and a repository with secrets in its `.env`. */
export const workshop = `
set -e
keyctl create payments --out-file payments.key
keyctl create orders-db --kind secret --type db-credential --generate
printf %s ${providerKey} > openai.key
keyctl create openai-old --kind provider --provider openai --from-file openai.key
rm openai.key
(umask 077; printf 'correct horse battery staple' > passphrase)
echo done > clean.log
printf '10:02 curl -H "Authorization: Bearer %s"\\n' "$(cat payments.key)" > job.log
mkdir shop
printf "# the shop's settings\\nLOG_LEVEL=debug\\nDATABASE_PASSWORD=\\"correct horse battery\\"\\nexport SESSION_SECRET=%s\\n" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \\n')" > shop/.env
if command -v git > /dev/null; then
  git config --global user.name shop
  git config --global user.email shop@example.com
  git init --quiet shop
  git -C shop add .env
  git -C shop commit --quiet --message Begin
fi
set +e`;
