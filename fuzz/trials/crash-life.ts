// A life of the trial `crash`: the steps of a case, taken once on a disk that records.
import { strictEqual } from 'node:assert/strict'
import { type Content, contentOf } from '../../test/engine/content.ts'
import { expectContent } from '../../test/engine/support.ts'
import type { DiskState } from '../../test/support/disk-state.ts'
import { SimulatedDisk } from '../../test/support/simulated-disk.ts'
import type { SmallOptions } from '../workload/opening.ts'
import { type Kind, Subject } from '../workload/subject.ts'
import type { CrashCase } from './crash-case.ts'

/** What was promised between two changes of the disk: a commit, or a copy of the state after one in another folder. */
export interface Note {
  readonly commit: number
  readonly copy?: { readonly folder: string; readonly isDone: boolean }
}

export interface Life {
  readonly disk: SimulatedDisk<Note>
  /** What each commit must have left. */
  readonly states: readonly Content[]
}

/** Takes the steps of a case, on a disk that may break its promises if the case says so. */
export async function live(testCase: CrashCase, fault?: SimulatedDisk['fault']): Promise<Life> {
  const { options, seed } = testCase
  const begun = testCase.start === 'empty' ? undefined : await filled(options)
  const disk = new SimulatedDisk<Note>(seed, begun?.state).record()
  disk.fault = fault
  const subject = subjectOn(disk, options, begun?.content)
  for (const step of testCase.steps) {
    for (const error of await subject.take(step)) throw error
  }
  if (subject.opened !== undefined) expectContent(contentOf(subject.opened.engine), subject.content)
  disk.restart()
  return { disk, states: subject.states }
}

function subjectOn(disk: SimulatedDisk<Note>, options: SmallOptions, content?: Content): Subject {
  const surroundings = {
    vfs: (folder?: string) => disk.vfs(folder),
    restart: () => disk.restart(),
    acknowledge: (commit: number) => disk.note({ commit }),
    copying: (folder: string, commit: number, isDone: boolean) => disk.note({ commit, copy: { folder, isDone } })
  }
  return new Subject(surroundings, options, content)
}

interface Filled {
  readonly state: DiskState
  readonly content: Content
}

/** A database with something of everything, the newest of it only in the log. */
async function filled(options: SmallOptions): Promise<Filled> {
  const disk = new SimulatedDisk<Note>(1)
  const subject = subjectOn(disk, { ...options, durability: 'strict' })
  const kinds: readonly Kind[] = ['batch', 'put', 'large value', 'batch', 'checkpoint', 'batch', 'put', 'transaction']
  for (const [i, kind] of kinds.entries()) {
    const errors = await subject.take({ kind, seed: i + 1 })
    strictEqual(errors.length, 0)
  }
  disk.restart()
  return { state: disk.state(), content: subject.content }
}
