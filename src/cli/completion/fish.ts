/** For fish 3 and newer. */
export const fishScript = `# keyctl completion for fish. keyctl completion fish > ~/.config/fish/completions/keyctl.fish

function __keyctl_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -e typed[1]
    # Behind -- stands another program: its words are not shown to keyctl.
    if contains -- -- $typed
        __fish_complete_path "$current"
        return
    end
    for found in (printf '%s\\n' $typed "$current" | command keyctl __complete 2>/dev/null)
        switch $found
            case ':files'
                __fish_complete_path "$current"
            case ':folders'
                __fish_complete_directories "$current"
            case '*'
                printf '%s\\n' $found
        end
    end
end

complete -c keyctl -f -a '(__keyctl_complete)'
`;
