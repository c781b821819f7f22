import type { OptionSpec } from '../command.ts';
import { commands, globalOptions } from '../commands.ts';
import { argumentOffer, valueOffer } from './words.ts';
import type { Offer } from './words.ts';

/** The completion of zsh, as `_orphand` in a folder of $fpath, or sourced. */
export function zshCompletion(): string {
  return `#compdef orphand
# zsh completion for orphand
_orphand() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  _arguments -C -s \\
${specs(globalOptions)}
    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      curcontext=\${curcontext%:*:*}:orphand-$line[1]:
      case $line[1] in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _orphand ]]; then _orphand "$@"; else compdef _orphand orphand; fi
`;
}

function commandCase(command: (typeof commands)[number]): string {
  const offer = argumentOffer(command);
  const argument =
    command.passthrough === true
      ? ["'*::command: _normal'"]
      : command.arity[1] > 0
        ? [quote(`1:argument:${action(offer)}`)]
        : [];
  const parts = [...command.options, ...globalOptions].flatMap(optionSpecs);
  return `        ${command.name})
          _arguments -s \\
${[...parts, ...argument].map((part) => `            ${part}`).join(' \\\n')}
          ;;`;
}

function specs(options: readonly OptionSpec[]): string {
  return options
    .flatMap(optionSpecs)
    .map((spec) => `    ${spec} \\`)
    .join('\n');
}

function optionSpecs(option: OptionSpec): string[] {
  const { name, short, value, help } = option;
  const offer = valueOffer(option);
  const takes = offer === undefined ? '' : `:${value ?? ''}:${action(offer)}`;
  const names = [`--${name}${offer === undefined ? '' : '='}`, ...(short === undefined ? [] : [`-${short}`])];
  return names.map((each) => quote(`${each}[${help.replace(/[[\]]/g, '\\$&')}]${takes}`));
}

function action(offer: Offer): string {
  switch (offer.kind) {
    case 'files':
      return '_files';
    case 'directories':
      return '_files -/';
    case 'words':
      return `(${offer.words.join(' ')})`;
    case 'nothing':
      return ' ';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
