/** The configuration can't be used. Each problem is one line that names the place, the value and what would be right. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems[0] ?? 'the configuration is not usable');
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
