import type { OptionSpec } from '../command.ts';
import { commands, globalOptions } from '../commands.ts';
import { argumentOffer, optionsOf, valueOffer } from './words.ts';
import type { Offer } from './words.ts';

/** The completion of bash, for /usr/share/bash-completion/completions/orphand. It needs no other file. */
export function bashCompletion(): string {
  const every = [...globalOptions, ...commands.flatMap(({ options }) => options)];
  const valued = every.filter(({ value }) => value !== undefined);
  const passing = commands.filter(({ passthrough }) => passthrough === true).map(({ name }) => name);
  return `# bash completion for orphand
_orphand() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --)
        # Behind it is a command line of its own.
        case $command in
          ${passing.join('|')})
            if declare -F _command_offset >/dev/null; then
              _command_offset $((i + 1))
            elif ((i + 1 == COMP_CWORD)); then
              mapfile -t COMPREPLY < <(compgen -c -- "$cur")
            else
              compopt -o filenames 2>/dev/null
              mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            fi
            ;;
        esac
        return
        ;;
      ${patterns(valued).join('|')})
        # Its value is the next word, after a = that bash takes for a word.
        if [[ \${COMP_WORDS[i + 1]} == = ]]; then ((i += 2)); else ((i += 1)); fi
        ;;
      -*) ;;
      *) [[ $command ]] || command=\${COMP_WORDS[i]} ;;
    esac
  done
  if [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $cur == = ]]; then
    cur=
  fi
  case $prev in
${valueCases(valued)}
  esac
  if [[ -z $command ]]; then
    if [[ $cur == -* ]]; then
      mapfile -t COMPREPLY < <(compgen -W '${longOptions(globalOptions)}' -- "$cur")
    else
      mapfile -t COMPREPLY < <(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$cur")
    fi
    return
  fi
  case $command:$cur in
${commands.map((command) => `    ${command.name}:-*) mapfile -t COMPREPLY < <(compgen -W '${longOptions(optionsOf(command))}${command.passthrough === true ? ' --' : ''}' -- "$cur") ;;`).join('\n')}
${commands.flatMap((command) => argumentCase(command.name, argumentOffer(command))).join('\n')}
  esac
}
complete -F _orphand orphand
`;
}

function patterns(options: readonly OptionSpec[]): string[] {
  return [
    ...new Set(
      options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
    ),
  ];
}

function longOptions(options: readonly OptionSpec[]): string {
  return options.map(({ name }) => `--${name}`).join(' ');
}

function valueCases(options: readonly OptionSpec[]): string {
  const byKind = new Map<Offer['kind'], OptionSpec[]>();
  for (const option of options) {
    const kind = valueOffer(option)?.kind ?? 'nothing';
    byKind.set(kind, [...(byKind.get(kind) ?? []), option]);
  }
  return [...byKind]
    .map(([kind, of]) => {
      const reply =
        kind === 'files' || kind === 'directories'
          ? `compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -${kind === 'files' ? 'f' : 'd'} -- "$cur"); `
          : '';
      return `    ${patterns(of).join('|')}) ${reply}return ;;`;
    })
    .join('\n');
}

function argumentCase(name: string, offer: Offer): string[] {
  return offer.kind === 'words'
    ? [`    ${name}:*) mapfile -t COMPREPLY < <(compgen -W '${offer.words.join(' ')}' -- "$cur") ;;`]
    : [];
}
