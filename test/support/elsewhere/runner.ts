// Runs tests that are written for vitest where vitest itself does not go: in a worker of a browser, in Deno, in Bun, in
// another version of Node. `describe`, `it` and what else organises tests are vitest's own (@vitest/runner), `expect` and
// `vi` too; only the finding of files and the reporting are ours.
import { startTests, type Task, type Test, type VitestRunner } from '@vitest/runner'
import { vi } from 'vitest'

/** How a test ended. */
export interface Outcome {
  /** File, groups and test, as vitest would print them. */
  readonly name: string
  readonly state: 'passed' | 'failed' | 'skipped'
  readonly ms: number
  /** Message, stack and difference of each failure. */
  readonly errors: readonly string[]
}

/** Test files by name; calling one makes it describe its tests. */
export type TestFiles = Readonly<Record<string, () => unknown>>

/** Runs all tests in order, and tells how each one ended; before that, by name, that it begins. */
export async function runTests(
  files: TestFiles,
  report: (outcome: Outcome) => void,
  begins: (name: string) => void = () => undefined
): Promise<void> {
  provideState()
  const runner: VitestRunner = {
    config: {
      root: '/',
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false
    },
    importFile: path => files[path]?.(),
    onBeforeRunTask: test => begins(nameOf(test)),
    onAfterTryTask: () => {
      vi.restoreAllMocks()
    },
    onAfterRunTask: test => report(outcomeOf(test))
  }
  for (const name of Object.keys(files)) {
    const [file] = await startTests([name], runner)
    if (file?.result?.state !== 'fail' || file.tasks.length > 0) reportSkipped(file?.tasks ?? [], report)
    else report({ name, state: 'failed', ms: 0, errors: errorsOf(file) })
  }
}

/** Tests that are skipped come to no end of their own. */
function reportSkipped(tasks: readonly Task[], report: (outcome: Outcome) => void): void {
  for (const task of tasks) {
    if (task.type === 'suite') reportSkipped(task.tasks, report)
    else if (task.mode === 'skip' || task.mode === 'todo') report(outcomeOf(task))
  }
}

function outcomeOf(test: Test): Outcome {
  const state = test.result?.state === 'pass' ? 'passed' : test.mode === 'skip' ? 'skipped' : 'failed'
  return { name: nameOf(test), state, ms: Math.round(test.result?.duration ?? 0), errors: errorsOf(test) }
}

function nameOf(task: Task): string {
  const names = [task.name]
  for (let at = task.suite; at !== undefined; at = at.suite) if (at.name !== '') names.unshift(at.name)
  return [task.file.filepath, ...names].join(' > ')
}

function errorsOf(task: Task): string[] {
  return (task.result?.errors ?? []).map(({ message, stack, diff }) =>
    [stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`, diff ?? ''].join('\n').trim()
  )
}

/** What `expect` and `vi` look up of the vitest that they think they run in. */
function provideState(): void {
  const config = { expect: {}, fakeTimers: {}, snapshotOptions: { expand: false } }
  Object.defineProperty(globalThis, '__vitest_worker__', { value: { config, filepath: '' }, configurable: true })
}
