# Completion of mailferry and mailferryd for bash. Names of passes are asked of the daemon.

_mailferry_passes() {
    "${COMP_WORDS[0]}" "${_mailferry_place[@]}" --json passes 2>/dev/null | tr '{' '\n' |
        sed -n 's/.*"name": *"\([^"]*\)".*/\1/p'
}

_mailferry() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb="" i
    local verbs="init copy status passes limits retry reload shutdown start pause resume cancel
        mailboxes mailbox estimate items report"
    local _mailferry_place=()
    for ((i = 1; i < COMP_CWORD; ++i)); do
        case ${COMP_WORDS[i]} in
        --config | --socket)
            _mailferry_place=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
            ((++i))
            ;;
        -*) ;;
        *) [[ -n $verb ]] || verb=${COMP_WORDS[i]} ;;
        esac
    done
    case $before in
    --config | --socket | --output) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --state) COMPREPLY=($(compgen -W "waiting running done failed paused cancelled" -- "$word")); return ;;
    --format) COMPREPLY=($(compgen -W "text json csv html" -- "$word")); return ;;
    --source-protocol | --target-protocol) COMPREPLY=($(compgen -W "imap graph" -- "$word")); return ;;
    esac
    local words="--help --config --socket --json"
    case $verb in
    "") words+=" --version $verbs" ;;
    init) words="--help --source-protocol --target-protocol --mailboxes --since --name --output --yes" ;;
    mailboxes) words+=" --state --offset --limit" ;;
    items) words+=" --failed --limit" ;;
    report) words+=" --format" ;;
    estimate) words+=" --rate --hours" ;;
    start | pause | resume | cancel) words+=" $(_mailferry_passes)" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}

_mailferryd() {
    local word=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --config) COMPREPLY=($(compgen -f -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "--help --version --config --check" -- "$word")) ;;
    esac
}

complete -F _mailferry mailferry
complete -F _mailferryd mailferryd
