/** What the machine does not let us do, though it was asked for rightly: an address is taken. */
export class Unable extends Error {
  override name = 'Unable'
}
