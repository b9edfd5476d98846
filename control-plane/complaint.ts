/**
 * What is said to somebody whose request cannot be done: which way it failed, and a message that
 * names the thing, what was given and what would do. operator.ts turns it into a gRPC status.
 */
export type Fault =
  | 'misused' // the request itself is wrong
  | 'missing' // it is about something that is not there
  | 'conflict' // somebody changed it meanwhile
  | 'guarded' // it could be done and must not be now
  | 'full' // a named bound has been reached
  | 'failed' // our side cannot: the journal, say
  | 'damaged' // the journal on disk is not what was written

export class Complaint extends Error {
  readonly fault: Fault

  constructor(fault: Fault, message: string) {
    super(message)
    this.name = 'Complaint'
    this.fault = fault
  }
}
