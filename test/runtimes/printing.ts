import { runTests, type TestFiles } from '../support/elsewhere/runner.ts'

/** Runs test files in this runtime and prints how each test ended, for `runInRuntime`. */
export async function runAndPrint(files: TestFiles): Promise<void> {
  await runTests(files, outcome => console.log(`outcome ${JSON.stringify(outcome)}`))
  console.log('ended')
}
