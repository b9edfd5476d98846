/**
 * `airspace completion bash|zsh|fish` prints what teaches a shell; the shell then asks the hidden
 * `__complete` verb, which knows the verbs, the flags and, from the control plane, live names.
 */
import { candidates } from '../candidates.ts'
import { misused } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { Verb } from '../verb.ts'
import { didYouMean } from '../words.ts'

// Bash breaks words at ':' and '=', names hold both: the line is split here, at blanks alone.
const BASH = `_airspace() {
  local typed=\${COMP_LINE:0:COMP_POINT} candidate
  local -a words
  read -r -a words <<< "$typed"
  [[ $typed == *[[:space:]] ]] && words+=("")
  local current=\${words[-1]}
  local before=\${current%"\${current##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    COMPREPLY+=("\${candidate#"$before"}")
  done < <(airspace __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _airspace airspace
`

const ZSH = `#compdef airspace
_airspace() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(airspace __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe airspace found
}
compdef _airspace airspace
`

const FISH = `function __airspace_complete
  set -l typed (commandline -opc) (commandline -ct)
  airspace __complete -- $typed[2..-1] 2>/dev/null
end
complete -c airspace -f -a '(__airspace_complete)'
`

const SCRIPTS: { readonly [shell: string]: string } = { bash: BASH, zsh: ZSH, fish: FISH }

export function completion(run: Invocation): Verb {
  const shells = Object.keys(SCRIPTS)
  return new Verb('completion', 'teach a shell the verbs, the flags and live names')
    .in('run')
    .argument('<shell>', shells.join(', '))
    .example('source <(airspace completion bash)', 'in ~/.bashrc')
    .example('source <(airspace completion zsh)', 'in ~/.zshrc, after compinit')
    .example('airspace completion fish | source', 'in config.fish')
    .action((shell: string) => {
      const script = SCRIPTS[shell]
      if (script === undefined) {
        throw misused(`no shell '${shell}'${didYouMean(shell, shells)}`, shells.join(', '))
      }
      run.terminal.data(script)
    })
}

/** Never complains: a shell has nowhere to show it. */
export function complete(run: Invocation, program: Verb): Verb {
  return new Verb('__complete', 'what could come next')
    .argument('[words...]', 'after `airspace`, the last one unfinished')
    .action(async (words: string[]) => {
      try {
        const found = await candidates(run, program, words)
        run.terminal.data(found.map(([word, means]) => `${word}\t${means}\n`).join(''))
      } catch {
        run.exit = 0
      }
    })
}
