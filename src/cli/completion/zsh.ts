/** For zsh with its completion system (`compinit`). */
export const zshScript = `#compdef keyctl
# keyctl completion for zsh. Into a folder of $fpath, as _keyctl; or in ~/.zshrc, after compinit:
# source <(keyctl completion zsh)

_keyctl() {
  local found rest
  local -a typed names shown
  local -i dashes=\${words[(i)--]}
  if ((dashes > 1 && dashes < CURRENT)); then
    # Behind -- stands another program: its words are not shown to keyctl.
    shift $dashes words
    ((CURRENT -= dashes))
    _normal
    return
  fi
  ((CURRENT > 2)) && typed=("\${(@Q)words[2,CURRENT-1]}")
  typed+=("\${(Q)PREFIX}")
  while IFS=$'\\t' read -r found rest; do
    case $found in
      (:files) compset -P '--*='; _files; return ;;
      (:folders) compset -P '--*='; _files -/; return ;;
    esac
    names+=("$found")
    shown+=("$found\${rest:+  -- $rest}")
  done < <(print -rl -- "\${(@)typed}" | command keyctl __complete 2>/dev/null)
  ((\${#names} > 0)) && compadd -l -d shown -a -- names
}

if [[ \${funcstack[1]-} == _keyctl ]]; then
  _keyctl "$@"
else
  compdef _keyctl keyctl
fi
`;
