// Channels between clients and owners. A channel carries frames in both directions, in order, until it is closed. A
// frame is a piece of encoded messages, with the large byte strings that they refer to beside it, so that channels
// within a process can transfer these instead of copying them.

/** Bytes that belong to whoever has the frame: nobody else uses their buffers. */
export interface Frame {
  /** Encoded messages; see `messages.ts`. */
  readonly head: Uint8Array
  /** Byte strings that the messages name by number. */
  readonly parts: readonly Uint8Array[]
}

/** One end. Whoever makes it sets the handlers at once, before control returns to the event loop. */
export interface Channel {
  /** Called for every frame, in order. */
  onFrame: (frame: Frame) => void
  /** Called once when the other end is gone or has spoken something that is no frame; not after `close()`. */
  onClose: (reason: string) => void
  /** Called when what was posted has been taken after all, and `isCongested` is false again. */
  onDrain: () => void
  /** More has been posted than the other end takes: whoever answers should wait, or memory fills. */
  readonly isCongested: boolean
  /** Sends a frame; its buffers must not be used afterwards. Does nothing once either end is closed. */
  post(frame: Frame): void
  /** Ends both directions. What was posted before still arrives, if it is taken soon. May be called again. */
  close(): void
  /** The same, but what is not on its way yet must never arrive: the other end would take it for what is wanted now. */
  abandon(): void
  /** Whether the channel alone keeps its thread running. */
  hold(isHeld: boolean): void
}
