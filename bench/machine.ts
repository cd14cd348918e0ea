import { cpus, release, totalmem } from 'node:os'

/** Where figures come from; nothing that names the machine or its owner. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly runtime: string
  readonly date: string
}

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release().split('-')[0]}`,
    runtime: `Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10)
  }
}
