// What all commands with options do alike: `--help` prints them, and options that make no sense give one line and exit
// code 2.

/**
 * What the command line asks for; undefined when there is nothing to run, which has been said then, and the exit code set.
 * @template T
 * @param {readonly string[]} args
 * @param {string} usage its first line begins with `usage: ` and the command
 * @param {(args: readonly string[]) => T} parse throws an error whose message says what is wrong
 * @returns {T | undefined}
 */
export function readCommandLine(args, usage, parse) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return undefined
  }
  try {
    return parse(args)
  } catch (error) {
    // What Node adds in further sentences is about positional arguments, which no command takes.
    const [problem = ''] = String(error instanceof Error ? error.message : error).split(/\n|\. /)
    const [, command = ''] = /^usage: (npm run \S+)/.exec(usage) ?? []
    process.stderr.write(`${problem.replace(/\.$/, '')}. What there is: ${command} -- --help\n`)
    process.exitCode = 2
    return undefined
  }
}
