import { runTests, type TestFiles } from '../support/elsewhere/runner.ts'

/** Runs test files in this worker and reports to the server that it comes from. */
export async function runAndReport(files: TestFiles): Promise<void> {
  let sent: Promise<unknown> = Promise.resolve()
  const report = (body: unknown): void => {
    sent = sent.then(() => fetch('/report', { method: 'POST', body: JSON.stringify(body) }))
  }
  await runTests(files, report)
  report('ended')
  await sent
}
