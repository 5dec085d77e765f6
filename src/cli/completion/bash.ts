/** For bash 3.2 and newer, without the bash-completion package. */
export const bashScript = `# keyctl completion for bash. In ~/.bashrc: eval "$(keyctl completion bash)"

_keyctl() {
  local word i found rest before='' joins=no
  local -a words=()
  COMPREPLY=()
  # bash breaks words at = and : too: they are put together again as they were typed.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((\${#words[@]} > 0)) && [[ $joins == yes || $word == [=:]* ]]; then
      before=\${words[\${#words[@]} - 1]}
      [[ $word == *[=:] ]] && before+=$word
      words[\${#words[@]} - 1]+=$word
    else
      before=''
      words+=("\${word#[\\"\\']}")
    fi
    if [[ $word == *[=:] ]]; then joins=yes; else joins=no; fi
  done
  ((\${#words[@]} > 0)) || return 0
  # Behind -- stands another program: its words are not shown to keyctl.
  for ((i = 0; i < \${#words[@]} - 1; i++)); do
    if [[ \${words[i]} == -- ]]; then
      _keyctl_files default
      return 0
    fi
  done
  while IFS=$'\\t' read -r found rest; do
    case $found in
      :files) _keyctl_files default ;;
      :folders) _keyctl_files dirnames ;;
      # What bash took for words of their own stands there already.
      *) COMPREPLY+=("\${found#"$before"}") ;;
    esac
  done < <(printf '%s\\n' "\${words[@]}" | command keyctl __complete 2>/dev/null)
  return 0
}

# Readline completes files best, and quotes them; a bash before 4 cannot be asked for that here.
_keyctl_files() {
  local found
  compopt -o "$1" 2>/dev/null && return
  while IFS= read -r found; do
    printf -v found %q "$found"
    COMPREPLY+=("$found")
  done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]#=}")
}

complete -F _keyctl keyctl
`;
