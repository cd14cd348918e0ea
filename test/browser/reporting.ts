import { runTests, type TestFiles } from '../support/elsewhere/runner.ts'

/** Runs test files in this worker and reports to the server that it comes from. */
export async function runAndReport(files: TestFiles): Promise<void> {
  let sent: Promise<unknown> = Promise.resolve()
  const report = (body: unknown): void => {
    sent = sent.then(() => fetch('/report', { method: 'POST', body: JSON.stringify(body) }))
    // Else nobody would hear of the others either, and the end would be waited for in vain.
    sent.catch(reportError)
  }
  await runTests(files, report, name => report({ begins: name }))
  report('ended')
  await sent
}
